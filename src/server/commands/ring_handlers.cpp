#include <fmt/format.h>

#include <string>

#include "orrery/base/codec.h"
#include "orrery/base/hash.h"
#include "orrery/replication/transfer_progress.h"
#include "server/commands/cluster_map.h"
#include "server/commands/handler_tools.h"
#include "server/commands/info_data.h"

namespace orrery::server {
namespace {

using membership::Member;
using replication::ClusterView;

std::string Address(const ClusterView& view, NodeId node) {
  const Member* member = view.Find(node);
  return member == nullptr ? "?" : ClientAddress(*member);
}

/// "1) home 127.0.0.1:7001 <id> alive coordinator", one line for each node of the list.
void PrefList(ServerCall& call) {
  const auto view = call.worker.node().View();
  const SlotId slot = SlotOf(call.arg(2));
  const auto homes_now = call.worker.node().HomesOf(slot);
  std::vector<NodeId> list(homes_now.begin(), homes_now.end());
  const size_t homes = list.size();
  for (NodeId fallback : call.worker.node().FallbacksOf(slot)) list.push_back(fallback);
  const NodeId coordinator = CoordinatorOf(call.worker.node(), slot);
  call.reply.Array(list.size());
  for (size_t i = 0; i < list.size(); ++i) {
    const NodeId node = list[i];
    call.reply.BulkString(fmt::format("{} {} {} {}{}", i < homes ? "home" : "fallback", Address(*view, node),
                                      node.ToName(), view->IsAlive(node) ? "alive" : "down",
                                      node == coordinator ? " coordinator" : ""));
  }
}

void WriteField(resp::ReplyWriter& reply, std::string_view name, std::string_view value) {
  reply.BulkString(name);
  reply.BulkString(value);
}

void WriteField(resp::ReplyWriter& reply, std::string_view name, uint64_t value) {
  reply.BulkString(name);
  reply.Integer(static_cast<int64_t>(value));
}

void WriteSlot(const NodeAccess& node, const SlotFacts& facts, resp::ReplyWriter& reply) {
  const auto view_ptr = node.View();
  const ClusterView& view = *view_ptr;
  const NodeId coordinator = CoordinatorOf(node, facts.slot);
  reply.Map(10);
  WriteField(reply, "slot", facts.slot);
  WriteField(reply, "coordinator", coordinator ? Address(view, coordinator) : "none");
  reply.BulkString("homes");
  const auto homes = node.HomesOf(facts.slot);
  reply.Array(homes.size());
  for (NodeId home : homes) reply.BulkString(Address(view, home));
  WriteField(reply, "is-home", facts.is_home ? "yes" : "no");
  WriteField(reply, "in-service", facts.in_service ? "yes" : "no");
  WriteField(reply, "clock", facts.clock);
  WriteField(reply, "digest", fmt::format("{:016x}", facts.digest));
  WriteField(reply, "rows", facts.rows);
  WriteField(reply, "voided", facts.voided);
  WriteField(reply, "backlog", facts.backlog);
}

std::optional<SlotId> ParseSlot(std::string_view text) {
  const auto slot = resp::ParseInteger(text);
  if (!slot || *slot < 0 || *slot >= int64_t{kSlotCount}) return std::nullopt;
  return static_cast<SlotId>(*slot);
}

void Slot(ServerCall& call) {
  const auto slot = ParseSlot(call.arg(2));
  if (!slot) return call.reply.Error("ERR Invalid slot");
  ServerState& state = call.worker.state();
  const ReplyTicket ticket = call.Defer();
  const auto answer = [ticket, protocol = call.session().protocol](Worker& home, const SlotFacts& facts) {
    ticket.Answer(
        MakeReply(protocol, [&](resp::ReplyWriter& reply) { WriteSlot(home.node(), facts, reply); }));
  };
  state.Post(*slot % state.workers.size(), [=, &state, home = call.worker.index()](Worker& worker) {
    state.Post(
        home, [answer, facts = worker.node().DescribeSlot(*slot)](Worker& asking) { answer(asking, facts); });
  });
}

/// What one replica has of one slot.
struct SlotLine {
  SlotId slot;
  NodeAccess::Digest digest;
};

struct DigestOptions {
  SlotId first = 0;
  SlotId last = kSlotCount - 1;
  bool per_slot = false;
};

bool ParseDigest(ServerCall& call, DigestOptions* options) {
  size_t i = 2;
  if (call.argc() >= 4) {
    const auto first = ParseSlot(call.arg(2));
    const auto last = ParseSlot(call.arg(3));
    if (first && last) {
      options->first = *first;
      options->last = *last;
      i = 4;
    }
  }
  if (i < call.argc() && call.ArgIs(i, "perslot")) {
    options->per_slot = true;
    ++i;
  }
  return i == call.argc();
}

std::vector<SlotLine> LoopDigests(Worker& worker, const DigestOptions& options) {
  std::vector<SlotLine> lines;
  const size_t loops = worker.state().workers.size();
  for (uint32_t slot = options.first; slot <= options.last; ++slot) {
    if (slot % loops != worker.index()) continue;
    const NodeAccess::Digest digest = worker.node().SlotDigest(static_cast<SlotId>(slot));
    if (digest.rows > 0) lines.push_back({static_cast<SlotId>(slot), digest});
  }
  return lines;
}

/// The slot takes part, so that rows that moved to another slot do not go unnoticed; empty slots do not, so a
/// node that never had one agrees with a node that lost its last row.
uint64_t Combine(const std::vector<SlotLine>& lines) {
  uint64_t sum = 0;
  for (const SlotLine& line : lines) {
    std::string bytes;
    Encoder encoder(&bytes);
    encoder.PutU16(line.slot);
    encoder.PutU64(line.digest.digest);
    sum += Hash64(bytes);
  }
  return sum;
}

/// RING DIGEST [first-slot last-slot] [PERSLOT].
void Digest(ServerCall& call) {
  DigestOptions options;
  if (!ParseDigest(call, &options)) return SyntaxError(call);
  const ReplyTicket ticket = call.Defer();
  using Lines = std::vector<SlotLine>;
  const auto done = [ticket, options, protocol = call.session().protocol](const std::vector<Lines>& loops) {
    Lines all;
    for (const Lines& lines : loops) all.insert(all.end(), lines.begin(), lines.end());
    std::sort(all.begin(), all.end(), [](const SlotLine& a, const SlotLine& b) { return a.slot < b.slot; });
    ticket.Answer(MakeReply(protocol, [&](resp::ReplyWriter& reply) {
      if (!options.per_slot) return reply.BulkString(fmt::format("{:016x}", Combine(all)));
      reply.Array(all.size());
      for (const SlotLine& line : all) {
        reply.BulkString(fmt::format("{} {:016x} {}", line.slot, line.digest.digest, line.digest.rows));
      }
    }));
  };
  call.worker.state().Gather<Lines>(
      call.worker, [options](Worker& worker) { return LoopDigests(worker, options); }, done);
}

void GatherFacts(ServerCall& call, std::function<void(Worker&, const LoopFacts&, resp::ReplyWriter&)> write) {
  const ReplyTicket ticket = call.Defer();
  const auto done = [ticket, write, &worker = call.worker,
                     protocol = call.session().protocol](const std::vector<LoopFacts>& loops) {
    LoopFacts sum;
    for (const LoopFacts& facts : loops) AddFacts(facts, &sum);
    ticket.Answer(MakeReply(protocol, [&](resp::ReplyWriter& reply) { write(worker, sum, reply); }));
  };
  call.worker.state().Gather<LoopFacts>(
      call.worker, [](Worker& worker) { return worker.node().Facts(); }, done);
}

void Hints(ServerCall& call) {
  GatherFacts(call, [](Worker& worker, const LoopFacts& sum, resp::ReplyWriter& reply) {
    const auto view = worker.node().View();
    reply.Array(sum.hints.size());
    for (const HintFacts& hints : sum.hints) {
      reply.Map(4);
      WriteField(reply, "home", hints.home.ToName());
      WriteField(reply, "address", Address(*view, hints.home));
      WriteField(reply, "events", hints.events);
      WriteField(reply, "bytes", hints.bytes);
    }
  });
}

uint64_t CounterOf(const LoopFacts& sum, const char* name) {
  const auto counter = sum.counters.find(name);
  return counter == sum.counters.end() ? 0 : counter->second;
}

/// How far the operation is; nothing if there is none.
std::string Progress(const std::string& what, const LoopFacts& sum) {
  const auto counter = [&](const char* name) { return CounterOf(sum, (what + name).c_str()); };
  const replication::TransferProgress::Facts facts{
      counter("_seats_done"),       counter("_seats_left"),       counter("_bytes_done"), counter("_bytes_left"),
      counter("_seats_per_second"), counter("_bytes_per_second"), counter("_seconds_left")};
  if (facts.seats_done + facts.seats_left == 0) return "";
  return what + ": " + replication::DescribeTransfer(facts) + "\n";
}

const char* ServiceText(const ClusterView& view) {
  if (IsServing(view)) return "serving";
  return view.awaits_meeting ? "waits to be taken in" : "not enough nodes";
}

std::string StatusText(Worker& worker, const LoopFacts& sum) {
  const auto view = worker.node().View();
  auto slots = CoordinatedSlots(worker.node());
  auto homes = HomeCounts(worker.node());
  std::string text = fmt::format("node {} {}\nring {:016x}  N={} R={} W={}  {}\n", view->self.ToName(),
                                 Address(*view, view->self), view->ring->Fingerprint(), view->Homes(),
                                 view->R(), view->W(), ServiceText(*view));
  for (const Member* member : PresentMembers(*view)) {
    const size_t doubts = view->OthersFindDown(member->id);
    text += fmt::format("{} {:<21} {:<5} weight={} zone={} coordinates={} home-of={}{}{}\n", member->id.ToHex(),
                        ClientAddress(*member), view->IsAlive(member->id) ? "alive" : "down", member->weight,
                        member->zone.empty() ? "-" : member->zone, CountSlots(slots[member->id]),
                        homes[member->id],
                        member->state == membership::MemberState::kLeaving ? " leaving" : "",
                        doubts == 0 ? "" : fmt::format(" down-for={}", doubts));
  }
  uint64_t hints = 0;
  for (const HintFacts& facts : sum.hints) hints += facts.events;
  text += fmt::format("here: rows={} slots={} in-service={} hints={} links={}{}\n", sum.rows, sum.slots_held,
                      sum.slots_in_service, hints, sum.links.size(),
                      sum.writes_stopped ? " WRITES STOPPED: " + sum.writes_stopped_reason : "");
  text += fmt::format(
      "moving: waiting={} under-way={} taken={} to-give={} given={} to-drop={} dropped={} copied-bytes={} given-bytes={}\n",
      CounterOf(sum, "seats_waiting"), CounterOf(sum, "seats_under_way"), CounterOf(sum, "seats_taken"),
      CounterOf(sum, "seats_to_give"), CounterOf(sum, "seats_given"), CounterOf(sum, "slots_to_drop"),
      CounterOf(sum, "slots_dropped"), CounterOf(sum, "copied_bytes"), CounterOf(sum, "given_bytes"));
  return text + Progress("taking", sum) + Progress("giving", sum);
}

void RingStatus(ServerCall& call) {
  GatherFacts(call, [](Worker& worker, const LoopFacts& sum, resp::ReplyWriter& reply) {
    reply.Verbatim("txt", StatusText(worker, sum));
  });
}

// ---- what operators want ----

void Leave(ServerCall& call) { Operate(call, {NodeAccess::Operation::kLeave, {}}); }

void Replace(ServerCall& call) {
  const auto id = NodeId::FromName(call.arg(2));
  if (!id) return call.reply.Error("ERR Unknown node " + std::string(call.arg(2).substr(0, 128)));
  Operate(call, {NodeAccess::Operation::kReplace, *id});
}

void Weight(ServerCall& call) {
  constexpr int64_t kWeightMax = 10000;
  const auto weight = resp::ParseInteger(call.arg(2));
  if (!weight || *weight < 0 || *weight > kWeightMax) {
    return call.reply.Error("ERR weight must be between 0 and 10000 inclusive");
  }
  Operate(call, {NodeAccess::Operation::kWeight, {}, static_cast<uint32_t>(*weight)});
}

void Zone(ServerCall& call) {
  if (call.arg(2).size() > membership::kZoneBytesMax || !IsClientName(call.arg(2))) {
    return call.reply.Error("ERR a zone has up to 64 printable characters without blanks");
  }
  Operate(call, {NodeAccess::Operation::kZone, {}, 1, std::string(call.arg(2))});
}

constexpr ServerCommand kHandlers[] = {
    {"ring|leave", Leave, true},   {"ring|replace", Replace, true}, {"ring|weight", Weight, true},
    {"ring|zone", Zone, true},     {"ring|preflist", PrefList},     {"ring|slot", Slot, true},
    {"ring|digest", Digest, true}, {"ring|hints", Hints, true},     {"ring|status", RingStatus, true},
    {"ring|help", Help},
};

}  // namespace

std::span<const ServerCommand> RingHandlers() {
  return kHandlers;
}

}  // namespace orrery::server
