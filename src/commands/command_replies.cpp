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

/// Commands that Redis keeps for old clients.
constexpr std::string_view kDeprecated[] = {
    "georadius",   "georadius_ro",  "georadiusbymember", "georadiusbymember_ro",
    "getset",      "hmset",         "substr",            "zrangebylex",
    "zrangebyscore", "zrevrange",   "zrevrangebylex",    "zrevrangebyscore"};
bool IsDeprecated(std::string_view name) {
  return std::find(std::begin(kDeprecated), std::end(kDeprecated), name) != std::end(kDeprecated);
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
  const bool deprecated = IsDeprecated(spec.name);
  reply->BulkString(full_name);
  reply->Map(size_t{4} + size_t{deprecated} + size_t{!arguments.empty()} + size_t{!spec.subcommands.empty()});
  WriteText("summary", spec.summary, reply);
  WriteText("since", spec.since, reply);
  WriteText("group", spec.group, reply);
  WriteText("complexity", spec.complexity, reply);
  if (deprecated) {
    reply->BulkString("doc_flags");
    WriteStatusSet({"deprecated"}, reply);
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
