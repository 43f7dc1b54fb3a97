#include "orrery/replication/outbox.h"

#include <utility>

namespace orrery::replication {

void Outbox::Flush(Queue* queue, causality::HybridTime time) {
  for (auto& [peer, messages] : *queue) {
    if (messages.empty()) continue;
    transport_->Send(peer, BeginFrame(time) + std::exchange(messages, {}));
  }
}

}  // namespace orrery::replication
