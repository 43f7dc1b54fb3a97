#include "orrery/replication/readable_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "orrery/runtime/random.h"
#include "replication/seeds.h"
#include "replication/test_replica.h"

namespace orrery::replication {
namespace {

constexpr SlotId kSlot = TestReplica::kSlot;

struct Walked {
  std::set<std::string> row_keys;
  std::vector<KeyRange> holes;
  Status status;
};

Walked Walk(const storage::RowStore& store, bool go_on) {
  ReadableRows rows(
      kSlot,
      [&](std::string_view prefix, std::string_view from) {
        return store.Scan(storage::Table::kRows, prefix, from);
      },
      go_on);
  Walked walked;
  for (; rows.Valid(); rows.Next()) walked.row_keys.emplace(rows.row_key());
  walked.status = rows.status();
  walked.holes = rows.TakeHoles();
  return walked;
}

TEST(ReadableRowsTest, DamageEndsTheWalkUnlessToldToGoOn) {
  TestReplica replica({NodeId{1}, 1});
  for (const char* key : {"a", "b", "c"})
    replica.Run([&](storage::Transaction* t) { t->AddValue(StringRow(key), "v"); });
  replica.Commit();
  EXPECT_EQ(Walk(replica.store(), false).row_keys.size(), 3u);
  replica.database().CorruptValue(storage::Table::kRows, storage::WithSlot(kSlot, StringRow("b")));
  EXPECT_EQ(Walk(replica.store(), false).status.code(), StatusCode::kCorruption);
  const Walked walked = Walk(replica.store(), true);
  EXPECT_TRUE(walked.status.ok());
  EXPECT_EQ(walked.row_keys, (std::set<std::string>{StringRow("a"), StringRow("c")}));
  ASSERT_EQ(walked.holes.size(), 1u);
  EXPECT_TRUE(walked.holes[0].Contains(StringRow("b")));
  EXPECT_FALSE(walked.holes[0].Contains(StringRow("a")));
  EXPECT_FALSE(walked.holes[0].Contains(StringRow("c")));
}

// Whatever is damaged: each row is either walked or in a hole, and only damaged ones are in holes. Rows between two
// damaged places were once passed over if they began as the first one and nothing else did.
TEST(ReadableRowsTest, EveryRowIsWalkedOrInAHole) {
  runtime::SeededRandom random(TestSeed());
  for (int round = 0; round < 60; ++round) {
    TestReplica replica({NodeId{1}, 1});
    std::set<std::string> all;
    for (uint64_t i = 1 + random.Below(20); i > 0; --i) {
      all.insert(random.Below(2) == 0 ? StringRow(std::to_string(random.Below(1000)))
                                      : SetRow("s", std::to_string(random.Below(50))));
    }
    for (const auto& key : all) replica.Run([&](storage::Transaction* t) { t->AddValue(key, "v"); });
    replica.Commit();
    std::set<std::string> bad;
    for (const auto& key : all) {
      if (random.Below(4) != 0) continue;
      replica.database().CorruptValue(storage::Table::kRows, storage::WithSlot(kSlot, key));
      bad.insert(key);
    }
    const Walked walked = Walk(replica.store(), true);
    ASSERT_TRUE(walked.status.ok());
    for (const auto& key : all) {
      const bool in_hole = std::any_of(walked.holes.begin(), walked.holes.end(),
                                       [&](const KeyRange& hole) { return hole.Contains(key); });
      ASSERT_NE(in_hole, walked.row_keys.contains(key)) << "round " << round;
      ASSERT_EQ(in_hole, bad.contains(key)) << "round " << round;
    }
  }
}

/// Rows in blocks, as a table file has them: whoever looks for a key in a damaged block, or comes to one, reads nothing.
class BlockCursor final : public storage::Cursor {
 public:
  struct Blocks {
    std::vector<std::string> keys;  ///< ascending
    std::set<size_t> damaged;
    static constexpr size_t kRows = 4;
    bool IsDamaged(size_t row) const { return damaged.contains(row / kRows); }
  };

  BlockCursor(const Blocks* blocks, std::string_view prefix, std::string_view from) : blocks_(*blocks), prefix_(prefix) {
    row_ = static_cast<size_t>(std::lower_bound(blocks_.keys.begin(), blocks_.keys.end(), from) - blocks_.keys.begin());
    Settle();
  }
  bool Valid() const override { return valid_; }
  void Next() override {
    ++row_;
    Settle();
  }
  std::string_view key() const override { return blocks_.keys[row_]; }
  std::string_view value() const override { return value_; }
  Status status() const override { return status_; }

 private:
  void Settle() {
    const bool ends = row_ == blocks_.keys.size();
    if (!ends && blocks_.IsDamaged(row_)) status_ = Status::Corruption("block");
    valid_ = !ends && status_.ok() && blocks_.keys[row_].starts_with(prefix_);
  }

  const Blocks& blocks_;
  const std::string prefix_;
  const std::string value_ = causality::EncodeRow({{{causality::CellKind::kValue, {{NodeId{1}, 1}, 1}, 1, 1, "v", {}}}});
  size_t row_ = 0;
  bool valid_ = false;
  Status status_;
};

// Where a whole block is damaged, and perhaps the next one or the one after that, too.
TEST(ReadableRowsTest, EveryRowOfADamagedBlockIsInAHole) {
  runtime::SeededRandom random(TestSeed());
  size_t walked_rows = 0;
  size_t good_rows = 0;
  for (int round = 0; round < 40; ++round) {
    std::set<std::string> keys;
    for (uint64_t i = 1 + random.Below(80); i > 0; --i) {
      keys.insert(storage::WithSlot(kSlot, random.Below(4) == 0 ? SetRow("s", std::to_string(random.Below(50)))
                                                                : StringRow(std::to_string(random.Below(1000)))));
    }
    BlockCursor::Blocks blocks{{keys.begin(), keys.end()}, {}};
    for (size_t block = 0; block * BlockCursor::Blocks::kRows < keys.size(); ++block) {
      if (random.Below(5) == 0) blocks.damaged.insert(block);
    }
    ReadableRows rows(
        kSlot,
        [&](std::string_view prefix, std::string_view from) {
          return std::make_unique<BlockCursor>(&blocks, prefix, from);
        },
        true);
    std::set<std::string> walked;
    for (; rows.Valid(); rows.Next()) walked.emplace(rows.row_key());
    ASSERT_TRUE(rows.status().ok());
    const auto holes = rows.TakeHoles();
    for (size_t row = 0; row < blocks.keys.size(); ++row) {
      const std::string row_key = blocks.keys[row].substr(storage::SlotPrefix(kSlot).size());
      const bool in_hole = std::any_of(holes.begin(), holes.end(),
                                       [&](const KeyRange& hole) { return hole.Contains(row_key); });
      ASSERT_NE(in_hole, walked.contains(row_key)) << "round " << round;
      ASSERT_TRUE(in_hole || !blocks.IsDamaged(row)) << "round " << round;
      good_rows += blocks.IsDamaged(row) ? 0 : 1;
    }
    walked_rows += walked.size();
  }
  EXPECT_GT(walked_rows * 10, good_rows * 9) << "holes are hardly larger than the damage";
}

}  // namespace
}  // namespace orrery::replication
