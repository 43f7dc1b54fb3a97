// Merges that send only what differs.

#include <gtest/gtest.h>

#include <iostream>

#include "replication/random_history.h"
#include "replication/seeds.h"
#include "replication/test_net.h"

namespace orrery::replication {
namespace {

using causality::EventPtr;
using storage::Transaction;

constexpr SlotId kSlot = 42;

ShardOptions NoBacklog() {
  ShardOptions options;
  options.backlog_bytes_max = 0;
  return options;
}

std::string Key(int i) {
  return "key" + std::to_string(10'000 + i);
}

/// Two homes; what either lacks is never in the other's backlog.
class MergeTreeTest : public ::testing::Test {
 protected:
  explicit MergeTreeTest(const ShardOptions& options = NoBacklog()) : net_(2, 2, options) {}

  /// An event of the node that the other one does not hear of.
  void Make(TestNode* node, const TestReplica::Work& work) {
    node->slot(kSlot).committed().Raise(node->Run(kSlot, work)->dot);
  }
  void Set(TestNode* node, const std::string& key, const std::string& value) {
    Make(node, [&](Transaction* t) {
      t->Clear(StringRow(key));
      t->AddValue(StringRow(key), value);
    });
  }
  /// The same rows on both.
  void Fill(int rows, size_t value_bytes) {
    for (int i = 0; i < rows; ++i) Set(&a_, Key(i), std::string(value_bytes, 'x'));
    net_.LinkAll();
    net_.Settle();
    ExpectSame();
    net_.Unlink(1, 2);
    merged_before_ = b_.context.stats.merges_done;
    b_.context.stats.merge_bytes = 0;
    b_.context.stats.merge_rows = 0;
  }
  void Meet() {
    net_.LinkAll();
    net_.Settle();
  }
  void StepUntilAnswers(size_t answers) {
    const size_t before = b_.Received<MergeTreeMessage>();
    for (int i = 0; i < 1000 && b_.Received<MergeTreeMessage>() < before + answers; ++i) net_.Step();
    ASSERT_TRUE(b_.catch_up.Merging(kSlot));
  }
  void ExpectSame() {
    EXPECT_EQ(a_.slot(kSlot).clock(), b_.slot(kSlot).clock());
    EXPECT_TRUE(a_.Rows(kSlot) == b_.Rows(kSlot));
    EXPECT_EQ(a_.slot(kSlot).digest(), b_.slot(kSlot).digest());
    EXPECT_EQ(b_.slot(kSlot).row_count(), b_.Rows(kSlot).size());
    EXPECT_FALSE(a_.catch_up.Merging(kSlot));
    EXPECT_FALSE(b_.catch_up.Merging(kSlot));
  }

  TestNet net_;
  TestNode& a_ = net_.node(1);
  TestNode& b_ = net_.node(2);
  uint64_t merged_before_ = 0;
};

// What is measured here docs/catch-up.md tells.
TEST_F(MergeTreeTest, OneRowOfManyCostsAFewKilobytes) {
  constexpr int kRows = 5'000;
  Fill(kRows, 100);
  Set(&a_, Key(1234), "changed");
  Meet();
  ExpectSame();
  EXPECT_EQ(b_.context.stats.merges_done, merged_before_ + 1);
  EXPECT_LT(b_.context.stats.merge_bytes, 8'000u) << "of some 800,000 bytes of rows";
  EXPECT_GE(b_.context.stats.merge_rows, 1u);
  EXPECT_LT(b_.context.stats.merge_rows, 50u);
  EXPECT_GT(b_.context.stats.merge_rows_equal, static_cast<uint64_t>(kRows) - 50);
  RecordProperty("bytes", static_cast<int>(b_.context.stats.merge_bytes));
}

TEST_F(MergeTreeTest, BothSidesChangesAndRemovalsMeet) {
  Fill(2'000, 40);
  for (int i = 0; i < 2'000; i += 97) Set(&a_, Key(i), "of a");
  for (int i = 5; i < 2'000; i += 89) Set(&b_, Key(i), "of b");
  for (int i = 3; i < 2'000; i += 301) Make(&a_, [&](Transaction* t) { t->Clear(StringRow(Key(i))); });
  for (int i = 4; i < 2'000; i += 307) Make(&b_, [&](Transaction* t) { t->Clear(StringRow(Key(i))); });
  for (int i = 0; i < 10; ++i) Set(&a_, "new of a" + std::to_string(i), "v");
  for (int i = 0; i < 10; ++i) Set(&b_, "new of b" + std::to_string(i), "v");
  Meet();
  ExpectSame();
  EXPECT_LT(b_.context.stats.merge_rows, 1'500u);
}

TEST_F(MergeTreeTest, RowsThatAreGoneThereAreDroppedHere) {
  Fill(2'000, 40);
  for (int i = 0; i < 1'000; ++i) Make(&a_, [&](Transaction* t) { t->Clear(StringRow(Key(i))); });
  Meet();
  ExpectSame();
  EXPECT_EQ(b_.Rows(kSlot).size(), 1'000u);
}

TEST_F(MergeTreeTest, EqualRowsUnderDifferentClocksSendNone) {
  Fill(2'000, 40);
  Set(&a_, "passing", "v");
  Make(&a_, [&](Transaction* t) { t->Clear(StringRow("passing")); });
  Meet();
  ExpectSame();
  EXPECT_EQ(b_.context.stats.merges_done, merged_before_ + 1);
  EXPECT_EQ(b_.context.stats.merge_bytes, 0u);
  EXPECT_EQ(b_.context.stats.merge_rows_equal, 2'000u);
}

TEST_F(MergeTreeTest, AnAskerWithoutRowsGetsTheWholeImage) {
  for (int i = 0; i < 500; ++i) Set(&a_, Key(i), std::string(100, 'x'));
  Meet();
  ExpectSame();
  EXPECT_EQ(b_.Received<MergeTreeMessage>(), 0u);
  EXPECT_GE(b_.Received<MergePartMessage>(), 1u);
}

TEST_F(MergeTreeTest, ALittleSlotIsSentAtOnce) {
  Fill(20, 40);
  Set(&a_, Key(3), "changed");
  Meet();
  ExpectSame();
  EXPECT_EQ(b_.Received<MergeTreeMessage>(), 0u);
}

TEST_F(MergeTreeTest, TheSourceLetsGoOfItsSnapshotAtOnce) {
  Fill(2'000, 40);
  Set(&a_, Key(1), "changed");
  Meet();
  ExpectSame();
  // More than it holds at a time; an image that nobody lets go of stays for half a minute.
  for (size_t i = 0; i < MergeSource::kImagesMax + 1; ++i) {
    net_.Unlink(1, 2);
    Set(&a_, Key(1), "changed " + std::to_string(i));
    net_.clock.Advance(100'000);
    Meet();
    ExpectSame();
  }
}

// What is measured here docs/catch-up.md tells: bytes in frames between nodes while there is nothing to do.
TEST(IdleCostTest, IsBoundedPerSlotAndHour) {
  constexpr SlotId kSlots = 1'000;
  constexpr uint64_t kMinutes = 10;
  TestNet net(3, 3);
  for (SlotId slot = 0; slot < kSlots; ++slot) {
    const EventPtr event = net.node(1).Set(slot, "key", "value");
    for (uint64_t peer : {2, 3}) net.node(1).Send(NodeId{peer}, EventMessage{1, event});
  }
  net.LinkAll();
  net.Pass(20'000'000);
  net.bytes_sent = 0;
  net.Pass(kMinutes * 60'000'000);
  const uint64_t per_slot_and_hour = net.bytes_sent * (60 / kMinutes) / kSlots;
  std::cout << per_slot_and_hour << " bytes per slot and hour, all nodes together" << std::endl;
  EXPECT_GT(per_slot_and_hour, 0u) << "nobody compares";
  EXPECT_LT(per_slot_and_hour, 21'000u);
  for (uint64_t node = 1; node <= 3; ++node) EXPECT_EQ(net.node(node).context.stats.merges_done, 0u);
}

// ---- local changes while ranges are compared ----

/// Ranges are tiny and answers short, so that there is time between them.
class SlowMergeTreeTest : public MergeTreeTest {
 protected:
  static ShardOptions Short() {
    ShardOptions options = NoBacklog();
    options.merge_whole_bytes = 0;
    options.merge_leaf_bytes = 0;
    options.merge_fanout = 2;
    options.merge_part_bytes = 1;
    return options;
  }
  SlowMergeTreeTest() : MergeTreeTest(Short()) {}

  void FillCollection(int elements) {
    for (int i = 0; i < elements; ++i) {
      Make(&a_, [&](Transaction* t) { t->AddValue(SetRow("collection", std::to_string(i)), ""); });
    }
  }
};

TEST_F(SlowMergeTreeTest, ARowOfAnEqualRangeChangesBeforeTheEnd) {
  Fill(60, 10);
  Set(&a_, Key(30), "changed");
  net_.LinkAll();
  StepUntilAnswers(40);
  for (int i = 0; i < 60; ++i) Set(&b_, Key(i), "again");
  EXPECT_TRUE(b_.catch_up.Merging(kSlot));
  net_.Settle();
  ExpectSame();
  EXPECT_EQ(b_.Rows(kSlot).size(), 60u);
}

/// At different moments of the merge; the source answers about one row at a time.
class LateAdditionTest : public SlowMergeTreeTest, public ::testing::WithParamInterface<size_t> {};

// The source has applied an addition and its removal, so its range is equal to ours, which has seen neither.
// Then the addition comes here by another way: after the merge our clock covers the removal too, and the row
// must be gone.
TEST_P(LateAdditionTest, OfARowThatTheSourceHasSeenRemoved) {
  Fill(60, 10);
  const causality::Actor third{NodeId{9}, 1};
  std::vector<EventPtr> events;
  for (uint64_t counter : {1, 2}) {
    causality::Event event;
    event.slot = kSlot;
    event.dot = {third, counter};
    causality::RowChange change{StringRow("passing"), {}, {}};
    if (counter == 1) change.added.push_back({causality::CellKind::kValue, event.dot, 1, 1, "v", {}});
    if (counter == 2) change.removed.push_back({{third, 1}, causality::CellKind::kValue});
    event.changes.push_back(change);
    events.push_back(causality::MakeEventPtr(event));
    a_.Handle(third.node, EventMessage{2, events.back()});
  }
  Set(&a_, Key(59), "changed");
  net_.LinkAll();
  StepUntilAnswers(GetParam());
  b_.Handle(third.node, EventMessage{2, events[0]});
  EXPECT_EQ(b_.Rows(kSlot).size(), 61u);
  EXPECT_TRUE(b_.catch_up.Merging(kSlot));
  net_.Settle();
  ExpectSame();
  EXPECT_EQ(b_.Rows(kSlot).size(), 60u);
}

INSTANTIATE_TEST_SUITE_P(Moments, LateAdditionTest, ::testing::Values(1, 15, 30, 45, 58));

// The source has removed rows that we change in a range that was equal before: they must not go away with
// what we add.
TEST_F(SlowMergeTreeTest, RowsOfAnEqualRangeAreErasedUnreadBeforeTheEnd) {
  FillCollection(40);
  Fill(60, 10);
  Set(&a_, Key(30), "changed");
  net_.LinkAll();
  StepUntilAnswers(40);
  Make(&b_, [](Transaction* t) { t->RemoveScope(""); });
  Set(&b_, Key(1), "after");
  net_.Settle();
  ExpectSame();
  EXPECT_EQ(b_.Rows(kSlot).size(), 2u) << "what was concurrent to the removal, and what came after it";
}

TEST_F(SlowMergeTreeTest, ASourceThatGoesAwayLeavesNoTrace) {
  Fill(60, 10);
  Set(&a_, Key(30), "changed");
  net_.LinkAll();
  StepUntilAnswers(20);
  net_.Unlink(1, 2);
  net_.Settle();
  EXPECT_FALSE(b_.catch_up.Merging(kSlot));
  Set(&b_, Key(31), "alone");
  Meet();
  ExpectSame();
}

TEST_F(SlowMergeTreeTest, AnUnreadableRowOfOursSetsTheSlotAside) {
  Fill(60, 10);
  Set(&a_, Key(30), "changed");
  b_.database.CorruptValue(storage::Table::kRows, storage::WithSlot(kSlot, StringRow(Key(7))));
  Meet();
  net_.Pass(2'000'000);
  ExpectSame();
  EXPECT_EQ(b_.context.stats.corrupt_slots, 1u);
}

TEST(MergeTreeStepTest, AnswersThatMakeNoSenseAreMalformed) {
  MergeTreeMessage answer;
  answer.image_rows = 10;
  answer.complete = true;
  answer.pieces = {{"b", {0, 0, 0}}, {"a", {0, 0, 0}}, {"", {0, 0, 0}}};
  storage::MemoryDatabase database;
  const auto store = database.OpenShard();
  const auto scan = [&](std::string_view from) {
    return store->Scan(storage::Table::kRows, storage::SlotPrefix(kSlot), from);
  };
  const auto take = [&](const MergeTreeMessage& message) {
    return MergeTree(kSlot, {1, 2}, scan).Take(message, {1, 0, 1});
  };
  EXPECT_EQ(take(answer), MergeTree::Step::kMalformed) << "pieces go back";
  answer.pieces.pop_back();
  answer.pieces[1].end = "c";
  EXPECT_EQ(take(answer), MergeTree::Step::kMalformed) << "pieces end before what they were asked for";
  answer.pieces[1].end = "";
  EXPECT_EQ(take(answer), MergeTree::Step::kComplete);
  answer.pieces.push_back({"", {}});
  EXPECT_EQ(take(answer), MergeTree::Step::kMalformed) << "pieces that nobody asked for";
  answer.pieces.pop_back();
  answer.rows = {{"a", "row"}};
  EXPECT_EQ(take(answer), MergeTree::Step::kMalformed) << "rows that nobody asked for";
}

// ---- anything against anything ----

// Random histories on both sides, random sizes of everything, changes at random moments of the merges; in the
// end both have what a replica has that got all events one by one.
TEST(MergeTreeRandomTest, EndsAsTheEventsThemselvesWould) {
  const uint64_t seed = TestSeed();
  for (int round = 0; round < 50; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    runtime::SeededRandom random(seed + static_cast<uint64_t>(round));
    ShardOptions options = NoBacklog();
    options.merge_whole_bytes = random.Below(100);
    options.merge_leaf_bytes = random.Below(100);
    options.merge_fanout = 2 + random.Below(5);
    options.merge_part_bytes = 1 + random.Below(300);
    TestNet net(2, 2, options);
    std::vector<std::vector<EventPtr>> made(3);
    const auto act = [&](uint64_t number) {
      TestNode& node = net.node(number);
      TestReplica::Work work = RandomWork(&random);
      const uint64_t before = node.slot(kSlot).clock().Get(node.context.self);
      bool changed = false;
      const EventPtr event = node.Run(kSlot, [&](Transaction* t) {
        work(t);
        changed = t->changed();
        if (!changed) t->AddValue(StringRow("filler"), "");
      });
      EXPECT_EQ(event->dot.counter, before + 1);
      node.slot(kSlot).committed().Raise(event->dot);
      made[number].push_back(event);
    };
    for (int i = 0; i < 60; ++i) act(1);
    net.LinkAll();
    net.Settle();
    net.Unlink(1, 2);
    for (uint64_t i = 1 + random.Below(6); i > 0; --i) act(1 + random.Below(2));
    net.LinkAll();
    for (int i = 0; i < 300; ++i) {
      if (random.Below(4) == 0) act(1 + random.Below(2));
      net.Step();
    }
    net.Settle();
    net.Pass(40'000'000);
    const auto rows = net.node(1).Rows(kSlot);
    EXPECT_TRUE(rows == net.node(2).Rows(kSlot));
    EXPECT_EQ(net.node(1).slot(kSlot).digest(), net.node(2).slot(kSlot).digest());
    EXPECT_EQ(net.node(1).slot(kSlot).clock(), net.node(2).slot(kSlot).clock());
    TestNet calm(2, 2);
    std::map<uint64_t, size_t> next;
    for (bool more = true; more;) {
      more = false;
      for (uint64_t number : {1, 2}) {
        if (next[number] == made[number].size()) continue;
        more = true;
        calm.node(1).Handle(NodeId{number}, EventMessage{0, made[number][next[number]++]});
      }
    }
    EXPECT_TRUE(rows == calm.node(1).Rows(kSlot));
  }
}

}  // namespace
}  // namespace orrery::replication
