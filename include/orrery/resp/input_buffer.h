#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>

#include "orrery/base/check.h"

namespace orrery::resp {

/// The bytes that a connection has received and not yet used, in one contiguous piece.
///
/// Reading:  span = buffer.Prepare(parser.bytes_wanted()); n = read(span); buffer.Commit(n); parse, which
/// consumes. Views into the buffer stay valid while bytes are consumed and parsed; Prepare and ShrinkIfIdle
/// end them.
///
/// Memory: at most size() + bytes_wanted + 16 KB when a large argument is announced (allocated once, so it is
/// received in place), else at most twice what is unused; a buffer that has become much too large is given
/// back at the next Prepare or ShrinkIfIdle, and an idle one has none. Moving costs are amortised over the
/// bytes received. Owned by one connection, used on its loop's thread. Running out of memory aborts.
class InputBuffer {
 public:
  /// What one read can bring when nothing larger is expected.
  static constexpr size_t kReadBytes = size_t{16} * 1024;

  /// Room for the next read: at least bytes_wanted, and never less than a few KB.
  std::span<char> Prepare(size_t bytes_wanted = 0);
  /// The first n bytes of the prepared room have been filled.
  void Commit(size_t n) {
    ORRERY_CHECK(n <= capacity_ - end_);
    end_ += n;
  }
  /// Prepare, copy and Commit in one.
  void Append(std::string_view bytes);

  char* data() { return bytes_.get() + begin_; }
  std::string_view view() const { return {bytes_.get() + begin_, size()}; }
  size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  /// Forgets the first n bytes; views of them stay valid.
  void Consume(size_t n) {
    ORRERY_CHECK(n <= size());
    begin_ += n;
  }

  /// Gives back memory that is not needed now; call it now and then (say once a second) with the parser's
  /// bytes_wanted.
  void ShrinkIfIdle(size_t bytes_wanted = 0);
  size_t capacity() const { return capacity_; }

 private:
  struct Free {
    void operator()(char* bytes) const { std::free(bytes); }
  };

  bool MuchTooLarge(size_t needed) const;
  void MoveToFront();
  void Reallocate(size_t capacity);

  std::unique_ptr<char[], Free> bytes_;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t capacity_ = 0;
};

}  // namespace orrery::resp
