// Who may serve alone, who waits until a member has taken it in, and who is taken back.

#include <gtest/gtest.h>

#include <algorithm>

#include "orrery/replication/cluster_control.h"
#include "replication/control_net.h"

namespace orrery::replication {
namespace {

ControlNet::Change WithSeeds(std::set<size_t> nodes) {
  return [nodes = std::move(nodes)](size_t node, ClusterOptions* options) {
    options->has_seeds = nodes.contains(node);
    options->transfer = true;
  };
}

/// All have seeds, and the first is one of them.
ControlNet::Change FirstIsASeed() {
  return [](size_t node, ClusterOptions* options) {
    options->has_seeds = true;
    options->is_seed = node == 1;
  };
}

bool Awaits(ControlNet& net, size_t node) {
  return net.control(node).view()->awaits_meeting;
}

bool Knows(ControlNet& net, size_t node, size_t other) {
  return net.control(node).view()->Find(net.node(other).id) != nullptr;
}

// Clients of the cluster that it was in still know its address: what they wrote to a cluster of one would be
// lost to theirs.
TEST(ClusterAdmissionTest, ANodeThatWasTakenOutServesNothingUntilItIsMet) {
  ControlNet net(3, [](size_t node, ClusterOptions* options) { options->awaits_meeting = node == 3; });
  Gather(&net, 2);
  EXPECT_TRUE(Awaits(net, 3));
  EXPECT_FALSE(Awaits(net, 1));
  net.Link(3, 1);
  net.Pass(3'000'000);
  EXPECT_EQ(net.control(3).view()->members.size(), 3u);
  EXPECT_FALSE(Awaits(net, 3));
  // From then on it is as any other, whoever else goes.
  for (size_t other : {1, 2}) net.Unlink(3, other);
  net.Pass(3'000'000);
  for (size_t other : {1, 2}) EXPECT_TRUE(net.control(3).Remove(net.node(other).id).ok());
  EXPECT_FALSE(Awaits(net, 3));
}

// It served alone after three seconds, and with data of its own nobody took it in any more.
TEST(ClusterAdmissionTest, ANewNodeWithSeedsServesNothingUntilAMemberHasTakenItIn) {
  ControlNet net(3, WithSeeds({3}));
  Gather(&net, 2);
  net.Pass(20'000'000);
  EXPECT_TRUE(Awaits(net, 3));
  EXPECT_TRUE(net.control(3).view()->is_compared) << "by now clients are told, and wait no more";
  net.Link(3, 1);
  net.Settle();
  EXPECT_FALSE(Awaits(net, 3));
  EXPECT_TRUE(Knows(net, 1, 3));
  EXPECT_TRUE(Knows(net, 3, 2)) << "it was told who else is there";
}

TEST(ClusterAdmissionTest, AClientOfANewNodeWaitsWhileItMayStillBeTakenIn) {
  ControlNet net(2, WithSeeds({2}));
  net.Pass(2'000'000);
  EXPECT_FALSE(net.control(2).view()->is_compared);
  net.Link(1, 2);
  net.Settle();
  EXPECT_TRUE(net.control(2).view()->is_compared);
  EXPECT_FALSE(Awaits(net, 2));
  // Not even for a moment: all that waits would be refused in it.
  for (const ClusterViewPtr& view : net.node(2).views)
    EXPECT_FALSE(view->awaits_meeting && view->is_compared);
}

// The member forgot it when its disk failed in the turn of the admission.
TEST(ClusterAdmissionTest, WhoIsNotOnAMembersDiskIsNotToldThatItBelongs) {
  ControlNet net(2, WithSeeds({2}));
  net.node(1).commits = false;
  net.Link(1, 2);
  net.Pass(5'000'000);
  EXPECT_TRUE(Awaits(net, 2));
  net.node(1).commits = true;
  net.Pass(2'000'000);
  EXPECT_FALSE(Awaits(net, 2));
}

TEST(ClusterAdmissionTest, OneOfItsOwnSeedsFoundsACluster) {
  ControlNet net(2, FirstIsASeed());
  EXPECT_FALSE(Awaits(net, 1));
  EXPECT_FALSE(net.control(1).view()->is_compared) << "others may be there";
  EXPECT_TRUE(Awaits(net, 2));
  net.control(2).OnOwnSeed();  // which was given by another name
  EXPECT_FALSE(Awaits(net, 2));
  net.Pass(4'000'000);
  EXPECT_TRUE(net.control(1).view()->is_compared);
  EXPECT_TRUE(net.control(2).view()->is_compared);
}

TEST(ClusterAdmissionTest, NewcomersThatMeetOneAnotherFoundNothing) {
  ControlNet net(3, WithSeeds({2, 3}));
  net.Link(2, 3);
  net.Pass(2'000'000);
  EXPECT_FALSE(net.control(2).view()->is_compared) << "a member may still come";
  net.Pass(20'000'000);
  EXPECT_TRUE(Awaits(net, 2));
  EXPECT_TRUE(Awaits(net, 3));
  EXPECT_TRUE(Knows(net, 2, 3));
  net.Link(1, 2);
  net.Pass(2'000'000);
  EXPECT_FALSE(Awaits(net, 2));
  EXPECT_FALSE(Awaits(net, 3));
  EXPECT_TRUE(Knows(net, 3, 1));
}

// redis-cli --cluster create with nodes that were all reset.
TEST(ClusterAdmissionTest, AnOperatorMayMakeAClusterOfNewcomers) {
  ControlNet net(3, [](size_t, ClusterOptions* options) { options->awaits_meeting = true; });
  net.control(2).OnMet("localhost", 17000);
  net.control(2).OnDialled(net.node(1).id, "localhost", 17000);
  net.Link(2, 1);
  net.Link(3, 1);
  net.Pass(5'000'000);
  for (size_t node : {1, 2, 3}) {
    EXPECT_FALSE(Awaits(net, node));
    EXPECT_EQ(net.control(node).view()->members.size(), 3u);
  }
}

/// 1 and 2 are members; 3 joined, was known to 2 only, and 2 is lost.
void LoseTheOnlyOneWhoKnew(ControlNet* net) {
  Gather(net, 2);
  net->node(1).has_data = true;
  net->Pass(2'000'000);
  net->Unlink(1, 2);
  net->Link(2, 3);
  net->Pass(2'000'000);
  ASSERT_FALSE(Awaits(*net, 3));
  net->Unlink(2, 3);
  net->node(3).has_data = true;
  net->Pass(2'000'000);
}

TEST(ClusterAdmissionTest, AMemberThatAllOthersHaveForgottenIsTakenBackWithItsData) {
  ControlNet net(4, WithSeeds({3, 4}));
  LoseTheOnlyOneWhoKnew(&net);
  ASSERT_TRUE(net.control(1).Remove(net.node(2).id).ok());
  ASSERT_FALSE(Knows(net, 1, 3));
  net.Link(1, 3);
  net.Settle();
  EXPECT_TRUE(Knows(net, 1, 3));
  EXPECT_TRUE(Knows(net, 3, 1));
  net.Pass(3'000'000);
  EXPECT_TRUE(net.control(3).view()->removed.contains(net.node(2).id));
  EXPECT_EQ(net.control(3).view()->founders->Fingerprint(), net.control(1).view()->founders->Fingerprint());
}

TEST(ClusterAdmissionTest, WhoWasRemovedIsNotTakenBack) {
  ControlNet net(3, WithSeeds({3}));
  LoseTheOnlyOneWhoKnew(&net);
  ASSERT_TRUE(net.control(2).Remove(net.node(3).id).ok());
  net.Link(1, 2);
  net.Pass(2'000'000);
  net.Link(1, 3);
  net.Pass(2'000'000);
  EXPECT_FALSE(Knows(net, 1, 3));
  EXPECT_TRUE(net.control(3).view()->is_removed);
}

TEST(ClusterAdmissionTest, ClustersWithoutACommonMemberRefuseEachOther) {
  ControlNet net(4, WithSeeds({}));
  net.Link(1, 2);
  net.Link(3, 4);
  net.Pass(2'000'000);
  for (size_t node : {1, 3}) net.node(node).has_data = true;
  net.Pass(2'000'000);
  for (size_t a : {1, 2}) {
    for (size_t b : {3, 4}) net.Link(a, b);
  }
  net.Pass(5'000'000);
  for (size_t a : {1, 2}) {
    for (size_t b : {3, 4}) {
      EXPECT_FALSE(Knows(net, a, b)) << a << b;
      EXPECT_FALSE(Knows(net, b, a)) << a << b;
    }
  }
  for (size_t node : {1, 2, 3, 4})
    EXPECT_NE(net.control(node).last_refusal().find("holds data"), std::string::npos) << node;
}

TEST(ClusterAdmissionTest, NobodyIsTakenBackWhereSlotsCannotMove) {
  ControlNet net(3, [](size_t node, ClusterOptions* options) { options->has_seeds = node == 3; });
  net.Link(1, 2);
  net.Pass(2'000'000);
  net.Unlink(1, 2);
  net.Link(2, 3);
  net.Pass(2'000'000);
  ASSERT_FALSE(Awaits(net, 3));
  net.Unlink(2, 3);
  net.node(1).has_data = true;
  net.node(3).has_data = true;
  net.Pass(2'000'000);
  net.Link(1, 3);
  net.Pass(2'000'000);
  EXPECT_FALSE(Knows(net, 1, 3));
}

TEST(ClusterAdmissionTest, MalformedMessagesOfPeersChangeNothing) {
  ControlNet net(2, WithSeeds({2}));
  net.Link(1, 2);
  std::string names_us;
  Encoder out(&names_us);
  net.control(2).members().Encode(&out);
  const auto message = [](char kind, const std::string& rest) { return std::string(1, kind) + rest; };
  const size_t sent = net.on_the_way();
  for (const std::string& bytes :
       {message(5, ""), message(5, "\x01\x01"), message(5, "\xff\xff"), message(5, names_us + '\x03'),
        message(5, names_us + std::string(2, '\x01')), message(2, ""), message(2, "\x07")}) {
    net.control(2).OnMessage(net.node(1).id, bytes);
    EXPECT_TRUE(Awaits(net, 2));
    EXPECT_EQ(net.on_the_way(), sent) << "nothing is said because of it";
  }
  net.Pass(2'000'000);
  EXPECT_FALSE(Awaits(net, 2));
}

// Both had saved that they know each other, and so took themselves for members of something.
TEST(ClusterAdmissionTest, NewcomersThatMetGoOnWaitingWhenTheyAreRestarted) {
  ControlNet net(3, WithSeeds({2, 3}));
  net.Link(2, 3);
  net.Pass(5'000'000);
  for (size_t node : {2, 3}) net.Restart(node);
  net.Link(2, 3);
  net.Pass(10'000'000);
  EXPECT_TRUE(Awaits(net, 2));
  EXPECT_TRUE(Awaits(net, 3));
  net.node(1).has_data = true;
  net.Pass(1'000'000);
  net.Link(1, 3);
  net.Pass(3'000'000);
  EXPECT_FALSE(Awaits(net, 2));
  EXPECT_FALSE(Awaits(net, 3));
  net.Restart(3);
  EXPECT_FALSE(Awaits(net, 3));
}

// It has just started from nothing itself, and the cluster may answer in a moment.
TEST(ClusterAdmissionTest, TheWordOfASeedThatHasNotComparedItselfCountsForNothing) {
  ControlNet net(2, FirstIsASeed());
  net.Link(1, 2);
  net.Pass(1'500'000);
  EXPECT_FALSE(net.control(1).view()->is_compared);
  EXPECT_TRUE(Awaits(net, 2));
  net.Pass(4'000'000);
  EXPECT_TRUE(net.control(1).view()->is_compared);
  EXPECT_FALSE(Awaits(net, 2));
  EXPECT_TRUE(Knows(net, 1, 2));
}

TEST(ClusterAdmissionTest, SeedsThatStartTogetherServeAtOnce) {
  ControlNet net(3, [](size_t, ClusterOptions* options) { options->has_seeds = options->is_seed = true; });
  net.LinkAll();
  net.Settle();
  for (size_t node : {1, 2, 3}) {
    EXPECT_TRUE(net.control(node).view()->is_compared) << node;
    EXPECT_EQ(net.control(node).view()->members.size(), 3u) << node;
  }
}

// A cluster's member that has data introduced itself while the newcomer still waited, and was forgotten when
// another newcomer answered first.
TEST(ClusterAdmissionTest, ANewcomerAmongNewcomersJoinsAClusterWithData) {
  ControlNet net(4, WithSeeds({2, 3}));
  net.node(1).has_data = true;
  net.Pass(2'000'000);
  net.Link(2, 3);
  net.Pass(5'000'000);
  net.node(1).commits = false;  // its answers take long
  net.Link(1, 2);
  net.Pass(3'000'000);
  EXPECT_TRUE(Awaits(net, 2));
  net.node(1).commits = true;
  net.Pass(3'000'000);
  EXPECT_FALSE(Awaits(net, 2));
  EXPECT_FALSE(Awaits(net, 3));
  EXPECT_TRUE(Knows(net, 3, 1));
}

// Each answers that it belongs to them if it gets that far: then the two clusters would be one.
TEST(ClusterAdmissionTest, ANewcomerThatMeetsTwoClustersJoinsOne) {
  ControlNet net(3, WithSeeds({3}));
  for (size_t node : {1, 2}) net.node(node).has_data = true;
  net.Pass(2'000'000);
  net.Link(3, 1);
  net.Link(3, 2);
  net.Pass(5'000'000);
  EXPECT_FALSE(Awaits(net, 3));
  EXPECT_NE(Knows(net, 1, 3), Knows(net, 2, 3));
  EXPECT_FALSE(Knows(net, 1, 2));
  EXPECT_FALSE(Knows(net, 2, 1));
}

// The one who only waits for that is stopped too early, and is dead for the others, which wait for it.
TEST(ClusterAdmissionTest, WhoHasLeftDoesNotSaySoBeforeSomebodyKnows) {
  ControlNet net(4);
  Gather(&net, 4);
  ASSERT_TRUE(net.control(4).Leave().ok());
  net.Pass(500'000);
  for (size_t other : {1, 2, 3}) net.Unlink(4, other);
  net.Pass(5'000'000);
  const auto has_said = [&] {
    const auto& logged = net.node(4).logged;
    return std::any_of(logged.begin(), logged.end(),
                       [](const std::string& line) { return line.find("has left") != std::string::npos; });
  };
  EXPECT_TRUE(net.control(4).view()->is_removed);
  EXPECT_FALSE(net.control(4).view()->is_removal_known);
  EXPECT_FALSE(has_said());
  net.Link(4, 2);
  net.Pass(3'000'000);
  EXPECT_TRUE(net.control(4).view()->is_removal_known);
  EXPECT_TRUE(has_said());
  EXPECT_FALSE(Knows(net, 2, 4));
}

// Told to meet a member that is out of reach, it took the next best newcomer at its word.
TEST(ClusterAdmissionTest, ANewcomerThatIsToMeetAMemberBelievesNoOtherNewcomer) {
  ControlNet net(3, WithSeeds({2, 3}));
  net.Link(2, 3);
  net.control(2).OnMet("localhost", 17001);
  net.Pass(10'000'000);
  EXPECT_TRUE(Awaits(net, 2));
  EXPECT_TRUE(Awaits(net, 3));
  net.control(2).OnDialled(net.node(1).id, "localhost", 17001);
  net.Link(1, 2);
  net.Pass(3'000'000);
  EXPECT_FALSE(Awaits(net, 3));
}

// With its first write, which had waited for it to serve, it shut out who had been waiting for it.
TEST(ClusterAdmissionTest, WhoWaitsForASeedIsTakenInBeforeItServes) {
  ControlNet net(2, FirstIsASeed());
  net.Pass(2'500'000);
  net.Link(1, 2);
  while (!net.control(1).view()->is_compared) net.Pass(kHeartbeatUs);
  EXPECT_TRUE(Knows(net, 1, 2));
  net.node(1).has_data = true;
  net.Pass(3'000'000);
  EXPECT_FALSE(Awaits(net, 2));
}

/// 3 has left, and runs on; 4 leaves out of reach of 1 and 2.
void LeaveUnheard(ControlNet* net) {
  Gather(net, 4);
  ASSERT_TRUE(net->control(3).Leave().ok());
  net->Pass(8'000'000);
  ASSERT_TRUE(net->control(3).is_removal_known());
  for (size_t other : {1, 2, 3}) net->Unlink(4, other);
  ASSERT_TRUE(net->control(4).Leave().ok());
  net->Pass(8'000'000);
  ASSERT_TRUE(net->control(4).view()->is_removed);
}

TEST(ClusterAdmissionTest, WhoHasLeftDoesNotRelyOnWhoHasLeftToo) {
  ControlNet net(5, WithSeeds({5}));
  LeaveUnheard(&net);
  net.Link(4, 3);
  net.Link(4, 5);
  net.Pass(5'000'000);
  EXPECT_FALSE(net.control(4).is_removal_known());
  net.Restart(4);
  EXPECT_FALSE(net.control(4).is_removal_known());
  net.Pass(1'000'000);
  net.Link(4, 1);
  net.Pass(3'000'000);
  EXPECT_TRUE(net.control(4).is_removal_known());
  EXPECT_FALSE(Knows(net, 1, 4));
}

TEST(ClusterAdmissionTest, TheWordOfWhoHasLeftCountsForNothing) {
  ControlNet net(5, WithSeeds({5}));
  LeaveUnheard(&net);
  net.Link(5, 3);
  net.Pass(5'000'000);
  EXPECT_TRUE(Awaits(net, 5));
  net.Restart(5);
  net.Link(5, 3);
  net.Pass(5'000'000);
  EXPECT_TRUE(Awaits(net, 5));
  net.Link(5, 1);
  net.Pass(3'000'000);
  EXPECT_FALSE(Awaits(net, 5));
}

// The member had taken it in, and data, before its answer got through.
TEST(ClusterAdmissionTest, ANewcomerWhoseAnswerWasLostAsksAgain) {
  ControlNet net(3, [](size_t node, ClusterOptions* options) { options->has_seeds = node > 1; });
  net.Link(2, 3);
  net.Pass(5'000'000);
  net.node(1).silent = true;
  net.Link(1, 2);
  net.Pass(2'000'000);
  ASSERT_TRUE(Knows(net, 1, 2));
  net.Unlink(1, 2);
  net.node(1).silent = false;
  net.node(1).has_data = true;
  net.Pass(3'000'000);
  EXPECT_TRUE(Awaits(net, 2));
  net.Link(1, 2);
  net.Pass(3'000'000);
  EXPECT_FALSE(Awaits(net, 2));
  EXPECT_TRUE(Knows(net, 2, 1));
}

}  // namespace
}  // namespace orrery::replication
