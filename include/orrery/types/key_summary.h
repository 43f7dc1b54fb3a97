#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "orrery/base/status.h"
#include "orrery/causality/hybrid_clock.h"
#include "orrery/storage/row_key.h"
#include "orrery/storage/row_store.h"

namespace orrery::types {

/// What the elements of one type of a key amount to.
struct TagSummary {
  uint64_t elements = 0;  ///< rows that show a value
  uint64_t rows = 0;
  uint64_t digest = 0;  ///< their share of the slot's digest
  /// No value of theirs is newer than this, and one is as new if it is exact. Which type of two shows is
  /// decided by it; after the newest value went it is only a bound, until a newer one is written.
  causality::HybridTime newest = 0;
  bool newest_is_exact = true;

  bool operator==(const TagSummary&) const = default;
};

/// What is derived of a key that has rows of a collection: so that the number of its elements and its type
/// are known without walking them, and all of them can go at once. Kept by DerivedIndex in Table::kIndex
/// under the key's prefix; a key that is nothing but a string has none.
struct KeySummary {
  bool has_string = false;  ///< its string row shows a value
  bool has_head = false;
  std::array<TagSummary, std::size(storage::kRowTags)>
      tags;  ///< by RowTag; those of head and string stay empty

  TagSummary& of(storage::RowTag tag) { return tags[static_cast<size_t>(tag)]; }
  const TagSummary& of(storage::RowTag tag) const { return tags[static_cast<size_t>(tag)]; }
  uint64_t elements() const;
  /// Nothing is left that needs a summary.
  bool empty() const;
  bool operator==(const KeySummary&) const = default;

  std::string Encode() const;
  static Result<KeySummary> Decode(std::string_view bytes);
};

/// Empty if there is none. The key prefix is storage::KeyPrefix.
Result<KeySummary> ReadSummary(SlotId slot, std::string_view key_prefix, const storage::RowStore& store);
/// An empty one is deleted.
void WriteSummary(SlotId slot, std::string_view key_prefix, const KeySummary& summary,
                  storage::RowStore* store);

}  // namespace orrery::types
