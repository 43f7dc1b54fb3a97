#include "commands/command_details.h"

#include <algorithm>
#include <unordered_map>

#include "commands/command_details_table.h"

namespace orrery::commands {
namespace {

struct FlagName {
  uint32_t flag;
  std::string_view name;
};

/// In the order in which COMMAND INFO lists them.
constexpr FlagName kFlagNames[] = {
    {kWrite, "write"},
    {kReadonly, "readonly"},
    {kDenyOom, "denyoom"},
    {kAdmin, "admin"},
    {kPubsub, "pubsub"},
    {kNoscript, "noscript"},
    {kBlocking, "blocking"},
    {kLoading, "loading"},
    {kStale, "stale"},
    {kAsking, "asking"},
    {kFast, "fast"},
    {kNoAuth, "no_auth"},
    {kNoAsyncLoading, "no_async_loading"},
    {kNoMulti, "no_multi"},
    {kMovableKeys, "movablekeys"},
    {kAllowBusy, "allow_busy"},
};

/// In the order in which COMMAND INFO lists them.
constexpr std::string_view kCategories[] = {
    "@keyspace", "@read",   "@write",       "@set",       "@sortedset",  "@list",        "@hash",
    "@string",   "@bitmap", "@hyperloglog", "@geo",       "@stream",     "@pubsub",      "@admin",
    "@fast",     "@slow",   "@blocking",    "@dangerous", "@connection", "@transaction", "@scripting",
};

/// The category of a whole group of commands, without '@'; empty if it has none.
std::string_view CategoryOfGroup(std::string_view group) {
  if (group == "generic") return "keyspace";
  if (group == "sorted-set") return "sortedset";
  if (group == "transactions") return "transaction";
  if (group == "server" || group == "cluster" || group == "dynamo") return "";
  return group;
}

bool HasWord(std::string_view text, std::string_view word) {
  const auto words = Words(text);
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool FollowsFromFlags(uint32_t flags, std::string_view category) {
  if (category == "write") return (flags & kWrite) != 0;
  if (category == "read") return (flags & kReadonly) != 0;
  if (category == "admin" || category == "dangerous") return (flags & kAdmin) != 0;
  if (category == "pubsub") return (flags & kPubsub) != 0;
  if (category == "blocking") return (flags & kBlocking) != 0;
  if (category == "fast") return (flags & kFast) != 0;
  return category == "slow" && (flags & kFast) == 0;
}

}  // namespace

const CommandDetails& DetailsOf(std::string_view full_name) {
  static const CommandDetails none;
  static const auto by_name = [] {
    std::unordered_map<std::string_view, const CommandDetails*> rows;
    for (const auto& family : AllCommandDetails()) {
      for (const CommandDetails& row : family) rows.emplace(row.full_name, &row);
    }
    return rows;
  }();
  const auto it = by_name.find(full_name);
  return it == by_name.end() ? none : *it->second;
}

std::vector<std::string_view> CategoriesOf(const CommandSpec& spec, const CommandDetails& details) {
  const bool container = !spec.subcommands.empty();
  std::string_view own = details.categories;
  if (own.empty() && !container) own = CategoryOfGroup(spec.group);
  std::vector<std::string_view> found;
  for (std::string_view category : kCategories) {
    const std::string_view name = category.substr(1);
    if (FollowsFromFlags(spec.flags, name) || HasWord(own, name)) found.push_back(category);
  }
  return found;
}

bool IsCategory(std::string_view name) {
  return std::any_of(std::begin(kCategories), std::end(kCategories),
                     [&](std::string_view category) { return category.substr(1) == name; });
}

std::vector<std::string_view> FlagNames(uint32_t flags) {
  std::vector<std::string_view> names;
  for (const FlagName& entry : kFlagNames) {
    if ((flags & entry.flag) != 0) names.push_back(entry.name);
  }
  return names;
}

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace orrery::commands
