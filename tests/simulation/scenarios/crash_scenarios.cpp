// Nodes that die, come back, or come back with less than they had.

#include "simulation/scenarios/scenario.h"

namespace orrery::simulation {
namespace {

constexpr uint64_t kNoticedUs = 6'000'000;

// A coordinator that loses power with everything unsynced: the other copies keep what was acknowledged.
TEST(CrashScenario, AcknowledgedWriteSurvivesItsCoordinator) {
  Scenario s;
  EXPECT_EQ(s.Do(s.home(0), 'c', "SET", {"kept"}), "+OK\r\n");
  s.cluster().CrashNode(s.home(0), 0, 1000);
  s.RunFor(kNoticedUs);
  EXPECT_EQ(s.Do(s.home(1), 'c', "GET"), "$4\r\nkept\r\n");
  s.Settle();
  EXPECT_EQ(s.Do(s.home(0), 'c', "GET"), "$4\r\nkept\r\n");
}

// A node that lost unsynced events must not give their dots to new ones.
TEST(CrashScenario, LostEventsAndNewOnesNeverShareDots) {
  Scenario s;
  for (int i = 0; i < 5; ++i) s.Do(s.home(0), 'b', "INCR");
  s.cluster().CrashNode(s.home(0), 0, 1000);
  s.RunFor(100'000);
  s.cluster().StartNode(s.home(0));
  s.RunFor(3'000'000);
  EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":6\r\n");
  s.Settle();
  EXPECT_EQ(s.Do(s.home(2), 'b', "GET"), "$1\r\n6\r\n");
}

// A home that got its hints but not yet onto its disk loses power: the fallback still has them.
TEST(CrashScenario, HintsStayUntilTheHomeHasThemOnDisk) {
  Scenario s;
  s.cluster().CrashNode(s.home(1), SIZE_MAX, 1000);
  s.cluster().CrashNode(s.home(2), SIZE_MAX, 1000);
  s.RunFor(kNoticedUs);
  EXPECT_EQ(s.Do(s.home(0), 'c', "SET", {"hinted"}), "+OK\r\n");
  s.RunFor(3'000'000);
  s.cluster().CrashNode(s.home(0), SIZE_MAX, 1000);
  s.cluster().StartNode(s.home(1));
  s.RunFor(900'000);
  s.cluster().CrashNode(s.home(1), 0, 1000);
  s.RunFor(1'000'000);
  s.cluster().StartNode(s.home(1));
  s.cluster().StartNode(s.home(2));
  s.RunFor(kNoticedUs);
  EXPECT_EQ(s.Do(s.home(1), 'c', "GET"), "$6\r\nhinted\r\n");
  s.Settle();
}

}  // namespace
}  // namespace orrery::simulation
