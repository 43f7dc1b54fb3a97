// Who belongs to the cluster, and who has forgotten it.

#include <memory>

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

uint64_t Times(const std::string& mark) {
  const auto marks = Mark::All();
  const auto found = marks.find(mark);
  return found == marks.end() ? 0 : found->second;
}

uint64_t Forgotten() {
  return Times("member that has forgotten the cluster");
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

Options Growing() {
  Options options = Scenario::Sizes();
  options.transfer = true;
  options.whole_ring = false;
  options.spares = 4;
  return options;
}

/// A node that looks for the others at one address, and was cut off from all of them before it started.
class LonelyNewcomer {
 public:
  explicit LonelyNewcomer(const Options& options = Growing()) {
    for (uint64_t seed = 1;; ++seed) {
      scenario_ = std::make_unique<Scenario>(options, seed);
      EXPECT_EQ(scenario_->Do(scenario_->home(0), 'b', "INCR"), ":1\r\n");
      scenario_->RunFor(2'000'000);
      scenario_->Isolate({node()});
      EXPECT_TRUE(cluster().Join());
      if (cluster().node(node()).seeds().size() == 1) return;
      scenario_->Settle();
    }
  }
  Scenario& scenario() { return *scenario_; }
  Cluster& cluster() { return scenario_->cluster(); }
  size_t node() { return cluster().options().nodes; }
  size_t seed() { return *cluster().node(node()).seeds().begin(); }

 private:
  std::unique_ptr<Scenario> scenario_;
};

// After three seconds it served alone, and as it had data then, nobody took it in any more.
TEST(MembershipScenario, NewcomerThatMeetsNobodyServesNobody) {
  LonelyNewcomer lonely;
  Scenario& s = lonely.scenario();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(s.Do(lonely.node(), 'b', "INCR").substr(0, 12), "-CLUSTERDOWN");
    s.RunFor(5'000'000);
  }
  s.Settle();
  EXPECT_EQ(s.Do(lonely.node(), 'b', "INCR"), ":2\r\n");
}

// One member alone had heard of the newcomer when it was lost for good. The newcomer had taken writes, and
// stayed outside with them, as a cluster takes in nobody with data of its own.
TEST(MembershipScenario, NewcomerWhomOnlyALostMemberKnewIsAMember) {
  const uint64_t before = Times("member that all others had forgotten");
  Options options = Growing();
  options.w = 1;
  options.r = 3;
  LonelyNewcomer lonely(options);
  Scenario& s = lonely.scenario();
  const size_t knows = lonely.seed();
  s.Isolate({lonely.node(), knows});
  lonely.cluster().SetBlocked(lonely.node(), knows, false);
  lonely.cluster().SetBlocked(knows, lonely.node(), false);
  s.RunFor(2'000'000);
  ASSERT_TRUE(lonely.cluster().Replace(knows, false));
  s.RunFor(2'000'000);
  EXPECT_EQ(s.Do(lonely.node(), 'a', "SET", {"7"}), "+OK\r\n");
  s.Settle();
  EXPECT_EQ(s.Do(s.home(0), 'a', "GET"), "$1\r\n7\r\n");
  EXPECT_GT(Times("member that all others had forgotten"), before);
}

// A disk of when the node was alone, out of reach of the others: as it did then, it served alone and took in
// a new node. There were two clusters with data, which refused each other.
TEST(MembershipScenario, ClustersOfOneOriginBecomeOneAgain) {
  const uint64_t before = Times("member that all others had forgotten");
  Options options = Growing();
  options.nodes = 3;
  options.r = options.w = 1;  // as a node alone has it
  Scenario s(options);
  const size_t newcomer = 3;
  EXPECT_EQ(s.Do(1, 'b', "INCR"), ":1\r\n");
  s.RunFor(3'000'000);
  s.Isolate({0, newcomer});
  s.cluster().CrashNode(0, SIZE_MAX, 20'000);
  s.cluster().RestoreImage(0, s.cluster().first_image(0));
  s.RunFor(100'000);
  s.cluster().StartNode(0);
  s.RunFor(2'000'000);
  EXPECT_EQ(s.Do(0, 'b', "INCR"), ":1\r\n");
  s.cluster().node(newcomer).seeds() = {0};
  s.cluster().node(0).seeds() = {newcomer};
  ASSERT_TRUE(s.cluster().Join());
  s.RunFor(1'000'000);
  EXPECT_EQ(s.Do(newcomer, 'b', "INCR"), ":2\r\n");
  EXPECT_EQ(s.Do(1, 'b', "INCR"), ":2\r\n");
  EXPECT_EQ(Times("member that all others had forgotten"), before);
  s.Settle();
  EXPECT_GT(Times("member that all others had forgotten"), before);
  for (size_t node = 0; node <= newcomer; ++node) EXPECT_EQ(s.Do(node, 'b', "GET"), "$1\r\n4\r\n");
}

}  // namespace
}  // namespace orrery::simulation
