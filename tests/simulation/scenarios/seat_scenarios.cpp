// How members come and go while there is data, and what went wrong on the way.

#include <algorithm>

#include "orrery/base/marks.h"
#include "simulation/scenarios/scenario.h"

namespace orrery::simulation {
namespace {

uint64_t Times(const std::string& mark) {
  const auto marks = Mark::All();
  const auto found = marks.find(mark);
  return found == marks.end() ? 0 : found->second;
}

Options Growing(size_t nodes) {
  Options options = Scenario::Sizes();
  options.nodes = nodes;
  options.transfer = true;
  options.whole_ring = false;
  options.spares = 4;
  return options;
}

size_t JoinOne(Scenario* s) {
  EXPECT_TRUE(s->cluster().Join());
  return s->cluster().members().back();
}

size_t MembersKnownTo(Scenario* s, size_t node) {
  return s->cluster().node(node).view().members.size();
}

// Until the node knows who had data first: before it is no member.
void LetJoin(Scenario* s, size_t node) {
  for (int i = 0; i < 1000 && !s->cluster().KnowsFounders(node); ++i) s->RunFor(5'000);
  EXPECT_TRUE(s->cluster().KnowsFounders(node));
}

TEST(SeatScenario, OneNodeGrowsToFourAndNothingIsLost) {
  Scenario s(Growing(1));
  for (int i = 1; i <= 4; ++i) {
    EXPECT_EQ(s.Do(0, 'b', "INCR"), ":" + std::to_string(i) + "\r\n");
    s.RunFor(2'000'000);
    if (i < 4) LetJoin(&s, JoinOne(&s));
  }
  s.Settle();
  EXPECT_EQ(s.cluster().Homes(s.slot()).size(), 3);
  for (size_t node : s.cluster().members()) EXPECT_EQ(s.Do(node, 'b', "GET"), "$1\r\n4\r\n");
}

// A write of a node that was alone needed one copy. When the slot has two seats, what shows that write needs
// both: here its way to the second one takes a while.
TEST(SeatScenario, WhatOneNodeHasIsCountedAnewWhenTheSlotGetsASecondSeat) {
  Scenario s(Growing(1));
  EXPECT_EQ(s.Do(0, 'b', "INCR"), ":1\r\n");
  s.RunFor(2'000'000);
  const uint64_t counted = Times("a slot with more seats needs more copies of what it has");
  const size_t newcomer = JoinOne(&s);
  s.cluster().network().SetSlow(0, newcomer, 300'000);
  for (int i = 0; i < 4000 && s.cluster().Homes(s.slot()).size() < 2; ++i) {
    s.Send(0, 'b', "INCR");
    s.RunFor(500);
    s.Send(0, 'b', "GET");
    s.RunFor(500);
  }
  EXPECT_EQ(s.cluster().Homes(s.slot()).size(), 2u);
  const Call* get = s.Send(0, 'b', "GET");
  s.RunFor(1'000'000);
  EXPECT_TRUE(Scenario::Seen(*get).starts_with('$')) << Scenario::Seen(*get);
  EXPECT_GT(Times("a slot with more seats needs more copies of what it has"), counted);
  s.Settle();
}

// A node that leaves hands over what it has, its place as the coordinator too.
TEST(SeatScenario, CoordinatorLeavesAndTheCountGoesOn) {
  Scenario s(Growing(5));
  const size_t leaver = s.home(0);
  EXPECT_EQ(s.Do(leaver, 'b', "INCR"), ":1\r\n");
  s.RunFor(2'000'000);
  s.cluster().Leave(leaver);
  for (int i = 2; i <= 20; ++i) {
    EXPECT_EQ(s.Do(s.cluster().members()[static_cast<size_t>(i) % 4], 'b', "INCR"),
              ":" + std::to_string(i) + "\r\n");
    s.RunFor(200'000);
  }
  s.Settle();
  EXPECT_FALSE(s.cluster().IsMember(leaver));
}

// The owner of the first seat died before it gave the newcomer one. As the ring wanted the newcomer for a
// home, it was not among those who stand in, and though two nodes were there, writes that need two copies
// were refused.
TEST(SeatScenario, ANewcomerThatOwnsNoSeatYetStandsInForADeadHome) {
  Scenario s(Growing(2));
  EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":1\r\n");
  s.RunFor(2'000'000);
  const size_t survivor = s.home(1);
  s.cluster().CrashNode(s.home(0), SIZE_MAX, 1000);
  s.RunFor(2'000'000);
  const size_t newcomer = JoinOne(&s);
  s.RunFor(5'000'000);
  EXPECT_EQ(MembersKnownTo(&s, survivor), 3);
  EXPECT_EQ(s.Do(survivor, 'b', "INCR"), ":2\r\n");
  EXPECT_EQ(s.Do(newcomer, 'b', "GET"), "$1\r\n2\r\n");
  s.Settle();
}

// A newcomer that knew of one member only took the homes, of whom it had not heard yet, for removed ones, and
// a write that needs no state for its own to run: acknowledged, and no home had it.
TEST(SeatScenario, WritesThroughANewcomerWaitUntilItReachesAHome) {
  Options options = Growing(5);
  options.w = 1;
  options.r = 3;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Scenario s(options, seed);
    EXPECT_EQ(s.Do(s.home(0), 'a', "SET", {"old"}), "+OK\r\n");
    s.RunFor(2'000'000);
    const size_t newcomer = JoinOne(&s);
    if (s.cluster().node(newcomer).seeds().empty()) continue;  // it would found a cluster of its own
    EXPECT_EQ(s.Do(newcomer, 'a', "SET", {"new"}), "+OK\r\n");
    EXPECT_EQ(s.Do(s.home(0), 'a', "GET"), "$3\r\nnew\r\n");
    s.Settle();
  }
}

// It began to leave before all others had heard of the data. Who heard of it later found that nothing had
// changed in the ring since, and never took its seats.
TEST(SeatScenario, ANodeLeavesRightAfterTheFirstWrite) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Options options = Growing(4);
    options.w = 1;
    Scenario s(options, seed);
    const Call* set = s.Send(s.home(0), 'a', "SET", {"v"});
    s.cluster().Leave(s.home(1));
    s.Settle();
    EXPECT_EQ(Scenario::Seen(*set), "+OK\r\n");
    EXPECT_EQ(s.cluster().members().size(), 3u);
  }
}

// Both were granted to leave, as each was told before it heard of the other. They keep the last seats, and
// serve, until a node is there that takes them.
TEST(SeatScenario, TwoThatLeaveAtOnceServeUntilANodeIsAdded) {
  Scenario s(Growing(4));
  EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":1\r\n");
  s.RunFor(2'000'000);
  const std::vector<size_t> leavers = {s.home(1), s.home(2)};
  for (size_t node : leavers) {
    s.cluster().node(node).Run(0, [&] { EXPECT_TRUE(s.cluster().node(node).control().Leave().ok()); });
  }
  s.RunFor(20'000'000);
  EXPECT_EQ(s.cluster().Homes(s.slot()).size(), 3);
  EXPECT_TRUE(!s.cluster().node(leavers[0]).HasLeft() || !s.cluster().node(leavers[1]).HasLeft());
  EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":2\r\n");
  LetJoin(&s, JoinOne(&s));
  s.RunFor(20'000'000);
  for (size_t node : leavers) EXPECT_TRUE(s.cluster().node(node).HasLeft());
  for (const NodeId home : s.cluster().Homes(s.slot())) {
    const size_t node = s.cluster().IndexOf(home);
    EXPECT_EQ(std::count(leavers.begin(), leavers.end(), node), 0);
    EXPECT_EQ(s.Do(node, 'b', "GET"), "$1\r\n2\r\n");
  }
}

