#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

namespace orrery::commands {

/// Ends a blocking command before its time: held by the connection that waits for it. One loop.
class BlockedCall {
 public:
  enum class End : uint8_t {
    kTimeout,  ///< as if its time were over (CLIENT UNBLOCK id TIMEOUT)
    kError,    ///< with the error UNBLOCKED (CLIENT UNBLOCK id ERROR)
    kGone,     ///< the client is gone: it must not take anything any more
  };

  /// What End::kError says.
  static constexpr std::string_view kErrorText = "UNBLOCKED client unblocked via CLIENT UNBLOCK";

  /// Whether the command waits. While it is taking something it does not.
  bool waits() const { return unblock_ != nullptr; }
  /// False: it does not wait. The reply comes later, as always.
  bool Unblock(End end) {
    if (!unblock_) return false;
    std::exchange(unblock_, nullptr)(end);
    return true;
  }
  /// The client is gone, whether the command waits or will. What it has begun to take it takes.
  void Abandon() {
    abandoned_ = true;
    Unblock(End::kGone);
  }
  bool abandoned() const { return abandoned_; }
  /// It ends where it would wait (on), but still takes what is there.
  void StopWaiting() {
    never_waits_ = true;
    was_stopped_ = waits();
    Unblock(End::kGone);
  }
  /// Whether it ended for that reason: its reply says nothing.
  bool was_stopped() const { return was_stopped_; }
  bool has_waited() const { return has_waited_; }

  /// For the command itself: false where it has to end as by End::kGone instead of waiting.
  bool MayWait() {
    was_stopped_ = was_stopped_ || never_waits_;
    return !abandoned_ && !never_waits_;
  }
  void OnUnblock(std::function<void(End)> unblock) {
    has_waited_ = has_waited_ || unblock != nullptr;
    unblock_ = std::move(unblock);
  }

 private:
  std::function<void(End)> unblock_;
  bool abandoned_ = false;
  bool never_waits_ = false;
  bool was_stopped_ = false;
  bool has_waited_ = false;
};

}  // namespace orrery::commands
