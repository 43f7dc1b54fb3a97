#include <algorithm>

#include "orrery/types/zset_score.h"
#include "orrery/types/zset_type.h"

namespace orrery::types {
namespace {

/// The least bytes of that length that are greater. REQUIRES: not all of them are 255, which no score's are.
std::string After(std::string bytes) {
  for (size_t i = bytes.size(); i-- > 0;) {
    if (++bytes[i] != 0) break;
  }
  return bytes;
}

bool IsNotBefore(const LexBound& min, std::string_view member) {
  if (min.kind != LexBound::Kind::kMember) return min.kind == LexBound::Kind::kBeforeAll;
  return min.exclusive ? member > min.member : member >= min.member;
}
bool IsNotBehind(const LexBound& max, std::string_view member) {
  if (max.kind != LexBound::Kind::kMember) return max.kind == LexBound::Kind::kAfterAll;
  return max.exclusive ? member < max.member : member <= max.member;
}

}  // namespace

ZsetOrder::ZsetOrder(const ZsetKey& key)
    : key_(key),
      own_(key.empty() ? std::nullopt : key.OwnOrder()),
      index_(&key.transaction(), key.elements_prefix()) {}

uint64_t ZsetOrder::CountBefore(std::string_view order) {
  if (key_.empty()) return 0;
  if (!own_) return index_.CountBefore(order);
  return static_cast<uint64_t>(std::lower_bound(own_->begin(), own_->end(), order) - own_->begin());
}

uint64_t ZsetOrder::RankOf(std::string_view member, double score) {
  return CountBefore(MemberOrder(score, member));
}

RankRange ZsetOrder::ByScore(const ScoreBound& min, const ScoreBound& max) {
  const std::string first = ScoreOrder(min.score), last = ScoreOrder(max.score);
  return {CountBefore(min.exclusive ? After(first) : first), CountBefore(max.exclusive ? last : After(last))};
}

uint64_t ZsetOrder::LexPlace(const LexBound& bound, bool is_end, std::string_view score_order) {
  if (bound.kind == LexBound::Kind::kBeforeAll) return 0;
  if (bound.kind == LexBound::Kind::kAfterAll) return key_.Count();
  std::string order(score_order);
  order.append(bound.member);
  // Nothing stands between a member and itself with one more zero.
  if (bound.exclusive != is_end) order.push_back('\0');
  return CountBefore(order);
}

RankRange ZsetOrder::ByLex(const LexBound& min, const LexBound& max, bool reverse) {
  const uint64_t count = key_.Count();
  if (count == 0) return {};
  const ScoredMember first = At(0), last = At(count - 1);
  if (first.score == last.score) {
    const std::string score_order = ScoreOrder(first.score);
    return {LexPlace(min, false, score_order), LexPlace(max, true, score_order)};
  }
  if (!IsNotBefore(min, last.member) || !IsNotBehind(max, first.member)) return {};
  return LexRun(min, max, reverse);
}

ScoredMember ZsetOrder::At(uint64_t rank) {
  ScoredMember at;
  Visit({rank, rank + 1}, false, [&](std::string_view member, double score) {
    at = {std::string(member), score};
    return false;
  });
  return at;
}

RankRange ZsetOrder::LexRun(const LexBound& min, const LexBound& max, bool reverse) {
  const uint64_t count = key_.Count();
  uint64_t skipped = 0, run = 0;
  Visit({0, count}, reverse, [&](std::string_view member, double) {
    const bool reached = run > 0 || (reverse ? IsNotBehind(max, member) : IsNotBefore(min, member));
    if (!reached) return ++skipped, true;
    if (reverse ? !IsNotBefore(min, member) : !IsNotBehind(max, member)) return false;
    return ++run, true;
  });
  return reverse ? RankRange{count - skipped - run, count - skipped} : RankRange{skipped, skipped + run};
}

void ZsetOrder::Visit(const RankRange& range, bool reverse, const MemberVisitor& visit) {
  uint64_t left = std::min<uint64_t>(range.end, own_ ? own_->size() : key_.Count());
  left = left > range.begin ? left - range.begin : 0;
  if (left == 0) return;
  const uint64_t first = reverse ? range.begin + left - 1 : range.begin;
  const auto step = [&](std::string_view order) {
    return visit(order.substr(kScoreOrderBytes), ScoreOfOrder(order)) && --left > 0;
  };
  if (own_) {
    for (uint64_t rank = first; step((*own_)[rank]);) reverse ? --rank : ++rank;
  } else if (reverse) {
    index_.Descend(first, step);
  } else {
    index_.Ascend(first, step);
  }
}

}  // namespace orrery::types
