#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace orrery::replication {

/// How far a node is with the seats that it takes, or with those that it gives: from counters that only rise,
/// looked at about twice a second. One operation lasts from the first seat that is to move until none has
/// been for a second. What is left of bytes is what the seats so far make likely. Pure: times are arguments
/// and do not go back. One loop.
class TransferProgress {
 public:
  /// Since the node's start, but for `left`.
  struct Totals {
    uint64_t left = 0;  ///< seats still to move
    uint64_t done = 0;
    uint64_t claimed = 0;  ///< of these, from removed nodes
    uint64_t bytes = 0;
  };
  /// Of the operation under way; all 0 if there is none.
  struct Facts {
    uint64_t seats_done = 0;
    uint64_t seats_left = 0;
    uint64_t bytes_done = 0;
    uint64_t bytes_left = 0;
    uint64_t seats_per_second = 0;  ///< of the last seconds
    uint64_t bytes_per_second = 0;
    uint64_t seconds_left = 0;  ///< 0 as long as nobody can say
  };

  /// what: "taking" or "giving".
  explicit TransferProgress(std::string what) : what_(std::move(what)) {}
  /// A line for the log, when an operation begins or ends, and every ten seconds meanwhile.
  std::optional<std::string> Update(uint64_t now_us, const Totals& totals);
  const Facts& facts() const { return facts_; }

 private:
  struct Sample {
    uint64_t at_us;
    uint64_t done;
    uint64_t bytes;
  };

  std::string Begin(uint64_t now_us, const Totals& totals);
  std::string End(const Totals& totals);
  void Measure(uint64_t now_us, const Totals& totals);

  const std::string what_;
  bool is_under_way_ = false;
  uint64_t begun_us_ = 0, told_us_ = 0, still_since_us_ = 0;
  Totals first_;  ///< as it began
  std::deque<Sample> samples_;
  Facts facts_;
};

/// "1200 of 8300 seats, 3.5 of about 24.2 MB, 120 seats and 0.4 MB a second, about 59 s left".
std::string DescribeTransfer(const TransferProgress::Facts& facts);

}  // namespace orrery::replication
