#include "orrery/storage/hint_store.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "orrery/storage/memory_row_store.h"
#include "storage/test_random.h"

namespace orrery::storage {
namespace {

using causality::Actor;
using causality::Dot;

constexpr NodeId kHome{0x100}, kOtherHome{0x200};
constexpr SlotId kSlot = 7;
constexpr Actor kActor{NodeId{1}, 5}, kOtherActor{NodeId{1}, 6};
constexpr uint64_t kKeyBytes = 34;

class HintStoreTest : public testing::Test {
 protected:
  HintStoreTest() : rows_(database_.OpenShard()) { Open({}); }

  void Open(HintStore::Options options) {
    auto opened = HintStore::Open(rows_.get(), std::move(options));
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    hints_ = std::move(*opened);
  }
  void Add(NodeId home, SlotId slot, const Actor& actor, uint64_t first, uint64_t last) {
    for (uint64_t n = first; n <= last; ++n) {
      ASSERT_TRUE(hints_->Add(home, slot, {actor, n}, "event " + std::to_string(n)).ok());
    }
  }
  /// "home/slot/incarnation/counter" of each.
  static std::vector<std::string> Read(HintCursor cursor) {
    std::vector<std::string> seen;
    for (; cursor.Valid(); cursor.Next()) {
      const Hint& hint = cursor.hint();
      EXPECT_EQ(hint.event, "event " + std::to_string(hint.dot.counter));
      seen.push_back(hint.home.ToHex().substr(13) + "/" + std::to_string(hint.slot) + "/" +
                     std::to_string(hint.dot.actor.incarnation) + "/" + std::to_string(hint.dot.counter));
    }
    EXPECT_TRUE(cursor.status().ok());
    return seen;
  }

