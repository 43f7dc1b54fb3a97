#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/types/collection_key.h"
#include "orrery/types/counted_index.h"

namespace orrery::types {

/// One end of a range of scores.
struct ScoreBound {
  double score = 0;
  bool exclusive = false;
};

/// One end of a range of members that have one score.
struct LexBound {
  enum class Kind : uint8_t { kBeforeAll, kMember, kAfterAll };
  Kind kind = Kind::kMember;
  std::string_view member;
  bool exclusive = false;
};

struct ScoredMember {
  std::string member;
  double score = 0;
};

class ZsetKey;

/// The order of a sorted set as one command sees it, until that changes the key: whoever asks for several
/// places makes it once. The key must outlive it. Costs as ZsetKey's; making it costs nothing, or the
/// sorting.
class ZsetOrder {
 public:
  explicit ZsetOrder(const ZsetKey& key);

  RankRange ByScore(const ScoreBound& min, const ScoreBound& max);
  /// By the bytes of members, all of which should have one score. Of others, what Redis shows of small sets:
  /// a run of neighbours, from the first that is not before min (downwards: not behind max) up to the one
  /// that passes the other end; O(n).
  RankRange ByLex(const LexBound& min, const LexBound& max, bool reverse = false);
  /// Members before this one, which need not be there.
  uint64_t RankOf(std::string_view member, double score);

  /// Calls visit for those places, upwards or (reverse) downwards, until it returns false. visit must not
  /// change the key.
  using MemberVisitor = std::function<bool(std::string_view member, double score)>;
  void Visit(const RankRange& range, bool reverse, const MemberVisitor& visit);

 private:
  uint64_t CountBefore(std::string_view order);
  uint64_t LexPlace(const LexBound& bound, bool is_end, std::string_view score_order);
  ScoredMember At(uint64_t rank);
  RankRange LexRun(const LexBound& min, const LexBound& max, bool reverse);

  const ZsetKey& key_;
  /// The order, if it is not what the index says.
  std::optional<std::vector<std::string>> own_;
  CountedIndexReader index_;
};

/// A sorted set, inside one command's transaction: each member is a row whose cells add up to its score
/// (zset_score.h, docs/data-types.md); the order is derived from the rows (CountedIndex), so that a rank
/// costs O(log n) and a range that and its length. Score and writes do not depend on n.
///
/// Ranks and ranges show the command's own changes, too; after own changes to this key, and for a key of
/// another slot that was brought along, they cost O(n log n).
class ZsetKey : public CollectionKey {
 public:
  ZsetKey(storage::Transaction* transaction, uint8_t db, std::string_view key)
      : CollectionKey(transaction, db, key, KeyType::kZset) {}

  /// nullopt if the member is absent.
  std::optional<double> Score(std::string_view member) const;
  /// True if the member is new. An equal score is written again: whoever removes the member meanwhile has not
  /// seen that.
  bool Set(std::string_view member, double score);
  /// Adds to the score, from 0 if the member is absent, and gives the sum. What others add at the same time
  /// is added, too, unless there is an infinity: that replaces the score. REQUIRES: the sum is no NaN.
  double Increment(std::string_view member, double delta);

  /// Members before this one; nullopt if it is absent.
  std::optional<uint64_t> Rank(std::string_view member) const;
  RankRange ByRank(int64_t first, int64_t last) const { return RangeOfRanks(first, last, Count()); }
  RankRange ByScore(const ScoreBound& min, const ScoreBound& max) const {
    return ZsetOrder(*this).ByScore(min, max);
  }
  RankRange ByLex(const LexBound& min, const LexBound& max, bool reverse = false) const {
    return ZsetOrder(*this).ByLex(min, max, reverse);
  }
  void VisitRange(const RankRange& range, bool reverse, const ZsetOrder::MemberVisitor& visit) const {
    ZsetOrder(*this).Visit(range, reverse, visit);
  }
  std::vector<ScoredMember> Slice(const RankRange& range, bool reverse) const;

  /// REQUIRES: different members, all of which are there.
  void EraseAll(const std::vector<ScoredMember>& members);
  enum class End : uint8_t { kMin, kMax };
  /// Removes the members at that end, at most count, and returns them, the outermost first.
  std::vector<ScoredMember> Pop(End end, uint64_t count);

 private:
  friend ZsetOrder;
  /// The order as this command sees it, if that is not what the index says.
  std::optional<std::vector<std::string>> OwnOrder() const;
};

}  // namespace orrery::types
