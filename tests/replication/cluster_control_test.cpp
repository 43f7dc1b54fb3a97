#include "orrery/replication/cluster_control.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "orrery/ring/token_seed.h"
#include "replication/control_net.h"

namespace orrery::replication {
namespace {

uint32_t SeedOf(ControlNet& net, size_t knower, size_t node) {
  const membership::Member* member = net.control(knower).members().Find(net.node(node).id);
  return member == nullptr ? 0 : member->token_seed;
}

TEST(ClusterControlTest, SignsOfLifeAreHeartbeatsAndNoMoreOfThem) {
  ControlNet net(3);
  Gather(&net, 3);
  net.Pass(kHeartbeatUs);
  for (int i = 0; i < 9; ++i) {
    net.Advance(kHeartbeatUs / 10);
    net.control(1).SignOfLife();
  }
  EXPECT_EQ(net.on_the_way(), 0u);
  net.Advance(kHeartbeatUs / 10);
  net.control(1).SignOfLife();
  net.control(1).SignOfLife();
  EXPECT_EQ(net.on_the_way(), 2u);
}

// It was called down while it worked on a large value.
TEST(ClusterControlTest, ANodeInALongTurnIsAliveAsLongAsItGivesSignsOfLife) {
  ControlNet net(3);
  Gather(&net, 3);
  const auto pass = [&](bool gives_signs) {
    for (uint64_t passed = 0; passed < 3'000'000; passed += kHeartbeatUs) {
      net.Advance(kHeartbeatUs);
      for (size_t other : {2u, 3u}) net.control(other).Tick();
      if (gives_signs) net.control(1).SignOfLife();
      net.Settle();
    }
  };
  pass(true);
  EXPECT_TRUE(net.control(2).view()->IsAlive(net.control(1).self()));
  EXPECT_TRUE(net.control(3).view()->IsAlive(net.control(1).self()));
  pass(false);
  EXPECT_FALSE(net.control(2).view()->IsAlive(net.control(1).self()));
}

TEST(ClusterControlTest, NodesThatMeetKnowEachOtherAndHaveOneRing) {
  ControlNet net(3);
  Gather(&net, 3);
  for (size_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(net.control(i).view()->members.size(), 3u);
    EXPECT_EQ(net.control(i).view()->alive.size(), 3u);
    EXPECT_EQ(net.control(i).view()->ring->Fingerprint(), net.control(1).view()->ring->Fingerprint());
  }
}

TEST(ClusterControlTest, ANewNodeChoosesItsTokensByThoseThatItMeets) {
  ControlNet net(5);
  Gather(&net, 4);
  net.Link(5, 1);
  net.Settle();
  std::vector<ring::RingMember> known;
  for (size_t i = 1; i <= 4; ++i) known.push_back({net.node(i).id, 1, "", SeedOf(net, 1, i)});
  const uint32_t best = ring::ChooseTokenSeed(known, {net.node(5).id, 1, "", 0}, 3);
  ASSERT_NE(best, 0u) << "a seed of 0 would show nothing";
  EXPECT_EQ(SeedOf(net, 5, 5), best);
  net.LinkAll();
  net.Pass(5'000'000);
  for (size_t i = 1; i <= 5; ++i) {
    EXPECT_EQ(SeedOf(net, i, 5), best);
    EXPECT_EQ(net.control(i).view()->ring->Fingerprint(), net.control(1).view()->ring->Fingerprint());
  }
}

TEST(ClusterControlTest, TokensThatWereChosenStay) {
  ControlNet net(5);
  Gather(&net, 4);
  net.Link(5, 1);
  net.Settle();
  const uint32_t chosen = SeedOf(net, 1, 5);
  net.Unlink(5, 1);
  net.Link(5, 2);
  net.Pass(3'000'000);
  EXPECT_EQ(SeedOf(net, 2, 5), chosen);
  EXPECT_EQ(SeedOf(net, 5, 5), chosen);
}

TEST(ClusterControlTest, AClusterWithDataRefusesANewNode) {
  ControlNet net(5);
  Gather(&net, 4);
  net.node(1).has_data = true;
  net.Pass(2'000'000);
  net.Link(5, 1);
  net.Settle();
  EXPECT_EQ(net.control(1).members().Find(net.node(5).id), nullptr);
  EXPECT_NE(net.control(5).last_refusal(), "");
}

// Its links were cut under the writes that it had sent to others for its clients.
TEST(ClusterControlTest, ANodeThatLeavesRefusesNewRequestsAndWaitsForOldOnesBeforeItIsRemoved) {
  ControlNet net(4);
  Gather(&net, 4);
  net.node(4).holdings = 1;
  net.node(4).requests = 1;
  ASSERT_TRUE(net.control(4).Leave().ok());
  net.Pass(5'000'000);
  EXPECT_FALSE(net.control(4).view()->says_farewell);
  net.node(4).holdings = 0;
  net.Pass(5'000'000);
  EXPECT_TRUE(net.control(4).view()->says_farewell);
  EXPECT_EQ(net.control(1).members().Find(net.node(4).id)->state, membership::MemberState::kLeaving);
  net.node(4).requests = 0;
  net.Pass(500'000);
  EXPECT_EQ(net.control(1).members().Find(net.node(4).id)->state, membership::MemberState::kRemoved);
  EXPECT_EQ(net.control(4).members().Find(net.node(4).id)->state, membership::MemberState::kRemoved);
}

// Each was granted what it asked by what it knew, together they leave too few: an operator has to hear of it.
TEST(ClusterControlTest, NodesThatLeaveAtOnceSayThatTheOthersAreTooFew) {
  ControlNet net(5);
  Gather(&net, 5);
  net.node(1).has_data = true;
  net.Pass(3'000'000);
  ASSERT_TRUE(net.control(5).SetShare(0, "").ok());
  net.Pass(3'000'000);
  for (size_t leaver : {3, 4}) {
    net.node(leaver).holdings = 1;
    ASSERT_TRUE(net.control(leaver).Leave().ok());
  }
  const auto last_says = [&net](size_t node, const std::string& what) {
    return net.node(node).logged.back().find(what) != std::string::npos;
  };
  net.Pass(3'000'000);
  for (size_t leaver : {3, 4})
    EXPECT_TRUE(last_says(leaver, "leaving waits")) << net.node(leaver).logged.back();
  const size_t lines = net.node(3).logged.size();
  net.Pass(3'000'000);
  EXPECT_EQ(net.node(3).logged.size(), lines);
  ASSERT_TRUE(net.control(5).SetShare(1, "").ok());
  net.Pass(5'000'000);
  for (size_t leaver : {3, 4})
    EXPECT_TRUE(last_says(leaver, "leaving goes on")) << net.node(leaver).logged.back();
}

TEST(ClusterControlTest, ANodeThatGotSomethingAgainWhileItSaidFarewellServesAgain) {
  ControlNet net(4);
  Gather(&net, 4);
  net.node(4).requests = 1;
  ASSERT_TRUE(net.control(4).Leave().ok());
  net.Pass(4'000'000);
  EXPECT_TRUE(net.control(4).view()->says_farewell);
  net.node(4).holdings = 1;
  net.Pass(200'000);
  EXPECT_FALSE(net.control(4).view()->says_farewell);
  net.node(4).holdings = 0;
  // Nobody waits for ever.
  net.Pass(15'000'000);
  EXPECT_EQ(net.control(4).members().Find(net.node(4).id)->state, membership::MemberState::kRemoved);
}

// redis-cli --cluster del-node tells each member to forget the node, which is alive and has no slots any
// more.
TEST(ClusterControlTest, ANodeWithoutAShareThatIsToBeForgottenLeavesByItself) {
  ControlNet net(5);
  Gather(&net, 5);
  net.node(1).has_data = true;
  net.Pass(3'000'000);
  const NodeId fifth = net.node(5).id;
  EXPECT_FALSE(net.control(1).Remove(fifth).ok()) << "it is alive and has a share";
  EXPECT_EQ(net.control(1).members().Find(fifth)->state, membership::MemberState::kUp);
  ASSERT_TRUE(net.control(5).SetShare(0, "").ok());
  net.Pass(2'000'000);
  net.node(5).holdings = 1;  // a hint
  EXPECT_TRUE(net.control(1).Remove(fifth).ok());
  net.Pass(3'000'000);
  EXPECT_EQ(net.control(2).members().Find(fifth)->state, membership::MemberState::kLeaving);
  EXPECT_TRUE(net.control(2).Remove(fifth).ok());
  net.Pass(3'000'000);
  EXPECT_EQ(net.control(5).members().Find(fifth)->state, membership::MemberState::kLeaving)
      << "it still has a hint";
  net.node(5).holdings = 0;
  net.Pass(6'000'000);
  for (size_t i = 1; i <= 5; ++i) {
    EXPECT_EQ(net.control(i).members().Find(fifth)->state, membership::MemberState::kRemoved) << i;
  }
  EXPECT_TRUE(net.control(3).Remove(fifth).ok()) << "the last to be told";
  EXPECT_FALSE(net.control(3).Remove(NodeId{0x9999}).ok());
}

TEST(ClusterControlTest, NobodyLeavesWhoHasAShareAgainOrIsNeeded) {
  ControlNet net(4);
  Gather(&net, 4);
  ASSERT_TRUE(net.control(4).SetShare(0, "").ok());
  net.Pass(3'000'000);
  ASSERT_TRUE(net.control(1).Remove(net.node(4).id).ok());
  // What it is asked arrives after it was given a share again.
  ASSERT_TRUE(net.control(4).SetShare(1, "").ok());
  net.Pass(3'000'000);
  EXPECT_EQ(net.control(1).members().Find(net.node(4).id)->state, membership::MemberState::kUp);

  ASSERT_TRUE(net.control(4).SetShare(0, "").ok());
  net.node(1).has_data = true;
  net.Pass(3'000'000);
  // The third dies for good: to have three copies the others need the fourth, which is given a share only
  // then.
  net.Unlink(3, 1), net.Unlink(3, 2), net.Unlink(3, 4);
  net.Pass(3'000'000);
  ASSERT_TRUE(net.control(1).Remove(net.node(3).id).ok());
  net.Pass(3'000'000);
  EXPECT_TRUE(net.control(1).Remove(net.node(4).id).ok());
  net.Pass(5'000'000);
  EXPECT_EQ(net.control(1).members().Find(net.node(4).id)->state, membership::MemberState::kUp);
  EXPECT_NE(net.node(4).logged.back().find("cannot be"), std::string::npos) << net.node(4).logged.back();
}

// It may run on until it is reset or stopped.
TEST(ClusterControlTest, ANodeThatWasRemovedFillsNobodysLog) {
  ControlNet net(4);
  Gather(&net, 4);
  ASSERT_TRUE(net.control(4).Leave().ok());
  net.Pass(6'000'000);
  ASSERT_TRUE(net.control(4).view()->is_removed);
  const auto flap = [&] {
    for (size_t other : {1, 2, 3}) net.Unlink(4, other);
    net.Pass(2'000'000);
    net.LinkAll();
    net.Pass(2'000'000);
  };
  flap();
  const size_t lines = net.node(1).logged.size();
  const size_t own_lines = net.node(4).logged.size();
  const auto is_refusal = [](const std::string& line) {
    return line.find("may not join") != std::string::npos;
  };
  const auto& logged = net.node(1).logged;
  EXPECT_EQ(std::count_if(logged.begin(), logged.end(), is_refusal), 1);
  for (int i = 0; i < 5; ++i) flap();
  EXPECT_EQ(net.node(1).logged.size(), lines);
  EXPECT_EQ(net.node(4).logged.size(), own_lines);
}

TEST(ClusterControlTest, ANodeThatHasLeftKnowsWhetherSomebodyHasHeardOfIt) {
  ControlNet net(4);
  Gather(&net, 4);
  EXPECT_TRUE(net.control(4).is_removal_known());
  ASSERT_TRUE(net.control(4).Leave().ok());
  net.Pass(500'000);
  for (size_t other : {1, 2, 3}) net.Unlink(4, other);
  net.Pass(5'000'000);
  EXPECT_TRUE(net.control(4).view()->is_removed);
  EXPECT_FALSE(net.control(4).is_removal_known());
  net.Link(4, 2);
  net.Pass(2'000'000);
  net.Unlink(4, 2);  // as soon as the second knows it
  EXPECT_EQ(net.control(2).members().Find(net.node(4).id)->state, membership::MemberState::kRemoved);
  net.Link(4, 2);
  net.Settle();
  EXPECT_TRUE(net.control(4).is_removal_known());
}

TEST(ClusterControlTest, ANodeWhoseLifeHasEndedIsTakenInByNobody) {
  ControlNet net(2);
  net.control(1).RefuseRequests(true);
  EXPECT_TRUE(net.control(1).view()->says_farewell);
  net.control(1).RefuseRequests(false);
  EXPECT_FALSE(net.control(1).view()->says_farewell);
  net.control(1).FallSilent();
  net.Link(1, 2);
  net.Settle();
  net.Pass(3'000'000);
  EXPECT_EQ(net.control(2).members().Find(net.node(1).id), nullptr);
  EXPECT_EQ(net.control(1).members().size(), 1u);
}

TEST(ClusterControlTest, ANodeThatFellSilentStaysDownWhateverChangesElsewhere) {
  ControlNet net(3);
  Gather(&net, 3);
  net.node(3).silent = true;
  net.Pass(2'000'000);
  ASSERT_FALSE(net.control(1).view()->IsAlive(net.node(3).id));
  net.node(2).has_data = true;  // an entry changes
  for (int i = 0; i < 150; ++i) {
    net.Pass(kHeartbeatUs);
    ASSERT_FALSE(net.control(1).view()->IsAlive(net.node(3).id));
    ASSERT_FALSE(net.control(2).view()->IsAlive(net.node(3).id));
  }
  EXPECT_TRUE(net.control(1).members().Find(net.node(2).id)->has_data);
  net.node(3).silent = false;
  net.Pass(kHeartbeatUs);
  EXPECT_TRUE(net.control(1).view()->IsAlive(net.node(3).id));
}

TEST(ClusterControlTest, TellsWhomItFindsDownAndForgetsTheOpinionOfWhoIsAway) {
  ControlNet net(4);
  Gather(&net, 4);
  net.Unlink(1, 4);
  net.Settle();
  // The first does not reach the fourth; the others do, and hear of it at once.
  EXPECT_FALSE(net.control(1).view()->IsAlive(net.node(4).id));
  for (size_t i : {2, 3}) {
    EXPECT_TRUE(net.control(i).view()->IsAlive(net.node(4).id));
    EXPECT_EQ(net.control(i).view()->OthersFindDown(net.node(4).id), 1u) << i;
    EXPECT_EQ(net.control(i).view()->OthersFindDown(net.node(1).id), 1u) << i;
    EXPECT_EQ(net.control(i).view()->OthersFindDown(net.node(2).id), 0u) << i;
  }
  EXPECT_EQ(net.control(1).view()->OthersFindDown(net.node(4).id), 0u);

  net.Unlink(2, 1);
  EXPECT_EQ(net.control(2).view()->OthersFindDown(net.node(4).id), 0u);

  net.LinkAll();
  net.Pass(3'000'000);
  for (size_t i = 1; i <= 4; ++i) {
    EXPECT_EQ(net.control(i).view()->alive.size(), 4u);
    EXPECT_TRUE(net.control(i).view()->found_down.empty()) << i;
  }
}

}  // namespace
}  // namespace orrery::replication
