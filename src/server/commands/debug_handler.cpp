#include <time.h>

#include <cmath>
#include <string>

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
  const auto seconds = resp::ParseDouble(call.arg(2));
  if (!seconds || *seconds < 0 || *seconds > 86400) return call.reply.Error("ERR value is not a valid float");
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

void DebugHelp(ServerCall& call) {
  static constexpr std::string_view kLines[] = {
      "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
      "LINK DROP <node> [<node> ...]",
      "    Cut the links to these nodes and refuse new ones. A node is an id or host:port.",
      "LINK HEAL [<node> ...]",
      "    Allow links to these nodes again, or to all.",
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
  if (call.ArgIs(1, "help") && call.argc() == 2) return DebugHelp(call);
  if (call.ArgIs(1, "sleep") && call.argc() == 3) return Sleep(call);
  if (call.ArgIs(1, "link") && call.argc() >= 3) return Link(call);
  call.reply.Error("ERR unknown subcommand or wrong number of arguments for '" +
                   std::string(call.arg(1).substr(0, 128)) + "'. Try DEBUG HELP.");
}

}  // namespace orrery::server
