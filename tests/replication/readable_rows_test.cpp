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

}  // namespace
}  // namespace orrery::replication
