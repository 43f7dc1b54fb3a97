#include <time.h>

#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "orrery/commands/debug_commands.h"
#include "server/commands/cluster_map.h"
#include "server/commands/handler_tools.h"

namespace orrery::server {
namespace {

bool IsAllowed(ServerCall& call) {
  switch (call.worker.config().enable_debug_command) {
    case DebugCommand::kYes:
      return true;
    case DebugCommand::kLocal:
      return call.client.IsLocal();
    case DebugCommand::kNo:
      break;
  }
  return false;
}

/// As Redis reads them: a number as far as there is one, and nothing is no sleep. nullopt: too long to be
/// meant.
std::optional<double> SecondsArg(std::string_view arg) {
  constexpr double kDaySeconds = 86400;
  const double seconds = std::strtod(std::string(arg).c_str(), nullptr);
  if (std::isnan(seconds) || seconds < 0) return 0;
  return seconds <= kDaySeconds ? std::optional(seconds) : std::nullopt;
}

void SleepSeconds(double seconds) {
  timespec left{};
  left.tv_sec = static_cast<time_t>(seconds);
  left.tv_nsec = static_cast<long>((seconds - std::floor(seconds)) * 1e9);
  while (nanosleep(&left, &left) != 0) {
  }
}

void AnswerOkAfterAll(ServerCall& call, const std::function<void(Worker&)>& act) {
  const ReplyTicket ticket = call.Defer();
  const auto ask = [act](Worker& worker) {
    act(worker);
    return true;
  };
  call.worker.state().Gather<bool>(call.worker, ask,
                                   [ticket](const std::vector<bool>&) { ticket.Answer("+OK\r\n"); });
}

/// Blocks every loop of the node, as if the process were stopped.
void Sleep(ServerCall& call) {
  const auto seconds = SecondsArg(call.arg(2));
  if (!seconds) return call.reply.Error("ERR value is not a valid float");
  AnswerOkAfterAll(call, [s = *seconds](Worker&) { SleepSeconds(s); });
}

/// DEBUG LINK DROP node [node ...] cuts the links to these nodes and refuses new ones; DEBUG LINK HEAL [node
/// ...] ends that, for all nodes if none is named. Only this side is told, and that is enough: a link needs
/// both.
void Link(ServerCall& call) {
  const bool drop = call.ArgIs(2, "drop");
  if ((!drop && !call.ArgIs(2, "heal")) || (drop && call.argc() == 3)) return SyntaxError(call);
  const auto view = call.worker.node().View();
  std::set<NodeId> named;
  for (std::string_view text : call.args.subspan(3)) {
    const membership::Member* member = FindMember(*view, text);
    if (member == nullptr) return call.reply.Error("ERR Unknown node " + std::string(text.substr(0, 128)));
    if (member->id == view->self) return call.reply.Error("ERR a node has no link to itself");
    named.insert(member->id);
  }
  ServerState& state = call.worker.state();
  std::set<NodeId> blocked;
  {
    const std::lock_guard lock(state.blocked_mutex);
    if (drop) {
      state.blocked_links.insert(named.begin(), named.end());
    } else if (named.empty()) {
      state.blocked_links.clear();
    } else {
      for (NodeId node : named) state.blocked_links.erase(node);
    }
    blocked = state.blocked_links;
  }
  AnswerOkAfterAll(call, [blocked](Worker& worker) { worker.node().BlockLinks(blocked); });
}

/// DEBUG RELOAD: from now on rows are read from table files. What is on the disk is the same before and
/// after.
void Reload(ServerCall& call) {
  const ReplyTicket ticket = call.Defer();
  const auto forget = [](Worker& worker) {
    worker.node().ForgetCachedRows();
    return true;
  };
  call.worker.state().Gather<bool>(
      call.worker, forget, [ticket, &worker = call.worker](const std::vector<bool>&) {
        const Status flushed = worker.node().FlushStore();
        ticket.Answer(flushed.ok() ? "+OK\r\n" : "-ERR Error reloading: " + flushed.message() + "\r\n");
      });
}

void SetActiveExpire(ServerCall& call) {
  const auto active = resp::ParseInteger(call.arg(2));
  if (!active) return NotAnInteger(call);
  AnswerOkAfterAll(call, [on = *active != 0](Worker& worker) { worker.node().SetActiveExpiry(on); });
}

/// The same keys, as arguments of another command, which then answers.
void HandOn(ServerCall& call, const commands::CommandSpec& command) {
  std::vector<std::string_view> words{command.name};
  words.insert(words.end(), call.args.begin() + 2, call.args.end());
  const Session& session = call.session();
  const Caller caller{session.db, static_cast<uint8_t>(session.protocol), session.read_quorum,
                      session.write_quorum};
  const ReplyTicket ticket = call.Defer();
  call.worker.runner().Run(command, words, caller,
                           [ticket](std::string reply) { ticket.Answer(std::move(reply)); });
}
void DigestValue(ServerCall& call) {
  HandOn(call, commands::DigestValueCommand());
}
void Digest(ServerCall& call) {
  HandOn(call, commands::DigestCommand());
}
void DescribeObject(ServerCall& call) {
  HandOn(call, commands::DescribeObjectCommand());
}

void WriteLog(ServerCall& call) {
  call.worker.log().Warning("DEBUG LOG: {}", call.arg(2));
  call.reply.Ok();
}

void Error(ServerCall& call) {
  call.reply.Error(call.arg(2));
}

/// The size of the nodes of Redis's lists: there is nothing here that it could change.
void Accept(ServerCall& call) {
  call.reply.Ok();
}

struct Subcommand {
  std::string_view name;
  size_t argc_min;
  size_t argc_max;
  void (*handler)(ServerCall& call);
};

constexpr size_t kAnyNumber = SIZE_MAX;
void DebugHelp(ServerCall& call);

constexpr Subcommand kSubcommands[] = {
    {"digest", 2, 2, Digest},
    {"digest-value", 3, kAnyNumber, DigestValue},
    {"error", 3, 3, Error},
    {"help", 2, 2, DebugHelp},
    {"link", 3, kAnyNumber, Link},
    {"loadaof", 2, 2, Reload},
    {"log", 3, 3, WriteLog},
    {"object", 3, 3, DescribeObject},
    {"protocol", 3, 3, DebugProtocol},
    {"quicklist-packed-threshold", 3, 3, Accept},
    {"reload", 2, 2, Reload},
    {"set-active-expire", 3, 3, SetActiveExpire},
    {"sleep", 3, 3, Sleep},
};

void DebugHelp(ServerCall& call) {
  static constexpr std::string_view kLines[] = {
      "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
      "DIGEST",
      "    A digest of all keys of the database and their values.",
      "DIGEST-VALUE <key> [<key> ...]",
      "    For each key a digest of its value: the same for values that look the same.",
      "ERROR <text>",
      "    Answers with that error.",
      "LINK DROP <node> [<node> ...]",
      "    Cut the links to these nodes and refuse new ones. A node is an id or host:port.",
      "LINK HEAL [<node> ...]",
      "    Allow links to these nodes again, or to all.",
      "LOADAOF",
      "    The same as RELOAD.",
      "LOG <text>",
      "    Writes the text to the log.",
      "OBJECT <key>",
      "    How Redis would store the value, and how long its DUMP is.",
      "PROTOCOL <type>",
      "    Answers with a reply of that type of the protocol.",
      "QUICKLIST-PACKED-THRESHOLD <size>",
      "    Accepted: lists here have no nodes that a size could pack.",
      "RELOAD",
      "    Move rows from memory to table files, and forget those that are kept for speed.",
      "SET-ACTIVE-EXPIRE <0|1>",
      "    Whether this node purges keys that have ended, in the background.",
      "SLEEP <seconds>",
      "    Stop the node for <seconds>. Decimals allowed.",
      "HELP",
      "    Prints this help.",
  };
  call.reply.Array(std::size(kLines));
  for (std::string_view line : kLines) call.reply.SimpleString(line);
}

}  // namespace

void Debug(ServerCall& call) {
  if (!IsAllowed(call)) {
    return call.reply.Error(
        "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run "
        "it from a "
        "local connection, otherwise you need to set this option in the configuration file, and then restart "
        "the server.");
  }
  for (const Subcommand& subcommand : kSubcommands) {
    if (!call.ArgIs(1, subcommand.name)) continue;
    if (call.argc() < subcommand.argc_min || call.argc() > subcommand.argc_max) break;
    return subcommand.handler(call);
  }
  SubcommandSyntaxError(call);
}

}  // namespace orrery::server
