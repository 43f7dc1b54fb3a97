#include "commands/command_families.h"
#include "commands/spec_builder.h"

namespace orrery::commands {
namespace {

constexpr std::string_view kGroup = "connection";
constexpr uint32_t kPlain = kNoscript | kAnytime;
constexpr uint32_t kBeforeAuth = kNoscript | kAnytime | kFast | kNoAuth | kAllowBusy;

constexpr CommandSpec kClient[] = {
    NodeCommand("caching", 3, kPlain, kGroup, "6.0.0", "O(1)", "Refused: there is no client-side caching"),
    NodeCommand("getname", 2, kPlain, kGroup, "2.6.9", "O(1)", "The name of this connection"),
    NodeCommand("getredir", 2, kPlain, kGroup, "6.0.0", "O(1)", "Tells that client-side caching is off"),
    NodeCommand("help", 2, kAnytime, kGroup, "5.0.0", "O(1)", "Lists the subcommands of CLIENT"),
    NodeCommand("id", 2, kPlain, kGroup, "5.0.0", "O(1)", "The number of this connection"),
    NodeCommand("info", 2, kPlain, kGroup, "6.2.0", "O(1)", "What the node knows of this connection"),
    NodeCommand("kill", -3, kOperator, kGroup, "2.4.0", "O(N) with N connections",
                "Closes connections that match a filter"),
    NodeCommand("list", -2, kOperator, kGroup, "2.4.0", "O(N) with N connections",
                "Lists the connections of this node"),
    NodeCommand("no-evict", 3, kOperator, kGroup, "7.0.0", "O(1)",
                "Exempts this connection from being closed for its memory"),
    NodeCommand("no-touch", 3, kPlain, kGroup, "7.2.0", "O(1)",
                "Lets this connection read without counting as a use of the key"),
    NodeCommand("pause", -3, kOperator, kGroup, "2.9.50", "O(1)", "Holds commands back for some time"),
    NodeCommand("quorum", -2, kPlain, kGroup, "7.0.0", "O(1)", "Sets or shows R and W of this connection"),
    NodeCommand("reply", 3, kPlain, kGroup, "3.2.0", "O(1)", "Switches replies on this connection on or off"),
    NodeCommand("setinfo", 4, kPlain, kGroup, "7.2.0", "O(1)",
                "Tells name or version of the client's library"),
    NodeCommand("setname", 3, kPlain, kGroup, "2.6.9", "O(1)", "Names this connection"),
    NodeCommand("tracking", -3, kPlain, kGroup, "6.0.0", "O(1)", "Refused: there is no client-side caching"),
    NodeCommand("trackinginfo", 2, kPlain, kGroup, "6.2.0", "O(1)", "Tells that client-side caching is off"),
    NodeCommand("unblock", -3, kOperator, kGroup, "5.0.0", "O(1)",
                "Ends a command of another client that blocks; no command does"),
    NodeCommand("unpause", 2, kOperator, kGroup, "6.2.0", "O(N) with N connections that wait",
                "Ends CLIENT PAUSE"),
};

constexpr CommandSpec kSpecs[] = {
    NodeCommand("auth", -2, kBeforeAuth, kGroup, "1.0.0", "O(1)", "Authenticates this connection"),
    Container("client", kGroup, "2.4.0", "Commands about connections", kClient),
    NodeCommand("echo", 2, kAnytime | kFast, kGroup, "1.0.0", "O(1)", "Sends the message back"),
    NodeCommand("hello", -1, kBeforeAuth, kGroup, "6.0.0", "O(1)",
                "Chooses the protocol, and may authenticate and name the connection"),
    NodeCommand("ping", -1, kFast, kGroup, "1.0.0", "O(1)", "Answers that the node is there"),
    NodeCommand("quit", -1, kBeforeAuth, kGroup, "1.0.0", "O(1)", "Closes this connection"),
    NodeCommand("reset", 1, kBeforeAuth, kGroup, "6.2.0", "O(1)",
                "Brings this connection back to its first state"),
    NodeCommand("select", 2, kAnytime | kFast, kGroup, "1.0.0", "O(1)",
                "Chooses the database of this connection"),
};

}  // namespace

std::span<const CommandSpec> ConnectionCommands() {
  return kSpecs;
}

}  // namespace orrery::commands
