#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/replication/slot_image.h"
#include "orrery/storage/row_store.h"

namespace orrery::replication {

/// Walks the rows of one slot in key order. If told to, it goes on behind bytes that cannot be read, and
/// remembers between which keys they lie; else they end the walk, as they end a cursor's. One loop; lives as
/// long as what it scans.
class ReadableRows {
 public:
  /// A cursor over the keys of the table that begin with the prefix, from that key on.
  using Scan =
      std::function<std::unique_ptr<storage::Cursor>(std::string_view prefix, std::string_view from)>;

  ReadableRows(SlotId slot, Scan scan, bool go_on);

  bool Valid() const { return valid_; }
  /// REQUIRES: Valid() for all three. The row key is without the slot; both live until Next.
  std::string_view row_key() const;
  std::string_view bytes() const { return cursor_->value(); }
  void Next();
  /// Not ok: the walk has ended before the last row.
  const Status& status() const { return status_; }
  /// What could not be read before here, ascending.
  std::vector<KeyRange> TakeHoles() { return std::move(holes_); }

 private:
  void Settle();
  void SkipUnreadable();
  /// Moves behind the damage that lies at or after `begin`; without a cursor if nothing behind it can be
  /// read.
  void GoBehind(const std::string& begin);
  bool IsDamagedUnder(const std::string& prefix, const std::string& from) const;
  char DamagedByte(const std::string& key, const std::string& begin, bool widest) const;
  bool FindDamaged(const std::string& begin, bool widest, std::string* last) const;

  SlotId slot_;
  std::string prefix_;
  Scan scan_;
  bool go_on_;
  std::unique_ptr<storage::Cursor> cursor_;
  std::string behind_;  ///< the least key that comes after all that was walked
  bool valid_ = false;
  Status status_;
  std::vector<KeyRange> holes_;
};

}  // namespace orrery::replication
