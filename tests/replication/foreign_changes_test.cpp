#include "orrery/replication/foreign_changes.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "orrery/replication/slot_table.h"
#include "replication/test_replica.h"

namespace orrery::replication {
namespace {

const NodeId kSelf{1};
const NodeId kFirst{2};
const NodeId kOther{3};

/// Three nodes, all of them homes of every slot, as the first one sees them.
class ForeignChangesTest : public testing::Test {
 protected:
  ForeignChangesTest() {
    std::vector<ring::RingMember> members;
    for (const NodeId id : {kSelf, kFirst, kOther}) members.emplace_back().id = id;
    seats_.SetFounders(std::make_shared<const ring::Ring>(ring::Ring::Build(members, 3)));
  }

  SlotId SlotOf(NodeId first) const {
    SlotId slot = 0;
    while (seats_.Owners(slot).front() != first) ++slot;
    return slot;
  }

  SeatTable seats_;
  ForeignChanges changes_{&seats_, kSelf, 6};
};

TEST_F(ForeignChangesTest, WhatTheFirstHomeSendsIsNotForeign) {
  const uint64_t before = changes_.CountOf(kFirst);
  changes_.Note(SlotOf(kFirst), kFirst);
  EXPECT_EQ(changes_.CountOf(kFirst), before);
  changes_.Note(SlotOf(kFirst), kOther);
  EXPECT_NE(changes_.CountOf(kFirst), before);
}

TEST_F(ForeignChangesTest, WhatNobodySentIsForeign) {
  const uint64_t before = changes_.CountOf(kFirst);
  changes_.Note(SlotOf(kFirst), NodeId());
  EXPECT_NE(changes_.CountOf(kFirst), before);
}

TEST_F(ForeignChangesTest, EachFirstHomeHasACountOfItsOwn) {
  const uint64_t before = changes_.CountOf(kOther);
  changes_.Note(SlotOf(kFirst), kOther);
  changes_.Note(SlotOf(kSelf), kOther);
  EXPECT_EQ(changes_.CountOf(kOther), before);
}

TEST_F(ForeignChangesTest, ASeatThatChangesHandsChangesAllCounts) {
  const std::vector<uint64_t> before = {changes_.CountOf(kFirst), changes_.CountOf(kOther)};
  const SlotId slot = SlotOf(kFirst);
  ASSERT_TRUE(seats_.Merge({slot, 0, {1, NodeId{4}, true, kFirst}}));
  EXPECT_NE(changes_.CountOf(kFirst), before[0]);
  EXPECT_NE(changes_.CountOf(kOther), before[1]);
  EXPECT_FALSE(changes_.Covers(slot, kFirst));
  EXPECT_TRUE(changes_.Covers(slot, NodeId{4}));
}

TEST_F(ForeignChangesTest, ANewRingOfFoundersChangesAllCounts) {
  const uint64_t before = changes_.CountOf(kFirst);
  std::vector<ring::RingMember> members(2);
  members[0].id = kSelf;
  members[1].id = kOther;
  seats_.SetFounders(std::make_shared<const ring::Ring>(ring::Ring::Build(members, 2)));
  EXPECT_NE(changes_.CountOf(kFirst), before);
}

TEST_F(ForeignChangesTest, NoCountIsZeroAndLivesDiffer) {
  EXPECT_NE(ForeignChanges(&seats_, kSelf, 0).CountOf(kFirst), 0u);
  EXPECT_NE(ForeignChanges(&seats_, kSelf, 6).CountOf(kFirst),
            ForeignChanges(&seats_, kSelf, 8).CountOf(kFirst));
}

// Every way in which a slot of the table changes counts, but an event from the first home.
TEST_F(ForeignChangesTest, TheTableOfSlotsNotesItsChanges) {
  constexpr SlotId kSlot = TestReplica::kSlot;
  const NodeId first = seats_.Owners(kSlot)[0];
  const NodeId self = seats_.Owners(kSlot)[1];
  const NodeId other = seats_.Owners(kSlot)[2];
  ForeignChanges changes(&seats_, self, 6);
  TestReplica maker({first, 1});
  TestReplica other_maker({other, 1});
  TestReplica replica({self, 1});
  replica.slots().CountForeign(&changes);
  const auto counts = [&](const auto& change) {
    const uint64_t before = changes.CountOf(first);
    change();
    return changes.CountOf(first) != before;
  };
  const auto apply = [&](TestReplica* source, NodeId by) {
    const auto encoded = source->Run([](storage::Transaction* work) {
      work->Clear(StringRow("k"));
      work->AddValue(StringRow("k"), "v");
    });
    causality::Event event;
    ASSERT_TRUE(causality::DecodeEvent(encoded->bytes, &event));
    ASSERT_TRUE(replica.slots().Apply(event, encoded, by).ok());
  };
  EXPECT_FALSE(counts([&] { apply(&maker, first); }));
  EXPECT_TRUE(counts([&] { apply(&maker, other); }));
  EXPECT_TRUE(counts([&] { apply(&maker, {}); }));
  EXPECT_TRUE(counts([&] { apply(&other_maker, other); }));
  EXPECT_TRUE(counts([&] { apply(&other_maker, first); }))
      << "passed on by the first home, whose clock may lack it";
  EXPECT_TRUE(counts([&] { replica.slots().CloseLives(kSlot, {}); }));
  EXPECT_TRUE(counts([&] { replica.slots().SetAside(kSlot); }));
  EXPECT_TRUE(counts([&] { replica.slots().Drop(kSlot); }));
  EXPECT_TRUE(counts([&] { replica.slots().Touch(kSlot); }));
  EXPECT_TRUE(counts([&] {
    EXPECT_NE(replica.Run([](storage::Transaction* work) { work->AddValue(StringRow("k"), "w"); }), nullptr);
  }));
}

}  // namespace
}  // namespace orrery::replication