// A newcomer took every seat whose owner it had not heard of yet for one of a removed node, and claimed it:
// all at once.
TEST(SeatScenario, NewcomerIsGivenSeatsAndClaimsNone) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Scenario s(Growing(5), seed);
    EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":1\r\n");
    s.RunFor(2'000'000);
    const uint64_t claimed = Times("the seat of a removed node is claimed");
    const size_t newcomer = JoinOne(&s);
    LetJoin(&s, newcomer);
    s.Settle();
    EXPECT_EQ(Times("the seat of a removed node is claimed"), claimed);
    EXPECT_EQ(s.Do(newcomer, 'b', "INCR"), ":2\r\n");
  }
}

// An empty node that was met by the one that had data first refused it, as it holds data: they never came
// together.
TEST(SeatScenario, EmptyNewcomerFollowsWhoeverHasData) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Scenario s(Growing(3), seed);
    EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":1\r\n");
    s.RunFor(2'000'000);
    const size_t newcomer = JoinOne(&s);
    LetJoin(&s, newcomer);
    s.RunFor(1'000'000);
    EXPECT_EQ(MembersKnownTo(&s, newcomer), 4);
    EXPECT_EQ(s.cluster().node(newcomer).control().last_refusal(), "");
    s.Settle();
  }
}

// A newcomer was given a seat while another home had no link to it yet, and passed over it: both coordinated,
// although nothing had failed.
TEST(SeatScenario, NewcomerTakesNoSeatBeforeTheOtherHomesReachIt) {
  size_t seated = 0;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Scenario s(Growing(3), seed);
    EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":1\r\n");
    s.RunFor(2'000'000);
    const std::vector<NodeId> homes = s.cluster().Homes(s.slot());
    const size_t newcomer = JoinOne(&s);
    for (NodeId home : homes)
      s.cluster().SetBlocked(s.cluster().IndexOf(home), newcomer, home == homes[1] || home == homes[2]);
    s.RunFor(1'200'000);
    const std::vector<NodeId> now = s.cluster().Homes(s.slot());
    EXPECT_EQ(std::count(now.begin(), now.end(), s.cluster().node(newcomer).id()), 0);
    s.Settle();
    const std::vector<NodeId> then = s.cluster().Homes(s.slot());
    seated += static_cast<size_t>(std::count(then.begin(), then.end(), s.cluster().node(newcomer).id()));
  }
  EXPECT_GT(seated, 0);
}

