#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/commands/command.h"

namespace orrery::commands {

/// A command's arguments as a client sent them, its name first.
using Args = std::span<const std::string_view>;

/// What Resolve found: a command that may run with these arguments, or the error to answer.
struct Resolved {
  const CommandSpec* command = nullptr;  ///< the subcommand, where there is one
  const CommandSpec* parent = nullptr;   ///< of a subcommand
  std::string error;                     ///< without the leading '-'; set exactly when command is nullptr

  explicit operator bool() const { return command != nullptr; }
};

/// Every command and subcommand of the server, by name. Made once, never changed: any thread. Finding a
/// command compares without regard to case and does not allocate; only errors do, in the words of Redis 7.0.
class CommandTable {
 public:
  static const CommandTable& Get();

  /// A table of other commands than the server's own, for tests. The specs must outlive it; names are unique.
  explicit CommandTable(std::vector<std::span<const CommandSpec>> families);

  /// The command of that name, nullptr if there is none. A name as "client|kill" is not looked into.
  const CommandSpec* Find(std::string_view name) const;
  /// The subcommand of that name, nullptr if there is none.
  static const CommandSpec* FindSubcommand(const CommandSpec& parent, std::string_view name);
  /// By full name, "get" or "client|kill", as COMMAND INFO takes it. *parent is set for a subcommand.
  const CommandSpec* FindFull(std::string_view full_name, const CommandSpec** parent) const;

  /// The command or subcommand that args ask for, its arity checked. A container that is called without a
  /// subcommand ("COMMAND") is itself the command. REQUIRES: !args.empty().
  Resolved Resolve(Args args) const;
  /// As Resolve without looking at arity: nullptr if there is no such command or subcommand. *parent is set
  /// when args name a subcommand of a command that exists.
  const CommandSpec* Lookup(Args args, const CommandSpec** parent) const;

  /// Commands without subcommands, as COMMAND COUNT counts them, in the order of their families.
  const std::vector<const CommandSpec*>& commands() const { return commands_; }

 private:
  static constexpr size_t kBuckets = 1024;

  void Insert(const CommandSpec& spec);

  std::vector<const CommandSpec*> commands_;
  std::array<uint16_t, kBuckets> buckets_{};  // index into commands_, plus one; linear probing
};

/// Whether the arity allows that many arguments, the name included (for a subcommand: its parent's, too).
bool ArityAllows(const CommandSpec& spec, size_t argc);
/// "get", or "client|kill" with a parent.
std::string FullName(const CommandSpec& spec, const CommandSpec* parent);
/// "ERR wrong number of arguments for 'get' command", in which name is the full one.
std::string WrongArityText(std::string_view full_name);
/// ASCII only, as Redis compares names and options.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

}  // namespace orrery::commands
