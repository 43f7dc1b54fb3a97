#include "orrery/replication/transfer_progress.h"

#include <cstdio>

namespace orrery::replication {
namespace {

constexpr uint64_t kSecondUs = 1'000'000;
constexpr uint64_t kWindowUs = 10 * kSecondUs;
constexpr uint64_t kTellUs = 10 * kSecondUs;

std::string Tenths(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", number);
  return text;
}

std::string Megabytes(uint64_t bytes) {
  return Tenths(static_cast<double>(bytes) / 1e6);
}

}  // namespace

std::string DescribeTransfer(const TransferProgress::Facts& facts) {
  std::string text =
      std::to_string(facts.seats_done) + " of " + std::to_string(facts.seats_done + facts.seats_left) +
      " seats, " + Megabytes(facts.bytes_done) + " of about " +
      Megabytes(facts.bytes_done + facts.bytes_left) + " MB, " + std::to_string(facts.seats_per_second) +
      " seats and " + Megabytes(facts.bytes_per_second) + " MB a second";
  if (facts.seconds_left > 0) text += ", about " + std::to_string(facts.seconds_left) + " s left";
  return text;
}

std::optional<std::string> TransferProgress::Update(uint64_t now_us, const Totals& totals) {
  if (!is_under_way_) {
    if (totals.left == 0) return std::nullopt;
    return Begin(now_us, totals);
  }
  Measure(now_us, totals);
  if (totals.left > 0) {
    still_since_us_ = 0;
  } else if (still_since_us_ == 0) {
    still_since_us_ = now_us;
  } else if (now_us >= still_since_us_ + kSecondUs) {
    return End(totals);
  }
  if (now_us < told_us_ + kTellUs) return std::nullopt;
  told_us_ = now_us;
  return what_ + ": " + DescribeTransfer(facts_);
}

std::string TransferProgress::Begin(uint64_t now_us, const Totals& totals) {
  is_under_way_ = true;
  begun_us_ = told_us_ = now_us;
  still_since_us_ = 0;
  first_ = totals;
  samples_.clear();
  Measure(now_us, totals);
  return what_ + ": " + std::to_string(totals.left) + " seats are to move";
}

std::string TransferProgress::End(const Totals& totals) {
  is_under_way_ = false;
  facts_ = Facts();
  const uint64_t claimed = totals.claimed - first_.claimed;
  return what_ + ": done: " + std::to_string(totals.done - first_.done) + " seats" +
         (claimed > 0 ? ", of them " + std::to_string(claimed) + " of removed nodes" : "") + ", " +
         Megabytes(totals.bytes - first_.bytes) + " MB, in " +
         Tenths(static_cast<double>(still_since_us_ - begun_us_) / static_cast<double>(kSecondUs)) + " s";
}

void TransferProgress::Measure(uint64_t now_us, const Totals& totals) {
  samples_.push_back({now_us, totals.done, totals.bytes});
  while (samples_.size() > 2 && samples_.front().at_us + kWindowUs < now_us) samples_.pop_front();
  facts_.seats_done = totals.done - first_.done;
  facts_.seats_left = totals.left;
  facts_.bytes_done = totals.bytes - first_.bytes;
  facts_.bytes_left = facts_.seats_done == 0 ? 0 : facts_.bytes_done * facts_.seats_left / facts_.seats_done;
  const Sample& oldest = samples_.front();
  const uint64_t passed_us = now_us - oldest.at_us;
  if (passed_us == 0) return;
  facts_.seats_per_second = (totals.done - oldest.done) * kSecondUs / passed_us;
  facts_.bytes_per_second = (totals.bytes - oldest.bytes) * kSecondUs / passed_us;
  facts_.seconds_left = facts_.seats_per_second == 0
                            ? 0
                            : (totals.left + facts_.seats_per_second - 1) / facts_.seats_per_second;
}

}  // namespace orrery::replication