// An answer to a node with more loops went nowhere if no link of our own led to it yet, and its client waited
// in vain.
TEST(SeatScenario, NewcomerWithMoreLoopsIsAnswered) {
  Options options = Growing(3);
  options.loops = 3;
  options.loops_vary = true;
  const uint64_t before = Times("answer waited for a link to who asked");
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    Scenario s(options, seed);
    EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":1\r\n");
    s.RunFor(2'000'000);
    const size_t newcomer = JoinOne(&s);
    LetJoin(&s, newcomer);
    EXPECT_EQ(s.Do(newcomer, 'b', "INCR"), ":2\r\n");
  }
  EXPECT_GT(Times("answer waited for a link to who asked"), before);
}

// Lives of a node that was removed stayed open where the first seat changed hands after the removal: nobody
// looked again.
TEST(SeatScenario, LivesOfAReplacedNodeAreClosedByTheNextOwner) {
  for (size_t i = 0; i < 3; ++i) {
    Scenario s(Growing(4));
    EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":1\r\n");
    s.RunFor(3'000'000);
    EXPECT_TRUE(s.cluster().Replace(s.home(i), false));
    s.RunFor(8'000'000);
    s.Settle();
    EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":2\r\n");
  }
}

// The checker took a backlog for one that had not been cut, where a node that claims a seat had applied its
// own hint after the turn's commit: what that removed was not there, so no row had told of it.
TEST(SeatScenario, ClaimThatBeginsWithAHintOfADeletionCutsItsBacklogInTime) {
  Options options = Growing(4);
  options.shard.backlog_bytes_max = 1;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Scenario s(options, seed);
    EXPECT_EQ(s.Do(s.home(0), 'a', "SET", {"v"}), "+OK\r\n");
    s.RunFor(3'000'000);
    const size_t lost = s.home(0);
    s.cluster().CrashNode(lost, SIZE_MAX, 60'000'000);
    s.RunFor(2'000'000);
    EXPECT_EQ(s.Do(s.home(1), 'a', "DEL"), ":1\r\n");
    const uint64_t claimed = Times("the seat of a removed node is claimed");
    EXPECT_TRUE(s.cluster().Replace(lost, false));
    s.RunFor(10'000'000);
    EXPECT_GT(Times("the seat of a removed node is claimed"), claimed);
    s.Settle();
    EXPECT_EQ(s.Do(s.home(0), 'a', "GET"), "$-1\r\n");
  }
}

