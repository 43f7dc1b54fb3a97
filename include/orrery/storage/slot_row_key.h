#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "orrery/base/slot.h"
#include "orrery/storage/row_key.h"

namespace orrery::storage {

/// WithSlot for the time of one call of the store: a key of usual length stands in the object itself, since
/// every read and write of a row needs one. Not copied: view() points into it.
class SlotRowKey {
 public:
  SlotRowKey(SlotId slot, std::string_view row_key) : size_(kSlotPrefixBytes + row_key.size()) {
    if (size_ > sizeof(inline_)) {
      longer_ = WithSlot(slot, row_key);
      return;
    }
    inline_[0] = static_cast<char>(slot >> 8);
    inline_[1] = static_cast<char>(slot);
    if (!row_key.empty()) std::memcpy(inline_ + kSlotPrefixBytes, row_key.data(), row_key.size());
  }
  SlotRowKey(const SlotRowKey&) = delete;
  SlotRowKey& operator=(const SlotRowKey&) = delete;

  std::string_view view() const { return {size_ > sizeof(inline_) ? longer_.data() : inline_, size_}; }

 private:
  static_assert(kSlotPrefixBytes == 2);

  size_t size_;
  char inline_[120];
  std::string longer_;
};

}  // namespace orrery::storage
