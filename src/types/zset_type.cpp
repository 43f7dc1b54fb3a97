#include "orrery/types/zset_type.h"

#include <algorithm>
#include <cmath>

#include "orrery/types/zset_score.h"

namespace orrery::types {

using causality::Row;

std::optional<double> ZsetKey::Score(std::string_view member) const {
  const Row* row = Find(member);
  if (row == nullptr) return std::nullopt;
  return ShowScore(*row);
}

bool ZsetKey::Set(std::string_view member, double score) {
  return Put(member, ScorePayload(score));
}

double ZsetKey::Increment(std::string_view member, double delta) {
  const std::optional<double> shown = Score(member);
  const double base = shown.value_or(0);
  const double wanted = shown ? base + delta : delta;
  if (std::isfinite(base) && std::isfinite(wanted)) {
    Add(member, [&](std::string_view old_sum) { return GrownScoreSum(old_sum, base, wanted); });
    if (Score(member) == wanted) return wanted;
  }
  // Nothing can be added to an infinity, nor counted back from it; and sums of numbers that are too far apart
  // may miss a last bit.
  Set(member, wanted);
  return wanted;
}

// The index shows what stood before the command. A row that this command changed, or brought along, stands
// elsewhere.
std::optional<std::vector<std::string>> ZsetKey::OwnOrder() const {
  bool same = !transaction().IsRemoved(elements_prefix());
  transaction().VisitOwn(elements_prefix(), [&](std::string_view row_key, bool, const Row& now) {
    same = same && now == transaction().GetBefore(row_key);
  });
  if (same) return std::nullopt;
  std::vector<std::string> order;
  Visit({}, [&](std::string_view member, const Row& row) {
    order.push_back(MemberOrder(ShowScore(row), member));
    return true;
  });
  std::sort(order.begin(), order.end());
  return order;
}

std::optional<uint64_t> ZsetKey::Rank(std::string_view member) const {
  const std::optional<double> score = Score(member);
  if (!score) return std::nullopt;
  return ZsetOrder(*this).RankOf(member, *score);
}

std::vector<ScoredMember> ZsetKey::Slice(const RankRange& range, bool reverse) const {
  std::vector<ScoredMember> members;
  VisitRange(range, reverse, [&](std::string_view member, double score) {
    members.push_back({std::string(member), score});
    return true;
  });
  return members;
}

void ZsetKey::EraseAll(const std::vector<ScoredMember>& members) {
  if (members.size() == Count()) return Remove();
  for (const ScoredMember& member : members) Erase(member.member);
}

std::vector<ScoredMember> ZsetKey::Pop(End end, uint64_t count) {
  const uint64_t size = Count();
  count = std::min(count, size);
  if (count == 0) return {};
  const bool last = end == End::kMax;
  std::vector<ScoredMember> popped = Slice(last ? RankRange{size - count, size} : RankRange{0, count}, last);
  EraseAll(popped);
  return popped;
}

}  // namespace orrery::types
