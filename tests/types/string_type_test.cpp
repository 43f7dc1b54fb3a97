#include "orrery/types/string_type.h"

#include <gtest/gtest.h>

#include <limits>

#include "orrery/storage/row_key.h"
#include "types/test_slot.h"

namespace orrery::types {
namespace {

using causality::CellKind;
using causality::Event;
using storage::Transaction;

constexpr std::string_view kKey = "key";

StringKey At(Transaction& transaction, std::string_view key = kKey) {
  return {&transaction, 0, key};
}

std::optional<Event> Set(TestSlot& slot, std::string_view value, Lifetime lifetime = Lifetime::Forever()) {
  return slot.Run([&](Transaction& transaction) { At(transaction).Set(value, lifetime); });
}

std::optional<Event> Increment(TestSlot& slot, int64_t delta) {
  return slot.Run([&](Transaction& transaction) { At(transaction).Increment(delta); });
}

std::optional<Event> Remove(TestSlot& slot) {
  return slot.Run([](Transaction& transaction) { At(transaction).Remove(); });
}

/// The visible value, "(none)" if there is none.
std::string Shown(TestSlot& slot) {
  std::string shown;
  slot.Run([&](Transaction& transaction) {
    const StringKey key = At(transaction);
    shown = key.exists() ? key.Value() : "(none)";
    EXPECT_EQ(key.exists() ? shown.size() : 0, key.Length());
  });
  return shown;
}

std::vector<std::string> Siblings(TestSlot& slot) {
  std::vector<std::string> values;
  slot.Run([&](Transaction& transaction) { values = At(transaction).Siblings(); });
  return values;
}

size_t CellCount(TestSlot& slot, CellKind kind) {
  size_t count = 0;
  slot.Run([&](Transaction& transaction) {
    for (const auto& cell :
         transaction.Get(storage::EncodeRowKey({0, kKey, storage::RowTag::kString, {}})).cells)
      count += cell.kind == kind ? 1 : 0;
  });
  return count;
}

using Values = std::vector<std::string>;

TEST(StringKeyTest, AnAbsentKeyHasNothing) {
  TestSlot slot;
  slot.Run([](Transaction& transaction) {
    const StringKey key = At(transaction);
    EXPECT_FALSE(key.exists());
    EXPECT_EQ(0u, key.Length());
    EXPECT_EQ(0, key.AsInteger());
    EXPECT_EQ(std::nullopt, key.deadline());
    EXPECT_TRUE(key.Siblings().empty());
    EXPECT_EQ(CausalContext(), key.Context());
    EXPECT_FALSE(transaction.changed());
  });
}

TEST(StringKeyTest, ASetReplacesAllThatItsCoordinatorSees) {
  TestSlot slot;
  Set(slot, "one");
  Increment(slot, 0);
  Set(slot, "two");
  EXPECT_EQ("two", Shown(slot));
  EXPECT_EQ(1u, CellCount(slot, CellKind::kValue));
  EXPECT_EQ(0u, CellCount(slot, CellKind::kIncrement));
}

TEST(StringKeyTest, KeepsBytesOfAnyKind) {
  TestSlot slot;
  const std::string bytes("\0\r\n\xff", 4);
  Set(slot, bytes);
  EXPECT_EQ(bytes, Shown(slot));
}

TEST(StringKeyTest, ConcurrentSetsLeaveSiblingsOfWhichTheNewestShows) {
  TestSlot a(1), b(2);
  const auto older = Set(a, "older");
  b.Advance(5);
  const auto newer = Set(b, "newer");
  a.Apply(*newer);
  b.Apply(*older);
  for (TestSlot* slot : {&a, &b}) {
    EXPECT_EQ("newer", Shown(*slot));
    EXPECT_EQ((Values{"newer", "older"}), Siblings(*slot));
  }
  EXPECT_EQ(a.Dump(storage::Table::kRows), b.Dump(storage::Table::kRows));
}

TEST(StringKeyTest, OfSiblingsOfOneInstantTheGreaterActorsShows) {
  TestSlot a(1), b(2);
  const auto of_a = Set(a, "a");
  const auto of_b = Set(b, "b");
  ASSERT_EQ(of_a->hlc, of_b->hlc);
  a.Apply(*of_b);
  b.Apply(*of_a);
  EXPECT_EQ("b", Shown(a));
  EXPECT_EQ("b", Shown(b));
}

TEST(StringKeyTest, ASetOverSiblingsRemovesAllOfThem) {
  TestSlot a(1), b(2);
  a.Apply(*Set(b, "theirs"));
  TestSlot c(3);
  a.Apply(*Set(c, "another"));
  EXPECT_EQ(2u, Siblings(a).size());
  Set(a, "one");
  EXPECT_EQ(Values{"one"}, Siblings(a));
}

TEST(StringKeyTest, AddsIncrementsToTheValue) {
  TestSlot slot;
  Set(slot, "40");
  Increment(slot, 5);
  Increment(slot, -3);
  EXPECT_EQ("42", Shown(slot));
  EXPECT_EQ(1u, CellCount(slot, CellKind::kIncrement));
}

TEST(StringKeyTest, CountsFromNothingWithoutAValue) {
  TestSlot slot;
  Increment(slot, 7);
  EXPECT_EQ("7", Shown(slot));
  EXPECT_EQ(0u, CellCount(slot, CellKind::kValue));
  EXPECT_EQ(Values{"7"}, Siblings(slot));
}

TEST(StringKeyTest, ACounterThatIsBackAtZeroStillExists) {
  TestSlot slot;
  Increment(slot, 7);
  Increment(slot, -7);
  EXPECT_EQ("0", Shown(slot));
}

TEST(StringKeyTest, IncrementsOnBothSidesOfAPartitionAddUp) {
  TestSlot a(1), b(2);
  b.Apply(*Set(a, "100"));
  const auto five = Increment(a, 5);
  const auto seven = Increment(b, 7);
  const auto more = Increment(b, 1);
  a.Apply(*seven);
  a.Apply(*more);
  b.Apply(*five);
  EXPECT_EQ("113", Shown(a));
  EXPECT_EQ("113", Shown(b));
  EXPECT_EQ(a.Dump(storage::Table::kRows), b.Dump(storage::Table::kRows));
}

TEST(StringKeyTest, AnIncrementThatARemoverHadNotSeenOutlivesTheRemoval) {
  TestSlot a(1), b(2);
  b.Apply(*Increment(a, 10));
  // The cut: what b counts from here on must not go with what a removes.
  b.RaiseBirthFloor();
  const auto more = Increment(b, 3);
  const auto removal = Remove(a);
  a.Apply(*more);
  b.Apply(*removal);
  EXPECT_EQ("3", Shown(a));
  EXPECT_EQ("3", Shown(b));
}

TEST(StringKeyTest, IncrementsDoNotCountBesideAValueThatIsNoInteger) {
  TestSlot a(1), b(2);
  const auto counted = Increment(a, 5);
  const auto text = Set(b, "text");
  a.Apply(*text);
  b.Apply(*counted);
  EXPECT_EQ("text", Shown(a));
  EXPECT_EQ("text", Shown(b));
  a.Run([](Transaction& transaction) { EXPECT_EQ(std::nullopt, At(transaction).AsInteger()); });
}

TEST(StringKeyTest, ConcurrentIncrementsBeyondTheRangeShowItsEnd) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  TestSlot a(1), b(2);
  Increment(a, kMax);
  a.Apply(*Increment(b, 5));
  EXPECT_EQ(std::to_string(kMax), Shown(a));
  Increment(a, -10);
  EXPECT_EQ(std::to_string(kMax - 5), Shown(a));
}

TEST(StringKeyTest, OneActorsSumMayPassTheRangeOfTheValue) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  TestSlot slot;
  Set(slot, std::to_string(kMin));
  Increment(slot, kMax);
  Increment(slot, kMax);
  EXPECT_EQ(std::to_string(kMax - 1), Shown(slot));
  Increment(slot, kMin);
  Increment(slot, kMin);
  // min + 2 max + 2 min = min - 2: below the range, as only concurrent increments could make it.
  EXPECT_EQ(std::to_string(kMin), Shown(slot));
  Increment(slot, kMax);
  EXPECT_EQ("-3", Shown(slot));
}

