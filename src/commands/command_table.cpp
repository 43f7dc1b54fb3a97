#include "orrery/commands/command_table.h"

#include <algorithm>

#include "commands/command_families.h"
#include "orrery/base/check.h"

namespace orrery::commands {
namespace {

/// How much of what a client sent an error quotes, in bytes.
constexpr size_t kQuotedMax = 128;

constexpr char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

uint32_t HashIgnoringCase(std::string_view name) {
  uint32_t hash = 2166136261;  // FNV-1a
  for (char c : name) hash = (hash ^ static_cast<unsigned char>(Lower(c))) * 16777619;
  return hash ^ (hash >> 15);
}

/// As printf's "%.*s": at most that many bytes, and none from the first zero on.
std::string_view Quoted(std::string_view text, size_t max) {
  text = text.substr(0, max);
  return text.substr(0, std::min(text.find('\0'), text.size()));
}

std::string UnknownCommandText(Args args) {
  std::string rest;
  for (size_t i = 1; i < args.size() && rest.size() < kQuotedMax; ++i) {
    const std::string_view quoted = Quoted(args[i], kQuotedMax - rest.size());
    rest.append("'").append(quoted).append("' ");
  }
  std::string text = "ERR unknown command '";
  text.append(Quoted(args[0], kQuotedMax)).append("', with args beginning with: ").append(rest);
  return text;
}

std::string UnknownSubcommandText(const CommandSpec& parent, std::string_view name) {
  std::string upper(parent.name);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
  std::string text = "ERR unknown subcommand '";
  text.append(Quoted(name, kQuotedMax)).append("'. Try ").append(upper).append(" HELP.");
  return text;
}

}  // namespace

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return Lower(x) == Lower(y); });
}

bool ArityAllows(const CommandSpec& spec, size_t argc) {
  const auto count = static_cast<int64_t>(argc);
  return spec.arity >= 0 ? count == spec.arity : count >= -spec.arity;
}

std::string FullName(const CommandSpec& spec, const CommandSpec* parent) {
  std::string name;
  if (parent != nullptr) name.append(parent->name).append("|");
  return name.append(spec.name);
}

std::string WrongArityText(std::string_view full_name) {
  std::string text = "ERR wrong number of arguments for '";
  return text.append(full_name).append("' command");
}

const CommandTable& CommandTable::Get() {
  static const CommandTable table(CommandFamilies());
  return table;
}

CommandTable::CommandTable(std::vector<std::span<const CommandSpec>> families) {
  for (const auto& family : families) {
    for (const CommandSpec& spec : family) Insert(spec);
  }
}

void CommandTable::Insert(const CommandSpec& spec) {
  ORRERY_CHECK(Find(spec.name) == nullptr);
  ORRERY_CHECK(commands_.size() < kBuckets / 2);
  size_t bucket = HashIgnoringCase(spec.name) % kBuckets;
  while (buckets_[bucket] != 0) bucket = (bucket + 1) % kBuckets;
  commands_.push_back(&spec);
  buckets_[bucket] = static_cast<uint16_t>(commands_.size());
}

const CommandSpec* CommandTable::Find(std::string_view name) const {
  for (size_t bucket = HashIgnoringCase(name) % kBuckets; buckets_[bucket] != 0;
       bucket = (bucket + 1) % kBuckets) {
    const CommandSpec* spec = commands_[buckets_[bucket] - 1];
    if (EqualsIgnoringCase(spec->name, name)) return spec;
  }
  return nullptr;
}

const CommandSpec* CommandTable::FindSubcommand(const CommandSpec& parent, std::string_view name) {
  for (const CommandSpec& sub : parent.subcommands) {
    if (EqualsIgnoringCase(sub.name, name)) return &sub;
  }
  return nullptr;
}

const CommandSpec* CommandTable::FindFull(std::string_view full_name, const CommandSpec** parent) const {
  const size_t bar = full_name.find('|');
  const CommandSpec* spec = Find(full_name.substr(0, bar));
  *parent = nullptr;
  if (spec == nullptr || bar == std::string_view::npos) return spec;
  *parent = spec;
  return FindSubcommand(*spec, full_name.substr(bar + 1));
}

const CommandSpec* CommandTable::Lookup(Args args, const CommandSpec** parent) const {
  const CommandSpec* spec = Find(args[0]);
  *parent = nullptr;
  if (spec == nullptr || spec->subcommands.empty() || args.size() == 1) return spec;
  *parent = spec;
  return FindSubcommand(*spec, args[1]);
}

Resolved CommandTable::Resolve(Args args) const {
  Resolved found;
  const CommandSpec* spec = Lookup(args, &found.parent);
  if (spec == nullptr) {
    found.error =
        found.parent == nullptr ? UnknownCommandText(args) : UnknownSubcommandText(*found.parent, args[1]);
  } else if (!ArityAllows(*spec, args.size())) {
    found.error = WrongArityText(FullName(*spec, found.parent));
  } else {
    found.command = spec;
  }
  return found;
}

}  // namespace orrery::commands
