#include "orrery/replication/outbox.h"

#include <utility>

namespace orrery::replication {

namespace {

constexpr size_t kFrameBytesMax = 1 << 20;  // then another frame is begun
constexpr size_t kFrameBytesReserved = 1024;

// Whether the message tells a peer what this replica of the slot has.
bool IsClaim(const Message& message, SlotId slot) {
  // It speaks of all slots at once.
  if (std::holds_alternative<TurnProbeReplyMessage>(message)) return true;
  const bool shows_clock = std::holds_alternative<ProbeReplyMessage>(message) ||
                           std::holds_alternative<CountedReplyMessage>(message) ||
                           std::holds_alternative<ClockMessage>(message) ||
                           std::holds_alternative<HintWantMessage>(message) ||
                           std::holds_alternative<ClockTellMessage>(message) ||
                           std::holds_alternative<AckMessage>(message);
  return shows_clock && SlotOfMessage(message) == slot;
}

void DropSummary(SlotId slot, Message* message) {
  auto* summary = std::get_if<SummaryMessage>(message);
  if (summary == nullptr) return;
  std::erase_if(summary->entries, [slot](const auto& entry) { return entry.slot == slot; });
}

}  // namespace

void Outbox::DropClaims(SlotId slot) {
  for (auto& [peer, frames] : durable_) {
    const std::string empty = BeginFrame(0, 0);
    for (std::string& frame : frames) {
      const std::string before = std::exchange(frame, empty);
      FrameReader reader(before);
      Message message;
      while (reader.Next(&message)) {
        DropSummary(slot, &message);
        if (!IsClaim(message, slot)) AppendMessage(message, &frame);
      }
    }
    std::erase(frames, empty);
  }
}

void Outbox::Append(const Message& message, Frames* frames) {
  if (frames->empty() || frames->back().size() > kFrameBytesMax) {
    std::string& frame = frames->emplace_back();
    frame.reserve(kFrameBytesReserved);
    frame.append(BeginFrame(0, 0));  // its time is that of the flush
  }
  AppendMessage(message, &frames->back());
}

void Outbox::Flush(Queue* queue, causality::HybridTime time, uint64_t now_ms) {
  const std::string begin = BeginFrame(time, now_ms);
  for (auto& [peer, frames] : *queue) {
    for (std::string& frame : frames) {
      frame.replace(0, begin.size(), begin);
      transport_->Send(peer, std::move(frame));
    }
    frames.clear();
  }
}

}  // namespace orrery::replication
