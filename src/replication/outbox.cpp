#include "orrery/replication/outbox.h"

#include <utility>

namespace orrery::replication {

namespace {

constexpr size_t kFrameBytesMax = 1 << 20;  // then another frame is begun

}  // namespace

void Outbox::Append(const Message& message, Frames* frames) {
  if (frames->empty() || frames->back().size() > kFrameBytesMax) frames->emplace_back();
  AppendMessage(message, &frames->back());
}

void Outbox::Flush(Queue* queue, causality::HybridTime time) {
  for (auto& [peer, frames] : *queue) {
    for (std::string& messages : frames) transport_->Send(peer, BeginFrame(time) + messages);
    frames.clear();
  }
}

}  // namespace orrery::replication
