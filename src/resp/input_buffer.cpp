#include "orrery/resp/input_buffer.h"

#include <algorithm>
#include <cstring>

namespace orrery::resp {
namespace {

constexpr size_t kReadBytesMin = size_t{4} * 1024;
/// Up to here a buffer is kept however little of it is used, and its bytes are moved without thinking.
constexpr size_t kSmallBytes = size_t{64} * 1024;

}  // namespace

std::span<char> InputBuffer::Prepare(size_t bytes_wanted) {
  if (empty()) begin_ = end_ = 0;
  const size_t room = std::max(bytes_wanted, kReadBytesMin);
  // The extra room after a large argument takes the few bytes that usually follow it without another move.
  const size_t needed = size() + bytes_wanted + kReadBytes;
  if (MuchTooLarge(needed)) {
    Reallocate(needed);
  } else if (capacity_ - end_ < room) {
    const bool move_is_cheap = size() <= kSmallBytes || size() <= begin_;
    if (move_is_cheap && capacity_ - size() >= room) {
      MoveToFront();
    } else {
      // At least doubling keeps a command of many large arguments from being copied once for each.
      Reallocate(std::max(needed, 2 * size()));
    }
  }
  return {bytes_.get() + end_, capacity_ - end_};
}

void InputBuffer::Append(std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(Prepare(bytes.size()).data(), bytes.data(), bytes.size());
  Commit(bytes.size());
}

void InputBuffer::ShrinkIfIdle(size_t bytes_wanted) {
  if (empty() && bytes_wanted == 0) {
    bytes_.reset();
    begin_ = end_ = capacity_ = 0;
    return;
  }
  const size_t needed = size() + bytes_wanted + kReadBytes;
  if (MuchTooLarge(needed)) Reallocate(needed);
}

bool InputBuffer::MuchTooLarge(size_t needed) const {
  return capacity_ > kSmallBytes && needed < capacity_ / 4;
}

void InputBuffer::MoveToFront() {
  std::memmove(bytes_.get(), bytes_.get() + begin_, size());
  end_ -= begin_;
  begin_ = 0;
}

void InputBuffer::Reallocate(size_t capacity) {
  const size_t used = size();
  if (begin_ == 0) {
    // realloc can often extend a large block where it is.
    char* bytes = static_cast<char*>(std::realloc(bytes_.release(), capacity));
    ORRERY_CHECK(bytes != nullptr);
    bytes_.reset(bytes);
  } else {
    std::unique_ptr<char[], Free> bytes(static_cast<char*>(std::malloc(capacity)));
    ORRERY_CHECK(bytes != nullptr);
    std::memcpy(bytes.get(), bytes_.get() + begin_, used);
    bytes_ = std::move(bytes);
  }
  begin_ = 0;
  end_ = used;
  capacity_ = capacity;
}

}  // namespace orrery::resp
