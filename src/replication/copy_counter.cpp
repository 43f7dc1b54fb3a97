#include "orrery/replication/copy_counter.h"

#include <algorithm>
#include <utility>

#include "orrery/base/marks.h"

namespace orrery::replication {

void CopyCounter::Await(const std::vector<SlotId>& slots, uint64_t replicas, uint64_t timeout_ms,
                        GivenUp given_up, Done done) {
  const uint64_t now_us = context_.clock->MonotonicUs();
  const uint64_t id = next_id_++;
  Wait& wait = waits_[id];
  wait.replicas = replicas;
  wait.deadline_us = timeout_ms == 0 ? 0 : now_us + timeout_ms * 1000;
  wait.given_up = std::move(given_up);
  wait.done = std::move(done);
  wait.begun_us = now_us;
  wait.asked_us = now_us;
  for (const SlotId slot : slots) Ask(id, slot, &wait.slots[slot]);
  changed_.insert(id);
  Arm();
}

// Homes that have what is wanted already are not asked again, nor are fallbacks once that is known.
void CopyCounter::Ask(uint64_t id, SlotId slot, Slot* asked) {
  const auto ask = [&](NodeId node) {
    if (node == context_.self.node || !context_.InReach(node)) return false;
    asked->awaited.insert(node);
    context_.outbox->Send(node, ClockAskMessage{slot, id});
    return true;
  };
  for (const NodeId home : context_.Homes(slot)) {
    const auto known = asked->homes.find(home);
    const bool has_it =
        asked->is_known && known != asked->homes.end() && known->second.CoversEveryDotOf(asked->wanted);
    if (!has_it) ask(home);
  }
  if (asked->is_known) return;
  size_t fallbacks = 0;
  for (const NodeId node : context_.Fallbacks(slot)) {
    if (fallbacks >= context_.Homes(slot).size()) break;
    fallbacks += ask(node) ? 1 : 0;
  }
}

void CopyCounter::OnAsk(NodeId from, const ClockAskMessage& ask) {
  ClockTellMessage tell{ask.slot, ask.ask_id, false, {}};
  if (context_.InService(ask.slot)) {
    // What it had it may have lost: it says nothing until it has it again.
    if (context_.slots->At(ask.slot).is_aside()) return;
    tell.is_home = true;
    tell.clock = context_.slots->At(ask.slot).clock();
  } else {
    tell.clock = hints_.HintClock(ask.slot);
  }
  context_.outbox->SendDurable(from, tell);
}

void CopyCounter::OnTell(NodeId from, const ClockTellMessage& tell) {
  const auto wait = waits_.find(tell.ask_id);
  if (wait == waits_.end()) return;
  const auto asked = wait->second.slots.find(tell.slot);
  if (asked == wait->second.slots.end() || asked->second.awaited.erase(from) == 0) return;
  if (tell.is_home) {
    asked->second.homes.insert_or_assign(from, tell.clock);
  } else {
    asked->second.hinted.Join(tell.clock);
  }
  changed_.insert(tell.ask_id);
}

void CopyCounter::AddOwn(SlotId slot, Slot* asked) const {
  if (!context_.InService(slot)) {
    if (!asked->is_known) asked->hinted.Join(hints_.HintClock(slot));
    return;
  }
  const SlotReplica& replica = context_.slots->At(slot);
  if (!replica.is_aside()) asked->homes.insert_or_assign(context_.self.node, replica.clock());
}

void CopyCounter::Count(SlotId slot, Slot* asked, bool is_late) const {
  AddOwn(slot, asked);
  std::erase_if(asked->homes, [&](const auto& entry) { return !context_.IsHome(slot, entry.first); });
  if (!asked->is_known) {
    const size_t enough = context_.Homes(slot).size() - context_.W(slot) + 1;
    if ((!asked->awaited.empty() && !is_late) || asked->homes.size() < enough) return;
    asked->is_known = true;
    asked->wanted = asked->hinted;
    for (const auto& [home, clock] : asked->homes) asked->wanted.Join(clock);
  }
  const auto having = std::count_if(asked->homes.begin(), asked->homes.end(), [&](const auto& entry) {
    return entry.second.CoversEveryDotOf(asked->wanted);
  });
  asked->copies = static_cast<uint64_t>(std::max<std::ptrdiff_t>(having - 1, 0));
}

bool CopyCounter::IsOver(Wait* wait, uint64_t now_us) const {
  const bool is_late = now_us >= wait->begun_us + kPatienceUs;
  uint64_t least = UINT64_MAX;
  bool all_known = true;
  for (auto& [slot, asked] : wait->slots) {
    if (!asked.is_known || asked.copies < wait->replicas) Count(slot, &asked, is_late);
    least = std::min(least, asked.copies);
    all_known &= asked.is_known;
  }
  const bool has_passed = wait->deadline_us != 0 && now_us >= wait->deadline_us;
  if (!has_passed && (least < wait->replicas || (!all_known && !is_late))) return false;
  wait->done(least);
  return true;
}

void CopyCounter::AfterCommit() {
  if (changed_.empty()) return;
  const uint64_t now_us = context_.clock->MonotonicUs();
  for (const uint64_t id : std::exchange(changed_, {})) {
    const auto wait = waits_.find(id);
    if (wait != waits_.end() && IsOver(&wait->second, now_us)) waits_.erase(wait);
  }
}

// Less and less often, while nothing changes.
void CopyCounter::AskAgain(uint64_t id, Wait* wait, uint64_t now_us) {
  const bool answered = std::all_of(wait->slots.begin(), wait->slots.end(),
                                    [](const auto& slot) { return slot.second.awaited.empty(); });
  if (now_us < wait->asked_us + (answered ? wait->pause_us : kPatienceUs)) return;
  ORRERY_MARK("copies that WAIT waits for are counted again");
  wait->asked_us = now_us;
  wait->pause_us = std::min(2 * wait->pause_us, kPauseMaxUs);
  for (auto& [slot, asked] : wait->slots) {
    if (asked.is_known && asked.copies >= wait->replicas) continue;
    asked.awaited.clear();
    Ask(id, slot, &asked);
  }
}

void CopyCounter::Tick() {
  const uint64_t now_us = context_.clock->MonotonicUs();
  std::erase_if(waits_, [](const auto& entry) { return entry.second.given_up->load(); });
  for (auto& [id, wait] : waits_) {
    AskAgain(id, &wait, now_us);
    changed_.insert(id);
  }
  Arm();
}

void CopyCounter::Arm() {
  if (armed_ || waits_.empty()) return;
  armed_ = true;
  context_.timers->After(kPauseMinUs, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    armed_ = false;
    Tick();
  });
}

}  // namespace orrery::replication
