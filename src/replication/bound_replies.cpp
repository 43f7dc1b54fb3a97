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

// Events travel before the replies that are bound to them: hardly ever is one not here yet.
void BoundReplies::AfterCommit(const std::vector<SlotId>& changed, const Show& show) {
  if (!late_.empty()) {
    for (const SlotId slot : changed) {
      for (auto [at, end] = late_.equal_range(slot); at != end;) {
        const auto bound = at++;
        if (!IsHere(slot, bound->second.after)) continue;
        ++context_.stats.replies_bound;
        show(bound->second.request_id, std::move(bound->second.response));
        late_.erase(bound);
      }
    }
  }
  for (auto& [slot, bound] : came_) {
    if (IsHere(slot, bound.after)) {
      ++context_.stats.replies_bound;
      show(bound.request_id, std::move(bound.response));
    } else {
      ORRERY_MARK("reply came before the event that it is bound to");
      late_.emplace(slot, std::move(bound));
    }
  }
  came_.clear();
}

void BoundReplies::OnCommitTell(const CommitTellMessage& tell, const Show& show) {
  for (auto [at, end] = late_.equal_range(tell.slot); at != end;) {
    const auto bound = at++;
    const causality::Dot& after = bound->second.after;
    if (after.actor != tell.upto.actor || after.counter > tell.upto.counter) continue;
    ORRERY_MARK("reply shown on its coordinator's word that enough others have the event");
    show(bound->second.request_id, std::move(bound->second.response));
    late_.erase(bound);
  }
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
