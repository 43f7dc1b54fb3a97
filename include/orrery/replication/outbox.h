#pragma once

#include <map>
#include <string>
#include <vector>

#include "orrery/causality/hybrid_clock.h"
#include "orrery/replication/messages.h"
#include "orrery/runtime/transport.h"

namespace orrery::replication {

/// Gathers the messages of one turn into frames, one per peer unless it grows large. Two queues: what may leave at once, and what promises
/// durability and leaves only after the turn's commit. Owned by the shard, on its loop.
class Outbox {
 public:
  explicit Outbox(runtime::Transport* transport) : transport_(transport) {}

  /// Leaves with the next flush, commit or not: events, probes, requests.
  void Send(NodeId peer, const Message& message) { Append(message, &now_[peer]); }
  /// Leaves after the commit: acknowledgements, answers that show rows or clocks.
  void SendDurable(NodeId peer, const Message& message) { Append(message, &durable_[peer]); }

  /// With what the clocks say: the hybrid one, and the monotonic one in milliseconds.
  void FlushNow(causality::HybridTime time, uint64_t now_ms) { Flush(&now_, time, now_ms); }
  void FlushDurable(causality::HybridTime time, uint64_t now_ms) { Flush(&durable_, time, now_ms); }
  /// The commit failed: what it promised is not said.
  void DropDurable() { durable_.clear(); }
  /// The slot is not what it was when this turn's answers were written: those that show its clock are not sent. What was
  /// asked for is asked for again.
  void DropClaims(SlotId slot);
  bool empty() const { return now_.empty() && durable_.empty(); }

 private:
  /// One frame would do, but a turn may have more to say than a frame can hold.
  using Frames = std::vector<std::string>;
  using Queue = std::map<NodeId, Frames>;
  static void Append(const Message& message, Frames* frames);
  void Flush(Queue* queue, causality::HybridTime time, uint64_t now_ms);

  runtime::Transport* transport_;
  Queue now_;
  Queue durable_;
};

}  // namespace orrery::replication
