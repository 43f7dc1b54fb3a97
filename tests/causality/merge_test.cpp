#include "orrery/causality/merge.h"

#include <gtest/gtest.h>

#include "causality/builders.h"

namespace orrery::causality {
namespace {

const VoidedSet kNothing;

TEST(MergeTest, ConcurrentValuesBecomeSiblings) {
  const SlotClock us = Clock({D(1, 1)}), they = Clock({D(2, 1)});
  const Row merged = MergeRows("k", MakeRow({Value(D(1, 1), 1, "a")}), {us, kNothing}, MakeRow({Value(D(2, 1), 1, "b")}),
                               {they, kNothing});
  EXPECT_EQ(merged.cells.size(), 2u);
}

TEST(MergeTest, WhatTheOtherSideSawAndNoLongerHasStaysDeleted) {
  const SlotClock us = Clock({D(1, 1)}), they = Clock({D(1, 1), D(2, 1)});
  const Row ours = MakeRow({Value(D(1, 1), 1, "a")});
  EXPECT_TRUE(MergeRows("k", ours, {us, kNothing}, Row(), {they, kNothing}).empty());
  EXPECT_TRUE(MergeRows("k", Row(), {they, kNothing}, ours, {us, kNothing}).empty());
}

TEST(MergeTest, AVoidedCellIsNotTaken) {
  VoidedSet voided;
  voided.Add("k", CellId{D(1, 1), CellKind::kValue});
  const SlotClock us = Clock({D(2, 1)}), they = Clock({D(1, 1)});
  const Row theirs = MakeRow({Value(D(1, 1), 1, "a")});
  EXPECT_TRUE(MergeRows("k", Row(), {us, voided}, theirs, {they, kNothing}).empty());
  EXPECT_EQ(MergeRows("j", Row(), {us, voided}, theirs, {they, kNothing}).cells.size(), 1u);
}

TEST(MergeTest, TheLaterVersionOfAnIncrementStays) {
  const SlotClock us = Clock({D(1, 4)}), they = Clock({D(1, 6)});
  const Row merged = MergeRows("k", MakeRow({Increment(D(1, 4), 2, "3")}), {us, kNothing},
                               MakeRow({Increment(D(1, 6), 2, "5")}), {they, kNothing});
  ASSERT_EQ(merged.cells.size(), 1u);
  EXPECT_EQ(merged.cells[0].payload, "5");
}

TEST(MergeTest, ARemovedBirthTakesItsLaterVersionsWithIt) {
  // We removed the birth (1,2); they count on, not knowing. Coverage is of the birth, so the later sum is dropped too.
  const SlotClock us = Clock({D(1, 4), D(2, 1)}), they = Clock({D(1, 6)});
  const Row theirs = MakeRow({Increment(D(1, 6), 2, "5")});
  EXPECT_TRUE(MergeRows("k", Row(), {us, kNothing}, theirs, {they, kNothing}).empty());
  EXPECT_TRUE(MergeRows("k", theirs, {they, kNothing}, Row(), {us, kNothing}).empty());
}

TEST(ApplyChangeTest, ALateIncrementOfARemovedBirthAddsNothing) {
  const SlotClock clock = Clock({D(1, 4), D(2, 1)});
  Row row;
  ApplyChange({"k", {}, {Increment(D(1, 5), 2, "4")}}, {clock, kNothing}, &row);
  EXPECT_TRUE(row.empty());
  ApplyChange({"k", {}, {Increment(D(1, 5), 5, "1")}}, {clock, kNothing}, &row);
  EXPECT_EQ(row.cells.size(), 1u) << "a new birth counts";
}

TEST(ApplyChangeTest, RemovesBeforeItAddsAndSkipsWhatIsVoided) {
  VoidedSet voided;
  voided.Add("k", CellId{D(2, 1), CellKind::kExpiry});
  const SlotClock clock = Clock({D(1, 1)});
  Row row = MakeRow({Value(D(1, 1), 1, "old")});
  Cell expiry = Value(D(2, 1), 2, "99");
  expiry.kind = CellKind::kExpiry;
  ApplyChange({"k", {{D(1, 1), CellKind::kValue}}, {Value(D(2, 1), 2, "new"), expiry}}, {clock, voided}, &row);
  ASSERT_EQ(row.cells.size(), 1u);
  EXPECT_EQ(row.cells[0].payload, "new");
}

TEST(ApplyScopeTest, TakesWhatItsClockCoversByBirth) {
  Row row = MakeRow({Value(D(1, 1), 1, "seen"), Value(D(1, 9), 1, "unseen"), Increment(D(2, 9), 1, "3")});
  EXPECT_TRUE(ApplyScope({"", Clock({D(1, 5), D(2, 5)})}, &row));
  ASSERT_EQ(row.cells.size(), 1u);
  EXPECT_EQ(row.cells[0].payload, "unseen");
}

}  // namespace
}  // namespace orrery::causality
