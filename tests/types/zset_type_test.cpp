// Sorted sets on one replica and on two sides of a cut.

#include "orrery/types/zset_type.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>

#include "orrery/types/counted_index.h"
#include "orrery/types/derived_index.h"
#include "orrery/types/string_type.h"
#include "orrery/types/zset_score.h"
#include "types/test_slot.h"

namespace orrery::types {
namespace {

using causality::Event;
using storage::Table;
using storage::Transaction;
using Scores = std::vector<std::pair<double, std::string>>;  // in their order
using Places = std::pair<uint64_t, uint64_t>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

class ZsetTypeTest : public testing::Test {
 protected:
  ZsetTypeTest() {
    a_.set_observer(&index_);
    b_.set_observer(&index_);
  }

  using ZsetCommand = std::function<void(ZsetKey& zset)>;
  static std::optional<Event> Run(TestSlot& slot, const ZsetCommand& command) {
    return slot.Run([&](Transaction& transaction) {
      ZsetKey zset(&transaction, 0, "z");
      command(zset);
    });
  }
  void RunEverywhere(const ZsetCommand& command) { b_.Apply(*Run(a_, command)); }
  /// Both commands, neither side having heard of the other's.
  void RunApart(const ZsetCommand& on_a, const ZsetCommand& on_b) {
    const auto event_a = Run(a_, on_a);
    const auto event_b = Run(b_, on_b);
    if (event_b) a_.Apply(*event_b);
    if (event_a) b_.Apply(*event_a);
    for (Table table : {Table::kRows, Table::kCounts, Table::kExpiry})
      EXPECT_EQ(a_.Dump(table), b_.Dump(table));
    EXPECT_EQ(a_.replica().digest(), b_.replica().digest());
  }

  static Scores InOrder(const ZsetKey& zset) {
    Scores scores;
    zset.VisitRange({0, zset.Count()}, false, [&](std::string_view member, double score) {
      scores.emplace_back(score, member);
      return true;
    });
    return scores;
  }
  static Scores Of(TestSlot& slot) {
    Scores scores;
    Run(slot, [&](ZsetKey& zset) {
      scores = InOrder(zset);
      EXPECT_EQ(scores.size(), zset.Count());
      EXPECT_TRUE(std::is_sorted(scores.begin(), scores.end()));
    });
    return scores;
  }
  void ExpectBoth(const Scores& scores) {
    EXPECT_EQ(scores, Of(a_));
    EXPECT_EQ(scores, Of(b_));
  }

