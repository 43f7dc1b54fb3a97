#include <fmt/format.h>

#include <string>

#include "server/commands/cluster_map.h"
#include "server/commands/handler_tools.h"
#include "server/commands/info_data.h"

namespace orrery::server {
namespace {

using membership::Member;
using replication::ClusterView;

/// Redis's config epochs order claims to slots; here the version of a node's own entry plays that part in
/// what is shown.
uint64_t ConfigEpoch(const Member& member) {
  return member.version;
}

uint64_t CurrentEpoch(const ClusterView& view) {
  uint64_t epoch = 0;
  for (const Member* member : PresentMembers(view)) epoch = std::max(epoch, ConfigEpoch(*member));
  return epoch;
}

std::string InfoText(const InfoData& data) {
  const auto view = data.worker.node().View();
  const auto slots = CoordinatedSlots(data.worker.node());
  uint32_t served = 0;
  for (const auto& [node, ranges] : slots) served += CountSlots(ranges);
  const Member* self = view->Find(view->self);
  return fmt::format(
      "cluster_state:{}\r\ncluster_slots_assigned:{}\r\ncluster_slots_ok:{}\r\ncluster_slots_pfail:0\r\n"
      "cluster_slots_fail:{}\r\ncluster_known_nodes:{}\r\ncluster_size:{}\r\ncluster_current_epoch:{}\r\n"
      "cluster_my_epoch:{}\r\ncluster_stats_messages_sent:{}\r\ncluster_stats_messages_received:{}\r\n"
      "total_cluster_links_buffer_limit_exceeded:{}\r\n",
      IsServing(*view) ? "ok" : "fail", view->ring->members().empty() ? 0 : kSlotCount, served,
      view->ring->members().empty() ? 0 : kSlotCount - served, PresentMembers(*view).size(), slots.size(),
      CurrentEpoch(*view), self == nullptr ? 0 : ConfigEpoch(*self), data.counter("frames_sent"),
      data.counter("frames_received"), data.counter("slow_links"));
}

void Info(ServerCall& call) {
  const ReplyTicket ticket = call.Defer();
  const auto done = [ticket, &worker = call.worker,
                     protocol = call.session().protocol](const std::vector<LoopFacts>& loops) {
    InfoData data{worker};
    for (const LoopFacts& facts : loops) AddFacts(facts, &data.facts);
    ticket.Answer(
        MakeReply(protocol, [&](resp::ReplyWriter& reply) { reply.Verbatim("txt", InfoText(data)); }));
  };
  call.worker.state().Gather<LoopFacts>(
      call.worker, [](Worker& worker) { return worker.node().Facts(); }, done);
}

std::string NodeLine(const ClusterView& view, const Member& member, uint64_t now_ms,
                     const std::vector<ring::SlotRange>& ranges) {
  const bool is_self = member.id == view.self;
  const bool alive = view.IsAlive(member.id);
  const char* doubt = view.OthersFindDown(member.id) > 0 ? ",fail?" : "";
  std::string line =
      fmt::format("{} {}:{}@{} {}master{} - 0 {} {} {}", member.id.ToName(), member.host, member.client_port,
                  member.peer_port, is_self ? "myself," : "", alive ? doubt : ",fail",
                  is_self || !alive ? 0 : now_ms, ConfigEpoch(member), alive ? "connected" : "disconnected");
  for (const ring::SlotRange& range : ranges) {
    line += range.first == range.last ? fmt::format(" {}", range.first)
                                      : fmt::format(" {}-{}", range.first, range.last);
  }
  return line + "\n";
}

void Nodes(ServerCall& call) {
  const auto view = call.worker.node().View();
  auto slots = CoordinatedSlots(call.worker.node());
  std::string text;
  for (const Member* member : PresentMembers(*view)) {
    text += NodeLine(*view, *member, call.worker.loop().WallMs(), slots[member->id]);
  }
  call.reply.Verbatim("txt", text);
}

void WriteSlotNode(const Member& member, resp::ReplyWriter& reply) {
  reply.Array(4);
  reply.BulkString(member.host);
  reply.Integer(member.client_port);
  reply.BulkString(member.id.ToName());
  reply.Array(0);
}

/// The coordinators alone, here and in Shards: the other homes coordinate slots of their own, and a client
/// that finds a node as a replica here and as a master in Nodes cannot tell whom to ask. Reads from replicas
/// would be passed on anyway.
void Slots(ServerCall& call) {
  const auto view = call.worker.node().View();
  const size_t start = call.reply.Position();
  size_t count = 0;
  for (const SlotRun& run : SlotRuns(call.worker.node())) {
    const Member* coordinator = view->Find(run.coordinator);
    if (coordinator == nullptr) continue;
    call.reply.Array(3);
    call.reply.Integer(run.slots.first);
    call.reply.Integer(run.slots.last);
    WriteSlotNode(*coordinator, call.reply);
    ++count;
  }
  call.reply.InsertArray(start, count);
}

void WriteShardNode(const ClusterView& view, const Member& member, resp::ReplyWriter& reply) {
  reply.Map(7);
  reply.BulkString("id");
  reply.BulkString(member.id.ToName());
  reply.BulkString("port");
  reply.Integer(member.client_port);
  reply.BulkString("ip");
  reply.BulkString(member.host);
  reply.BulkString("endpoint");
  reply.BulkString(member.host);
  reply.BulkString("role");
  reply.BulkString("master");
  reply.BulkString("replication-offset");
  reply.Integer(0);
  reply.BulkString("health");
  reply.BulkString(view.IsAlive(member.id) ? "online" : "fail");
}

/// A shard is a node with the slots that it coordinates.
void Shards(ServerCall& call) {
  const auto view = call.worker.node().View();
  auto slots = CoordinatedSlots(call.worker.node());
  const auto members = PresentMembers(*view);
  call.reply.Array(members.size());
  for (const Member* member : members) {
    call.reply.Map(2);
    call.reply.BulkString("slots");
    const auto& ranges = slots[member->id];
    call.reply.Array(2 * ranges.size());
    for (const ring::SlotRange& range : ranges) {
      call.reply.Integer(range.first);
      call.reply.Integer(range.last);
    }
    call.reply.BulkString("nodes");
    call.reply.Array(1);
    WriteShardNode(*view, *member, call.reply);
  }
}

void WriteLink(const LinkFacts& link, resp::ReplyWriter& reply) {
  reply.Map(6);
  reply.BulkString("direction");
  reply.BulkString(link.dialled ? "to" : "from");
  reply.BulkString("node");
  reply.BulkString(link.peer.ToName());
  reply.BulkString("create-time");
  reply.Integer(static_cast<int64_t>(link.up_since_ms));
  reply.BulkString("events");
  reply.BulkString(link.queued_bytes > 0 ? "rw" : "r");
  reply.BulkString("send-buffer-allocated");
  reply.Integer(static_cast<int64_t>(link.queued_bytes));
  reply.BulkString("send-buffer-used");
  reply.Integer(static_cast<int64_t>(link.queued_bytes));
}

void Links(ServerCall& call) {
  const ReplyTicket ticket = call.Defer();
  const auto done = [ticket, protocol = call.session().protocol](const std::vector<LoopFacts>& loops) {
    std::vector<LinkFacts> links;
    for (const LoopFacts& facts : loops) links.insert(links.end(), facts.links.begin(), facts.links.end());
    ticket.Answer(MakeReply(protocol, [&](resp::ReplyWriter& reply) {
      reply.Array(links.size());
      for (const LinkFacts& link : links) WriteLink(link, reply);
    }));
  };
  call.worker.state().Gather<LoopFacts>(
      call.worker, [](Worker& worker) { return worker.node().Facts(); }, done);
}

void MyId(ServerCall& call) {
  call.reply.BulkString(call.worker.node().View()->self.ToName());
}

void KeySlot(ServerCall& call) {
  call.reply.Integer(SlotOf(call.arg(2)));
}

void Meet(ServerCall& call) {
  if (call.argc() > 5) return call.reply.Error(commands::WrongArityText("cluster|meet"));
  const auto port = resp::ParseInteger(call.arg(3));
  if (!port) return call.reply.Error("ERR Invalid base port specified: " + std::string(call.arg(3)));
  int64_t peer_port = *port + kPeerPortOffset;
  if (call.argc() == 5) {
    const auto given = resp::ParseInteger(call.arg(4));
    if (!given) return call.reply.Error("ERR Invalid bus port specified: " + std::string(call.arg(4)));
    peer_port = *given;
  }
  const std::string invalid =
      fmt::format("-ERR Invalid node address specified: {}:{}\r\n", call.arg(2).substr(0, 128), call.arg(3));
  if (*port < 1 || *port > 65535 || peer_port < 1 || peer_port > 65535) return call.reply.Raw(invalid);
  const ReplyTicket ticket = call.Defer();
  call.worker.node().Meet(std::string(call.arg(2)), static_cast<uint16_t>(*port),
                          static_cast<uint16_t>(peer_port), [ticket, invalid](const Status& status) {
                            if (status.code() == StatusCode::kInvalid) return ticket.Answer(invalid);
                            AnswerStatus(ticket, status);
                          });
}

void Forget(ServerCall& call) {
  const auto id = NodeId::FromName(call.arg(2));
  if (!id) return call.reply.Error("ERR Unknown node " + std::string(call.arg(2).substr(0, 128)));
  Operate(call, {NodeAccess::Operation::kForget, *id});
}

/// SOFT or HARD: an id stands for what the others know of a disk, so it never stays when the rows go.
void Reset(ServerCall& call) {
  if (call.argc() > 3) return SubcommandSyntaxError(call);
  if (call.argc() == 3 && !call.ArgIs(2, "hard") && !call.ArgIs(2, "soft")) return SyntaxError(call);
  const ReplyTicket ticket = call.Defer();
  call.worker.node().Operate({NodeAccess::Operation::kReset, {}}, [ticket](const Status& status) {
    // What the client has sent behind it is meant for the new node.
    if (status.ok() && !ticket.client->closed()) ticket.client->CloseAfterReplies();
    AnswerStatus(ticket, status);
  });
}

constexpr ServerCommand kHandlers[] = {
    {"cluster|info", Info, true},     {"cluster|nodes", Nodes},       {"cluster|slots", Slots},
    {"cluster|shards", Shards},       {"cluster|links", Links, true}, {"cluster|myid", MyId},
    {"cluster|forget", Forget, true}, {"cluster|reset", Reset, true}, {"cluster|meet", Meet, true},
    {"cluster|help", Help},           {"cluster|keyslot", KeySlot},
};

}  // namespace

std::span<const ServerCommand> ClusterHandlers() {
  return kHandlers;
}

}  // namespace orrery::server
