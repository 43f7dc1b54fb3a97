#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "orrery/causality/row.h"
#include "orrery/storage/row_key.h"
#include "orrery/storage/transaction.h"

namespace orrery::types {

/// What a key visibly holds.
enum class KeyType : uint8_t { kNone, kString, kHash, kSet, kZset, kList };

/// As TYPE prints it.
std::string_view TypeName(KeyType type);
/// The type whose rows have the tag.
KeyType TypeOfTag(storage::RowTag tag);
storage::RowTag TagOfType(KeyType type);

/// A key of whatever type, inside one command's transaction: what it shows, when it ends, and how it goes.
/// Reads judge expiry by the transaction's instant and see the command's own changes. A string is one row; a
/// collection has a row for each element, and a head row with its end, and its numbers are in a derived
/// KeySummary, which is read only where the slot holds collections at all.
///
/// Two sides of a cut may have made two types of one key. The one with the newest value shows (of two equally
/// new ones that with the greater tag); the other stays hidden until the key is overwritten or deleted, or
/// the first one goes.
///
/// Lives on a command's stack; the transaction must outlive it. Several views of one key may be used one
/// after the other: each reads anew.
class KeyView {
 public:
  KeyView(storage::Transaction* transaction, uint8_t db, std::string_view key);

  KeyType type() const;
  bool exists() const { return type() != KeyType::kNone; }
  /// When it ends; nullopt if it does not, or is absent.
  std::optional<uint64_t> deadline() const;
  /// Elements of a collection that shows, 0 of anything else. O(1).
  uint64_t Elements() const;
  /// Bytes of its rows and their keys, before compression; of a large collection an estimate.
  size_t StoredBytes() const;

  /// Removes every cell that this coordinator sees, of all types, expired ones included. O(1).
  void Remove();
  /// REQUIRES: exists().
  void ExpireAt(uint64_t deadline_ms);
  void Persist();

  /// Adds what `from` shows, its end included. REQUIRES: that is a collection, of another key; this key was
  /// removed.
  void CopyElementsOf(const KeyView& from);

 protected:
  storage::Transaction& transaction() const { return *transaction_; }
  const std::string& row_key() const { return row_key_; }
  const causality::Row& row() const;
  std::string_view key_prefix() const { return std::string_view(row_key_).substr(0, row_key_.size() - 1); }
  std::string TagPrefix(storage::RowTag tag) const;

  /// Whether any row of a collection is there, hidden and expired ones included.
  bool HasCollectionRows() const;
  /// Before a write that keeps what is there: what has ended goes in the same event.
  void PrepareWrite();
  /// Removes all collections of the key and their end, and leaves a string.
  void RemoveCollections();
  /// Counts a key that ended and now goes.
  void NoteIfEnded() const;
  bool HasEndedElements() const;
  /// After every change of rows.
  void Changed();
  /// After an element came or went that did not change what the key shows.
  void Recount(storage::RowTag tag, int64_t difference);

 private:
  template <typename T>
  using ByTag = std::array<T, std::size(storage::kRowTags)>;
  /// What of the collections stands or was made by this command.
  struct Collections {
    ByTag<bool> has_rows{};
    ByTag<uint64_t> elements{};
    ByTag<causality::HybridTime> newest{};  // as TagSummary
    ByTag<bool> newest_is_exact{};
    bool expired = false;
    KeyType shown = KeyType::kNone;
  };
  const Collections& collections() const;
  void CountRows(Collections* found) const;
  KeyType Resolve(const Collections& found) const;
  causality::HybridTime NewestOf(storage::RowTag tag, const Collections& found) const;

  storage::Transaction* transaction_;
  std::string row_key_;
  mutable const causality::Row* row_ = nullptr;
  mutable std::optional<Collections> collections_;
};

/// Whether the row shows a value, were it not expired. A row with nothing but an Expiry cell does not.
inline bool HasValue(const causality::Row& row) {
  return row.HasValue();
}

}  // namespace orrery::types
