// Increments of a node's closed lives, and of its earlier births, are counted into the one that it continues.

#include <gtest/gtest.h>

#include "orrery/storage/row_key.h"
#include "orrery/types/string_type.h"
#include "types/test_slot.h"

namespace orrery::types {
namespace {

using causality::Event;
using causality::Row;
using storage::Transaction;

constexpr std::string_view kKey = "n";

class FixedRule final : public storage::FoldRule {
 public:
  Foldable FoldableIn(SlotId) const override { return foldable; }
  Foldable foldable{1000, true};
};

class FoldingTest : public ::testing::Test {
 protected:
  FoldingTest() { slot_.set_folding(&rule_); }

  static std::optional<Event> Increment(TestSlot& slot, int64_t delta) {
    return slot.Run([&](Transaction& transaction) { StringKey(&transaction, 0, kKey).Increment(delta); });
  }
  static std::string Shown(TestSlot& slot) {
    std::string shown;
    slot.Run([&](Transaction& transaction) { shown = StringKey(&transaction, 0, kKey).Value(); });
    return shown;
  }
  static Row RowOf(const TestSlot& slot) {
    return slot.Row(storage::EncodeRowKey({0, kKey, storage::RowTag::kString, {}}));
  }
  /// 40 in a life that is over, 2 in the present one; the latest birth is the second event of it.
  void CountInTwoLives() {
    Increment(slot_, 40);
    slot_.BeginNewLife();
    slot_.Run([](Transaction& transaction) { StringKey(&transaction, 0, "another").Increment(1); });
    Increment(slot_, 2);
  }

  FixedRule rule_;
  TestSlot slot_;
};

TEST_F(FoldingTest, AClosedLifeIsCountedIntoTheBirthThatGoesOn) {
  CountInTwoLives();
  EXPECT_EQ(RowOf(slot_).cells.size(), 2u);
  slot_.CloseEarlierLives();
  const auto event = Increment(slot_, 1);
  const Row row = RowOf(slot_);
  ASSERT_EQ(row.cells.size(), 1u);
  EXPECT_EQ(row.cells[0].payload, "43");
  EXPECT_EQ(row.cells[0].birth, 2u) << "the birth is continued";
  EXPECT_EQ(event->changes.size(), 1u) << "in one event";
  EXPECT_EQ(Shown(slot_), "43");
}

TEST_F(FoldingTest, NothingIsFoldedWhileAHomeMayLackTheBirth) {
  CountInTwoLives();
  slot_.CloseEarlierLives();
  rule_.foldable.births_everywhere = 1;
  Increment(slot_, 1);
  EXPECT_EQ(RowOf(slot_).cells.size(), 2u);
  rule_.foldable.births_everywhere = 2;
  Increment(slot_, 1);
  EXPECT_EQ(RowOf(slot_).cells.size(), 1u);
  EXPECT_EQ(Shown(slot_), "44");
}

TEST_F(FoldingTest, ALifeThatIsNotClosedEverywhereStays) {
  CountInTwoLives();
  Increment(slot_, 1);
  EXPECT_EQ(RowOf(slot_).cells.size(), 2u) << "it is not closed here";
  slot_.CloseEarlierLives();
  rule_.foldable.closed_lives = false;
  Increment(slot_, 1);
  EXPECT_EQ(RowOf(slot_).cells.size(), 2u) << "another home may not have closed it";
}

TEST_F(FoldingTest, CellsOfOtherNodesStay) {
  TestSlot other(2);
  slot_.Apply(*Increment(other, 7));
  slot_.CloseLivesOf(other.actor());
  CountInTwoLives();
  slot_.CloseEarlierLives();
  Increment(slot_, 1);
  EXPECT_EQ(RowOf(slot_).cells.size(), 2u);
  EXPECT_EQ(Shown(slot_), "50");
}

TEST_F(FoldingTest, AnEarlierBirthOfTheSameLifeIsCountedIn) {
  Increment(slot_, 40);
  slot_.RaiseBirthFloor();
  Increment(slot_, 2);
  const auto folded = Increment(slot_, 1);
  EXPECT_EQ(RowOf(slot_).cells.size(), 1u);
  EXPECT_EQ(Shown(slot_), "43");
  EXPECT_EQ(folded->changes[0].removed.size(), 1u);
}

TEST_F(FoldingTest, ARemovalOnTheOtherSideTakesWhatWasFolded) {
  TestSlot other(2);
  const auto first = Increment(slot_, 40);
  slot_.RaiseBirthFloor();
  const auto second = Increment(slot_, 2);
  other.Apply(*first);
  other.Apply(*second);
  const auto removal = other.Run([](Transaction& transaction) { StringKey(&transaction, 0, kKey).Remove(); });
  const auto folded = Increment(slot_, 1);
  slot_.Apply(*removal);
  other.Apply(*folded);
  EXPECT_TRUE(RowOf(slot_).empty());
  EXPECT_TRUE(RowOf(other).empty());
}

}  // namespace
}  // namespace orrery::types