TEST(StringKeyTest, ARemovalTakesTheWholeRow) {
  TestSlot slot;
  Set(slot, "5", Lifetime::Until(slot.now_ms() + 100));
  Increment(slot, 1);
  Remove(slot);
  EXPECT_EQ("(none)", Shown(slot));
  EXPECT_EQ("", slot.Dump(storage::Table::kRows));
}

TEST(StringKeyTest, RemovingNothingIsNoEvent) {
  TestSlot slot;
  EXPECT_EQ(std::nullopt, Remove(slot));
}

TEST(StringKeyTest, AValueRemembersWhatItsWriterHadSeenOfOthers) {
  TestSlot a(1), b(2);
  a.Apply(*Set(b, "theirs"));
  const auto own = Set(a, "mine");
  const auto& past = own->changes.at(0).added.at(0).past;
  EXPECT_EQ(1u, past.Get(b.actor()));
  EXPECT_EQ(0u, past.Get(a.actor()));
}

TEST(StringKeyTest, ThePastOfAValueIsCutAtTheOldestLives) {
  TestSlot slot(1);
  constexpr uint64_t kWriters = causality::kPastEntriesMax + 4;
  for (uint64_t i = 0; i < kWriters; ++i) {
    TestSlot writer(10 + i);  // its incarnation grows with i
    slot.Apply(*Set(writer, "value"));
  }
  const auto event = Set(slot, "joined");
  const auto& past = event->changes.at(0).added.at(0).past;
  ASSERT_EQ(causality::kPastEntriesMax, past.entries().size());
  for (uint64_t i = 0; i < kWriters; ++i) {
    EXPECT_EQ(i < 4 ? 0u : 1u, past.Get(TestSlot(10 + i).actor())) << i;
  }
}

