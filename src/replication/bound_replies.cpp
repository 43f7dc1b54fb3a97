#include "orrery/replication/bound_replies.h"

#include <utility>

#include "orrery/base/marks.h"

namespace orrery::replication {

void BoundReplies::Add(SlotId slot, uint64_t request_id, NodeId coordinator, const causality::Dot& after,
                       Response response) {
  came_.emplace_back(slot, Bound{request_id, coordinator, after, std::move(response)});
}

// As what a home acknowledges.
bool BoundReplies::IsHere(SlotId slot, const causality::Dot& dot) const {
  if (ORRERY_MUTATION("bound-replies-shown-at-once")) return true;
  const SlotReplica* replica = context_.slots->Find(slot);
  return replica != nullptr && context_.IsHome(slot) && replica->clock().Get(dot.actor) >= dot.counter;
}

template <typename MayShow>
void BoundReplies::ShowLate(SlotId slot, const MayShow& may_show, const Show& show) {
  for (auto [at, end] = late_.equal_range(slot); at != end;) {
    const auto bound = at++;
    if (!may_show(bound->second.after)) continue;
    show(bound->second.request_id, std::move(bound->second.response));
    late_.erase(bound);
  }
}

// Events travel before the replies that are bound to them: hardly ever is one not here yet.
void BoundReplies::AfterCommit(const std::vector<SlotId>& changed, const Show& show) {
  const auto count_if_here = [this](SlotId slot, const causality::Dot& after) {
    const bool is_here = IsHere(slot, after);
    context_.stats.replies_bound += is_here ? 1 : 0;
    return is_here;
  };
  if (!late_.empty()) {
    for (const SlotId slot : changed) {
      ShowLate(
          slot, [&](const causality::Dot& after) { return count_if_here(slot, after); }, show);
    }
  }
  for (auto& [slot, bound] : came_) {
    if (count_if_here(slot, bound.after)) {
      show(bound.request_id, std::move(bound.response));
    } else {
      ORRERY_MARK("reply came before the event that it is bound to");
      late_.emplace(slot, std::move(bound));
    }
  }
  came_.clear();
}

void BoundReplies::OnCommitTell(const CommitTellMessage& tell, const Show& show) {
  const auto is_told = [&](const causality::Dot& after) {
    if (after.actor != tell.upto.actor || after.counter > tell.upto.counter) return false;
    ORRERY_MARK("reply shown on its coordinator's word that enough others have the event");
    return true;
  };
  ShowLate(tell.slot, is_told, show);
}

// One question for all replies of a slot that are bound to events of one coordinator.
void BoundReplies::AskFor(SlotId slot) {
  std::map<NodeId, causality::Dot> newest;
  for (auto [at, end] = late_.equal_range(slot); at != end; ++at) {
    Bound& bound = at->second;
    if (!std::exchange(bound.has_ticked, true) || !context_.InReach(bound.coordinator)) continue;
    causality::Dot& dot = newest[bound.coordinator];
    if (dot.counter <= bound.after.counter) dot = bound.after;
  }
  for (const auto& [coordinator, dot] : newest)
    context_.outbox->Send(coordinator, CommitAskMessage{slot, dot});
}

void BoundReplies::OnTick(const std::function<bool(uint64_t request_id)>& is_wanted) {
  if (late_.empty()) return;
  std::erase_if(late_, [&](const auto& entry) { return !is_wanted(entry.second.request_id); });
  for (auto first = late_.begin(); first != late_.end(); first = late_.upper_bound(first->first)) {
    AskFor(first->first);
  }
}

}  // namespace orrery::replication
