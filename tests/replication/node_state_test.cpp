#include "orrery/replication/node_state.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "orrery/runtime/random.h"
#include "orrery/storage/memory_row_store.h"

namespace orrery::replication {
namespace {

TEST(NodeStateTest, IsReadAsItWasWritten) {
  for (const bool awaits : {false, true}) {
    storage::MemoryDatabase database;
    const auto store = database.OpenShard();
    NodeState state;
    state.id = NodeId{77};
    state.incarnation = 1234;
    membership::Member member;
    member.id = NodeId{78};
    state.members.Merge(member);
    state.awaits_meeting = awaits;
    SaveNodeState(state, store.get());
    ASSERT_TRUE(store->Commit(storage::Durability::kDisk).ok());
    const auto read = LoadNodeState(*store);
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->id, state.id);
    EXPECT_EQ(read->incarnation, state.incarnation);
    EXPECT_EQ(read->members.Hash(), state.members.Hash());
    EXPECT_EQ(read->awaits_meeting, awaits);
  }
}

TEST(NodeStateTest, IncarnationsRise) {
  runtime::SeededRandom random(1);
  const uint64_t now = uint64_t{1'700'000'000'000} << 12;
  const uint64_t by_clock = NextIncarnation(0, 0, 1'700'000'000'000, &random);
  EXPECT_EQ(by_clock >> 12, now >> 12);
  EXPECT_GT(NextIncarnation(now + (1 << 30), 0, 1'700'000'000'000, &random), now + (1 << 30));
  EXPECT_GT(NextIncarnation(0, now + (1 << 30), 1'700'000'000'000, &random), now + (1 << 30));
}

// A machine alone, with an old disk and its clock set back, began the same life twice: two events had one
// dot.
TEST(NodeStateTest, LivesThatBeginFromOneOldDiskAreNotTheSame) {
  runtime::SeededRandom random(1);
  const uint64_t stored = uint64_t{1'700'000'000'000} << 12;
  std::set<uint64_t> lives;
  for (int i = 0; i < 100; ++i) lives.insert(NextIncarnation(stored, 0, 1'600'000'000'000, &random));
  EXPECT_EQ(lives.size(), 100u);
  EXPECT_GT(*lives.begin(), stored);
}

}  // namespace
}  // namespace orrery::replication
