#include "commands/command_families.h"
#include "commands/spec_builder.h"

namespace orrery::commands {
namespace {

constexpr std::string_view kGroup = "cluster";
constexpr std::string_view kRingGroup = "dynamo";
constexpr std::string_view kOwn = "7.0.0";

constexpr CommandSpec kCluster[] = {
    AskingCluster(NodeCommand("countkeysinslot", 3, kStale, kGroup, "3.0.0", "O(N) with N keys in the slot",
                              "How many keys a slot holds")),
    NodeCommand("forget", 3, kAdmin | kStale | kNoAsyncLoading, kGroup, "3.0.0", "O(1)",
                "Removes a node that is dead, or has no share, from the cluster for good"),
    AskingCluster(NodeCommand("getkeysinslot", 4, kStale, kGroup, "3.0.0", "O(N) with N keys asked for",
                              "Keys of a slot")),
    NodeCommand("help", 2, kAnytime, kGroup, "5.0.0", "O(1)", "Lists the subcommands of CLUSTER"),
    NodeCommand("info", 2, kStale, kGroup, "3.0.0", "O(1)", "The state of the cluster as this node sees it"),
    NodeCommand("keyslot", 3, kStale, kGroup, "3.0.0", "O(N) with N bytes of the key", "The slot of a key"),
    NodeCommand("links", 2, kStale, kGroup, "7.0.0", "O(N) with N nodes", "The connections to other nodes"),
    NodeCommand("meet", -4, kAdmin | kStale | kNoAsyncLoading, kGroup, "3.0.0", "O(1)",
                "Makes this node and another one members of one cluster"),
    NodeCommand("myid", 2, kStale, kGroup, "3.0.0", "O(1)", "This node's id"),
    NodeCommand("nodes", 2, kStale, kGroup, "3.0.0", "O(N) with N nodes", "The members, one a line"),
    NodeCommand("reset", -2, kAdmin | kNoscript | kStale, kGroup, "3.0.0", "O(1)",
                "Makes this node, if it owes nobody anything, a new one that knows no others"),
    NodeCommand("shards", 2, kStale, kGroup, "7.0.0", "O(N) with N nodes",
                "Which slots each node coordinates, with addresses and health"),
    NodeCommand("slots", 2, kStale, kGroup, "3.0.0", "O(N) with N nodes",
                "Which node coordinates which slots"),
};

constexpr CommandSpec kRing[] = {
    NodeCommand("digest", -2, kAnytime, kRingGroup, kOwn, "O(N) with N slots",
                "One digest over all rows of this node's slots"),
    NodeCommand("help", 2, kAnytime, kRingGroup, kOwn, "O(1)", "Lists the subcommands of RING"),
    NodeCommand("hints", -2, kAnytime, kRingGroup, kOwn, "O(N) with N nodes",
                "The events kept here for homes that are away"),
    NodeCommand("leave", 2, kAdmin | kStale, kRingGroup, kOwn, "O(1)",
                "Hands over what this node has and takes it out of the cluster"),
    NodeCommand("preflist", 3, kAnytime, kRingGroup, kOwn, "O(N) with N nodes", "A key's preference list"),
    NodeCommand("replace", 3, kAdmin | kStale, kRingGroup, kOwn, "O(1)",
                "Removes a dead node whose slots another one is to take"),
    NodeCommand("slot", 3, kAnytime, kRingGroup, kOwn, "O(N) with N homes",
                "Clock, digest, rows, homes and service of a slot"),
    NodeCommand("status", -2, kAnytime, kRingGroup, kOwn, "O(N) with N nodes",
                "Members, quorums and what this node is doing"),
    NodeCommand("weight", 3, kAdmin | kStale, kRingGroup, kOwn, "O(1)",
                "This node's share of the data, relative to the others"),
    NodeCommand("zone", 3, kAdmin | kStale, kRingGroup, kOwn, "O(1)",
                "Which nodes this one fails together with"),
};

constexpr CommandSpec kSpecs[] = {
    NodeCommand("asking", 1, kFast, kGroup, "3.0.0", "O(1)",
                "Accepted for clients that move slots; there is nothing to ask for here"),
    Container("cluster", kGroup, "3.0.0", "Commands about the cluster", kCluster),
    NodeCommand("readonly", 1, kAnytime | kFast, kGroup, "3.0.0", "O(1)",
                "Accepted for clients that read from replicas; every node reads with a quorum"),
    NodeCommand("readwrite", 1, kAnytime | kFast, kGroup, "3.0.0", "O(1)", "Undoes READONLY"),
    Container("ring", kRingGroup, kOwn, "Commands about the ring, for operators", kRing),
};

}  // namespace

std::span<const CommandSpec> ClusterCommands() {
  return kSpecs;
}

}  // namespace orrery::commands
