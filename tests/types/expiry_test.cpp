#include "orrery/types/expiry.h"

#include <gtest/gtest.h>

#include "orrery/types/derived_index.h"
#include "orrery/types/string_type.h"
#include "types/test_slot.h"

namespace orrery::types {
namespace {

using causality::Cell;
using causality::CellKind;
using causality::Event;
using causality::Row;
using storage::Transaction;

Cell MakeCell(CellKind kind, uint64_t node, causality::HybridTime hlc, std::string payload) {
  return {kind, {{NodeId{node}, 1}, 1}, 1, hlc, std::move(payload), {}};
}

Row MakeRow(const std::vector<Cell>& cells) {
  Row row;
  for (const Cell& cell : cells) row.Upsert(cell);
  return row;
}

TEST(DeadlineTest, TheNewestOfSeveralGoverns) {
  const Row row =
      MakeRow({MakeCell(CellKind::kValue, 1, 10, "v"), MakeCell(CellKind::kExpiry, 1, 20, "111"),
               MakeCell(CellKind::kExpiry, 2, 30, "222"), MakeCell(CellKind::kExpiry, 3, 25, "333")});
  EXPECT_EQ(222u, DeadlineOf(row));
}

TEST(DeadlineTest, OfOneInstantTheGreaterActorsGoverns) {
  const Row row = MakeRow({MakeCell(CellKind::kValue, 1, 10, "v"), MakeCell(CellKind::kExpiry, 1, 20, "111"),
                           MakeCell(CellKind::kExpiry, 2, 20, "222")});
  EXPECT_EQ(222u, DeadlineOf(row));
}

TEST(DeadlineTest, ANewerValueUndoesIt) {
  const Row row = MakeRow({MakeCell(CellKind::kExpiry, 1, 20, "111"),
                           MakeCell(CellKind::kValue, 2, 21, "later, without an end")});
  EXPECT_EQ(std::nullopt, DeadlineOf(row));
}

TEST(DeadlineTest, AValueOfTheSameEventDoesNot) {
  const Row row =
      MakeRow({MakeCell(CellKind::kExpiry, 1, 20, "111"), MakeCell(CellKind::kValue, 1, 20, "SET ... EX")});
  EXPECT_EQ(111u, DeadlineOf(row));
}

TEST(DeadlineTest, ANewerIncrementDoesNot) {
  const Row row =
      MakeRow({MakeCell(CellKind::kExpiry, 1, 20, "111"), MakeCell(CellKind::kIncrement, 1, 30, "1")});
  EXPECT_EQ(111u, DeadlineOf(row));
}

TEST(DeadlineTest, HidesFromItsInstantOn) {
  const Row row =
      MakeRow({MakeCell(CellKind::kExpiry, 1, 20, "111"), MakeCell(CellKind::kValue, 1, 20, "v")});
  EXPECT_FALSE(IsExpired(row, 110));
  EXPECT_TRUE(IsExpired(row, 111));
  EXPECT_TRUE(IsExpired(row, 112));
}

TEST(DeadlineTest, ARowWithNothingButAnExpiryIsAbsent) {
  EXPECT_FALSE(HasValue(MakeRow({MakeCell(CellKind::kExpiry, 1, 20, "111")})));
  EXPECT_TRUE(HasValue(MakeRow({MakeCell(CellKind::kIncrement, 1, 20, "0")})));
}

class ExpiryTest : public testing::Test {
 protected:
  ExpiryTest() {
    a_.set_observer(&index_);
    b_.set_observer(&index_);
  }

  std::optional<Event> Set(TestSlot& slot, std::string_view key, std::optional<uint64_t> deadline_ms) {
    return slot.Run([&](Transaction& transaction) {
      StringKey(&transaction, 0, key)
          .Set("value", deadline_ms ? Lifetime::Until(*deadline_ms) : Lifetime::Forever());
    });
  }
  bool Exists(TestSlot& slot, std::string_view key) {
    bool exists = false;
    slot.Run([&](Transaction& transaction) { exists = StringKey(&transaction, 0, key).exists(); });
    return exists;
  }
  size_t Purge(TestSlot& slot, size_t rows_max, std::optional<Event>* event = nullptr) {
    size_t purged = 0;
    auto made = slot.Run([&](Transaction& transaction) { purged = PurgeExpired(&transaction, rows_max); });
    if (event != nullptr) *event = std::move(made);
    return purged;
  }
  uint64_t Now() const { return a_.now_ms(); }

