#pragma once

#include <map>
#include <string>

#include "orrery/causality/hybrid_clock.h"
#include "orrery/replication/messages.h"
#include "orrery/runtime/transport.h"

namespace orrery::replication {

/// Gathers the messages of one turn into one frame per peer. Two queues: what may leave at once, and what promises
/// durability and leaves only after the turn's commit. Owned by the shard, on its loop.
class Outbox {
 public:
  explicit Outbox(runtime::Transport* transport) : transport_(transport) {}

  /// Leaves with the next flush, commit or not: events, probes, requests.
  void Send(NodeId peer, const Message& message) { AppendMessage(message, &now_[peer]); }
  /// Leaves after the commit: acknowledgements, answers that show rows or clocks.
  void SendDurable(NodeId peer, const Message& message) { AppendMessage(message, &durable_[peer]); }

  void FlushNow(causality::HybridTime time) { Flush(&now_, time); }
  void FlushDurable(causality::HybridTime time) { Flush(&durable_, time); }
  /// The commit failed: what it promised is not said.
  void DropDurable() { durable_.clear(); }
  bool empty() const { return now_.empty() && durable_.empty(); }

 private:
  using Queue = std::map<NodeId, std::string>;
  void Flush(Queue* queue, causality::HybridTime time);

  runtime::Transport* transport_;
  Queue now_;
  Queue durable_;
};

}  // namespace orrery::replication
