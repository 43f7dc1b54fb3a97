#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/causality/row.h"
#include "orrery/storage/transaction.h"
#include "orrery/types/chance.h"
#include "orrery/types/key_view.h"

namespace orrery::types {

/// What hashes, sets, sorted sets and lists have in common: a key of many rows, one for each element, that
/// exists as long as one of them shows. Each operation on one element costs one row, however many there are.
///
/// Reads see what plain commands show: of several concurrent Values of one element the newest, plus its
/// Increments. Where the key shows nothing or another type (commands answer WRONGTYPE then), there are no
/// elements. An element here is what the type says it is, a field or a member; how it stands in the row key
/// is in element.h.
class CollectionKey : public KeyView {
 public:
  CollectionKey(storage::Transaction* transaction, uint8_t db, std::string_view key, KeyType own_type);

  /// Of elements that show. O(1).
  uint64_t Count() const;
  bool empty() const { return Count() == 0; }

  /// The element's row if it shows, else nullptr. Lives until the element is next changed.
  const causality::Row* Find(std::string_view element) const;
  bool Contains(std::string_view element) const { return Find(element) != nullptr; }

  /// Calls visit for each element that shows, in the order of their row keys (for types in hash order,
  /// uniform and the same everywhere; for lists, the list's), from that element part on (element.h; empty:
  /// from the first), until it returns false. visit must not change the key.
  using Visitor = std::function<bool(std::string_view element, const causality::Row& row)>;
  void Visit(std::string_view from_bytes, const Visitor& visit) const;

  /// As Visit, without taking apart rows that are nothing but one value.
  using ShownVisitor = std::function<bool(std::string_view element, const storage::Transaction::ShownRow& shown)>;
  void VisitShown(std::string_view from_bytes, const ShownVisitor& visit) const;

  /// Elements chosen by chance: n of them one by one, so that one may come twice; or, distinct, min(n, Count()) different
  /// ones in no particular order. Of a collection of kSampleAllMax elements or fewer each is equally likely; of a larger
  /// one nearly so: a place in the hash order is chosen, and one of the elements behind it. O(n) rows of a large one.
  /// REQUIRES: a type in hash order.
  std::vector<std::string> Sample(uint64_t n, Chance* chance) const;
  std::vector<std::string> SampleDistinct(uint64_t n, Chance* chance) const;
  static constexpr uint64_t kSampleAllMax = 512;

  /// Replaces what the element has by one Value. True if the element is new.
  bool Put(std::string_view element, std::string payload);
  /// Adds to this actor's own sum of the element, beside whatever is there
  /// (storage::Transaction::AddIncrement). True if the element is new.
  bool Add(std::string_view element, const storage::Transaction::Combine& combine);
  /// Removes what the element has. Whether it was there. The last one takes the key's end with it.
  bool Erase(std::string_view element);

  KeyType own_type() const { return own_type_; }
  storage::RowTag tag() const { return TagOfType(own_type_); }

 protected:
  std::string ElementKey(std::string_view element) const;
  /// Prefix of all element rows, and of the type's CountedIndex.
  const std::string& elements_prefix() const { return elements_prefix_; }

 private:
  std::vector<std::string> AllElements() const;
  std::string ElementBehind(uint64_t order, uint64_t steps) const;
  std::string SampleOne(Chance* chance) const;
  bool SamplesAll(uint64_t n) const;
  bool Shows() const { return type() == own_type_; }
  /// Before an element is written: whether it was there.
  bool PrepareElement(const std::string& element_key);

  KeyType own_type_;
  std::string elements_prefix_;
};

}  // namespace orrery::types
