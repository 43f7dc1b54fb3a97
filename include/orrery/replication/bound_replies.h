#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "orrery/replication/messages.h"
#include "orrery/replication/request.h"
#include "orrery/replication/shard_context.h"

namespace orrery::replication {

/// Replies of other coordinators to requests that we forwarded, each bound to an event of its slot: it may be
/// shown when we, as a home of the slot, have committed that (docs/consistency.md, bound replies). The entry
/// node's half of the commit point. Part of a Router; one loop.
class BoundReplies {
 public:
  using Show = std::function<void(uint64_t request_id, Response response)>;

  explicit BoundReplies(ShardContext* context) : context_(*context) {}

  /// A reply of that coordinator came in this turn. after: the coordinator's event.
  void Add(SlotId slot, uint64_t request_id, NodeId coordinator, const causality::Dot& after,
           Response response);
  /// The turn is committed, and with it what it changed in these slots: shows what may be shown.
  void AfterCommit(const std::vector<SlotId>& changed, const Show& show);
  /// The coordinator's events of the slot up to this one are on W nodes, with or without us.
  void OnCommitTell(const CommitTellMessage& tell, const Show& show);
  /// Asks the coordinators of replies that have waited since the last tick, and forgets those that nobody
  /// waits for.
  void OnTick(const std::function<bool(uint64_t request_id)>& is_wanted);

 private:
  struct Bound {
    uint64_t request_id = 0;
    NodeId coordinator;
    causality::Dot after;
    Response response;
    bool has_ticked = false;
  };

  /// Of those of the slot whose event was late.
  template <typename MayShow>
  void ShowLate(SlotId slot, const MayShow& may_show, const Show& show);
  void AskFor(SlotId slot);
  bool IsHere(SlotId slot, const causality::Dot& dot) const;

  ShardContext& context_;
  std::vector<std::pair<SlotId, Bound>> came_;  ///< in this turn
  std::multimap<SlotId, Bound> late_;           ///< whose event was not here by the end of their turn
};

}  // namespace orrery::replication
