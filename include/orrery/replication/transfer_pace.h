#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace orrery::replication {

/// How fast slots may change hands: in slices, of which there are the more the less clients notice (Dynamo,
/// section 6.5). It hears how long clients' commands took, compares the 99th percentile of a trailing second
/// with a target, and gives half as many slices per second where it is above, the same where it is near, more
/// where it is well below. A slice is one seat given or taken, or so many bytes that go with it. Pure: times
/// are arguments and do not go back. One loop.
class TransferPace {
 public:
  static constexpr uint64_t kSliceBytes = 16 << 10;
  static constexpr uint64_t kTickUs = 100'000;  ///< about how often Tick is called
  /// Slices per second: however busy clients are, however idle, and to begin with.
  static constexpr uint64_t kLeast = 100;
  static constexpr uint64_t kMost = 40'000;
  static constexpr uint64_t kFirst = 1'000;

  /// target_us: what 99 of 100 commands should not take longer than; 0: nothing is ever held back.
  explicit TransferPace(uint64_t target_us) : target_us_(target_us) {}
  void SetTarget(uint64_t target_us) { target_us_ = target_us; }

  /// Whether there is anything to move, so that it is worth to measure.
  bool is_moving() const { return is_moving_; }
  /// A command of a client took so long, or something of the loop came so late.
  void NoteForeground(uint64_t took_us);
  /// The pace for the time until the next call. is_moving: this node has seats to take or to give. Others may
  /// want slices as well, as a home that the next owner of a removed node's seat copies: while they do, it
  /// counts as moving, too.
  void Tick(uint64_t now_us, bool is_moving);

  /// Takes a slice, if there is one.
  bool TryTake();
  /// Bytes went on their way that nobody could hold back any more: later slices are fewer.
  void Spend(uint64_t bytes);

  uint64_t slices_per_second() const { return slices_per_second_; }

 private:
  /// Of one tick.
  struct Seen {
    uint64_t all = 0;
    uint64_t above = 0;  ///< took longer than the target
    uint64_t near = 0;   ///< than half of it
  };
  static constexpr size_t kWindowTicks = 10;

  void Adjust();

  uint64_t target_us_;
  uint64_t slices_per_second_ = kFirst;
  int64_t micro_slices_ = 0;  ///< at hand; negative: spent ahead
  bool is_moving_ = false;
  bool was_used_ = false;  ///< since the last tick
  uint64_t ticked_us_ = 0;
  std::array<Seen, kWindowTicks> window_{};
  size_t place_ = 0;
};

}  // namespace orrery::replication
