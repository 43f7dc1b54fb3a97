// Replicas that hear of each other's events late, in any order that keeps each actor's own: in the end they
// are equal.

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <random>

#include "orrery/types/derived_index.h"
#include "orrery/types/expiry.h"
#include "orrery/types/list_type.h"
#include "orrery/types/string_type.h"
#include "orrery/types/zset_type.h"
#include "types/test_slot.h"

namespace orrery::types {
namespace {

using causality::Event;
using storage::Table;
using storage::Transaction;

constexpr size_t kReplicas = 3;

class ConvergenceTest : public testing::TestWithParam<int> {
 protected:
  ConvergenceTest() : seed_(std::random_device()()), random_(seed_) {
    for (TestSlot& replica : replicas_) replica.set_observer(&index_);
  }

  size_t Chance(size_t n) { return random_() % n; }
  std::string Key() { return "key" + std::to_string(Chance(3)); }

  void Run(size_t at, const TestSlot::Command& command) {
    const auto event = replicas_[at].Run(command);
    for (size_t to = 0; event && to < kReplicas; ++to) {
      if (to != at) under_way_[at][to].push_back(*event);
    }
  }

  bool Deliver(size_t from, size_t to) {
    std::deque<Event>& events = under_way_[from][to];
    if (events.empty()) return false;
    replicas_[to].Apply(events.front());
    events.pop_front();
    return true;
  }

  void DeliverAll() {
    bool any = true;
    while (any) {
      any = false;
      for (size_t from = 0; from < kReplicas; ++from) {
        for (size_t to = 0; to < kReplicas; ++to) any = Deliver(from, to) || any;
      }
    }
  }

  void RandomCommand(size_t at) {
    const uint64_t now_ms = replicas_[at].now_ms();
    Run(at, [&](Transaction& transaction) {
      StringKey key(&transaction, 0, Key());
      switch (Chance(10)) {
        case 0:
          return key.Set(std::to_string(Chance(100)), Lifetime::Forever());
        case 1:
          return key.Set(std::to_string(Chance(100)), Lifetime::Until(now_ms + Chance(300)));
        case 2:
          return key.Set("text", Lifetime::Keep());
        case 3:
          return key.Remove();
        case 4:
          return key.exists() ? key.ExpireAt(now_ms + Chance(300)) : void();
        case 5:
          return key.Persist();
        case 6:
          return static_cast<void>(contexts_[Chance(contexts_.size())] = key.Context());
        case 7:
          contexts_[0] = key.Put("put", contexts_[Chance(contexts_.size())], std::nullopt);
          return;
        case 8:
          return static_cast<void>(PurgeExpired(&transaction, 2));
        default:
          return key.AsInteger() ? key.Increment(static_cast<int64_t>(Chance(9)) - 4) : void();
      }
    });
    if (Chance(20) == 0) replicas_[at].RaiseBirthFloor();
    replicas_[at].Advance(Chance(10));
  }

  /// On a key that strings are made under, too.
  void RandomZsetCommand(size_t at) {
    Run(at, [&](Transaction& transaction) {
      ZsetKey key(&transaction, 0, Key());
      const std::string member = std::to_string(Chance(6));
      const double score = static_cast<double>(Chance(41)) / 4 - 5;
      if (key.exists() && key.type() != KeyType::kZset) return Chance(3) == 0 ? key.Remove() : void();
      switch (Chance(8)) {
        case 0:
          return static_cast<void>(key.Pop(Chance(2) == 0 ? ZsetKey::End::kMin : ZsetKey::End::kMax, Chance(3)));
        case 1:
          return static_cast<void>(key.Erase(member));
        case 2:
          return key.exists() ? key.ExpireAt(replicas_[at].now_ms() + Chance(300)) : void();
        case 3:
        case 4:
          return static_cast<void>(key.Increment(member, score));
        default:
          return static_cast<void>(key.Set(member, score));
      }
    });
    if (Chance(20) == 0) replicas_[at].RaiseBirthFloor();
  }

  /// On a key that strings are made under, too.
  void RandomListCommand(size_t at) {
    Run(at, [&](Transaction& transaction) {
      ListKey key(&transaction, 0, Key());
      const std::string value = std::to_string(Chance(6));
      const std::string_view values[] = {value, "more"};
      const ListKey::End end = Chance(2) == 0 ? ListKey::End::kHead : ListKey::End::kTail;
      if (key.exists() && key.type() != KeyType::kList) return Chance(3) == 0 ? key.Remove() : void();
      switch (Chance(9)) {
        case 0:
        case 1:
          return static_cast<void>(key.Pop(end, Chance(4)));
        case 2:
          return static_cast<void>(key.Set(static_cast<int64_t>(Chance(4)), value));
        case 3:
          return static_cast<void>(key.Insert(value, Chance(2) == 0, "inserted"));
        case 4:
          return static_cast<void>(key.RemoveEqual(value, 1));
        case 5:
          return key.exists() ? key.ExpireAt(replicas_[at].now_ms() + Chance(300)) : void();
        case 6:
          return static_cast<void>(key.Move(end, &key, ListKey::End::kTail));
        default:
          return key.Push(end, values);
      }
    });
  }

