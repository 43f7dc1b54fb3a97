// Who asks: which slots have ended lives, and the steps of a round.

#include "orrery/replication/life_closer.h"

#include <algorithm>
#include <utility>

#include "orrery/base/marks.h"

namespace orrery::replication {

namespace {

// A life that is over was often that of a node which has just come back: its last events are still on their way to the
// homes that lack them, and seals would only hold them up.
constexpr uint64_t kSettleUs = 5'000'000;

}  // namespace

LifeCloser::LifeCloser(ShardContext* context, const HintService* hints, LifeCloserListener* listener)
    : context_(*context), hints_(*hints), listener_(*listener) {
  context_.lives.Learn(context_.self.node, context_.self.incarnation);
  OnViewChanged();
}

// ---- what there is to close ----

void LifeCloser::OnPeerUp(NodeId peer, uint64_t incarnation) {
  context_.lives.Learn(peer, incarnation);
  look_ = true;
}

void LifeCloser::OnPeerDown(NodeId /*peer*/) {
  // What it said holds no more: it may come back with less.
  if (round_) GiveUpRound();
}

void LifeCloser::OnViewChanged() {
  members_.clear();
  for (const auto& member : context_.view->members) members_.insert(member.id);
  context_.lives.SetRemoved(context_.view->removed);
  look_ = true;
}

void LifeCloser::OnSlotReset(SlotId slot) {
  context_.seals.Drop(slot);
  if (round_ && round_->slots.contains(slot)) GiveUp(slot);
}

void LifeCloser::Tick(uint64_t now_us) {
  context_.seals.Tick();
  if (round_ && now_us > round_->until_us) {
    ORRERY_MARK("round of closing lives ran out of time");
    GiveUpRound();
  }
  std::vector<SlotId> late;
  context_.perhaps_ended.TakeInto(&late);
  for (const SlotId slot : late) Note(slot, now_us);
  if (look_ && EverybodyIsLinked()) LookForEnded(now_us);
  if (!round_ && !due_.empty() && EverybodyIsLinked()) Begin(now_us);
}

bool LifeCloser::EverybodyIsLinked() const {
  return std::all_of(members_.begin(), members_.end(),
                     [&](NodeId member) { return context_.InReach(member); });
}

// Whoever failed before may be right now.
void LifeCloser::LookForEnded(uint64_t now_us) {
  look_ = false;
  due_.clear();
  for (const SlotId slot : context_.slots->known()) Note(slot, now_us);
}

void LifeCloser::Note(SlotId slot, uint64_t now_us) {
  if (HasEnded(slot)) due_.try_emplace(slot, Due{now_us + kSettleUs, 0});
}

// Whether we are the one to ask about it.
bool LifeCloser::HasEnded(SlotId slot) const {
  const SlotReplica* replica = context_.slots->Find(slot);
  const auto homes = context_.Homes(slot);
  if (replica == nullptr || homes.empty() || homes.front() != context_.self.node) return false;
  // While a seat is between two owners a third node has what only it may know.
  if (context_.seats.HasPending(slot)) return false;
  return !FindEnded(*replica).empty();
}

EndedLives LifeCloser::FindEnded(const SlotReplica& replica) const {
  const auto heard_of = context_.heard_of.find(replica.id());
  if (heard_of == context_.heard_of.end()) return context_.lives.FindEnded(replica.clock(), replica.voided());
  return context_.lives.FindEnded(replica.clock(), replica.voided(), heard_of->second);
}

// ---- a round ----

std::optional<EndedLives> LifeCloser::Closable(SlotId slot) const {
  const SlotReplica& replica = context_.slots->At(slot);
  EndedLives lives = FindEnded(replica);
  if (lives.empty() || replica.is_aside() || !context_.InService(slot) || !HasOnDisk(slot, lives)) return std::nullopt;
  if (hints_.HoldsNext(slot, lives)) return std::nullopt;
  return lives;
}

void LifeCloser::Begin(uint64_t now_us) {
  Round round;
  round.id = (uint64_t{context_.options.loop_index} << 48) | next_round_++;
  round.until_us = now_us + kPatienceUs;
  round.members_hash = MembersHash();
  for (auto it = due_.begin(); it != due_.end() && round.slots.size() < kSlotsPerRound;) {
    auto& [slot, due] = *it++;
    if (due.at_us > now_us) continue;
    if (!HasEnded(slot)) {
      due_.erase(slot);
      continue;
    }
    if (auto lives = Closable(slot)) round.slots.emplace(slot, Asked{std::move(*lives), {}});
    due.at_us = now_us + (kAgainUs << std::min(due.failures, kDoublingsMax));
    ++due.failures;
  }
  if (round.slots.empty()) return;
  round_ = std::move(round);
  Ask(Step::kHints);
}

void LifeCloser::Ask(Step step) {
  round_->step = step;
  std::map<NodeId, CloseAskMessage> asks;
  for (auto& [slot, asked] : round_->slots) {
    const auto homes = context_.Homes(slot);
    for (const NodeId member : members_) {
      const bool is_home = std::find(homes.begin(), homes.end(), member) != homes.end();
      if (member == context_.self.node || (step == Step::kAgree && !is_home)) continue;
      asks[member].entries.push_back({slot, HomesHash(slot), asked.lives});
      asked.awaited.insert(member);
    }
    if (step == Step::kAgree) context_.seals.Seal(slot, context_.self.node, round_->id, asked.lives);
  }
  for (auto& [member, ask] : asks) {
    ask.round = round_->id;
    ask.step = step;
    ask.members_hash = round_->members_hash;
    context_.outbox->SendDurable(member, ask);
  }
  Advance();
}

void LifeCloser::OnAnswer(NodeId from, const CloseAnswerMessage& answer) {
  if (answer.step == Step::kClose) {
    for (const auto& entry : answer.entries) {
      const auto lives = closing_.find(entry.slot);
      if (lives != closing_.end() && entry.agrees) listener_.OnPeerClosed(from, entry.slot, lives->second);
    }
    return;
  }
  if (!round_ || answer.round != round_->id || answer.step != round_->step) return;
  for (const auto& entry : answer.entries) {
    const auto asked = round_->slots.find(entry.slot);
    if (asked == round_->slots.end()) continue;
    if (entry.agrees) {
      asked->second.awaited.erase(from);
    } else {
      GiveUp(entry.slot);
    }
  }
  Advance();
}

// To the next step once nobody is awaited any more.
void LifeCloser::Advance() {
  if (!round_) return;
  const bool all = std::all_of(round_->slots.begin(), round_->slots.end(),
                               [](const auto& asked) { return asked.second.awaited.empty(); });
  if (!all) return;
  if (round_->slots.empty()) {
    round_.reset();
    return;
  }
  switch (round_->step) {
    case Step::kHints:
      return Ask(ORRERY_MUTATION("lives-closed-without-agreement") ? Step::kConfirm : Step::kAgree);
    case Step::kAgree:
      return Ask(Step::kConfirm);
    default:
      return Decide();
  }
}

// All homes had the same events at one instant, and since then nobody has had another one.
void LifeCloser::Decide() {
  if (round_->members_hash != MembersHash() || context_.clock->MonotonicUs() > round_->until_us)
    return GiveUpRound();
  closing_.clear();
  std::map<NodeId, CloseAskMessage> asks;
  for (const auto& [slot, asked] : std::exchange(round_->slots, {})) {
    const SlotReplica& replica = context_.slots->At(slot);
    if (replica.is_aside() || !HasExactly(replica.clock(), asked.lives) ||
        hints_.HoldsNext(slot, asked.lives))
      continue;
    for (const NodeId home : context_.Homes(slot)) {
      if (home != context_.self.node) asks[home].entries.push_back({slot, HomesHash(slot), asked.lives});
    }
    Close(slot, asked.lives);
    closing_.emplace(slot, asked.lives);
    due_.erase(slot);
  }
  for (auto& [home, ask] : asks) {
    ask.round = round_->id;
    ask.step = Step::kClose;
    context_.outbox->SendDurable(home, ask);
  }
  round_.reset();
}

void LifeCloser::Close(SlotId slot, const EndedLives& lives) {
  context_.heard_of.erase(slot);
  ORRERY_MARK("lives closed");
  context_.slots->CloseLives(slot, lives);
  context_.seals.Drop(slot);
  ++context_.stats.lives_closed;
  listener_.OnLivesClosed(slot, lives);
}

void LifeCloser::GiveUp(SlotId slot) {
  ORRERY_MARK("lives not closed: somebody has more or less");
  const auto asked = round_->slots.extract(slot);
  if (round_->step == Step::kHints) return;
  context_.seals.Lift(slot, context_.self.node, round_->id);
  CloseAskMessage ask;
  ask.round = round_->id;
  ask.step = Step::kGiveUp;
  ask.entries.push_back({slot, 0, std::move(asked.mapped().lives)});
  for (const NodeId member : members_) {
    if (member != context_.self.node) context_.outbox->SendDurable(member, ask);
  }
}

void LifeCloser::GiveUpRound() {
  while (!round_->slots.empty()) GiveUp(round_->slots.begin()->first);
  round_.reset();
}

}  // namespace orrery::replication
