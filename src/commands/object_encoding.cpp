#include "commands/object_encoding.h"

#include <array>
#include <string>

#include "orrery/base/numbers.h"
#include "orrery/types/collection_key.h"

namespace orrery::commands {
namespace {

using types::CollectionKey;
using types::KeyType;

constexpr size_t kEmbeddedBytesMax = 44;  // Redis's limit for embstr

std::string_view StringEncoding(const types::StringKey& key) {
  std::string scratch;
  const std::string_view value = key.Show(&scratch);
  if (ParseInteger(value)) return "int";
  return value.size() <= kEmbeddedBytesMax ? "embstr" : "raw";
}

// The value of a sorted set's member is its score, which does not count.
bool IsSmall(const CollectionKey& key, uint64_t elements_max, uint64_t bytes_max) {
  const bool with_values = key.own_type() == KeyType::kHash;
  if (key.Count() > elements_max) return false;
  bool small = true;
  key.Visit({}, [&](std::string_view element, const causality::Row& row) {
    const causality::Cell* value = row.NewestValue();
    const bool small_value = !with_values || value == nullptr || value->payload.size() <= bytes_max;
    small = element.size() <= bytes_max && small_value;
    return small;
  });
  return small;
}

bool IsOfIntegers(const CollectionKey& key, uint64_t elements_max) {
  if (key.Count() > elements_max) return false;
  bool integers = true;
  key.Visit({}, [&](std::string_view element, const causality::Row&) {
    integers = ParseInteger(element).has_value();
    return integers;
  });
  return integers;
}

}  // namespace

std::string ToText(const EncodingLimits& limits) {
  std::string text;
  for (uint64_t limit : {limits.hash_entries, limits.hash_bytes, limits.set_integers, limits.zset_entries,
                         limits.zset_bytes}) {
    text += (text.empty() ? "" : ",") + std::to_string(limit);
  }
  return text;
}

std::optional<EncodingLimits> ParseEncodingLimits(std::string_view text) {
  EncodingLimits limits;
  const std::array fields = {&limits.hash_entries, &limits.hash_bytes, &limits.set_integers,
                             &limits.zset_entries, &limits.zset_bytes};
  for (size_t i = 0; i < fields.size(); ++i) {
    const size_t comma = text.find(',');
    if ((comma == std::string_view::npos) != (i + 1 == fields.size())) return std::nullopt;
    const auto number = ParseInteger(text.substr(0, comma));
    if (!number || *number < 0) return std::nullopt;
    *fields[i] = static_cast<uint64_t>(*number);
    if (comma != std::string_view::npos) text.remove_prefix(comma + 1);
  }
  return limits;
}

std::string_view EncodingOf(CommandContext& context, const types::StringKey& key, std::string_view name,
                            const EncodingLimits& limits) {
  const KeyType type = key.type();
  const CollectionKey elements(&context.transaction, context.db(), name, type);
  switch (type) {
    case KeyType::kHash:
      return IsSmall(elements, limits.hash_entries, limits.hash_bytes) ? "listpack" : "hashtable";
    case KeyType::kSet:
      return IsOfIntegers(elements, limits.set_integers) ? "intset" : "hashtable";
    case KeyType::kZset:
      return IsSmall(elements, limits.zset_entries, limits.zset_bytes) ? "listpack" : "skiplist";
    case KeyType::kList:
      return "quicklist";
    case KeyType::kString:
    case KeyType::kNone:
      break;
  }
  return StringEncoding(key);
}

}  // namespace orrery::commands