  void ExpectEqual() {
    for (const TestSlot& replica : replicas_) {
      EXPECT_TRUE(replica.voided().empty());
      for (Table table : {Table::kRows, Table::kCounts, Table::kExpiry}) {
        EXPECT_EQ(replicas_[0].Dump(table), replica.Dump(table));
      }
    }
  }

  const uint64_t seed_;
  std::mt19937_64 random_;
  DerivedIndex index_;
  std::array<TestSlot, kReplicas> replicas_{TestSlot(1), TestSlot(2), TestSlot(3)};
  std::deque<Event> under_way_[kReplicas][kReplicas];
  std::array<CausalContext, 3> contexts_;
};

TEST_P(ConvergenceTest, RandomCommandsEndInEqualRows) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  for (int i = 0; i < 2000; ++i) {
    RandomCommand(Chance(kReplicas));
    for (size_t n = Chance(5); n > 0; --n) Deliver(Chance(kReplicas), Chance(kReplicas));
    if (Chance(100) == 0) {
      DeliverAll();
      ExpectEqual();
    }
  }
  DeliverAll();
  ExpectEqual();
}

TEST_P(ConvergenceTest, SortedSetsBesideStringsEndInEqualRows) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  for (int i = 0; i < 2000; ++i) {
    const size_t at = Chance(kReplicas);
    Chance(6) == 0 ? RandomCommand(at) : RandomZsetCommand(at);
    replicas_[at].Advance(Chance(10));
    for (size_t n = Chance(5); n > 0; --n) Deliver(Chance(kReplicas), Chance(kReplicas));
    if (Chance(100) == 0) {
      DeliverAll();
      ExpectEqual();
    }
  }
  DeliverAll();
  ExpectEqual();
}

TEST_P(ConvergenceTest, ListsBesideStringsEndInEqualRows) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  for (int i = 0; i < 2000; ++i) {
    const size_t at = Chance(kReplicas);
    Chance(6) == 0 ? RandomCommand(at) : RandomListCommand(at);
    replicas_[at].Advance(Chance(10));
    for (size_t n = Chance(5); n > 0; --n) Deliver(Chance(kReplicas), Chance(kReplicas));
    if (Chance(100) == 0) {
      DeliverAll();
      ExpectEqual();
    }
  }
  DeliverAll();
  ExpectEqual();
}

TEST_P(ConvergenceTest, IncrementsOfScoresAreCountedOnceEach) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  double made = 0;
  for (int i = 0; i < 500; ++i) {
    const size_t at = Chance(kReplicas);
    const double delta = static_cast<double>(Chance(100)) / 8 - 5;
    Run(at, [&](Transaction& transaction) { ZsetKey(&transaction, 0, "counter").Increment("m", delta); });
    made += delta;
    if (Chance(10) == 0) replicas_[at].RaiseBirthFloor();
    Deliver(Chance(kReplicas), Chance(kReplicas));
  }
  DeliverAll();
  ExpectEqual();
  for (TestSlot& replica : replicas_) {
    replica.Run([&](Transaction& transaction) { EXPECT_EQ(made, ZsetKey(&transaction, 0, "counter").Score("m")); });
  }
}

TEST_P(ConvergenceTest, IncrementsAreCountedOnceEach) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  int64_t made = 0;
  for (int i = 0; i < 500; ++i) {
    const size_t at = Chance(kReplicas);
    const int64_t delta = static_cast<int64_t>(Chance(100)) - 30;
    Run(at, [&](Transaction& transaction) { StringKey(&transaction, 0, "counter").Increment(delta); });
    made += delta;
    if (Chance(10) == 0) replicas_[at].RaiseBirthFloor();
    Deliver(Chance(kReplicas), Chance(kReplicas));
  }
  DeliverAll();
  ExpectEqual();
  for (TestSlot& replica : replicas_) {
    replica.Run([&](Transaction& transaction) {
      EXPECT_EQ(std::to_string(made), StringKey(&transaction, 0, "counter").Value());
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ConvergenceTest, testing::Range(0, 5));

}  // namespace
}  // namespace orrery::types
