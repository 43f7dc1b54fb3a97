// Who answers: what a member, and what a home says about lives that are to be closed.

#include <string>

#include "orrery/base/hash.h"
#include "orrery/base/marks.h"
#include "orrery/replication/life_closer.h"

namespace orrery::replication {

void LifeCloser::OnAsk(NodeId from, const CloseAskMessage& ask) {
  CloseAnswerMessage answer;
  answer.round = ask.round;
  answer.step = ask.step;
  for (const auto& entry : ask.entries) {
    if (ask.step == Step::kGiveUp) {
      context_.seals.Lift(entry.slot, from, ask.round);
      continue;
    }
    answer.entries.push_back({entry.slot, Agrees(from, ask, entry)});
  }
  if (!answer.entries.empty()) context_.outbox->SendDurable(from, answer);
}

bool LifeCloser::Agrees(NodeId from, const CloseAskMessage& ask, const CloseAskMessage::Entry& entry) {
  if (ask.step == Step::kClose) return TakesClose(entry);
  if (ask.members_hash != MembersHash() || HomesHash(entry.slot) != entry.homes_hash) {
    ORRERY_MARK("lives not closed: members or homes differ");
    return false;
  }
  const bool is_home = context_.IsHome(entry.slot);
  if (ask.step == Step::kAgree) {
    if (!is_home || !AgreesAsHome(entry)) return false;
    context_.seals.Seal(entry.slot, from, ask.round, entry.lives);
    return true;
  }
  if (hints_.HoldsNext(entry.slot, entry.lives) &&
      !ORRERY_MUTATION("lives-closed-without-asking-for-hints")) {
    ORRERY_MARK("lives not closed: a hint of them is on its way");
    return false;
  }
  if (ask.step == Step::kHints) return !is_home || AgreesAsHome(entry);
  // A home that has been stopped since, or whose slot was damaged, has forgotten what it promised.
  if (is_home) {
    return context_.seals.Stands(entry.slot, from, ask.round) ||
           ORRERY_MUTATION("lives-closed-without-agreement");
  }
  context_.seals.Seal(entry.slot, from, ask.round, entry.lives);
  return true;
}

bool LifeCloser::AgreesAsHome(const CloseAskMessage::Entry& entry) const {
  const SlotReplica& replica = context_.slots->At(entry.slot);
  return !replica.is_aside() && context_.InService(entry.slot) && HasOnDisk(entry.slot, entry.lives);
}

// Whoever has other counters now came back with less, and takes the floor with the rows.
bool LifeCloser::TakesClose(const CloseAskMessage::Entry& entry) {
  const SlotReplica& replica = context_.slots->At(entry.slot);
  if (!context_.IsHome(entry.slot) || replica.is_aside()) return false;
  if (HasClosed(replica.clock(), entry.lives)) return true;
  if (!HasExactly(replica.clock(), entry.lives)) {
    ORRERY_MARK("floor refused by a home that has other events");
    return false;
  }
  Close(entry.slot, entry.lives);
  return true;
}

bool LifeCloser::HasOnDisk(SlotId slot, const EndedLives& lives) const {
  const SlotReplica& replica = context_.slots->At(slot);
  if (!HasExactly(replica.clock(), lives)) return false;
  return HasExactly(context_.OnDisk(replica), lives) || ORRERY_MUTATION("lives-closed-on-unsynced-counters");
}

// Whoever knows other members may know of one that nobody has asked.
uint64_t LifeCloser::MembersHash() const {
  std::string bytes;
  Encoder out(&bytes);
  for (const NodeId member : members_) out.PutU64(member.value);
  return Hash64(bytes);
}

uint64_t LifeCloser::HomesHash(SlotId slot) const {
  std::string bytes;
  Encoder out(&bytes);
  for (const NodeId home : context_.Homes(slot)) out.PutU64(home.value);
  return Hash64(bytes);
}

}  // namespace orrery::replication
