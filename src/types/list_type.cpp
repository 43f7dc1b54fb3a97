#include "orrery/types/list_type.h"

#include <algorithm>
#include <utility>

#include "orrery/types/element.h"
#include "orrery/types/list_position.h"
#include "types/list_order.h"

namespace orrery::types {

using causality::Row;

namespace {

// Elements that a walk downwards reads at once: rows are read upwards only.
constexpr uint64_t kBlock = 128;
// More than that go by one removal of all, if they are all.
constexpr size_t kOneByOneMax = 128;

}  // namespace

// ---- places ----

std::optional<std::string> ListKey::PositionOf(int64_t index) const {
  const auto count = static_cast<int64_t>(Count());
  if (index < 0) index += count;
  if (index < 0 || index >= count) return std::nullopt;
  return ListOrder(&transaction(), elements_prefix()).At(static_cast<uint64_t>(index));
}

std::string ListKey::ValueAt(std::string_view position) const {
  const Row* row = Find(position);
  if (row == nullptr) return {};
  std::string scratch;
  return std::string(ShowValue(*row, &scratch));
}

// Whether visit wants more.
bool ListKey::VisitUpwards(const RankRange& range, const PlaceVisitor& visit) const {
  const auto first = PositionOf(static_cast<int64_t>(range.begin));
  if (!first) return true;
  uint64_t rank = range.begin;
  bool more = true;
  std::string scratch;
  VisitShown(*first, [&](std::string_view position, const storage::Transaction::ShownRow& shown) {
    more = visit(rank, position, shown.value ? *shown.value : ShowValue(*shown.row, &scratch));
    return more && ++rank < range.end;
  });
  return more;
}

void ListKey::VisitPlaces(const RankRange& range, bool reverse, const PlaceVisitor& visit) const {
  if (range.size() == 0) return;
  if (!reverse) {
    VisitUpwards(range, visit);
    return;
  }
  uint64_t end = range.end;
  for (bool more = true; more && end > range.begin;) {
    const uint64_t begin = end - std::min(end - range.begin, kBlock);
    std::vector<std::pair<std::string, std::string>> block;
    VisitUpwards({begin, end}, [&](uint64_t, std::string_view position, std::string_view value) {
      block.emplace_back(position, value);
      return true;
    });
    for (size_t i = block.size(); more && i-- > 0;) more = visit(begin + i, block[i].first, block[i].second);
    end = begin;
  }
}

void ListKey::VisitRange(const RankRange& range, bool reverse, const ValueVisitor& visit) const {
  VisitPlaces(range, reverse,
              [&](uint64_t rank, std::string_view, std::string_view value) { return visit(rank, value); });
}

// ---- elements ----

std::optional<std::string> ListKey::At(int64_t index) const {
  const auto position = PositionOf(index);
  return position ? std::optional(ValueAt(*position)) : std::nullopt;
}

bool ListKey::Set(int64_t index, std::string_view value) {
  const auto position = PositionOf(index);
  if (position) Put(*position, std::string(value));
  return position.has_value();
}

std::optional<std::string> ListKey::PutBetween(std::optional<std::string_view> before,
                                               std::optional<std::string_view> behind,
                                               std::string_view value) {
  auto position = PositionBetween(before, behind, transaction().context().dot);
  if (position) {
    Put(*position, std::string(value));
  } else {
    transaction().Fail(Status::Corruption("position of a list does not decode"));
  }
  return position;
}

void ListKey::Push(End end, std::span<const std::string_view> values) {
  std::optional<std::string> outermost = PositionOf(IndexOf(end));
  for (const std::string_view value : values) {
    outermost = end == End::kHead ? PutBetween({}, outermost, value) : PutBetween(outermost, {}, value);
    if (!outermost) return;
  }
}

std::vector<std::string> ListKey::Pop(End end, uint64_t count) {
  const uint64_t size = Count();
  count = std::min(count, size);
  std::vector<std::string> positions, values;
  if (count == 1) {
    const auto position = PositionOf(IndexOf(end));
    if (!position) return {};
    values.push_back(ValueAt(*position));
    Erase(*position);
    return values;
  }
  const bool tail = end == End::kTail;
  VisitPlaces(tail ? RankRange{size - count, size} : RankRange{0, count}, tail,
              [&](uint64_t, std::string_view position, std::string_view value) {
                positions.emplace_back(position);
                values.emplace_back(value);
                return true;
              });
  EraseAll(positions);
  return values;
}

// First there, then here: a list that moves its only element within itself does not end.
std::optional<std::string> ListKey::Move(End from, ListKey* target, End to) {
  const auto position = PositionOf(IndexOf(from));
  if (!position) return std::nullopt;
  std::string value = ValueAt(*position);
  const std::string_view moved[] = {value};
  target->Push(to, moved);
  Changed();
  Erase(*position);
  target->Changed();
  return value;
}

bool ListKey::Insert(std::string_view pivot, bool behind, std::string_view value) {
  std::optional<std::string> left, at, right;
  VisitPlaces({0, Count()}, false, [&](uint64_t, std::string_view position, std::string_view shown) {
    if (at) {
      right.emplace(position);
      return false;
    }
    if (shown == pivot) {
      at.emplace(position);
      return behind;
    }
    left.emplace(position);
    return true;
  });
  if (!at) return false;
  behind ? PutBetween(at, right, value) : PutBetween(left, at, value);
  return true;
}

uint64_t ListKey::RemoveEqual(std::string_view value, int64_t count) {
  const uint64_t wanted = count < 0 ? -static_cast<uint64_t>(count) : static_cast<uint64_t>(count);
  std::vector<std::string> positions;
  VisitPlaces({0, Count()}, count < 0, [&](uint64_t, std::string_view position, std::string_view shown) {
    if (shown == value) positions.emplace_back(position);
    return wanted == 0 || positions.size() < wanted;
  });
  EraseAll(positions);
  return positions.size();
}

void ListKey::Trim(const RankRange& kept) {
  const uint64_t count = Count();
  if (kept.size() == 0) return count == 0 ? void() : Remove();
  std::vector<std::string> positions;
  const auto gather = [&](uint64_t, std::string_view position, std::string_view) {
    positions.emplace_back(position);
    return true;
  };
  VisitPlaces({0, kept.begin}, false, gather);
  VisitPlaces({kept.end, count}, false, gather);
  EraseAll(positions);
}

void ListKey::EraseAll(const std::vector<std::string>& positions) {
  if (positions.size() > kOneByOneMax && positions.size() == Count()) return Remove();
  for (const std::string& position : positions) Erase(position);
}

}  // namespace orrery::types
