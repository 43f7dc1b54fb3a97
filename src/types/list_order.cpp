#include "types/list_order.h"

#include <algorithm>

namespace orrery::types {
namespace {

/// How many of n things come first for which the predicate holds. REQUIRES: it holds for none behind one for
/// which it does not.
template <typename Predicate>
size_t CountWhile(size_t n, const Predicate& holds) {
  size_t least = 0;
  while (least < n) {
    const size_t middle = least + (n - least) / 2;
    if (holds(middle)) {
      least = middle + 1;
    } else {
      n = middle;
    }
  }
  return least;
}

}  // namespace

ListOrder::ListOrder(storage::Transaction* transaction, const std::string& prefix)
    : has_base_(!transaction->IsRemoved(prefix)), index_(transaction, prefix) {
  transaction->VisitOwn(prefix, [&](std::string_view row_key, bool stood, const causality::Row& now) {
    if (stood == now.HasValue()) return;
    (stood ? removed_ : made_).push_back(row_key.substr(prefix.size()));
  });
}

uint64_t ListOrder::Count() {
  return (has_base_ ? index_.Count() : 0) + made_.size() - removed_.size();
}

// What stood before, without those that were removed.
uint64_t ListOrder::BaseBefore(std::string_view position) {
  if (!has_base_) return 0;
  const auto removed = std::lower_bound(removed_.begin(), removed_.end(), position) - removed_.begin();
  return index_.CountBefore(position) - static_cast<uint64_t>(removed);
}

std::optional<std::string> ListOrder::BaseAt(uint64_t rank) {
  if (!has_base_) return std::nullopt;
  // The i-th removed one has as many others that stay before it as all before it, less i.
  const size_t removed =
      CountWhile(removed_.size(), [&](size_t i) { return index_.CountBefore(removed_[i]) - i <= rank; });
  return index_.At(rank + removed);
}

uint64_t ListOrder::CountBefore(std::string_view position) {
  const auto made = std::lower_bound(made_.begin(), made_.end(), position) - made_.begin();
  return BaseBefore(position) + static_cast<uint64_t>(made);
}

std::optional<std::string> ListOrder::At(uint64_t rank) {
  const auto rank_of_made = [&](size_t i) { return BaseBefore(made_[i]) + i; };
  const size_t made = CountWhile(made_.size(), [&](size_t i) { return rank_of_made(i) < rank; });
  if (made < made_.size() && rank_of_made(made) == rank) return std::string(made_[made]);
  return BaseAt(rank - made);
}

}  // namespace orrery::types
