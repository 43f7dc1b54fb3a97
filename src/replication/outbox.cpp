#include "orrery/replication/outbox.h"

#include <utility>

namespace orrery::replication {

namespace {

constexpr size_t kFrameBytesMax = 1 << 20;  // then another frame is begun

// Whether the message tells a peer what this replica of the slot has.
bool IsClaim(const Message& message, SlotId slot) {
  const bool shows_clock = std::holds_alternative<ProbeReplyMessage>(message) ||
                           std::holds_alternative<ClockMessage>(message) ||
                           std::holds_alternative<HintWantMessage>(message) ||
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
    for (std::string& messages : frames) {
      const std::string frame = BeginFrame(0, 0) + std::exchange(messages, {});
      FrameReader reader(frame);
      Message message;
      while (reader.Next(&message)) {
        DropSummary(slot, &message);
        if (!IsClaim(message, slot)) AppendMessage(message, &messages);
      }
    }
    std::erase(frames, std::string());
  }
}

void Outbox::Append(const Message& message, Frames* frames) {
  if (frames->empty() || frames->back().size() > kFrameBytesMax) frames->emplace_back();
  AppendMessage(message, &frames->back());
}

void Outbox::Flush(Queue* queue, causality::HybridTime time, uint64_t now_ms) {
  for (auto& [peer, frames] : *queue) {
    for (std::string& messages : frames) transport_->Send(peer, BeginFrame(time, now_ms) + messages);
    frames.clear();
  }
}

}  // namespace orrery::replication
