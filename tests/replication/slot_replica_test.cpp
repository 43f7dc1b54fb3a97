#include "orrery/replication/slot_replica.h"

#include <gtest/gtest.h>

#include "replication/random_history.h"
#include "replication/seeds.h"

namespace orrery::replication {
namespace {

using causality::Actor;
using causality::EventPtr;

constexpr int kRounds = 60;
constexpr SlotId kSlot = TestReplica::kSlot;

/// Gives a replica random next events of random actors until it has all, with what else happens in between.
void DeliverAll(
    const History& history, runtime::Random* random, TestReplica* replica,
    const std::function<void()>& between = [] {}) {
  std::map<Actor, size_t> next;
  std::vector<Actor> actors;
  for (const auto& [actor, events] : history.events) actors.push_back(actor);
  while (!actors.empty()) {
    const size_t i = random->Below(actors.size());
    const auto& events = history.events.at(actors[i]);
    size_t& at = next[actors[i]];
    if (at == events.size()) {
      actors.erase(actors.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    replica->Take(events[at++]);
    between();
  }
}

void ExpectSame(TestReplica* a, TestReplica* b) {
  EXPECT_EQ(a->slot().clock(), b->slot().clock());
  EXPECT_EQ(a->Rows(), b->Rows());
  EXPECT_EQ(a->slot().digest(), b->slot().digest());
  EXPECT_EQ(a->slot().row_count(), b->slot().row_count());
  EXPECT_EQ(a->slot().voided(), b->slot().voided());
}

TEST(SlotReplicaTest, AnyOrderOfDeliveryPerActorGivesIdenticalBytes) {
  const uint64_t seed = TestSeed();
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    runtime::SeededRandom random(seed + static_cast<uint64_t>(round));
    const History history = MakeHistory(&random, 3, 40);
    TestReplica first({NodeId{101}, 1});
    DeliverAll(history, &random, &first);
    EXPECT_TRUE(first.slot().voided().empty());
    first.CheckDigest();
    for (uint64_t node = 102; node < 104; ++node) {
      TestReplica other({NodeId{node}, 1});
      DeliverAll(history, &random, &other);
      ExpectSame(&first, &other);
    }
  }
}

TEST(SlotReplicaTest, MergesAtRandomPointsChangeNothingInTheEnd) {
  const uint64_t seed = TestSeed();
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    runtime::SeededRandom random(seed + static_cast<uint64_t>(round));
    const History history = MakeHistory(&random, 3, 40);
    TestReplica calm({NodeId{101}, 1});
    DeliverAll(history, &random, &calm);

    TestReplica one({NodeId{102}, 1});
    TestReplica two({NodeId{103}, 1});
    DeliverAll(history, &random, &one, [&] {
      const auto& events =
          std::next(history.events.begin(), static_cast<std::ptrdiff_t>(random.Below(history.events.size())))
              ->second;
      for (const EventPtr& event : events) {
        if (random.Below(3) == 0) two.Take(event);
      }
      if (random.Below(4) == 0) one.MergeFrom(&two);
      if (random.Below(4) == 0) two.MergeFrom(&one);
    });
    two.MergeFrom(&one);
    ExpectSame(&calm, &one);
    ExpectSame(&calm, &two);
    EXPECT_TRUE(one.slot().voided().empty());
    one.CheckDigest();
    two.CheckDigest();
  }
}

TEST(SlotReplicaTest, MergingIsCommutativeAndIdempotent) {
  const uint64_t seed = TestSeed();
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    runtime::SeededRandom random(seed + static_cast<uint64_t>(round));
    const History history = MakeHistory(&random, 3, 30);
    TestReplica one({NodeId{101}, 1});
    TestReplica two({NodeId{102}, 1});
    for (const auto& [actor, events] : history.events) {
      const size_t one_has = random.Below(events.size() + 1);
      const size_t two_has = random.Below(events.size() + 1);
      for (size_t i = 0; i < events.size(); ++i) {
        if (i < one_has) one.Take(events[i]);
        if (i < two_has) two.Take(events[i]);
      }
    }
    TestReplica one_first({NodeId{103}, 1});
    one_first.MergeFrom(&one);
    one_first.MergeFrom(&two);
    TestReplica two_first({NodeId{104}, 1});
    two_first.MergeFrom(&two);
    two_first.MergeFrom(&one);
    ExpectSame(&one_first, &two_first);
    one_first.MergeFrom(&one);
    one_first.MergeFrom(&two_first);
    ExpectSame(&one_first, &two_first);
  }
}

TEST(SlotReplicaTest, StateSurvivesARestart) {
  const uint64_t seed = TestSeed();
  for (int round = 0; round < 10; ++round) {
    runtime::SeededRandom random(seed + static_cast<uint64_t>(round));
    const History history = MakeHistory(&random, 3, 30);
    TestReplica replica({NodeId{101}, 1});
    DeliverAll(history, &random, &replica, [&] {
      if (random.Below(10) == 0) replica.Reload();
    });
    replica.Reload();
  }
}

TEST(SlotReplicaTest, TakesEventsOfAnActorOnlyInOrder) {
  TestReplica origin({NodeId{1}, 1});
  std::vector<EventPtr> events;
  for (int i = 0; i < 3; ++i) {
    events.push_back(origin.Run([](storage::Transaction* t) { t->AddValue(StringRow("k"), "v"); }));
  }
  TestReplica replica({NodeId{2}, 1});
  EXPECT_EQ(replica.slot().Classify(events[1]->dot), SlotReplica::Fit::kGap);
  EXPECT_TRUE(replica.Take(events[0]));
  EXPECT_EQ(replica.slot().Classify(events[0]->dot), SlotReplica::Fit::kDuplicate);
  EXPECT_TRUE(replica.Take(events[1]));
  EXPECT_EQ(replica.slot().Classify(events[2]->dot), SlotReplica::Fit::kNext);
}

TEST(SlotReplicaTest, ADeleteThatArrivesFirstVoidsTheLateAddition) {
  TestReplica writer({NodeId{1}, 1});
  const EventPtr set = writer.Run([](storage::Transaction* t) { t->AddValue(StringRow("k"), "v"); });
  TestReplica remover({NodeId{2}, 1});
  remover.Take(set);
  const EventPtr del = remover.Run([](storage::Transaction* t) { t->Clear(StringRow("k")); });

  TestReplica late({NodeId{3}, 1});
  late.Take(del);
  EXPECT_EQ(late.slot().voided().size(), 1u);
  late.Take(set);
  EXPECT_TRUE(late.Rows().empty());
  EXPECT_TRUE(late.slot().voided().empty());
  EXPECT_EQ(late.slot().digest(), remover.slot().digest());
}

TEST(SlotReplicaTest, AScopeRemovesWhatItsMakerSawAndNothingElse) {
  TestReplica first({NodeId{1}, 1});
  TestReplica second({NodeId{2}, 1});
  const EventPtr a = first.Run([](storage::Transaction* t) { t->AddValue(SetRow("s", "a"), ""); });
  second.Take(a);
  const EventPtr b = first.Run([](storage::Transaction* t) { t->AddValue(SetRow("s", "b"), ""); });
  const EventPtr del =
      second.Run([](storage::Transaction* t) { t->RemoveScope(storage::KeyPrefix(0, "s")); });

  TestReplica third({NodeId{3}, 1});
  third.Take(del);
  EXPECT_FALSE(third.slot().voided().empty());
  third.Take(a);
  third.Take(b);
  first.Take(del);
  second.Take(b);
  ASSERT_EQ(third.Rows().size(), 1u);
  EXPECT_TRUE(third.Rows().contains(storage::WithSlot(kSlot, SetRow("s", "b"))));
  ExpectSame(&first, &third);
  ExpectSame(&second, &third);
  EXPECT_TRUE(third.slot().voided().empty());
}

TEST(SlotReplicaTest, AnUnreadableRowIsCorruptionAndNotAbsence) {
  TestReplica replica({NodeId{1}, 1});
  replica.Run([](storage::Transaction* t) { t->AddValue(StringRow("k"), "v"); });
  replica.Commit();
  replica.database().CorruptValue(storage::Table::kRows, storage::WithSlot(kSlot, StringRow("k")));
  EXPECT_EQ(replica.slot().Image().status().code(), StatusCode::kCorruption);

  causality::Event event;
  event.slot = kSlot;
  event.dot = {{NodeId{2}, 1}, 1};
  event.changes.push_back({StringRow("k"), {}, {}});
  EXPECT_EQ(replica.slot().Apply(event, causality::MakeEventPtr(event)).code(), StatusCode::kCorruption);

  replica.slot().Reset();
  replica.slots().Touch(kSlot);
  replica.Commit();
  EXPECT_TRUE(replica.Rows().empty());
  EXPECT_TRUE(replica.slot().clock().empty());
  EXPECT_EQ(replica.slot().digest(), 0u);
}

TEST(SlotReplicaTest, ClosingALifeForgetsItsCounterAndCoversItsDots) {
  TestReplica replica({NodeId{1}, 4});
  replica.Run([](storage::Transaction* t) { t->AddValue(StringRow("k"), "v"); });
  replica.slot().CloseLives(NodeId{1}, 5);
  EXPECT_TRUE(replica.slot().clock().counters().empty());
  EXPECT_EQ(replica.slot().Classify({{NodeId{1}, 4}, 9}), SlotReplica::Fit::kDuplicate);
  EXPECT_EQ(replica.slot().Classify({{NodeId{1}, 5}, 1}), SlotReplica::Fit::kNext);
  EXPECT_EQ(replica.Rows().size(), 1u);
}

}  // namespace
}  // namespace orrery::replication
