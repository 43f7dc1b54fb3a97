#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "orrery/base/fifo.h"
#include "orrery/base/node_id.h"
#include "orrery/base/slot.h"
#include "orrery/replication/outbox.h"

namespace orrery::replication {

/// The quorum reads, of one turn or of a few, that one question to a peer answers: "has anything come to my
/// slots but from me?" A slot may join it if the peer's answer to a probe of that slot came with the peer's
/// present count (ForeignChanges); docs/consistency.md, quorum reads. Which slots asked, and what each peer
/// said last. One loop.
class TurnProbes {
 public:
  /// Several times what a question takes between nodes that stand side by side, and little where the way is
  /// long.
  static constexpr uint64_t kShareUs = 500;

  struct Asked {
    SlotId slot = 0;
    uint64_t probe_id = 0;  ///< the slot's
  };

  /// Whether a slot of which the peer said that it has nothing new, under this count, may join. 0: it has not
  /// said so.
  bool MayJoin(NodeId peer, uint64_t count) const;
  void Join(NodeId peer, SlotId slot, uint64_t probe_id) { At(peer).joining.push_back({slot, probe_id}); }
  /// The peer is asked in this turn even if no slot joins: so it learns that its count is of use.
  void Want(NodeId peer) { At(peer).is_wanted = true; }
  /// The turn's questions. What joins while a question to the peer is under way waits for the answer and then
  /// shares the next one, but for no longer than kShareUs.
  void Send(uint16_t loop, uint16_t loops, uint64_t now_us, Outbox* outbox);
  /// What the peer answers. Earlier questions that it has passed over go, too: their slots ask again.
  std::vector<Asked> Take(NodeId peer, uint64_t id);
  void Learn(NodeId peer, uint64_t count) { At(peer).count = count; }
  void Forget(NodeId peer);

 private:
  struct Question {
    uint64_t id = 0;
    uint64_t sent_us = 0;
    std::vector<Asked> slots;
  };
  struct Peer {
    NodeId id;
    uint64_t count = 0;  ///< 0: not known
    bool is_wanted = false;
    std::vector<Asked> joining;
    Fifo<Question> asked;  ///< by id
  };

  Peer& At(NodeId id);
  static bool Waits(const Peer& peer, uint64_t now_us);

  std::vector<Peer> peers_;
  uint64_t last_id_ = 0;
};

}  // namespace orrery::replication