  DerivedIndex index_;
  TestSlot a_{1};
  TestSlot b_{2};
};

TEST_F(ExpiryTest, AnEndSetOnTheOtherSideOfAPartitionHolds) {
  b_.Apply(*Set(a_, "key", std::nullopt));
  b_.Advance(1);
  const auto expire =
      b_.Run([&](Transaction& transaction) { StringKey(&transaction, 0, "key").ExpireAt(Now() + 100); });
  a_.Apply(*expire);
  a_.Advance(100);
  EXPECT_FALSE(Exists(a_, "key"));
}

TEST_F(ExpiryTest, AValueSetLaterOnTheOtherSideOutlivesTheEnd) {
  b_.Apply(*Set(a_, "key", Now() + 100));
  b_.Advance(1);
  a_.Apply(*Set(b_, "key", std::nullopt));
  a_.Advance(100);
  EXPECT_TRUE(Exists(a_, "key"));
}

TEST_F(ExpiryTest, PersistTakesEveryEndAway) {
  Set(a_, "key", Now() + 100);
  a_.Run([&](Transaction& transaction) { StringKey(&transaction, 0, "key").Persist(); });
  a_.Advance(100);
  EXPECT_TRUE(Exists(a_, "key"));
}

TEST_F(ExpiryTest, ALaterEndReplacesTheEarlierOne) {
  Set(a_, "key", Now() + 100);
  a_.Run([&](Transaction& transaction) { StringKey(&transaction, 0, "key").ExpireAt(Now() + 200); });
  a_.Advance(150);
  EXPECT_TRUE(Exists(a_, "key"));
  a_.Advance(50);
  EXPECT_FALSE(Exists(a_, "key"));
}

TEST_F(ExpiryTest, PurgingTakesWhatIsDueAndNothingElse) {
  Set(a_, "soon", Now() + 10);
  Set(a_, "sooner", Now() + 5);
  Set(a_, "later", Now() + 1000);
  Set(a_, "never", std::nullopt);
  EXPECT_EQ(0u, Purge(a_, 10));
  a_.Advance(10);
  EXPECT_EQ(2u, Purge(a_, 10));
  EXPECT_EQ(0u, Purge(a_, 10));
  EXPECT_TRUE(Exists(a_, "later"));
  EXPECT_TRUE(Exists(a_, "never"));
  EXPECT_EQ(2u, CountKeys(a_.slot(), 0, a_.store()).keys);
}

TEST_F(ExpiryTest, PurgingStopsAtItsLimitAndTakesTheOldestFirst) {
  for (int i = 0; i < 5; ++i) Set(a_, "key" + std::to_string(i), Now() + 10 + static_cast<uint64_t>(i));
  a_.Advance(100);
  EXPECT_EQ(3u, Purge(a_, 3));
  EXPECT_EQ(2u, CountKeys(a_.slot(), 0, a_.store()).keys);
  EXPECT_EQ(2u, Purge(a_, 3));
  EXPECT_EQ("", a_.Dump(storage::Table::kRows));
  EXPECT_EQ("", a_.Dump(storage::Table::kExpiry));
}

TEST_F(ExpiryTest, PurgingIsAnOrdinaryEvent) {
  b_.Apply(*Set(a_, "key", Now() + 10));
  a_.Advance(10);
  std::optional<Event> event;
  EXPECT_EQ(1u, Purge(a_, 10, &event));
  b_.Apply(*event);
  EXPECT_EQ("", b_.Dump(storage::Table::kRows));
  EXPECT_EQ("", b_.Dump(storage::Table::kExpiry));
}

TEST_F(ExpiryTest, PurgingLeavesWhatALaterValueKeepsAlive) {
  Set(a_, "key", Now() + 10);
  b_.Advance(1);
  a_.Apply(*Set(b_, "key", std::nullopt));
  a_.Advance(10);
  EXPECT_EQ(0u, Purge(a_, 10));
  EXPECT_TRUE(Exists(a_, "key"));
}

TEST_F(ExpiryTest, PurgingTakesALoneExpiryCell) {
  b_.Apply(*Set(a_, "key", std::nullopt));
  const auto expire =
      b_.Run([&](Transaction& transaction) { StringKey(&transaction, 0, "key").ExpireAt(Now() + 100); });
  a_.Run([&](Transaction& transaction) { StringKey(&transaction, 0, "key").Remove(); });
  a_.Apply(*expire);
  EXPECT_FALSE(Exists(a_, "key"));
  EXPECT_EQ(0u, CountKeys(a_.slot(), 0, a_.store()).keys);
  a_.Advance(100);
  EXPECT_EQ(1u, Purge(a_, 10));
  EXPECT_EQ("", a_.Dump(storage::Table::kRows));
}

}  // namespace
}  // namespace orrery::types
