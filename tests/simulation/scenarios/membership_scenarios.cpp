// Who belongs to the cluster, and who has forgotten it.

#include "orrery/base/marks.h"
#include "simulation/scenarios/scenario.h"

namespace orrery::simulation {
namespace {

// Members were committed to memory only, and nothing synced them: a machine that lost power soon after it had
// joined came back as a stranger, and with data on either side nobody took it in any more.
TEST(MembershipScenario, MemberThatLosesPowerSoonAfterItJoinedIsStillAMember) {
  Options options = Scenario::Sizes();
  options.loops = 2;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Scenario s(options, seed);
    const size_t victim = s.home(0);
    EXPECT_EQ(s.Do(s.home(1), 'a', "SET", {"7"}), "+OK\r\n");
    s.cluster().CrashNode(victim, 0, 20'000);
    s.cluster().StartNode(victim);
    EXPECT_EQ(s.cluster().node(victim).control().members().size(), s.cluster().members().size());
    s.Settle();
    EXPECT_EQ(s.Do(victim, 'a', "GET"), "$1\r\n7\r\n");
  }
}

uint64_t Forgotten() {
  const auto marks = Mark::All();
  const auto found = marks.find("member that has forgotten the cluster");
  return found == marks.end() ? 0 : found->second;
}

// A member whose disk is older than its first meeting asked whom the others know, chose tokens anew by the
// answer, and so moved slots with their data to where there was none; and those with data would not have it
// back.
TEST(MembershipScenario, MemberThatHasForgottenTheClusterTakesItsOldPlace) {
  const uint64_t before = Forgotten();
  for (size_t node = 0; node < 5; ++node) {
    Scenario s;
    const uint64_t ring = s.cluster().ring().Fingerprint();
    EXPECT_EQ(s.Do(s.home(1), 'a', "SET", {"7"}), "+OK\r\n");
    s.RunFor(2'000'000);
    s.cluster().CrashNode(node, SIZE_MAX, 20'000);
    s.cluster().RestoreImage(node, s.cluster().first_image(node));
    s.RunFor(100'000);
    s.cluster().StartNode(node);
    s.Settle();
    EXPECT_EQ(s.cluster().ring().Fingerprint(), ring);
    EXPECT_EQ(s.Do(node, 'a', "GET"), "$1\r\n7\r\n");
  }
  EXPECT_GE(Forgotten(), before + 5);
}

// That there is data was committed to memory only: a member without any of its own that lost power took a stranger in, whom
// the others had to follow.
TEST(MembershipScenario, MemberThatLosesPowerStillKnowsThatThereIsData) {
  Scenario s;
  const size_t victim = s.away(0);
  const size_t stranger = s.cluster().size() - 1;
  EXPECT_EQ(s.Do(s.home(0), 'a', "SET", {"7"}), "+OK\r\n");
  s.RunFor(3'000'000);
  s.cluster().CrashNode(victim, 0, 20'000);
  s.Isolate({victim, stranger});
  s.cluster().StartNode(victim);
  s.cluster().StartStranger(victim);
  s.RunFor(2'000'000);
  EXPECT_EQ(s.cluster().node(victim).control().members().Present().size(), 5);
  EXPECT_NE(s.cluster().node(stranger).control().last_refusal(), "");
  s.Settle();
}

}  // namespace
}  // namespace orrery::simulation
