#include "orrery/replication/readable_rows.h"

#include <algorithm>
#include <utility>

#include "orrery/base/marks.h"
#include "orrery/causality/row.h"
#include "orrery/storage/row_key.h"

namespace orrery::replication {
namespace {

// So many bytes of the last unreadable key are found out; behind them the damage is taken to reach further
// than it may.
constexpr size_t kExactBytes = 256;

bool IsReadable(std::string_view bytes) {
  causality::Row row;
  return causality::DecodeRow(bytes, &row);
}

}  // namespace

ReadableRows::ReadableRows(SlotId slot, Scan scan, bool go_on)
    : slot_(slot),
      prefix_(storage::SlotPrefix(slot)),
      scan_(std::move(scan)),
      go_on_(go_on),
      behind_(prefix_) {
  cursor_ = scan_(prefix_, prefix_);
  Settle();
}

std::string_view ReadableRows::row_key() const {
  return cursor_->key().substr(prefix_.size());
}

void ReadableRows::Next() {
  behind_ = std::string(cursor_->key()) + '\0';
  cursor_->Next();
  Settle();
}

// To the next row that can be read, past one damaged place after the other.
void ReadableRows::Settle() {
  valid_ = false;
  while (cursor_ != nullptr) {
    SkipUnreadable();
    if (valid_ || cursor_ == nullptr) return;
    status_ = cursor_->status();
    if (status_.code() != StatusCode::kCorruption || !go_on_) return;
    status_ = Status::Ok();
    GoBehind(behind_);
  }
}

// Past values that do not decode.
void ReadableRows::SkipUnreadable() {
  for (; cursor_->Valid(); cursor_->Next()) {
    valid_ = IsReadable(cursor_->value());
    if (valid_) return;
    if (!go_on_) {
      status_ = Status::Corruption("row does not decode");
      cursor_ = nullptr;
      return;
    }
    std::string end = std::string(cursor_->key()) + '\0';
    holes_.push_back({std::string(row_key()), end.substr(prefix_.size())});
    behind_ = std::move(end);
  }
}

// Whether the first of the keys that begin so is damaged, from there on. Without the prefix the next damage would do as well,
// and readable rows between the two would be passed over.
bool ReadableRows::IsDamagedUnder(const std::string& prefix, const std::string& from) const {
  const auto cursor = scan_(prefix, std::max(prefix, from));
  return !cursor->Valid() && !cursor->status().ok();
}

// The first byte that, appended, leads to the damage which the key leads to, or the last one.
char ReadableRows::DamagedByte(const std::string& key, const std::string& begin, bool widest) const {
  const bool on_the_way = begin.size() > key.size() && begin.starts_with(key);
  int low = on_the_way ? static_cast<unsigned char>(begin[key.size()]) : 0;
  const auto is_damaged = [&](int byte) { return IsDamagedUnder(key + static_cast<char>(byte), begin); };
  while (low < 255 && !is_damaged(low)) ++low;
  while (widest && low < 255 && is_damaged(low + 1)) ++low;
  return static_cast<char>(low);
}

// Byte by byte the first key that is damaged; or, widest, the last one from which reading meets damage. False if it is
// longer than what is found out, so that the damage reaches further than `last`.
bool ReadableRows::FindDamaged(const std::string& begin, bool widest, std::string* last) const {
  *last = prefix_;
  while (last->size() < prefix_.size() + kExactBytes) {
    if (*last >= begin && !IsDamagedUnder(*last, *last + '\0')) return true;
    *last += DamagedByte(*last, begin, widest);
  }
  return false;
}

// Where single rows are damaged each is a hole. Where all that lies between two keys is, as in a block of a table file, it is one
// hole, and rows between it and the next one, if they begin alike, may be taken for damaged.
void ReadableRows::GoBehind(const std::string& begin) {
  ORRERY_MARK("rows behind a damaged place are read");
  std::string last;
  const bool exact = FindDamaged(begin, false, &last) || FindDamaged(begin, true, &last);
  std::string end = last + '\0';
  if (!exact) {
    while (static_cast<unsigned char>(last.back()) == 0xff && last.size() > prefix_.size()) last.pop_back();
    if (last.size() > prefix_.size()) ++last.back();
    end = last;
  }
  if (end.size() <= prefix_.size() || end <= begin) {
    holes_.push_back({begin.substr(prefix_.size()), {}});
    cursor_ = nullptr;
    return;
  }
  holes_.push_back({begin.substr(prefix_.size()), end.substr(prefix_.size())});
  cursor_ = scan_(prefix_, end);
  behind_ = end;
}

}  // namespace orrery::replication
