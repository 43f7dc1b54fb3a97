#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace orrery::server {

/// How many samples fell where, in 8 steps per power of two (so a percentile is at most an eighth too high),
/// up to about an hour in microseconds. A value; Add costs one increment. One loop's, merged by addition.
class Histogram {
 public:
  void Add(uint64_t value) {
    if (counts_.empty()) counts_.resize(kBuckets);
    ++counts_[BucketOf(value)];
    ++count_;
  }
  void Merge(const Histogram& other);

  uint64_t count() const { return count_; }
  /// The least bucket bound that `percent` of the samples do not exceed; 0 without samples.
  uint64_t Percentile(double percent) const;
  /// (power of two, samples not above it), where the number changes: LATENCY HISTOGRAM.
  std::vector<std::pair<uint64_t, uint64_t>> CumulativePowers() const;

 private:
  static constexpr int kStepBits = 3;
  static constexpr size_t kBuckets = 32 << kStepBits;

  static size_t BucketOf(uint64_t value);
  /// The greatest value of the bucket.
  static uint64_t BoundOf(size_t bucket);

  std::vector<uint64_t> counts_;  ///< none before the first sample
  uint64_t count_ = 0;
};

}  // namespace orrery::server
