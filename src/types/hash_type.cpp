#include "orrery/types/hash_type.h"

#include "orrery/types/element.h"
#include "types/wide_integer.h"

namespace orrery::types {

using causality::Row;

std::optional<std::string> HashKey::Get(std::string_view field) const {
  const Row* row = Find(field);
  if (row == nullptr) return std::nullopt;
  std::string scratch;
  return std::string(ShowValue(*row, &scratch));
}

bool HashKey::GetInteger(std::string_view field, int64_t* value) const {
  const Row* row = Find(field);
  const std::optional<int64_t> shown = row == nullptr ? 0 : ShowInteger(*row);
  *value = shown.value_or(0);
  return shown.has_value();
}

void HashKey::Increment(std::string_view field, int64_t delta) {
  Add(field, [delta](std::string_view old_sum) { return WideToText(WideFromText(old_sum) + delta); });
}

void HashKey::VisitFields(const FieldVisitor& visit) const {
  std::string scratch;
  Visit({}, [&](std::string_view field, const Row& row) { return visit(field, ShowValue(row, &scratch)); });
}

}  // namespace orrery::types