  DerivedIndex index_;
  TestSlot a_{1};
  TestSlot b_{2};
};

// ---- two sides ----

TEST_F(ZsetTypeTest, MembersOfBothSidesAreThereInOneOrder) {
  RunApart([](ZsetKey& zset) { zset.Set("x", 2); }, [](ZsetKey& zset) { zset.Set("y", 1); });
  ExpectBoth({{1, "y"}, {2, "x"}});
}

TEST_F(ZsetTypeTest, OfTwoScoresOfOneMemberTheNewerShows) {
  b_.Advance(1);
  RunApart([](ZsetKey& zset) { zset.Set("x", 9); }, [](ZsetKey& zset) { zset.Set("x", 4); });
  ExpectBoth({{4, "x"}});
}

TEST_F(ZsetTypeTest, IncrementsOfBothSidesAddUp) {
  RunEverywhere([](ZsetKey& zset) { zset.Set("x", 10); });
  RunApart([](ZsetKey& zset) { EXPECT_EQ(10.5, zset.Increment("x", 0.5)); },
           [](ZsetKey& zset) { EXPECT_EQ(8, zset.Increment("x", -2)); });
  ExpectBoth({{8.5, "x"}});
  RunApart([](ZsetKey& zset) { zset.Increment("new", 1); }, [](ZsetKey& zset) { zset.Increment("new", 2); });
  ExpectBoth({{3, "new"}, {8.5, "x"}});
}

TEST_F(ZsetTypeTest, AnIncrementIsCountedOnTopOfAConcurrentScore) {
  RunEverywhere([](ZsetKey& zset) { zset.Set("x", 10); });
  RunApart([](ZsetKey& zset) { zset.Set("x", 100); }, [](ZsetKey& zset) { zset.Increment("x", 1); });
  ExpectBoth({{101, "x"}});
}

TEST_F(ZsetTypeTest, AnEqualScoreWrittenAgainWinsOverAConcurrentRemove) {
  RunEverywhere([](ZsetKey& zset) { zset.Set("x", 1); });
  RunApart([](ZsetKey& zset) { zset.Erase("x"); }, [](ZsetKey& zset) { EXPECT_FALSE(zset.Set("x", 1)); });
  ExpectBoth({{1, "x"}});
}

TEST_F(ZsetTypeTest, WhatBothPoppedIsGoneAndStaysSo) {
  RunEverywhere([](ZsetKey& zset) { zset.Set("x", 1), zset.Set("y", 2), zset.Set("z", 3); });
  const auto pop = [](ZsetKey& zset) {
    const auto popped = zset.Pop(ZsetKey::End::kMin, 1);
    ASSERT_EQ(1u, popped.size());
    EXPECT_EQ("x", popped[0].member);
  };
  RunApart(pop, pop);
  ExpectBoth({{2, "y"}, {3, "z"}});
}

TEST_F(ZsetTypeTest, DeletingLeavesWhatTheDeleterHadNotSeen) {
  RunEverywhere([](ZsetKey& zset) { zset.Set("seen", 1); });
  RunApart([](ZsetKey& zset) { zset.Remove(); }, [](ZsetKey& zset) { zset.Set("unseen", 2); });
  ExpectBoth({{2, "unseen"}});
}

TEST_F(ZsetTypeTest, AnInfinityReplacesAndIsNeverCountedToANumber) {
  RunEverywhere([](ZsetKey& zset) { zset.Set("x", 1); });
  RunApart([](ZsetKey& zset) { EXPECT_EQ(kInfinity, zset.Increment("x", kInfinity)); },
           [](ZsetKey& zset) { zset.Set("y", 0); });
  RunEverywhere([](ZsetKey& zset) { EXPECT_EQ(kInfinity, zset.Increment("x", -1e308)); });
  ExpectBoth({{0, "y"}, {kInfinity, "x"}});
  b_.Advance(1);
  RunApart([](ZsetKey& zset) { zset.Increment("y", kInfinity); },
           [](ZsetKey& zset) { zset.Increment("y", -kInfinity); });
  ExpectBoth({{-kInfinity, "y"}, {kInfinity, "x"}});
}

TEST_F(ZsetTypeTest, RemovingWhatWasReadKeepsWhatWasCountedSince) {
  RunEverywhere([](ZsetKey& zset) { zset.Set("x", 10), zset.Set("y", 1); });
  RunEverywhere([](ZsetKey& zset) { zset.Increment("x", 2); });
  std::map<std::string, causality::Row> read;
  a_.Run([&](Transaction& transaction) {
    transaction.Scan(storage::KeyPrefix(0, "z"), {}, [&](std::string_view key, const causality::Row& row) {
      return read.emplace(key, row).second;
    });
  });
  RunEverywhere([](ZsetKey& zset) { zset.Increment("x", 0.25); });
  b_.Apply(*a_.Run([&](Transaction& transaction) {
    for (const auto& [key, row] : read) RemoveSeen(&transaction, key, row);
  }));
  ExpectBoth({{0.25, "x"}});
}

// ---- order ----

TEST_F(ZsetTypeTest, RangesAndRanksBeforeAndAfterOwnChanges) {
  const ZsetCommand fill = [](ZsetKey& zset) {
    for (int i = 0; i < 300; ++i) zset.Set("m" + std::to_string(1000 + i), i / 3);
  };
  const ZsetCommand look = [](ZsetKey& zset) {
    EXPECT_EQ(4u, zset.Rank("m1004"));
    EXPECT_FALSE(zset.Rank("absent"));
    const auto by_score = [&](ScoreBound min, ScoreBound max) {
      const RankRange range = zset.ByScore(min, max);
      return Places(range.begin, range.end);
    };
    EXPECT_EQ(Places(3, 9), by_score({1, false}, {2, false}));
    EXPECT_EQ(Places(6, 9), by_score({1, true}, {2, false}));
    EXPECT_EQ(Places(3, 6), by_score({1, false}, {2, true}));
    EXPECT_EQ(Places(0, 300), by_score({-kInfinity, false}, {kInfinity, false}));
    EXPECT_EQ(0u, zset.ByScore({5, false}, {4, false}).size());
    EXPECT_EQ(0u, zset.ByScore({1, true}, {1, true}).size());
    EXPECT_EQ(2u, zset.ByRank(-2, -1).size());
    EXPECT_EQ(0u, zset.ByRank(300, 400).size());
    EXPECT_EQ(0u, zset.ByRank(-1, -2).size());
    const auto last = zset.Slice(zset.ByRank(-2, -1), true);
    ASSERT_EQ(2u, last.size());
    EXPECT_EQ("m1299", last[0].member);
    EXPECT_EQ("m1298", last[1].member);
    EXPECT_EQ(99, last[1].score);
  };
  Run(a_, [&](ZsetKey& zset) { fill(zset), look(zset); });
  Run(a_, look);
}

TEST_F(ZsetTypeTest, RangesOfMembersOfOneScore) {
  const ZsetCommand look = [](ZsetKey& zset) {
    using Kind = LexBound::Kind;
    const LexBound first{Kind::kBeforeAll, {}, false}, last{Kind::kAfterAll, {}, false};
    const auto member = [](std::string_view text, bool exclusive) {
      return LexBound{Kind::kMember, text, exclusive};
    };
    EXPECT_EQ(4u, zset.ByLex(first, last).size());
    EXPECT_EQ(0u, zset.ByLex(last, first).size());
    EXPECT_EQ(2u, zset.ByLex(member("b", false), member("c", false)).size());
    EXPECT_EQ(1u, zset.ByLex(member("b", true), member("c", false)).size());
    EXPECT_EQ(1u, zset.ByLex(member("b", false), member("c", true)).size());
    EXPECT_EQ(3u, zset.ByLex(member("aa", false), last).size());
    EXPECT_EQ(2u, zset.ByLex(first, member("bb", true)).size());
  };
  const ZsetCommand fill = [](ZsetKey& zset) {
    for (const std::string_view member : {"d", "b", "a", "c"}) zset.Set(member, 0);
  };
  Run(a_, [&](ZsetKey& zset) { fill(zset), look(zset); });
  Run(a_, look);
}

TEST_F(ZsetTypeTest, OfMembersOfSeveralScoresARangeIsOneRun) {
  Run(a_, [](ZsetKey& zset) {
    zset.Set("a", 1), zset.Set("c", 2), zset.Set("b", 3), zset.Set("d", 4), zset.Set("b2", 5);
  });
  Run(a_, [](ZsetKey& zset) {
    const auto run = [&](std::string_view min, std::string_view max, bool reverse) {
      const RankRange range =
          zset.ByLex({LexBound::Kind::kMember, min, false}, {LexBound::Kind::kMember, max, false}, reverse);
      return Places(range.begin, range.end);
    };
    EXPECT_EQ(Places(1, 3), run("b", "c", false));
    EXPECT_EQ(Places(1, 5), run("b", "c", true));
    EXPECT_EQ(Places(3, 5), run("b1", "c", true));
    EXPECT_EQ(
        0u, zset.ByLex({LexBound::Kind::kMember, "c", false}, {LexBound::Kind::kMember, "b", false}).size());
    EXPECT_EQ(
        5u,
        zset.ByLex({LexBound::Kind::kBeforeAll, {}, false}, {LexBound::Kind::kAfterAll, {}, false}).size());
  });
}

TEST_F(ZsetTypeTest, PopsFromEitherEnd) {
  Run(a_, [](ZsetKey& zset) {
    for (int i = 0; i < 5; ++i) zset.Set(std::to_string(i), i);
  });
  Run(a_, [](ZsetKey& zset) {
    EXPECT_EQ("0", zset.Pop(ZsetKey::End::kMin, 1).at(0).member);
    const auto popped = zset.Pop(ZsetKey::End::kMax, 2);
    EXPECT_EQ("4", popped.at(0).member);
    EXPECT_EQ("3", popped.at(1).member);
    EXPECT_TRUE(zset.Pop(ZsetKey::End::kMax, 0).empty());
  });
  Run(a_, [](ZsetKey& zset) { EXPECT_EQ(2u, zset.Pop(ZsetKey::End::kMin, 100).size()); });
  EXPECT_EQ(0u, a_.replica().row_count());
}

// ---- chance ----

TEST_F(ZsetTypeTest, RandomCommandsApartEndEqualAndTheOrderIsThatOfTheRows) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto command = [&](ZsetKey& zset) {
    const std::string member = std::to_string(random() % 40);
    const double score = static_cast<double>(random() % 64) / 8 - 4;
    switch (random() % 10) {
      case 0:
        return random() % 20 == 0 ? zset.Remove() : void(zset.Erase(member));
      case 1:
        return void(zset.Pop(random() % 2 == 0 ? ZsetKey::End::kMin : ZsetKey::End::kMax, random() % 3));
      case 2:
        return zset.exists() && random() % 4 == 0 ? zset.ExpireAt(a_.now_ms() + random() % 400) : void();
      case 3:
      case 4:
      case 5:
        return void(zset.Increment(member, score));
      default:
        zset.Set(member, score);
    }
  };
  for (int i = 0; i < 2000; ++i) {
    RunApart(command, command);
    a_.Advance(random() % 20);
    b_.set_now_ms(a_.now_ms());
    if (random() % 50 == 0) a_.RaiseBirthFloor(), b_.RaiseBirthFloor();
    const Scores scores = Of(a_);
    ASSERT_EQ(scores, Of(b_));
    Run(a_, [&](ZsetKey& zset) {
      for (size_t rank = 0; rank < scores.size(); ++rank) ASSERT_EQ(rank, zset.Rank(scores[rank].second));
      Scores of_rows;
      zset.Visit({}, [&](std::string_view member, const causality::Row& row) {
        of_rows.emplace_back(ShowScore(row), member);
        return true;
      });
      std::sort(of_rows.begin(), of_rows.end());
      ASSERT_EQ(scores, of_rows);
    });
  }
  ASSERT_TRUE(index_.Rebuild(a_.slot(), &a_.store()).ok());
  EXPECT_EQ(Of(b_), Of(a_));
}

}  // namespace
}  // namespace orrery::types
