#include "orrery/types/zset_score.h"

#include <bit>
#include <cmath>
#include <cstdint>

namespace orrery::types {

using causality::Cell;
using causality::CellKind;

namespace {

constexpr uint64_t kSign = uint64_t{1} << 63;

void AppendBits(uint64_t bits, std::string* out) {
  for (int shift = 56; shift >= 0; shift -= 8) out->push_back(static_cast<char>(bits >> shift));
}

uint64_t BitsAt(std::string_view bytes, size_t from) {
  uint64_t bits = 0;
  for (size_t i = from; i < from + 8; ++i)
    bits = (bits << 8) | (i < bytes.size() ? static_cast<uint8_t>(bytes[i]) : 0);
  return bits;
}

double DoubleAt(std::string_view bytes, size_t from) {
  return std::bit_cast<double>(BitsAt(bytes, from));
}

// Zero has no sign here.
double Unsigned(double score) {
  return score == 0 ? 0.0 : score;
}

/// high + low, low being what high lost by rounding.
struct Sum {
  double high = 0;
  double low = 0;
};

Sum TwoSum(double a, double b) {
  const double high = a + b;
  if (!std::isfinite(high)) return {high, 0};
  const double b_part = high - a;
  return {high, (a - (high - b_part)) + (b - b_part)};
}

Sum operator+(const Sum& a, const Sum& b) {
  const Sum high = TwoSum(a.high, b.high);
  if (!std::isfinite(high.high)) return high;
  return TwoSum(high.high, high.low + (a.low + b.low));
}

Sum operator-(const Sum& a) {
  return {-a.high, -a.low};
}

Sum SumAt(std::string_view payload) {
  return {DoubleAt(payload, 0), DoubleAt(payload, 8)};
}

std::string Payload(const Sum& sum) {
  std::string payload;
  AppendBits(std::bit_cast<uint64_t>(sum.high), &payload);
  AppendBits(std::bit_cast<uint64_t>(sum.low), &payload);
  return payload;
}

}  // namespace

std::string ScorePayload(double score) {
  std::string payload;
  AppendBits(std::bit_cast<uint64_t>(Unsigned(score)), &payload);
  return payload;
}

std::string GrownScoreSum(std::string_view old_sum, double shown, double wanted) {
  const Sum difference = TwoSum(wanted, -shown);
  return Payload(old_sum.empty() ? difference : SumAt(old_sum) + difference);
}

std::string AddToScoreSum(std::string_view sum, std::string_view now, std::string_view seen) {
  const Sum total = SumAt(sum) + (SumAt(now) + -SumAt(seen));
  return total.high == 0 && total.low == 0 ? std::string() : Payload(total);
}

double ShowScore(const causality::Row& row) {
  const Cell* newest = row.NewestValue();
  bool first = newest == nullptr;
  Sum total{first ? 0 : DoubleAt(newest->payload, 0), 0};
  for (const Cell& cell : row.cells) {
    if (cell.kind != CellKind::kIncrement) continue;
    total = first ? SumAt(cell.payload) : total + SumAt(cell.payload);
    first = false;
  }
  const double score = total.high;
  return std::isnan(score) ? 0 : Unsigned(score);
}

std::string ScoreOrder(double score) {
  const uint64_t bits = std::bit_cast<uint64_t>(Unsigned(score));
  std::string order;
  AppendBits((bits & kSign) != 0 ? ~bits : bits | kSign, &order);
  return order;
}

double ScoreOfOrder(std::string_view bytes) {
  const uint64_t order = BitsAt(bytes, 0);
  return std::bit_cast<double>((order & kSign) != 0 ? order & ~kSign : ~order);
}

std::string MemberOrder(double score, std::string_view member) {
  std::string order = ScoreOrder(score);
  order.append(member);
  return order;
}

}  // namespace orrery::types
