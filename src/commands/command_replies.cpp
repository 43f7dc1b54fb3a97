#include "commands/command_replies.h"

#include <algorithm>
#include <string>
#include <vector>

#include "commands/argument_syntax.h"
#include "commands/command_details.h"
#include "orrery/commands/command_keys.h"

namespace orrery::commands {
namespace {

using resp::ReplyWriter;

/// What Redis keeps for old clients, since when, and what to use instead.
struct Deprecation {
  std::string_view full_name;
  std::string_view since;
  std::string_view replaced_by;
};
constexpr Deprecation kDeprecated[] = {
    {"brpoplpush", "6.2.0", "`BLMOVE` with the `RIGHT` and `LEFT` arguments"},
    {"cluster|slots", "7.0.0", "`CLUSTER SHARDS`"},
    {"georadius", "6.2.0", "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument"},
    {"georadius_ro", "6.2.0", "`GEOSEARCH` with the `BYRADIUS` argument"},
    {"georadiusbymember", "6.2.0",
     "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments"},
    {"georadiusbymember_ro", "6.2.0", "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments"},
    {"getset", "6.2.0", "`SET` with the `!GET` argument"},
    {"hmset", "4.0.0", "`HSET` with multiple field-value pairs"},
    {"rpoplpush", "6.2.0", "`LMOVE` with the `RIGHT` and `LEFT` arguments"},
    {"substr", "2.0.0", "`GETRANGE`"},
    {"zrangebylex", "6.2.0", "`ZRANGE` with the `BYLEX` argument"},
    {"zrangebyscore", "6.2.0", "`ZRANGE` with the `BYSCORE` argument"},
    {"zrevrange", "6.2.0", "`ZRANGE` with the `REV` argument"},
    {"zrevrangebylex", "6.2.0", "`ZRANGE` with the `REV` and `BYLEX` arguments"},
    {"zrevrangebyscore", "6.2.0", "`ZRANGE` with the `REV` and `BYSCORE` arguments"},
};
const Deprecation* DeprecationOf(std::string_view full_name) {
  const auto* found = std::find_if(std::begin(kDeprecated), std::end(kDeprecated),
                                   [&](const Deprecation& row) { return row.full_name == full_name; });
  return found == std::end(kDeprecated) ? nullptr : found;
}

/// Commands for servers and developers, not for applications.
bool IsForTheSystem(std::string_view full_name) {
  return full_name == "debug" || full_name == "pfdebug" || full_name == "restore-asking";
}

void WriteStatusSet(const std::vector<std::string_view>& words, ReplyWriter* reply) {
  reply->Set(words.size());
  for (std::string_view word : words) reply->SimpleString(word);
}

void WriteInteger(std::string_view name, int value, ReplyWriter* reply) {
  reply->BulkString(name);
  reply->Integer(value);
}

void WriteBeginSearch(const KeySpec& keys, ReplyWriter* reply) {
  const bool option = keys.search == KeySpec::Search::kOption;
  reply->BulkString("begin_search");
  reply->Map(2);
  reply->BulkString("type");
  reply->BulkString(option ? "keyword" : "index");
  reply->BulkString("spec");
  if (!option) {
    reply->Map(1);
    return WriteInteger("index", keys.first, reply);
  }
  reply->Map(2);
  reply->BulkString("keyword");
  reply->BulkString(keys.option);
  WriteInteger("startfrom", keys.first, reply);
}

void WriteFindKeys(const KeySpec& keys, ReplyWriter* reply) {
  const bool counted = keys.search == KeySpec::Search::kCount;
  reply->BulkString("find_keys");
  reply->Map(2);
  reply->BulkString("type");
  reply->BulkString(counted ? "keynum" : "range");
  reply->BulkString("spec");
  reply->Map(3);
  if (counted) {
    WriteInteger("keynumidx", 0, reply);
    WriteInteger("firstkey", 1, reply);
    return WriteInteger("keystep", keys.step, reply);
  }
  WriteInteger("lastkey", keys.last, reply);
  WriteInteger("keystep", keys.step, reply);
  WriteInteger("limit", 0, reply);
}

void WriteUnknown(std::string_view step, ReplyWriter* reply) {
  reply->BulkString(step);
  reply->Map(2);
  reply->BulkString("type");
  reply->BulkString("unknown");
  reply->BulkString("spec");
  reply->Map(0);
}

void WriteKeySpec(const KeySpec& keys, ReplyWriter* reply) {
  reply->Map(3);
  reply->BulkString("flags");
  WriteStatusSet(Words(keys.flags), reply);
  if (keys.search == KeySpec::Search::kUnknown) {
    WriteUnknown("begin_search", reply);
    return WriteUnknown("find_keys", reply);
  }
  WriteBeginSearch(keys, reply);
  WriteFindKeys(keys, reply);
}

void WriteText(std::string_view name, std::string_view text, ReplyWriter* reply) {
  reply->BulkString(name);
  reply->BulkString(text);
}

}  // namespace

void WriteCommandInfo(const CommandSpec& spec, const CommandSpec* parent, ReplyWriter* reply) {
  const std::string full_name = FullName(spec, parent);
  const CommandDetails& details = DetailsOf(full_name);
  reply->Array(10);
  reply->BulkString(full_name);
  reply->Integer(spec.arity);
  WriteStatusSet(FlagNames(spec.flags), reply);
  reply->Integer(spec.keys.first);
  reply->Integer(spec.keys.last);
  reply->Integer(spec.keys.step);
  WriteStatusSet(CategoriesOf(spec, details), reply);
  const auto tips = Words(details.tips);
  reply->Set(tips.size());
  for (std::string_view tip : tips) reply->BulkString(tip);
  const auto key_specs = KeySpecsOf(spec, full_name);
  reply->Set(key_specs.size());
  for (const KeySpec& keys : key_specs) WriteKeySpec(keys, reply);
  reply->Set(spec.subcommands.size());
  for (const CommandSpec& sub : spec.subcommands) WriteCommandInfo(sub, &spec, reply);
}

void WriteCommandDocs(const CommandSpec& spec, const CommandSpec* parent, ReplyWriter* reply) {
  const std::string full_name = FullName(spec, parent);
  const auto arguments = ParseArgumentSyntax(DetailsOf(full_name).syntax);
  const Deprecation* deprecated = DeprecationOf(full_name);
  const bool for_system = IsForTheSystem(full_name);
  reply->BulkString(full_name);
  reply->Map(size_t{4} + (deprecated != nullptr ? 3u : 0u) + size_t{for_system} + size_t{!arguments.empty()} +
             size_t{!spec.subcommands.empty()});
  WriteText("summary", spec.summary, reply);
  WriteText("since", spec.since, reply);
  WriteText("group", spec.group, reply);
  WriteText("complexity", spec.complexity, reply);
  if (deprecated != nullptr || for_system) {
    reply->BulkString("doc_flags");
    WriteStatusSet({for_system ? "syscmd" : "deprecated"}, reply);
  }
  if (deprecated != nullptr) {
    WriteText("deprecated_since", deprecated->since, reply);
    WriteText("replaced_by", deprecated->replaced_by, reply);
  }
  if (!arguments.empty()) {
    reply->BulkString("arguments");
    WriteArguments(arguments, reply);
  }
  if (spec.subcommands.empty()) return;
  reply->BulkString("subcommands");
  reply->Map(spec.subcommands.size());
  for (const CommandSpec& sub : spec.subcommands) WriteCommandDocs(sub, &spec, reply);
}

}  // namespace orrery::commands
