// https://redis.io/commands/sort/ and sort_ro. Keys of other slots that patterns name, and a source of
// another slot than the destination's, are attached by the entry node (SortOperation).

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

#include "commands/command_families.h"
#include "commands/handler_support.h"
#include "commands/sort_arguments.h"
#include "orrery/types/element.h"
#include "orrery/types/hash_type.h"
#include "orrery/types/list_type.h"
#include "orrery/types/zset_type.h"

namespace orrery::commands {
namespace {

using types::CollectionKey;
using types::HashKey;
using types::KeyType;
using types::ListKey;
using types::StringKey;
using types::ZsetKey;
using Texts = std::vector<std::string>;

constexpr std::string_view kNotNumbers = "ERR One or more scores can't be converted into double";

/// Places of the elements that are wanted, counted from 0; end is not among them.
struct Window {
  size_t begin = 0;
  size_t end = 0;
};

Window WindowOf(const SortArguments& sort, uint64_t elements) {
  Window window;
  window.begin = std::min<uint64_t>(static_cast<uint64_t>(std::max<int64_t>(sort.offset, 0)), elements);
  const uint64_t left = elements - window.begin;
  window.end = window.begin + (sort.count < 0 ? left : std::min(static_cast<uint64_t>(sort.count), left));
  return window;
}

// In the key's own order: of a set, its rows'.
Texts ElementsOf(const CollectionKey& key) {
  Texts elements;
  elements.reserve(key.Count());
  key.Visit({}, [&](std::string_view element, const causality::Row& row) {
    std::string scratch;
    elements.emplace_back(key.own_type() == KeyType::kList ? types::ShowValue(row, &scratch) : element);
    return true;
  });
  return elements;
}

// Places of lists and sorted sets are counted, so only the wanted ones are read, and they may be asked for
// backwards.
Texts Unsorted(CommandContext& context, const CollectionKey& key, const Window& window, bool reverse) {
  const uint64_t count = key.Count();
  const types::RankRange range = reverse ? types::RankRange{count - window.end, count - window.begin}
                                         : types::RankRange{window.begin, window.end};
  Texts wanted;
  if (key.own_type() == KeyType::kZset) {
    const ZsetKey zset(&context.transaction, context.db(), context.arg(1));
    for (auto& scored : zset.Slice(range, reverse)) wanted.push_back(std::move(scored.member));
  } else if (key.own_type() == KeyType::kList) {
    const ListKey list(&context.transaction, context.db(), context.arg(1));
    list.VisitRange(range, reverse, [&](uint64_t, std::string_view value) {
      wanted.emplace_back(value);
      return true;
    });
  } else {
    Texts all = ElementsOf(key);
    wanted.assign(std::make_move_iterator(all.begin() + static_cast<ptrdiff_t>(window.begin)),
                  std::make_move_iterator(all.begin() + static_cast<ptrdiff_t>(window.end)));
  }
  return wanted;
}

// What a pattern shows for an element; nullopt: nothing.
std::optional<std::string> LookUp(CommandContext& context, std::string_view pattern,
                                  const std::string& element) {
  if (pattern == "#") return element;
  if (!NamesKeys(pattern)) return std::nullopt;
  const PatternKey named = KeyOfPattern(pattern, element);
  if (!named.field.empty()) {
    const HashKey hash(&context.transaction, context.db(), named.key);
    return Finds(context, hash) ? hash.Get(named.field) : std::nullopt;
  }
  const StringKey key(&context.transaction, context.db(), named.key);
  return Finds(context, key) && key.type() == KeyType::kString ? std::optional(key.Value()) : std::nullopt;
}

/// What the elements are sorted by, in their order: with ALPHA the texts, else the numbers.
struct Weights {
  std::vector<std::optional<std::string>> texts;
  std::vector<double> numbers;
  bool all_are_numbers = true;
};

// As strtod reads it, all of it; the empty text is 0.
bool ReadWeight(const std::string& text, double* number) {
  char* end = nullptr;
  errno = 0;
  *number = std::strtod(text.c_str(), &end);
  return *end == '\0' && errno != ERANGE && !std::isnan(*number);
}

Weights WeightsOf(CommandContext& context, const SortArguments& sort, const Texts& elements) {
  Weights weights;
  for (const std::string& element : elements) {
    auto text = sort.by.empty() ? std::optional(element) : LookUp(context, sort.by, element);
    double number = 0;
    if (!sort.alpha && text && !ReadWeight(*text, &number)) weights.all_are_numbers = false;
    weights.numbers.push_back(number);
    if (sort.alpha) weights.texts.push_back(std::move(text));
  }
  return weights;
}

Texts Sorted(const SortArguments& sort, const Weights& weights, const Window& window, Texts elements) {
  std::vector<size_t> order(elements.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto is_before = [&](size_t a, size_t b) {
    if (sort.descending) std::swap(a, b);
    // Whoever has no text comes first.
    if (sort.alpha) return weights.texts[a] < weights.texts[b];
    return std::pair(weights.numbers[a], std::string_view(elements[a])) <
           std::pair(weights.numbers[b], std::string_view(elements[b]));
  };
  std::stable_sort(order.begin(), order.end(), is_before);
  Texts sorted;
  for (size_t i = window.begin; i < window.end; ++i) sorted.push_back(std::move(elements[order[i]]));
  return sorted;
}

// nullopt: an error was replied.
std::optional<Texts> Chosen(CommandContext& context, const SortArguments& sort) {
  const KeyType type = AnyKeyAt(context, 1).type();
  context.CountLookup(type != KeyType::kNone);
  if (type == KeyType::kString || type == KeyType::kHash)
    return context.reply.Error(kWrongType), std::nullopt;
  if (type == KeyType::kNone) return Texts();
  const CollectionKey key(&context.transaction, context.db(), context.arg(1), type);
  const Window window = WindowOf(sort, key.Count());
  // What is stored of a set must not depend on how it is kept.
  const bool sorts_set = !sort.sorts && type == KeyType::kSet && sort.store_arg != 0;
  if (!sort.sorts && !sorts_set) return Unsorted(context, key, window, sort.descending);
  SortArguments by = sort;
  if (sorts_set) {
    by.by = {};
    by.alpha = true;
  }
  Texts elements = ElementsOf(key);
  const Weights weights = WeightsOf(context, by, elements);
  if (!weights.all_are_numbers) return context.reply.Error(kNotNumbers), std::nullopt;
  return Sorted(by, weights, window, std::move(elements));
}

// Calls emit for each value that SORT answers with; nullopt for one that a pattern does not find.
template <typename Emit>
void ForEachResult(CommandContext& context, const SortArguments& sort, const Texts& chosen,
                   const Emit& emit) {
  for (const std::string& element : chosen) {
    if (sort.gets.empty()) emit(std::optional(element));
    for (const std::string_view pattern : sort.gets) emit(LookUp(context, pattern, element));
  }
}

void ReplyResults(CommandContext& context, const SortArguments& sort, const Texts& chosen) {
  context.reply.Array(chosen.size() * std::max<size_t>(sort.gets.size(), 1));
  ForEachResult(context, sort, chosen, [&](const std::optional<std::string>& value) {
    value ? context.reply.BulkString(*value) : context.reply.Null();
  });
}

// In place of what the destination holds, which may be one of the sources. What a pattern does not find is
// empty.
void StoreResults(CommandContext& context, const SortArguments& sort, const Texts& chosen) {
  Texts values;
  ForEachResult(context, sort, chosen, [&](const std::optional<std::string>& value) {
    values.push_back(value.value_or(std::string()));
  });
  ListKey target(&context.transaction, context.db(), context.arg(sort.store_arg));
  target.Remove();
  target.Push(ListKey::End::kTail, std::vector<std::string_view>(values.begin(), values.end()));
  context.reply.Integer(static_cast<int64_t>(values.size()));
}

void SortAny(CommandContext& context, bool may_store) {
  std::vector<std::string_view> args;
  for (size_t i = 0; i < context.argc(); ++i) args.push_back(context.arg(i));
  const SortArguments sort = ParseSort(args, may_store);
  if (!sort.error.empty()) return context.reply.Error(sort.error);
  const auto chosen = Chosen(context, sort);
  if (!chosen) return;
  sort.store_arg == 0 ? ReplyResults(context, sort, *chosen) : StoreResults(context, sort, *chosen);
}

void Sort(CommandContext& context) {
  SortAny(context, true);
}
void SortReadOnly(CommandContext& context) {
  SortAny(context, false);
}

constexpr CommandSpec SortSpec(std::string_view name, uint32_t flags, uint8_t store_option_arg,
                               Handler handler, std::string_view since, std::string_view summary) {
  CommandSpec spec = With(Keyed(name, -2, flags | kMovableKeys, kFirstKey, handler, "generic", since,
                                "O(N+M*log(M)) with N elements, M of which are shown", summary),
                          Spread::kPatterns);
  spec.store_option_arg = store_option_arg;
  return spec;
}
constexpr CommandSpec kSpecs[] = {
    LooksUp(SortSpec("sort", kWrite | kDenyOom, 2, Sort, "1.0.0",
                     "Sorts a list, a set or a sorted set, or by other keys")),
    SortSpec("sort_ro", kReadonly, 0, SortReadOnly, "7.0.0", "As SORT, without storing"),
};

}  // namespace

std::span<const CommandSpec> SortCommands() {
  return kSpecs;
}

}  // namespace orrery::commands
