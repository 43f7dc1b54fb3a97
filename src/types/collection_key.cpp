#include "orrery/types/collection_key.h"

#include <utility>

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
  transaction().Clear(element_key);
  transaction().AddValue(element_key, std::move(payload));
  Recount(tag(), was ? 0 : 1);
  return !was;
}

bool CollectionKey::Add(std::string_view element, const storage::Transaction::Combine& combine) {
  const std::string element_key = ElementKey(element);
  const bool was = PrepareElement(element_key);
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