TEST(StringKeyTest, RewritingKeepsTheEnd) {
  TestSlot slot;
  const uint64_t deadline = slot.now_ms() + 1000;
  Set(slot, "one", Lifetime::Until(deadline));
  slot.Advance(10);
  Set(slot, "two", Lifetime::Keep());
  slot.Run([&](Transaction& transaction) { EXPECT_EQ(deadline, At(transaction).deadline()); });
  slot.Advance(990);
  EXPECT_EQ("(none)", Shown(slot));
}

TEST(StringKeyTest, SettingAnewForgetsTheEnd) {
  TestSlot slot;
  Set(slot, "one", Lifetime::Until(slot.now_ms() + 1000));
  Set(slot, "two");
  slot.Advance(5000);
  EXPECT_EQ("two", Shown(slot));
}

TEST(StringKeyTest, IncrementingKeepsTheEnd) {
  TestSlot slot;
  Set(slot, "1", Lifetime::Until(slot.now_ms() + 1000));
  Increment(slot, 1);
  EXPECT_EQ("2", Shown(slot));
  slot.Advance(1000);
  EXPECT_EQ("(none)", Shown(slot));
}

TEST(StringKeyTest, AWriteToAnExpiredRowRemovesItsCellsInTheSameEvent) {
  TestSlot slot;
  Set(slot, "41", Lifetime::Until(slot.now_ms() + 10));
  slot.Advance(10);
  const auto event = Increment(slot, 1);
  EXPECT_EQ(2u, event->changes.at(0).removed.size());
  EXPECT_EQ("1", Shown(slot));
  slot.Run([](Transaction& transaction) { EXPECT_EQ(std::nullopt, At(transaction).deadline()); });
}

TEST(StringKeyTest, AnExpiredCounterIsNotContinued) {
  TestSlot slot;
  Increment(slot, 41);
  slot.Run([&](Transaction& transaction) { At(transaction).ExpireAt(slot.now_ms() + 10); });
  slot.Advance(10);
  Increment(slot, 1);
  EXPECT_EQ("1", Shown(slot));
}

TEST(StringKeyTest, DatabasesAreApart) {
  TestSlot slot;
  Set(slot, "zero");
  slot.Run([](Transaction& transaction) { EXPECT_FALSE(StringKey(&transaction, 1, kKey).exists()); });
}

}  // namespace
}  // namespace orrery::types