// The giver leaves, and who is to have its seat of the slot stops as soon as it owns that and before it hears
// of it.
size_t StopTheTaker(Scenario* s, size_t giver) {
  s->cluster().Leave(giver);
  SimNode& node = s->cluster().node(giver);
  const replication::SeatTable& seats = node.ShardOf(s->slot()).context().seats;
  while (!seats.HasPending(s->slot()) && s->cluster().Step()) continue;
  const size_t taker = s->cluster().IndexOf(seats.Owners(s->slot())[0]);
  EXPECT_NE(taker, giver);
  s->cluster().CrashNode(taker, SIZE_MAX, 1000);
  return taker;
}

// What home(0) acknowledged last is in a hint of away(0) alone when its machine is lost for good; away(0)
// reaches no home, and whoever is to have the lost node's seat hears of the hint late. Then it serves what
// was acknowledged.
TEST(SeatScenario, WhatOnlyAHintHasIsThereWhenTheSeatOfALostNodeIsClaimed) {
  size_t told = 0;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    Scenario s(Growing(5), seed);
    const size_t lost = s.home(0), keeper = s.away(0);
    const std::vector<size_t> others = {s.home(1), s.home(2)};
    EXPECT_EQ(s.Do(lost, 'b', "INCR"), ":1\r\n");
    s.RunFor(3'000'000);
    s.Isolate({lost, keeper});
    s.RunFor(2'000'000);
    EXPECT_EQ(s.Do(lost, 'b', "INCR"), ":2\r\n");
    EXPECT_TRUE(s.cluster().Replace(lost, false));
    s.Isolate({lost, keeper}, false);
    for (const size_t home : others) {
      s.cluster().SetBlocked(keeper, home, true);
      s.cluster().SetBlocked(home, keeper, true);
    }
    for (const size_t member : s.cluster().members()) s.cluster().network().SetSlow(keeper, member, 700'000);
    const NodeId lost_id = s.cluster().node(lost).id();
    const auto owner = [&] { return s.cluster().Homes(s.slot())[0]; };
    for (int i = 0; i < 1000 && owner() == lost_id; ++i) s.RunFor(1'000);
    const size_t taker = s.cluster().IndexOf(owner());
    if (taker == lost) continue;  // it is the keeper that is to have the seat, and that reaches no home
    ++told;
    EXPECT_EQ(s.Do(taker, 'b', "GET"), "$1\r\n2\r\n") << "seed " << seed;
    s.Settle();
  }
  EXPECT_GT(told, 0u);
}

// The node that was to have the seat stops before it has a row, and then all other homes do: whoever gave the
// seat has still what it had.
TEST(SeatScenario, TheGiverKeepsItsRowsUntilTheTakerIsInService) {
  Scenario s(Growing(5));
  const size_t giver = s.home(0);
  const std::vector<size_t> others = {s.home(1), s.home(2)};
  EXPECT_EQ(s.Do(giver, 'b', "INCR"), ":1\r\n");
  s.RunFor(3'000'000);
  const size_t taker = StopTheTaker(&s, giver);
  s.RunFor(10'000'000);
  for (const size_t home : others) s.cluster().CrashNode(home, SIZE_MAX, 1000);
  s.cluster().StartNode(taker);
  s.RunFor(10'000'000);
  EXPECT_EQ(s.Do(taker, 'b', "GET"), "$1\r\n1\r\n");
  s.Settle();
  EXPECT_EQ(s.Do(taker, 'b', "INCR"), ":2\r\n");
}

// The node that was to have the seat stops before it has a row. When it is back it hears from the giver alone
// how far that had come, and only later gets what it lacks: it serves when it has that (checker: seated).
TEST(SeatScenario, TheTakerThatWasStoppedServesWhenItHasWhatTheGiverHad) {
  Options options = Growing(5);
  options.shard.anti_entropy_interval_us = 60'000'000;
  Scenario s(options);
  const size_t giver = s.home(0);
  EXPECT_EQ(s.Do(giver, 'b', "INCR"), ":1\r\n");
  s.RunFor(3'000'000);
  const size_t taker = StopTheTaker(&s, giver);
  s.RunFor(3'000'000);
  for (const size_t home : {s.home(1), s.home(2)}) {
    s.cluster().SetBlocked(home, taker, true);
    s.cluster().SetBlocked(taker, home, true);
  }
  s.cluster().StartNode(taker);
  s.RunFor(5'000'000);
  s.Isolate({taker}, false);
  s.RunFor(2'000'000);
  EXPECT_EQ(s.Do(taker, 'b', "INCR"), ":2\r\n");
  s.Settle();
}

// A node that was removed while it was away comes back with all that it had, and serves nothing.
TEST(SeatScenario, RemovedNodeThatComesBackServesNothing) {
  Scenario s(Growing(4));
  const size_t removed = s.home(0);
  EXPECT_EQ(s.Do(removed, 'b', "INCR"), ":1\r\n");
  s.RunFor(3'000'000);
  EXPECT_TRUE(s.cluster().Replace(removed, true));
  s.RunFor(15'000'000);
  EXPECT_TRUE(s.cluster().node(removed).up());
  EXPECT_EQ(s.Do(removed, 'b', "INCR"), "-CLUSTERDOWN this node was removed from the cluster\r\n");
  s.Settle();
  EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":2\r\n");
}

