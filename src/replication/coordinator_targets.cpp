// Who takes part for a slot: its homes, and who stands in for those that are away.

#include <algorithm>
#include <utility>

#include "orrery/base/marks.h"
#include "orrery/replication/coordinator.h"

namespace orrery::replication {
namespace {

// Who refused a hint had no room, or lacked what comes before: both pass. Doubled from the one to the other,
// as long as it goes on refusing: what is written while it is tried again may wait for it in vain.
constexpr uint64_t kRetryMinUs = 5'000'000;
constexpr uint64_t kRetryMaxUs = 80'000'000;

}  // namespace

using causality::Dot;
using causality::EventPtr;

void Coordinator::OnReachChanged() {
  for (SlotId id = 0; id < slots_.size(); ++id) {
    if (Slot* slot = Find(id)) {
      slot->refused.clear();  // other homes may be away now
      RefreshTargets(id, slot);
    }
  }
  refused_.Clear();
  SendParkedAway();
}

void Coordinator::OnPeerDown(NodeId peer) {
  turn_probes_.Forget(peer);
  for (SlotId id = 0; id < slots_.size(); ++id) {
    Slot* slot = Find(id);
    if (slot == nullptr) continue;
    slot->refused.erase(peer);
    // Before its place is taken: what it had acknowledged counts no more, so who stands in for it has to get
    // that, too.
    slot->quorum.Forget(peer);
    RefreshTargets(id, slot);
  }
}

void Coordinator::RefreshTargets(SlotId id, Slot* slot) {
  Targets targets = ComputeTargets(context_, id, slot->refused);
  if (std::exchange(slot->known_targets, true) && targets == slot->targets) return;
  const Targets before = std::exchange(slot->targets, std::move(targets));
  for (const Target& target : before.others) {
    // What it has acknowledged its successor has to acknowledge.
    if (!target.is_fallback() && !context_.IsHome(id, target.node)) slot->quorum.Forget(target.node);
  }
  // Increments counted from here on must survive a removal by whoever cannot see them.
  slot->birth_floor = context_.slots->At(id).clock().Get(context_.self);
  slot->ready = false;
  slot->ready_probe = 0;
  for (const Target& target : slot->targets.others) {
    if (std::find(before.others.begin(), before.others.end(), target) == before.others.end()) {
      Introduce(id, slot, target);
    }
  }
  if (slot->queue.empty() && slot->replies.empty()) return;
  AskEverybody(slot);
  Changed(id);
}

// A fallback steps in: it gets, as hints, all that the absent home may lack since the commit point.
void Coordinator::Introduce(SlotId id, Slot* slot, const Target& target) {
  if (!target.is_fallback()) return;
  std::vector<Dot> newest;
  for (const Dot& dot : slot->quorum.Unsettled()) {
    auto it = std::find_if(newest.begin(), newest.end(), [&](const Dot& d) { return d.actor == dot.actor; });
    if (it == newest.end()) {
      newest.push_back(dot);
    } else {
      it->counter = std::max(it->counter, dot.counter);
    }
  }
  for (const Dot& dot : newest) SendHints(id, slot, target, dot.actor, dot.counter);
}

// What is on W nodes already, or on the home's own, needs no hint.
uint64_t Coordinator::HintsBegin(SlotId id, const Slot& slot, NodeId home,
                                 const causality::Actor& actor) const {
  const bool may_count = slot.quorum.base_settled() || ORRERY_MUTATION("copies-of-fewer-seats-count");
  const uint64_t committed = may_count ? context_.slots->At(id).committed().Get(actor) : 0;
  return std::max(committed, slot.quorum.KnownOf(home, actor));
}

void Coordinator::SendHints(SlotId id, Slot* slot, const Target& target, const causality::Actor& actor,
                            uint64_t upto) {
  SlotReplica& replica = context_.slots->At(id);
  const uint64_t since = HintsBegin(id, *slot, target.home, actor);
  if (since >= upto) return;
  const auto events = replica.backlog().Of(actor, since, upto);
  if (!events) return;
  ORRERY_MARK("in-flight events hinted when a home went away");
  for (const EventPtr& event : *events)
    context_.outbox->Send(target.node, HintMessage{target.home, since, event});
}

void Coordinator::TurnElsewhere(SlotId id, Slot* slot, NodeId fallback) {
  ORRERY_MARK("a fallback refused a hint");
  slot->refused.insert(fallback);
  slot->retry_pause_us = std::min(std::max(2 * slot->retry_pause_us, kRetryMinUs), kRetryMaxUs);
  slot->retry_us = context_.clock->MonotonicUs() + slot->retry_pause_us;
  refused_.Insert(id);
  RefreshTargets(id, slot);
}

// Only where nobody else stands in. It gets, as whoever steps in, all that the absent home may lack.
void Coordinator::RetryRefused(uint64_t now_us) {
  const std::vector<SlotId> slots = refused_.slots();
  for (const SlotId id : slots) {
    Slot& slot = At(id);
    if (slot.refused.empty()) {
      refused_.Erase(id);
    } else if (now_us >= slot.retry_us && slot.targets.participants() < context_.Homes(id).size()) {
      ORRERY_MARK("a fallback that had refused is asked again");
      refused_.Erase(id);
      slot.refused.clear();
      RefreshTargets(id, &slot);
    }
  }
}

}  // namespace orrery::replication
