#include "orrery/types/collection_key.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "orrery/base/marks.h"
#include "orrery/types/element.h"

namespace orrery::types {

using causality::Row;
using storage::RowTag;

CollectionKey::CollectionKey(storage::Transaction* transaction, uint8_t db, std::string_view key,
                             KeyType own_type)
    : KeyView(transaction, db, key), own_type_(own_type), elements_prefix_(TagPrefix(TagOfType(own_type))) {}

std::string CollectionKey::ElementKey(std::string_view element) const {
  return elements_prefix_ + ElementBytes(tag(), element);
}

uint64_t CollectionKey::Count() const {
  return Shows() ? Elements() : 0;
}

const Row* CollectionKey::Find(std::string_view element) const {
  if (!Shows()) return nullptr;
  const Row& row = transaction().Get(ElementKey(element));
  return row.HasValue() ? &row : nullptr;
}

void CollectionKey::Visit(std::string_view from_bytes, const Visitor& visit) const {
  if (!Shows()) return;
  const std::string from = elements_prefix_ + std::string(from_bytes);
  transaction().Scan(elements_prefix_, from, [&](std::string_view row_key, const Row& row) {
    return !row.HasValue() || visit(ElementOf(tag(), row_key.substr(elements_prefix_.size())), row);
  });
}

void CollectionKey::VisitShown(std::string_view from_bytes, const ShownVisitor& visit) const {
  if (!Shows()) return;
  const std::string from = elements_prefix_ + std::string(from_bytes);
  transaction().ScanShown(elements_prefix_, from,
                          [&](std::string_view row_key, const storage::Transaction::ShownRow& shown) {
                            return visit(ElementOf(tag(), row_key.substr(elements_prefix_.size())), shown);
                          });
}

std::vector<std::string> CollectionKey::AllElements() const {
  std::vector<std::string> elements;
  elements.reserve(Count());
  VisitShown({}, [&](std::string_view element, const auto&) {
    elements.emplace_back(element);
    return true;
  });
  return elements;
}

// The element that stands so many elements behind that place in the order, once around. REQUIRES: there are
// as many.
std::string CollectionKey::ElementBehind(uint64_t order, uint64_t steps) const {
  std::optional<std::string> found;
  const auto walk = [&](std::string_view element, const storage::Transaction::ShownRow&) {
    if (steps-- == 0) found = element;
    return !found;
  };
  VisitShown(ElementOrderBytes(order), walk);
  if (!found) VisitShown({}, walk);
  return std::move(found).value_or(std::string());
}

// An element behind a larger gap of the order would come more often if it were taken for itself; a few dozen
// together have gaps that are nearly equal.
std::string CollectionKey::SampleOne(Chance* chance) const {
  constexpr uint64_t kWindow = 64;
  if (Count() <= kSampleAllMax) return ElementBehind(0, chance->Below(Count()));
  return ElementBehind(chance->Next() >> (64 - kElementOrderBits), chance->Below(kWindow));
}

// Walking all of them once is cheaper than a walk for each.
bool CollectionKey::SamplesAll(uint64_t n) const {
  return n > 1 && (Count() <= kSampleAllMax || n > Count() / kSampleAllMax);
}

std::vector<std::string> CollectionKey::Sample(uint64_t n, Chance* chance) const {
  std::vector<std::string> sample;
  if (empty()) return sample;
  const bool walk_all = SamplesAll(n);
  const std::vector<std::string> all = walk_all ? AllElements() : std::vector<std::string>();
  for (; sample.size() < n;) sample.push_back(walk_all ? all[chance->Below(all.size())] : SampleOne(chance));
  return sample;
}

std::vector<std::string> CollectionKey::SampleDistinct(uint64_t n, Chance* chance) const {
  n = std::min(n, Count());
  if (n == 0) return {};
  if (SamplesAll(n)) {
    std::vector<std::string> all = AllElements();
    for (size_t i = 0; i < n; ++i) std::swap(all[i], all[i + chance->Below(all.size() - i)]);
    all.resize(n);
    return all;
  }
  std::set<std::string> sample;
  while (sample.size() < n) sample.insert(SampleOne(chance));
  return {sample.begin(), sample.end()};
}

bool CollectionKey::PrepareElement(const std::string& element_key) {
  // Elements of ours that are hidden by another type come to light with what is written now: it is the
  // newest.
  PrepareWrite();
  if (Elements() == 0 && HasCollectionRows()) {
    // An end that outlived its key must not govern the new one.
    transaction().Clear(TagPrefix(RowTag::kHead));
    Changed();
  }
  return transaction().Get(element_key).HasValue();
}

bool CollectionKey::Put(std::string_view element, std::string payload) {
  const std::string element_key = ElementKey(element);
  const bool was = PrepareElement(element_key);
  if (was && payload.empty() && ORRERY_MUTATION("members-not-added-again")) return false;
  transaction().Clear(element_key);
  transaction().AddValue(element_key, std::move(payload));
  Recount(tag(), was ? 0 : 1);
  return !was;
}

bool CollectionKey::Add(std::string_view element, const storage::Transaction::Combine& combine) {
  const std::string element_key = ElementKey(element);
  const bool was = PrepareElement(element_key);
  FoldIncrements(&transaction(), tag(), element_key);
  transaction().AddIncrement(element_key, combine);
  Recount(tag(), was ? 0 : 1);
  return !was;
}

bool CollectionKey::Erase(std::string_view element) {
  if (!Contains(element)) return false;
  transaction().Clear(ElementKey(element));
  Recount(tag(), -1);
  if (Elements() == 0) {
    transaction().Clear(TagPrefix(RowTag::kHead));
    Changed();
  }
  return true;
}

}  // namespace orrery::types
