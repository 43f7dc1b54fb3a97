#include "orrery/types/element.h"

#include "orrery/base/numbers.h"
#include "orrery/types/zset_score.h"
#include "types/wide_integer.h"

namespace orrery::types {

using causality::Cell;
using causality::CellKind;
using causality::Row;
using storage::RowTag;

namespace {

constexpr size_t kOrderBytes = kElementOrderBits / 8;

struct Increments {
  bool any = false;
  Wide sum = 0;
};

Increments SumOf(const Row& row) {
  Increments increments;
  for (const Cell& cell : row.cells) {
    if (cell.kind != CellKind::kIncrement) continue;
    increments.any = true;
    increments.sum += WideFromText(cell.payload);
  }
  return increments;
}

// Sums of concurrent increments may pass the range of one; what shows then is the end of the range.
std::string_view IntegerText(Wide value, std::string* scratch) {
  scratch->clear();
  AppendInteger(ClampToInt64(value), scratch);
  return *scratch;
}

}  // namespace

bool HasElementOrder(RowTag tag) {
  return tag == RowTag::kHash || tag == RowTag::kSet || tag == RowTag::kZset;
}

uint64_t ElementOrder(std::string_view element) {
  return storage::KeyOrder(element);
}

std::string ElementOrderBytes(uint64_t order) {
  std::string bytes;
  for (size_t i = kOrderBytes; i-- > 0;) bytes.push_back(static_cast<char>(order >> (8 * i)));
  return bytes;
}

uint64_t OrderOfElementBytes(std::string_view bytes) {
  uint64_t order = 0;
  for (const char c : bytes.substr(0, kOrderBytes)) order = (order << 8) | static_cast<uint8_t>(c);
  return order;
}

std::string ElementBytes(RowTag tag, std::string_view element) {
  if (!HasElementOrder(tag)) return std::string(element);
  std::string bytes = ElementOrderBytes(ElementOrder(element));
  bytes.append(element);
  return bytes;
}

std::string_view ElementOf(RowTag tag, std::string_view bytes) {
  if (!HasElementOrder(tag)) return bytes;
  return bytes.size() < kOrderBytes ? std::string_view() : bytes.substr(kOrderBytes);
}

std::string_view ShowValue(const Row& row, std::string* scratch) {
  const Cell* newest = row.NewestValue();
  const Increments increments = SumOf(row);
  if (newest == nullptr) return IntegerText(increments.sum, scratch);
  if (!increments.any) return newest->payload;
  // Increments count only on an integer.
  const std::optional<int64_t> base = ParseInteger(newest->payload);
  return base ? IntegerText(increments.sum + *base, scratch) : std::string_view(newest->payload);
}

std::optional<int64_t> ShowInteger(const Row& row) {
  std::string scratch;
  return ParseInteger(ShowValue(row, &scratch));
}

std::string CopiedPayload(RowTag tag, const Row& row) {
  if (tag == RowTag::kZset) return ScorePayload(ShowScore(row));
  std::string scratch;
  return std::string(ShowValue(row, &scratch));
}

std::string AddToSum(RowTag tag, std::string_view sum, std::string_view now, std::string_view seen) {
  if (tag == RowTag::kZset) return AddToScoreSum(sum, now, seen);
  const Wide total = WideFromText(sum) + WideFromText(now) - WideFromText(seen);
  return total == 0 ? std::string() : WideToText(total);
}

void FoldIncrements(storage::Transaction* transaction, RowTag tag, std::string_view row_key) {
  transaction->FoldIncrements(
      row_key, [tag](std::string_view sum, std::string_view more) { return AddToSum(tag, sum, more, {}); });
}

std::optional<std::string> CountedOrderOf(RowTag tag, std::string_view element_bytes, const Row& row) {
  if (!row.HasValue()) return std::nullopt;
  if (tag == RowTag::kZset) return MemberOrder(ShowScore(row), ElementOf(tag, element_bytes));
  if (tag != RowTag::kList) return std::nullopt;
  return std::string(element_bytes);
}

}  // namespace orrery::types