// Of two clusters that both hold data each links the other for a moment, until it is refused: what the other
// one says of seats came before that, and had the greater version.
TEST(SeatScenario, SeatsOfAnotherClusterAreNotBelieved) {
  Scenario s(Growing(3));
  EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":1\r\n");
  s.RunFor(2'000'000);
  const std::vector<NodeId> homes = s.cluster().Homes(s.slot());
  const NodeId stranger{0x5757};
  replication::SeatsMessage theirs;
  for (uint8_t index = 0; index < homes.size(); ++index) {
    theirs.records.push_back({s.slot(), index, {9, stranger, true, NodeId{0x5858}}});
  }
  for (size_t node : s.cluster().members()) {
    SimNode& hearer = s.cluster().node(node);
    const size_t loop = s.slot() % hearer.loops();
    hearer.Run(loop, [&] { hearer.ShardOf(s.slot()).OnMessage(stranger, theirs); });
  }
  s.RunFor(2'000'000);
  ASSERT_EQ(s.cluster().Homes(s.slot()), homes);
  EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":2\r\n");
  s.Settle();
}

// A disk from when the node was alone knew of one copy, and one was enough: it answered alone, from long ago.
TEST(SeatScenario, DiskFromWhenTheNodeWasAloneHearsOfTheOthersFirst) {
  Scenario s(Growing(1));
  EXPECT_EQ(s.Do(0, 'b', "INCR"), ":1\r\n");
  s.RunFor(2'000'000);
  const auto image = s.cluster().node(0).disk().CopyImage();
  for (int i = 0; i < 3; ++i) LetJoin(&s, JoinOne(&s));
  s.RunFor(10'000'000);
  EXPECT_EQ(s.Do(1, 'b', "INCR"), ":2\r\n");
  s.cluster().CrashNode(0, SIZE_MAX, 20'000);
  s.cluster().RestoreImage(0, *image);
  s.RunFor(2'000'000);
  s.cluster().StartNode(0);
  EXPECT_EQ(s.Do(0, 'b', "INCR"), ":3\r\n");
  s.Settle();
}

// What the taker lacks is more than a pause for clients may bring: it is sent first, and the seat is given
// after that.
TEST(SeatScenario, SeatOfABusySlotIsGivenWhenTheTakerHasAlmostAll) {
  Scenario s(Growing(5));
  const size_t giver = s.home(0);
  for (char c = 'a'; c < 'e'; ++c) EXPECT_EQ(s.Do(giver, 'c', "SET", {std::string(150'000, c)}), "+OK\r\n");
  s.RunFor(3'000'000);
  const uint64_t before = Times("a seat of a busy slot waits for what its taker lacks");
  s.cluster().Leave(giver);
  s.Settle();
  EXPECT_GT(Times("a seat of a busy slot waits for what its taker lacks"), before);
  EXPECT_FALSE(s.cluster().IsMember(giver));
  EXPECT_EQ(s.Do(s.home(0), 'c', "STRLEN"), ":150000\r\n");
}

// A node that has given its seat away, and all that it made with it, is cut off from all homes: as a fallback
// it would go on counting its events where it has nothing before them.
TEST(SeatScenario, WhoGaveItsSeatAwayDoesNotStandIn) {
  Scenario s(Growing(5));
  const size_t giver = s.home(0);
  EXPECT_EQ(s.Do(giver, 'c', "SET", {"v"}), "+OK\r\n");
  s.RunFor(3'000'000);
  s.cluster().node(giver).SetWeight(0);
  s.RunFor(20'000'000);
  const auto homes = s.cluster().Homes(s.slot());
  EXPECT_EQ(std::count(homes.begin(), homes.end(), s.cluster().node(giver).id()), 0);
  s.Isolate({giver});
  s.RunFor(6'000'000);
  EXPECT_EQ(s.Do(giver, 'c', "SET", {"w"}).substr(0, 12), "-CLUSTERDOWN");
  s.Settle();
  EXPECT_EQ(s.Do(giver, 'c', "SET", {"x"}), "+OK\r\n");
}

// Lives are to be closed while a newcomer is a member to some and not yet to the others: it may have what
// nobody was asked about, so not now.
TEST(SeatScenario, NothingIsClosedWhileMembersDiffer) {
  const uint64_t before = Times("lives not closed: members or homes differ");
  for (uint64_t moment = 0; moment < 16; ++moment) {
    Scenario s(Growing(4));
    const size_t ended = s.home(0);
    EXPECT_EQ(s.Do(ended, 'b', "INCR"), ":1\r\n");
    s.RunFor(3'000'000);
    s.cluster().CrashNode(ended, SIZE_MAX, 1000);
    s.RunFor(2'000'000);
    s.cluster().StartNode(ended);
    for (size_t node : s.cluster().members()) s.cluster().network().SetSlow(node, ended, 600'000);
    s.RunFor(4'000'000 + moment * 200'000);
    JoinOne(&s);
    s.RunFor(3'000'000);
    s.Settle();
    EXPECT_EQ(s.Do(s.home(1), 'b', "GET"), "$1\r\n1\r\n");
  }
  EXPECT_GT(Times("lives not closed: members or homes differ"), before);
}

}  // namespace
}  // namespace orrery::simulation
