#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/server/node_access.h"

namespace orrery::server {

/// Neighbouring slots that the same node coordinates now.
struct SlotRun {
  ring::SlotRange slots;
  NodeId coordinator;
};

/// The whole ring as it works at this moment; slots that nobody coordinates are left out.
std::vector<SlotRun> SlotRuns(const NodeAccess& node);
/// Who coordinates the slot now: the first of its preference list that is alive; nobody if none is.
NodeId CoordinatorOf(const NodeAccess& node, SlotId slot);
/// How many slots each node is a home of.
std::map<NodeId, uint32_t> HomeCounts(const NodeAccess& node);
/// The slots that each node coordinates now, in order.
std::map<NodeId, std::vector<ring::SlotRange>> CoordinatedSlots(const NodeAccess& node);
uint32_t CountSlots(const std::vector<ring::SlotRange>& ranges);

/// Members without those that were removed for good, by id.
std::vector<const membership::Member*> PresentMembers(const replication::ClusterView& view);
/// A node as an operator may name it: 40 or 16 hexadecimal digits, or host:port of its clients' port. nullptr
/// if it is no member.
const membership::Member* FindMember(const replication::ClusterView& view, std::string_view text);
/// "127.0.0.1:7001".
std::string ClientAddress(const membership::Member& member);

/// Whether reads and writes are served: enough nodes are alive for R and W.
bool IsServing(const replication::ClusterView& view);

}  // namespace orrery::server