  MemoryDatabase database_;
  std::unique_ptr<RowStore> rows_;
  std::unique_ptr<HintStore> hints_;
};

using Seen = std::vector<std::string>;

TEST_F(HintStoreTest, WalksInOrderOfHomeSlotActorAndCounter) {
  Add(kOtherHome, kSlot, kActor, 1, 1);
  Add(kHome, 300, kActor, 1, 1);  // 300 sorts after 7 only as a number
  Add(kHome, kSlot, kOtherActor, 1, 1);
  Add(kHome, kSlot, kActor, 255, 257);
  ASSERT_TRUE(rows_->Commit(Durability::kMemory).ok());
  EXPECT_EQ(Read(hints_->Scan(kHome)),
            (Seen{"100/7/5/255", "100/7/5/256", "100/7/5/257", "100/7/6/1", "100/300/5/1"}));
  EXPECT_EQ(Read(hints_->Scan(kHome, kSlot)),
            (Seen{"100/7/5/255", "100/7/5/256", "100/7/5/257", "100/7/6/1"}));
  EXPECT_EQ(Read(hints_->Scan(kHome, kSlot, {kActor, 0})),
            (Seen{"100/7/5/255", "100/7/5/256", "100/7/5/257"}));
  EXPECT_EQ(Read(hints_->Scan(kHome, kSlot, {kActor, 256})), (Seen{"100/7/5/256", "100/7/5/257"}));
  EXPECT_EQ(Read(hints_->Scan(kHome, kSlot, {kActor, 258})), Seen{});
  EXPECT_EQ(Read(hints_->Scan(NodeId{0x300})), Seen{});
  EXPECT_EQ(hints_->Slots(kHome), (std::vector<SlotId>{7, 300}));
}

TEST_F(HintStoreTest, CountsWhatItKeeps) {
  Add(kHome, kSlot, kActor, 1, 3);
  Add(kOtherHome, kSlot, kActor, 5, 5);
  const uint64_t each = kKeyBytes + std::string("event 1").size();
  EXPECT_EQ(hints_->totals().at(kHome).count, 3u);
  EXPECT_EQ(hints_->totals().at(kHome).bytes, 3 * each);
  EXPECT_EQ(hints_->bytes(), 4 * each);
  const auto range = hints_->FindRange(kHome, kSlot, kActor);
  ASSERT_TRUE(range.has_value());
  EXPECT_EQ(std::tie(range->first, range->last, range->count), std::make_tuple(1u, 3u, 3u));
  EXPECT_FALSE(range->has_gaps());
  EXPECT_FALSE(hints_->FindRange(kHome, kSlot, kOtherActor).has_value());

  // The same dot again is the same event.
  Add(kHome, kSlot, kActor, 2, 3);
  EXPECT_EQ(hints_->totals().at(kHome).count, 3u);
  Add(kHome, kSlot, kActor, 6, 6);
  EXPECT_TRUE(hints_->Ranges(kHome, kSlot).at(0).has_gaps());
}

TEST_F(HintStoreTest, RemovesUpToTheDotAndNothingElse) {
  Add(kHome, kSlot, kActor, 3, 6);
  Add(kHome, kSlot, kOtherActor, 1, 2);
  Add(kHome, 8, kActor, 1, 2);
  Add(kOtherHome, kSlot, kActor, 1, 2);
  ASSERT_TRUE(rows_->Commit(Durability::kMemory).ok());
  ASSERT_TRUE(hints_->Remove(kHome, kSlot, {kActor, 2}).ok());
  EXPECT_EQ(hints_->totals().at(kHome).count, 8u);
  ASSERT_TRUE(hints_->Remove(kHome, kSlot, {kActor, 4}).ok());
  EXPECT_EQ(Read(hints_->Scan(kHome, kSlot)), (Seen{"100/7/5/5", "100/7/5/6", "100/7/6/1", "100/7/6/2"}));
  EXPECT_EQ(hints_->FindRange(kHome, kSlot, kActor)->first, 5u);

  ASSERT_TRUE(hints_->Remove(kHome, kSlot, {kActor, 1000}).ok());
  ASSERT_TRUE(hints_->Remove(kHome, kSlot, {kActor, 1000}).ok());
  ASSERT_TRUE(hints_->Remove(kHome, kSlot, {kOtherActor, 2}).ok());
  ASSERT_TRUE(hints_->Remove(kHome, 8, {kActor, 2}).ok());
  EXPECT_FALSE(hints_->totals().contains(kHome));
  EXPECT_TRUE(hints_->Slots(kHome).empty());
  EXPECT_EQ(Read(hints_->Scan(kHome)), Seen{});
  EXPECT_EQ(Read(hints_->Scan(kOtherHome)).size(), 2u);
  ASSERT_TRUE(hints_->Remove(kOtherHome, kSlot, {kActor, 2}).ok());
  EXPECT_EQ(hints_->bytes(), 0u);
}

TEST_F(HintStoreTest, RefusesWhenFullAndDropsNothing) {
  Open({.bytes_max = 3 * (kKeyBytes + 7), .owns_slot = nullptr});
  Add(kHome, kSlot, kActor, 1, 3);
  EXPECT_EQ(hints_->Add(kOtherHome, kSlot, {kActor, 1}, "event 1").code(), StatusCode::kFull);
  EXPECT_TRUE(hints_->Add(kHome, kSlot, {kActor, 2}, "event 2").ok()) << "it has that one";
  EXPECT_EQ(Read(hints_->Scan(kHome)).size(), 3u);
  EXPECT_FALSE(hints_->totals().contains(kOtherHome));
  ASSERT_TRUE(hints_->Remove(kHome, kSlot, {kActor, 1}).ok());
  EXPECT_TRUE(hints_->Add(kOtherHome, kSlot, {kActor, 1}, "event 1").ok());
}

TEST_F(HintStoreTest, KeepsOwnEventsBeyondTheLimit) {
  Open({.bytes_max = kKeyBytes + 7, .owns_slot = nullptr});
  EXPECT_FALSE(hints_->full());
  Add(kHome, kSlot, kActor, 1, 1);
  EXPECT_TRUE(hints_->full());
  EXPECT_EQ(hints_->Add(kHome, kSlot, {kActor, 2}, "event 2").code(), StatusCode::kFull);
  EXPECT_TRUE(hints_->AddOwn(kHome, kSlot, {kActor, 2}, "event 2").ok());
  EXPECT_TRUE(hints_->AddOwn(kHome, kSlot, {kActor, 2}, "event 2").ok()) << "it has that one";
  EXPECT_EQ(hints_->totals().at(kHome).count, 2u);
  ASSERT_TRUE(hints_->Remove(kHome, kSlot, {kActor, 2}).ok());
  EXPECT_FALSE(hints_->full());
}

TEST_F(HintStoreTest, KeepsToItsShardsSlots) {
  Add(kHome, 2, kActor, 1, 1);
  Add(kHome, 3, kActor, 1, 1);
  Add(kHome, 4, kActor, 1, 1);
  ASSERT_TRUE(rows_->Commit(Durability::kMemory).ok());
  Open({.bytes_max = 1000, .owns_slot = [](SlotId slot) { return slot % 2 == 0; }});
  EXPECT_EQ(hints_->totals().at(kHome).count, 2u);
  EXPECT_EQ(Read(hints_->Scan(kHome)), (Seen{"100/2/5/1", "100/4/5/1"}));
  EXPECT_EQ(hints_->Slots(kHome), (std::vector<SlotId>{2, 4}));
}

TEST_F(HintStoreTest, RebuildsItsNumbersFromWhatIsCommitted) {
  Add(kHome, kSlot, kActor, 1, 3);
  ASSERT_TRUE(rows_->Commit(Durability::kDisk).ok());
  ASSERT_TRUE(hints_->Remove(kHome, kSlot, {kActor, 2}).ok());
  Add(kOtherHome, kSlot, kActor, 1, 1);
  database_.FailWrites(Status::Full("simulated"));
  EXPECT_FALSE(rows_->Commit(Durability::kDisk).ok());
  database_.FailWrites(Status::Ok());
  ASSERT_TRUE(rows_->Reopen().ok());
  ASSERT_TRUE(hints_->Rebuild().ok());
  EXPECT_EQ(hints_->totals().at(kHome).count, 3u);
  EXPECT_FALSE(hints_->totals().contains(kOtherHome));
  EXPECT_EQ(hints_->bytes(), 3 * (kKeyBytes + 7));
}

TEST_F(HintStoreTest, UnreadableHintsAreAnErrorThatChangesNothing) {
  Add(kHome, kSlot, kActor, 1, 3);
  ASSERT_TRUE(rows_->Commit(Durability::kDisk).ok());
  const auto first = rows_->Scan(Table::kHints, "");
  database_.CorruptValue(Table::kHints, first->key());
  EXPECT_EQ(hints_->Scan(kHome).status().code(), StatusCode::kCorruption);
  EXPECT_EQ(hints_->Remove(kHome, kSlot, {kActor, 2}).code(), StatusCode::kCorruption);
  EXPECT_EQ(hints_->totals().at(kHome).count, 3u);
  EXPECT_EQ(HintStore::Open(rows_.get(), {}).status().code(), StatusCode::kCorruption);
}

TEST_F(HintStoreTest, ForeignKeyIsCorruption) {
  rows_->Put(Table::kHints, "not a hint", "");
  EXPECT_EQ(HintStore::Open(rows_.get(), {}).status().code(), StatusCode::kCorruption);
}

TEST_F(HintStoreTest, AgreesWithAMapOfDots) {
  TestRandom random;
  using Key = std::tuple<NodeId, SlotId, Actor>;
  std::map<Key, std::map<uint64_t, size_t>> model;
  for (int step = 0; step < 5000; ++step) {
    const NodeId home{1 + random.Below(2)};
    const auto slot = static_cast<SlotId>(random.Below(2));
    const Actor actor{NodeId{1 + random.Below(2)}, 1};
    const uint64_t counter = random.Below(20);
    auto& stream = model[{home, slot, actor}];
    if (random.OneIn(5)) {
      ASSERT_TRUE(hints_->Remove(home, slot, {actor, counter}).ok());
      stream.erase(stream.begin(), stream.upper_bound(counter));
    } else {
      const std::string event(random.Below(50), 'e');
      ASSERT_TRUE(hints_->Add(home, slot, {actor, counter}, event).ok());
      stream.emplace(counter, event.size());
    }
    if (random.OneIn(3)) {
      ASSERT_TRUE(rows_->Commit(Durability::kMemory).ok());
    }
    if (random.OneIn(50)) {
      ASSERT_TRUE(hints_->Rebuild().ok());
    }
    const auto range = hints_->FindRange(home, slot, actor);
    ASSERT_EQ(range.has_value(), !stream.empty());
    if (stream.empty()) continue;
    ASSERT_EQ(range->first, stream.begin()->first);
    ASSERT_EQ(range->last, stream.rbegin()->first);
    ASSERT_EQ(range->count, stream.size());
    uint64_t bytes = 0;
    for (const auto& [n, size] : stream) bytes += kKeyBytes + size;
    ASSERT_EQ(range->bytes, bytes);
  }
}

}  // namespace
}  // namespace orrery::storage
