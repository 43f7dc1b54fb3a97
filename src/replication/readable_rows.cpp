#include "orrery/replication/readable_rows.h"

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
  cursor_ = scan_(prefix_);
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

void ReadableRows::Settle() {
  valid_ = false;
  while (cursor_->Valid()) {
    if (IsReadable(cursor_->value())) {
      valid_ = true;
      return;
    }
    if (!go_on_) {
      status_ = Status::Corruption("row does not decode");
      return;
    }
    std::string end = std::string(cursor_->key()) + '\0';
    holes_.push_back({std::string(row_key()), end.substr(prefix_.size())});
    behind_ = std::move(end);
    cursor_->Next();
  }
  status_ = cursor_->status();
  if (status_.code() != StatusCode::kCorruption || !go_on_) return;
  status_ = Status::Ok();
  GoBehind(behind_);
  if (cursor_ != nullptr) Settle();
}

// Whether reading from there still meets the damage that begins at `begin`.
bool ReadableRows::IsDamagedFrom(const std::string& key, const std::string& begin) const {
  if (key <= begin) return true;
  const auto cursor = scan_(key);
  return !cursor->Valid() && !cursor->status().ok();
}

// The greatest byte that, appended, still leads to the damage. One after the other: in larger steps, what
// lies between this damage and the next would be missed.
char ReadableRows::LastDamagedByte(const std::string& key, const std::string& begin) const {
  const bool on_the_way = begin.size() > key.size() && begin.starts_with(key);
  int low = on_the_way ? static_cast<unsigned char>(begin[key.size()]) : 0;
  while (low < 255 && IsDamagedFrom(key + static_cast<char>(low + 1), begin)) ++low;
  return static_cast<char>(low);
}

// Finds, byte by byte, the last key from which reading meets the damage; what comes just after it can be
// read.
void ReadableRows::GoBehind(const std::string& begin) {
  ORRERY_MARK("rows behind a damaged place are read");
  std::string last = prefix_;
  bool exact = false;
  while (!exact && last.size() < prefix_.size() + kExactBytes) {
    exact = last >= begin && !IsDamagedFrom(last + '\0', begin);
    if (!exact) last += LastDamagedByte(last, begin);
  }
  std::string end = last + '\0';
  if (!exact) {
    while (static_cast<unsigned char>(last.back()) == 0xff && last.size() > prefix_.size()) last.pop_back();
    if (last.size() > prefix_.size()) ++last.back();
    end = last;
  }
  if (end.size() > prefix_.size()) cursor_ = scan_(end);
  if (end.size() <= prefix_.size() || (!cursor_->Valid() && !cursor_->status().ok())) {
    holes_.push_back({begin.substr(prefix_.size()), {}});
    cursor_ = nullptr;
    return;
  }
  holes_.push_back({begin.substr(prefix_.size()), end.substr(prefix_.size())});
  behind_ = end;
}

}  // namespace orrery::replication
