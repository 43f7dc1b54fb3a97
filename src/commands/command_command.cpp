#include "orrery/commands/command_command.h"

#include <functional>
#include <string>
#include <vector>

#include "commands/command_details.h"
#include "commands/command_replies.h"
#include "orrery/commands/command_keys.h"
#include "orrery/commands/glob.h"

namespace orrery::commands {
namespace {

using resp::ReplyWriter;

void WriteAllInfo(ReplyWriter* reply) {
  const auto& commands = CommandTable::Get().commands();
  reply->Array(commands.size());
  for (const CommandSpec* spec : commands) WriteCommandInfo(*spec, nullptr, reply);
}

/// COMMAND INFO [name ...]
void WriteInfo(Args names, ReplyWriter* reply) {
  if (names.empty()) return WriteAllInfo(reply);
  reply->Array(names.size());
  for (std::string_view name : names) {
    const CommandSpec* parent = nullptr;
    const CommandSpec* spec = CommandTable::Get().FindFull(name, &parent);
    spec != nullptr ? WriteCommandInfo(*spec, parent, reply) : reply->Null();
  }
}

/// COMMAND DOCS [name ...]
void WriteDocs(Args names, ReplyWriter* reply) {
  const CommandTable& table = CommandTable::Get();
  if (names.empty()) {
    reply->Map(table.commands().size());
    for (const CommandSpec* spec : table.commands()) WriteCommandDocs(*spec, nullptr, reply);
    return;
  }
  const size_t position = reply->Position();
  size_t found = 0;
  for (std::string_view name : names) {
    const CommandSpec* parent = nullptr;
    const CommandSpec* spec = table.FindFull(name, &parent);
    if (spec == nullptr) continue;
    WriteCommandDocs(*spec, parent, reply);
    ++found;
  }
  reply->InsertMap(position, found);
}

using Filter = std::function<bool(const CommandSpec& spec, const std::string& full_name)>;

/// The names of all commands and subcommands that pass.
void WriteFiltered(const Filter& passes, ReplyWriter* reply) {
  std::vector<std::string> names;
  const auto visit = [&](const CommandSpec& spec, const CommandSpec* parent) {
    std::string name = FullName(spec, parent);
    if (passes(spec, name)) names.push_back(std::move(name));
  };
  for (const CommandSpec* spec : CommandTable::Get().commands()) {
    visit(*spec, nullptr);
    for (const CommandSpec& sub : spec->subcommands) visit(sub, spec);
  }
  reply->Set(names.size());
  for (const std::string& name : names) reply->BulkString(name);
}

bool InCategory(const CommandSpec& spec, const std::string& full_name, std::string_view category) {
  for (std::string_view own : CategoriesOf(spec, DetailsOf(full_name))) {
    if (EqualsIgnoringCase(own.substr(1), category)) return true;
  }
  return false;
}

/// COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern]
void WriteList(Args options, ReplyWriter* reply) {
  if (options.empty()) {
    return WriteFiltered([](const CommandSpec&, const std::string&) { return true; }, reply);
  }
  if (options.size() != 3 || !EqualsIgnoringCase(options[0], "filterby"))
    return reply->Error("ERR syntax error");
  const std::string_view wanted = options[2];
  if (EqualsIgnoringCase(options[1], "module")) return reply->Set(0);  // there are no modules
  if (EqualsIgnoringCase(options[1], "aclcat")) {
    return WriteFiltered(
        [&](const CommandSpec& spec, const std::string& n) { return InCategory(spec, n, wanted); }, reply);
  }
  if (EqualsIgnoringCase(options[1], "pattern")) {
    return WriteFiltered(
        [&](const CommandSpec&, const std::string& name) { return GlobMatchesIgnoringCase(wanted, name); },
        reply);
  }
  reply->Error("ERR syntax error");
}

/// COMMAND GETKEYS and GETKEYSANDFLAGS
void WriteKeys(Args call, bool with_flags, ReplyWriter* reply) {
  const CommandSpec* parent = nullptr;
  const CommandSpec* spec = CommandTable::Get().Lookup(call, &parent);
  if (spec == nullptr) return reply->Error("ERR Invalid command specified");
  const std::string full_name = FullName(*spec, parent);
  if (KeySpecsOf(*spec, full_name).empty()) return reply->Error("ERR The command has no key arguments");
  if (!ArityAllows(*spec, call.size())) {
    return reply->Error("ERR Invalid number of arguments specified for command");
  }
  const auto uses = KeysOfCall(*spec, full_name, call);
  if (uses.empty()) return reply->Error("ERR Invalid arguments specified for command");
  reply->Array(uses.size());
  for (const KeyUse& use : uses) {
    if (with_flags) reply->Array(2);
    reply->BulkString(use.key);
    if (!with_flags) continue;
    const auto flags = Words(use.flags);
    reply->Set(flags.size());
    for (std::string_view flag : flags) reply->SimpleString(flag);
  }
}

}  // namespace

void RunCommandCommand(Args args, ReplyWriter* reply) {
  if (args.size() == 1) return WriteAllInfo(reply);
  const std::string_view sub = args[1];
  const Args rest = args.subspan(2);
  if (EqualsIgnoringCase(sub, "count")) {
    return reply->Integer(static_cast<int64_t>(CommandTable::Get().commands().size()));
  }
  if (EqualsIgnoringCase(sub, "info")) return WriteInfo(rest, reply);
  if (EqualsIgnoringCase(sub, "docs")) return WriteDocs(rest, reply);
  if (EqualsIgnoringCase(sub, "list")) return WriteList(rest, reply);
  if (EqualsIgnoringCase(sub, "getkeys")) return WriteKeys(rest, false, reply);
  if (EqualsIgnoringCase(sub, "getkeysandflags")) return WriteKeys(rest, true, reply);
  WriteHelp(*CommandTable::Get().Find("command"), reply);
}

}  // namespace orrery::commands
