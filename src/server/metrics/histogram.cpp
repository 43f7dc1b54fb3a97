#include "orrery/server/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace orrery::server {

size_t Histogram::BucketOf(uint64_t value) {
  constexpr uint64_t kSteps = uint64_t{1} << kStepBits;
  if (value < kSteps) return static_cast<size_t>(value);
  const auto power = static_cast<int>(std::bit_width(value)) - 1;  // >= kStepBits
  const uint64_t step = (value >> (power - kStepBits)) & (kSteps - 1);
  const auto bucket = static_cast<size_t>((static_cast<uint64_t>(power - kStepBits + 1) << kStepBits) + step);
  return std::min(bucket, kBuckets - 1);
}

uint64_t Histogram::BoundOf(size_t bucket) {
  constexpr uint64_t kSteps = uint64_t{1} << kStepBits;
  if (bucket < kSteps) return bucket;
  const int shift = static_cast<int>(bucket >> kStepBits) - 1;
  return ((kSteps + (bucket & (kSteps - 1)) + 1) << shift) - 1;
}

void Histogram::Merge(const Histogram& other) {
  if (other.count_ == 0) return;
  if (counts_.empty()) counts_.resize(kBuckets);
  for (size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
}

uint64_t Histogram::Percentile(double percent) const {
  if (count_ == 0) return 0;
  const auto wanted =
      std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(static_cast<double>(count_) * percent / 100)));
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen >= wanted) return BoundOf(i);
  }
  return BoundOf(kBuckets - 1);
}

std::vector<std::pair<uint64_t, uint64_t>> Histogram::CumulativePowers() const {
  std::vector<std::pair<uint64_t, uint64_t>> powers;
  uint64_t seen = 0;
  uint64_t told = 0;
  size_t i = 0;
  for (uint64_t power = 1; i < counts_.size(); power <<= 1) {
    while (i < counts_.size() && BoundOf(i) <= power) seen += counts_[i++];
    if (seen != std::exchange(told, seen)) powers.emplace_back(power, seen);
  }
  return powers;
}

}  // namespace orrery::server
