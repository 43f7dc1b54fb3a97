#include "commands/object_encoding.h"

#include <string>

#include "orrery/base/numbers.h"
#include "orrery/types/collection_key.h"

namespace orrery::commands {
namespace {

using types::CollectionKey;
using types::KeyType;

// Redis's limits for embstr, and for the compact forms of collections.
constexpr size_t kEmbeddedBytesMax = 44;
constexpr uint64_t kCompactHashMax = 512;
constexpr uint64_t kCompactZsetMax = 128;
constexpr uint64_t kIntegerSetMax = 512;
constexpr size_t kCompactBytesMax = 64;

std::string_view StringEncoding(const types::StringKey& key) {
  std::string scratch;
  const std::string_view value = key.Show(&scratch);
  if (ParseInteger(value)) return "int";
  return value.size() <= kEmbeddedBytesMax ? "embstr" : "raw";
}

bool IsSmall(const CollectionKey& key, uint64_t elements_max) {
  if (key.Count() > elements_max) return false;
  bool small = true;
  key.Visit({}, [&](std::string_view element, const causality::Row& row) {
    const causality::Cell* value = row.NewestValue();
    small =
        element.size() <= kCompactBytesMax && (value == nullptr || value->payload.size() <= kCompactBytesMax);
    return small;
  });
  return small;
}

bool IsOfIntegers(const CollectionKey& key) {
  if (key.Count() > kIntegerSetMax) return false;
  bool integers = true;
  key.Visit({}, [&](std::string_view element, const causality::Row&) {
    integers = ParseInteger(element).has_value();
    return integers;
  });
  return integers;
}

}  // namespace

std::string_view EncodingOf(CommandContext& context, const types::StringKey& key) {
  const KeyType type = key.type();
  const CollectionKey elements(&context.transaction, context.db(), context.arg(2), type);
  switch (type) {
    case KeyType::kHash:
      return IsSmall(elements, kCompactHashMax) ? "listpack" : "hashtable";
    case KeyType::kSet:
      return IsOfIntegers(elements) ? "intset" : "hashtable";
    case KeyType::kZset:
      return IsSmall(elements, kCompactZsetMax) ? "listpack" : "skiplist";
    case KeyType::kList:
      return "quicklist";
    case KeyType::kString:
    case KeyType::kNone:
      break;
  }
  return StringEncoding(key);
}

}  // namespace orrery::commands
