#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "orrery/commands/command.h"
#include "orrery/commands/command_table.h"

namespace orrery::server {

struct ServerCall;
/// Answers one command at once through call.reply, or later after call.Defer().
using ServerHandler = void (*)(ServerCall& call);
/// Replaces the arguments that nobody but the server should see, such as passwords, by kHiddenArgument. The
/// command may be wrong in any way but its name.
using SecretHider = void (*)(std::span<std::string_view> args);
inline constexpr std::string_view kHiddenArgument = "(redacted)";

/// What the server knows of a command besides its spec.
struct CommandEntry {
  const commands::CommandSpec* spec = nullptr;
  std::string full_name;               ///< "get", "client|kill"
  size_t id = 0;                       ///< index into LoopMetrics
  ServerHandler handler = nullptr;     ///< nullptr: for the CommandRunner
  SecretHider hide_secrets = nullptr;  ///< nullptr: there are none
  bool alone = false;  ///< runs when all earlier ones of its client are answered, and before any later one
  bool may_write = false;  ///< waits for the end of CLIENT PAUSE WRITE
};

/// A handler of this module for a command of the table.
struct ServerCommand {
  std::string_view full_name;
  ServerHandler handler;
  bool alone = false;
  SecretHider hide_secrets = nullptr;
};

/// Every command and subcommand with a number, for counters, and the server's own handlers. Made once,
/// constant; any thread.
class CommandIndex {
 public:
  static const CommandIndex& Get();

  /// The entry of a command as typed. nullptr: unknown; *error says so in Redis's words, wrong arity
  /// included, in which case the entry is returned all the same.
  const CommandEntry* Find(commands::Args args, std::string* error) const;
  const CommandEntry* FindByName(std::string_view full_name) const;
  const std::vector<CommandEntry>& entries() const { return entries_; }

 private:
  CommandIndex();
  void Add(const commands::CommandSpec& spec, const commands::CommandSpec* parent);

  std::vector<CommandEntry> entries_;
  std::unordered_map<const commands::CommandSpec*, size_t> by_spec_;
};

/// The handlers, by family. A new file of server commands is listed here.
std::span<const ServerCommand> ConnectionHandlers();
std::span<const ServerCommand> ClientHandlers();
std::span<const ServerCommand> ConfigHandlers();
std::span<const ServerCommand> InfoHandlers();
std::span<const ServerCommand> ObservationHandlers();
std::span<const ServerCommand> MemoryHandlers();
std::span<const ServerCommand> ProcessHandlers();
std::span<const ServerCommand> ClusterHandlers();
std::span<const ServerCommand> RingHandlers();

}  // namespace orrery::server
