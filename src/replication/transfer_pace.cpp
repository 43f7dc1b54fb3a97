#include "orrery/replication/transfer_pace.h"

#include <algorithm>
#include <utility>

namespace orrery::replication {
namespace {

constexpr int64_t kMicro = 1'000'000;
// What was not used in time is not used later all at once.
constexpr uint64_t kSavedUs = 2 * TransferPace::kTickUs;

}  // namespace

void TransferPace::NoteForeground(uint64_t took_us) {
  if (!is_moving_) return;
  Seen& seen = window_[place_];
  ++seen.all;
  seen.near += took_us > target_us_ / 2 ? 1 : 0;
  seen.above += took_us > target_us_ ? 1 : 0;
}

void TransferPace::Tick(uint64_t now_us, bool is_moving) {
  const uint64_t passed_us = ticked_us_ == 0 ? kTickUs : std::min(now_us - ticked_us_, kSavedUs);
  ticked_us_ = now_us;
  if (!std::exchange(was_used_, false) && !is_moving) {
    *this = TransferPace(target_us_);
    ticked_us_ = now_us;
    micro_slices_ = kFirst * kSavedUs;
    return;
  }
  is_moving_ = true;
  Adjust();
  const auto rate = static_cast<int64_t>(slices_per_second_);
  micro_slices_ =
      std::min(micro_slices_ + rate * static_cast<int64_t>(passed_us), rate * static_cast<int64_t>(kSavedUs));
}

void TransferPace::Adjust() {
  Seen sum;
  for (const Seen& seen : window_) {
    sum.all += seen.all;
    sum.above += seen.above;
    sum.near += seen.near;
  }
  place_ = (place_ + 1) % kWindowTicks;
  window_[place_] = Seen();
  if (target_us_ == 0) {
    slices_per_second_ = kMost;
  } else if (sum.above * 100 > sum.all) {
    slices_per_second_ = std::max(slices_per_second_ / 2, kLeast);
    // What follows shows whether that was enough.
    window_.fill(Seen());
  } else if (sum.near * 100 <= sum.all) {
    slices_per_second_ = std::min(slices_per_second_ + slices_per_second_ / 4, kMost);
  }
}

bool TransferPace::TryTake() {
  was_used_ = true;
  if (target_us_ == 0) return true;
  if (micro_slices_ < kMicro) return false;
  micro_slices_ -= kMicro;
  return true;
}

void TransferPace::Spend(uint64_t bytes) {
  was_used_ = true;
  micro_slices_ -= static_cast<int64_t>(bytes * static_cast<uint64_t>(kMicro) / kSliceBytes);
}

}  // namespace orrery::replication
