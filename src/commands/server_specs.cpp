#include "commands/command_families.h"
#include "commands/handler_support.h"
#include "commands/key_commands.h"
#include "commands/spec_builder.h"

namespace orrery::commands {
namespace {

constexpr std::string_view kGroup = "server";

constexpr CommandSpec kCommand[] = {
    NodeCommand("count", 2, kAnytime, kGroup, "2.8.13", "O(1)", "The number of commands"),
    NodeCommand("docs", -2, kAnytime, kGroup, "7.0.0", "O(N) with N commands asked for",
                "What commands do and take"),
    NodeCommand("getkeys", -4, kAnytime, kGroup, "2.8.13", "O(N) with N arguments",
                "The keys among a command's arguments"),
    NodeCommand("getkeysandflags", -4, kAnytime, kGroup, "7.0.0", "O(N) with N arguments",
                "The keys among a command's arguments, and what becomes of them"),
    NodeCommand("help", 2, kAnytime, kGroup, "5.0.0", "O(1)", "Lists the subcommands of COMMAND"),
    NodeCommand("info", -2, kAnytime, kGroup, "2.8.13", "O(N) with N commands asked for",
                "Arity, flags and key positions of commands"),
    NodeCommand("list", -2, kAnytime, kGroup, "7.0.0", "O(N) with N commands", "The names of commands"),
};

constexpr CommandSpec kConfig[] = {
    NodeCommand("get", -3, kOperator, kGroup, "2.0.0", "O(N) with N settings asked for", "Shows settings"),
    NodeCommand("help", 2, kAnytime, kGroup, "5.0.0", "O(1)", "Lists the subcommands of CONFIG"),
    NodeCommand("resetstat", 2, kOperator, kGroup, "2.0.0", "O(1)", "Sets the counters of INFO to zero"),
    NodeCommand("rewrite", 2, kOperator, kGroup, "2.8.0", "O(1)", "Writes the settings into their file"),
    NodeCommand("set", -4, kOperator, kGroup, "2.0.0", "O(N) with N settings",
                "Changes settings, all or none"),
};

constexpr CommandSpec kLatency[] = {
    NodeCommand("doctor", 2, kOperator, kGroup, "2.8.13", "O(1)", "Explains what was slow, in words"),
    NodeCommand("graph", 3, kOperator, kGroup, "2.8.13", "O(1)", "Draws the latest slow times of an event"),
    NodeCommand("help", 2, kAnytime, kGroup, "2.8.13", "O(1)", "Lists the subcommands of LATENCY"),
    NodeCommand("histogram", -2, kOperator, kGroup, "7.0.0", "O(N) with N commands",
                "How long commands took, as cumulative counts"),
    NodeCommand("history", 3, kOperator, kGroup, "2.8.13", "O(1)", "The latest slow times of an event"),
    NodeCommand("latest", 2, kOperator, kGroup, "2.8.13", "O(1)", "The last slow time of every event"),
    NodeCommand("reset", -2, kOperator, kGroup, "2.8.13", "O(1)", "Forgets slow times"),
};

constexpr CommandSpec kMemory[] = {
    NodeCommand("doctor", 2, 0, kGroup, "4.0.0", "O(1)", "Explains the use of memory, in words"),
    NodeCommand("help", 2, kAnytime, kGroup, "4.0.0", "O(1)", "Lists the subcommands of MEMORY"),
    NodeCommand("malloc-stats", 2, 0, kGroup, "4.0.0", "Depends on the allocator",
                "The allocator's own report"),
    NodeCommand("purge", 2, 0, kGroup, "4.0.0", "Depends on the allocator", "Gives unused memory back"),
    NodeCommand("stats", 2, 0, kGroup, "4.0.0", "O(1)", "How memory is used"),
    Keyed("usage", -3, kReadonly, {2, 2, 1}, MemoryUsage, kGroup, "4.0.0", "O(1)",
          "Bytes that a key takes on the disk, before compression"),
};

constexpr CommandSpec kSlowlog[] = {
    NodeCommand("get", -2, kAdmin | kAnytime, kGroup, "2.2.12", "O(N) with N entries",
                "The latest slow commands"),
    NodeCommand("help", 2, kAnytime, kGroup, "6.2.0", "O(1)", "Lists the subcommands of SLOWLOG"),
    NodeCommand("len", 2, kAdmin | kAnytime, kGroup, "2.2.12", "O(1)", "How many slow commands are kept"),
    NodeCommand("reset", 2, kAdmin | kAnytime, kGroup, "2.2.12", "O(N) with N entries",
                "Forgets slow commands"),
};

/// COMMAND runs without a subcommand, too.
constexpr CommandSpec CommandItself() {
  CommandSpec spec = NodeCommand("command", -1, kAnytime, kGroup, "2.8.13", "O(N) with N commands",
                                 "Everything about every command");
  spec.subcommands = kCommand;
  return spec;
}

constexpr CommandSpec kSpecs[] = {
    NodeCommand("bgsave", -1, kAdmin | kNoscript | kNoAsyncLoading, kGroup, "1.0.0", "O(N) with N files",
                "Makes a checkpoint of the node's store in the background"),
    CommandItself(),
    Container("config", kGroup, "2.0.0", "Commands about settings", kConfig),
    NodeCommand("debug", -2, kOperator, kGroup, "1.0.0", "Depends on the subcommand.",
                "Makes failures on purpose, for tests"),
    NodeCommand("info", -1, kAnytime, kGroup, "1.0.0", "O(1)", "State and counters of the node"),
    NodeCommand("lastsave", 1, kAnytime | kFast, kGroup, "1.0.0", "O(1)",
                "When the last checkpoint was made"),
    Container("latency", kGroup, "2.8.13", "Commands about slow moments", kLatency),
    NodeCommand("lolwut", -1, kReadonly | kFast, kGroup, "5.0.0", "O(N) with N nodes", "Draws the ring"),
    Container("memory", kGroup, "4.0.0", "Commands about memory", kMemory),
    NodeCommand("save", 1, kAdmin | kNoscript | kNoAsyncLoading | kNoMulti, kGroup, "1.0.0",
                "O(N) with N files", "Makes a checkpoint of the node's store"),
    NodeCommand("shutdown", -1, kOperator | kNoMulti | kAllowBusy, kGroup, "1.0.0",
                "O(N) with N unsynced bytes",
                "Finishes what is in flight, syncs the disk, and stops the node"),
    Container("slowlog", kGroup, "2.2.12", "Commands about slow commands", kSlowlog),
    NodeCommand("time", 1, kAnytime | kFast, kGroup, "2.6.0", "O(1)", "The node's wall clock"),
    NodeCommand("wait", 3, kNoscript, "generic", "3.0.0", "O(1)",
                "Waits until replicas have this connection's writes, and tells how many have"),
};

}  // namespace

std::span<const CommandSpec> ServerCommands() {
  return kSpecs;
}

}  // namespace orrery::commands
