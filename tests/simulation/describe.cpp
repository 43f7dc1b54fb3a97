#include "simulation/describe.h"

#include <cstdio>
#include <iterator>

#include "orrery/causality/row.h"
#include "orrery/replication/messages.h"
#include "orrery/storage/row_key.h"
#include "simulation/node_time.h"
#include "simulation/operation.h"

namespace orrery::simulation {
namespace {

// Places of list elements, sketches and other bytes that nobody can read.
std::string Printable(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    if (byte >= ' ' && byte <= '~') {
      text += byte;
    } else {
      char hex[5];
      std::snprintf(hex, sizeof(hex), "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
      text += hex;
    }
  }
  return text;
}

using namespace replication;  // NOLINT: a page of message names

std::string Slot(SlotId slot) {
  return " s" + std::to_string(slot);
}

struct Describer {
  std::string operator()(const ForwardMessage& m) {
    std::string text = "forward" + Slot(m.request.slot) + " #" + std::to_string(m.request_id);
    for (size_t i = 0; i < m.request.args.size(); ++i) text += " " + std::string(m.request.args[i]);
    return text;
  }
  std::string operator()(const ForwardReplyMessage& m) {
    return "reply #" + std::to_string(m.request_id) + " outcome " +
           std::to_string(static_cast<int>(m.response.outcome));
  }
  std::string operator()(const EventMessage& m) {
    return "event" + Slot(m.event->slot) + " " + DescribeDot(m.event->dot) + " committed " +
           std::to_string(m.committed);
  }
  std::string operator()(const AckMessage& m) { return "ack" + Slot(m.slot) + " " + DescribeDot(m.upto); }
  std::string operator()(const ProbeMessage& m) {
    return "probe" + Slot(m.slot) + " #" + std::to_string(m.probe_id) +
           (m.as_fallback ? " as fallback " : " ") + DescribeClock(m.clock);
  }
  std::string operator()(const ProbeReplyMessage& m) {
    return "probed" + Slot(m.slot) + " #" + std::to_string(m.probe_id) +
           (m.equal ? " equal" : " " + DescribeClock(m.clock));
  }
  std::string operator()(const TurnProbeMessage& m) { return "turn probe #" + std::to_string(m.id); }
  std::string operator()(const TurnProbeReplyMessage& m) {
    return "turn probed #" + std::to_string(m.id) + " count " + std::to_string(m.count);
  }
  std::string operator()(const CountedReplyMessage& m) {
    return (*this)(static_cast<const ProbeReplyMessage&>(m)) + " count " + std::to_string(m.count);
  }
  std::string operator()(const ClockMessage& m) {
    return std::string(m.answer ? "clock!" : "clock?") + Slot(m.slot) + " " + DescribeClock(m.clock);
  }
  std::string operator()(const BehindMessage& m) { return "behind" + Slot(m.slot); }
  std::string operator()(const MergeRequestMessage& m) {
    return "merge?" + Slot(m.slot) + " part " + std::to_string(m.part);
  }
  std::string operator()(const MergePartMessage& m) {
    return "merge part" + Slot(m.slot) + " " + std::to_string(m.part) + (m.gone ? " gone" : "") +
           (m.last ? " last" : "") + " rows " + std::to_string(m.rows.size()) + " " + DescribeClock(m.clock);
  }
  std::string operator()(const MergeAskMessage& m) {
    return "merge ask" + Slot(m.slot) + " step " + std::to_string(m.step) + " wants " + std::to_string(m.wants.size());
  }
  std::string operator()(const MergeTreeMessage& m) {
    return "merge tree" + Slot(m.slot) + " step " + std::to_string(m.step) + (m.complete ? "" : " incomplete") +
           " pieces " + std::to_string(m.pieces.size()) + " rows " + std::to_string(m.rows.size()) + " " +
           DescribeClock(m.clock);
  }
  std::string operator()(const HintMessage& m) {
    return "hint for " + DescribeNode(m.home) + Slot(m.event->slot) + " " + DescribeDot(m.event->dot) +
           " since " + std::to_string(m.since);
  }
  std::string operator()(const HintAckMessage& m) {
    return std::string(m.refused ? "hint refused for " : "hint ack for ") + DescribeNode(m.home) +
           Slot(m.slot) + " " + DescribeDot(m.upto);
  }
  std::string operator()(const HintOfferMessage& m) { return "hints?" + Slot(m.slot); }
  std::string operator()(const HintWantMessage& m) {
    return "hints!" + Slot(m.slot) + " have " + DescribeClock(m.clock) + " synced " + DescribeClock(m.synced);
  }
  std::string operator()(const SummaryMessage& m) { return "summary of " + std::to_string(m.entries.size()); }
  std::string operator()(const GossipMessage& m) {
    static constexpr const char* kKinds[] = {"heartbeat", "gossip",   "introduction",
                                             "refusal",   "members?", "members"};
    const auto kind = static_cast<size_t>(m.bytes.empty() ? 99 : m.bytes[0]);
    return kind < std::size(kKinds) ? kKinds[kind] : "control?";
  }
  std::string operator()(const SurveyMessage&) { return "survey?"; }
  std::string operator()(const SurveyReplyMessage& m) {
    return "survey of " + std::to_string(m.entries.size()) + ", hints in " + std::to_string(m.hinted.size());
  }
  std::string operator()(const CloseAskMessage& m) {
    std::string text = "close? " + std::to_string(static_cast<int>(m.step)) + " #" + std::to_string(m.round);
    for (const auto& entry : m.entries) {
      text += Slot(entry.slot);
      for (const auto& span : entry.lives.spans)
        text += " " + DescribeNode(span.node) + "<" + std::to_string(span.to);
    }
    return text;
  }
  std::string operator()(const CloseAnswerMessage& m) {
    std::string text = "close! " + std::to_string(static_cast<int>(m.step)) + " #" + std::to_string(m.round);
    for (const auto& entry : m.entries) text += Slot(entry.slot) + (entry.agrees ? " yes" : " no");
    return text;
  }
  std::string operator()(const SeatsMessage& m) {
    std::string text = "seats";
    for (size_t i = 0; i < m.records.size() && i < 12; ++i) {
      const SeatRecord& r = m.records[i];
      text += Slot(r.slot) + "/" + std::to_string(r.index) + " v" + std::to_string(r.seat.version) + " " +
              DescribeNode(r.seat.owner) + (r.seat.in_service ? "" : "?");
    }
    return text + (m.records.size() > 12 ? " and more" : "");
  }
  std::string operator()(const SeatAskMessage& m) {
    return "seat?" + Slot(m.slot) + "/" + std::to_string(m.index) + " v" + std::to_string(m.version) + " have " +
           DescribeClock(m.clock);
  }
  std::string operator()(const SeatGivenMessage& m) {
    return "seat given" + Slot(m.slot) + "/" + std::to_string(m.index) + " v" + std::to_string(m.version) + " last " +
           DescribeClock(m.clock);
  }
  std::string operator()(const ClockAskMessage& m) { return "copies?" + Slot(m.slot); }
  std::string operator()(const ClockTellMessage& m) {
    return (m.is_home ? "copies!" : "hints!") + Slot(m.slot) + " " + DescribeClock(m.clock);
  }
  std::string operator()(const SeatReachMessage& m) {
    return (m.loops == 0 ? "reach?" : "reach!") + Slot(m.slot);
  }
  template <typename Other>
  std::string operator()(const Other&) {
    return "message " + std::to_string(Other::kType);
  }
};

}  // namespace

std::string DescribeNode(NodeId id) {
  return "n" + std::to_string(id.value - 0x1000);
}

std::string DescribeActor(const causality::Actor& actor) {
  // The virtual milliseconds that the node's wall clock showed when this life began; with what tells it from
  // others.
  constexpr int kRandomBits = 12;
  const uint64_t low = actor.incarnation & ((uint64_t{1} << kRandomBits) - 1);
  const auto since_ms = static_cast<int64_t>((actor.incarnation >> kRandomBits) - NodeClock::kEpochMs);
  return DescribeNode(actor.node) + "'" + std::to_string(since_ms) + "." + std::to_string(low);
}

std::string DescribeDot(const causality::Dot& dot) {
  return DescribeActor(dot.actor) + ":" + std::to_string(dot.counter);
}

std::string DescribeClock(const causality::SlotClock& clock) {
  std::string text = "[";
  for (const auto& entry : clock.counters().entries()) {
    text += (text.size() > 1 ? " " : "") + DescribeDot({entry.actor, entry.counter});
  }
  for (const auto& floor : clock.floors()) {
    text += " " + DescribeNode(floor.node) + "<" + std::to_string(floor.incarnation);
  }
  return text + "]";
}

std::string DescribeView(const ClusterView& view) {
  std::string text = "sees";
  for (NodeId node : view.alive) text += " " + DescribeNode(node);
  return text;
}

std::string DescribeRow(std::string_view row_key, std::string_view bytes) {
  const auto parsed = storage::ParseRowKey(row_key);
  std::string text =
      parsed ? parsed->key + (parsed->element.empty() ? "" : "/" + Printable(parsed->element)) : "?";
  causality::Row row;
  if (!causality::DecodeRow(bytes, &row)) return text + "(damaged)";
  text += "(";
  for (const causality::Cell& cell : row.cells) {
    text += (text.back() == '(' ? "" : " ") + DescribeDot(cell.dot) + "=" + Printable(cell.payload);
    if (cell.birth != cell.dot.counter) text += " born " + std::to_string(cell.birth);
  }
  return text + ")";
}

std::string Describe(const Operation& operation) {
  std::string text = "op " + std::to_string(operation.id) + " (";
  for (const std::string& arg : operation.args) text += (text.back() == '(' ? "" : " ") + arg;
  return text + ", slot " + std::to_string(operation.slot) + ", by " + "n" + std::to_string(operation.entry) +
         ")";
}

std::string DescribeFrame(std::string_view frame) {
  std::string text;
  FrameReader reader(frame);
  Message message;
  while (reader.Next(&message)) {
    const auto* control = std::get_if<GossipMessage>(&message);
    const bool is_heartbeat = control != nullptr && control->bytes == std::string(1, '\0');
    if (!is_heartbeat) text += " | " + std::visit(Describer(), message);
  }
  return text;
}

}  // namespace orrery::simulation
