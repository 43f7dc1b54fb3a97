#include "orrery/replication/slot_repair.h"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "orrery/base/marks.h"

namespace orrery::replication {
namespace {

// Between two rounds over the homes when the last one has not brought everything; doubled each time.
constexpr uint64_t kRoundUs = 500'000;
// Of more images than this not every choice is tried.
constexpr size_t kChoicesMax = 8;
// Of each slot, of events that come while it is away.
constexpr size_t kLateBytesMax = size_t{8} << 20;
// Log lines about slots that are damaged at the same time.
constexpr uint64_t kLinesMax = 20;

}  // namespace

void SlotRepair::Log(SlotId slot, const std::string& text) const {
  if (context_.log) context_.log("slot " + std::to_string(slot) + " " + text);
}

// A table file may hold rows of all slots.
void SlotRepair::LogOfMany(SlotId slot, const std::string& text) {
  if (++lines_ <= kLinesMax) Log(slot, text);
  if (lines_ == kLinesMax && context_.log)
    context_.log("more slots are damaged; INFO counts them (corrupt_slots)");
}

bool SlotRepair::Begin(SlotId slot, const Status& damage) {
  if (Has(slot)) return false;
  if (context_.Homes(slot).size() < 2) return RebuildAlone(slot, damage);
  ++context_.stats.corrupt_slots;
  LogOfMany(slot, "is damaged: " + damage.message() +
                      "; it is made anew from what can be read here and on the other homes");
  ORRERY_MARK("damaged slot is set aside");
  slots_[slot].kept_events = context_.slots->At(slot).backlog().All();
  context_.slots->SetAside(slot);
  context_.outbox->DropClaims(slot);
  return true;
}

// Rows that cannot be read stay so. Without a readable clock there is only what the rows say of it, and half
// of an event is all that there will be of it: its dot is not given to another one.
bool SlotRepair::RebuildAlone(SlotId slot, const Status& damage) {
  SlotReplica& replica = context_.slots->At(slot);
  if (!replica.is_loaded() || replica.has_loss() || replica.is_half_done()) {
    const Status rebuilt = replica.Rebuild();
    context_.slots->Touch(slot);
    if (!rebuilt.ok()) Log(slot, "cannot be read: " + rebuilt.message());
  }
  if (!reported_.insert(slot).second) return false;
  ++context_.stats.corrupt_slots;
  Log(slot, "is damaged: " + damage.message() + "; no other node has a copy");
  return false;
}

std::vector<SlotId> SlotRepair::slots() const {
  std::vector<SlotId> slots;
  for (const auto& [slot, repair] : slots_) slots.push_back(slot);
  return slots;
}

std::optional<NodeId> SlotRepair::NextSource(SlotId slot) {
  Repair& repair = slots_.at(slot);
  if (context_.clock->MonotonicUs() < repair.next_round_us) return std::nullopt;
  for (const NodeId home : context_.Homes(slot)) {
    if (home == context_.self.node || !context_.linked.contains(home)) continue;
    if (repair.asked.insert(home).second) return home;
  }
  return std::nullopt;
}

void SlotRepair::Fetched(SlotId slot, NodeId source, SlotImage image) {
  slots_.at(slot).images.insert_or_assign(source, std::move(image));
}

void SlotRepair::Keep(const causality::EventPtr& event) {
  if (ORRERY_MUTATION("hints-of-damaged-rows-ignored")) return;
  const auto repair = slots_.find(event->slot);
  if (repair == slots_.end() || repair->second.late_bytes + event->bytes.size() > kLateBytesMax) return;
  if (repair->second.late_events.emplace(event->dot, event).second)
    repair->second.late_bytes += event->bytes.size();
}

void SlotRepair::OnHints(NodeId from, SlotId slot) {
  const auto repair = slots_.find(slot);
  if (repair != slots_.end()) repair->second.hints_heard.insert(from);
}

// A row may be lost on all homes while somebody still keeps the event that made it.
void SlotRepair::AskForHints(SlotId slot, Repair* repair) {
  repair->hints_heard.clear();
  for (const auto& member : context_.view->members) {
    if (member.id != context_.self.node)
      context_.outbox->Send(member.id, ProbeMessage{slot, kProbeBit, true, {}});
  }
}

bool SlotRepair::HeardAll(SlotId slot, const Repair& repair) const {
  const auto& members = context_.view->members;
  return std::all_of(members.begin(), members.end(), [&](const auto& member) {
    const bool heard = context_.linked.contains(member.id) && repair.hints_heard.contains(member.id);
    return member.id == context_.self.node ||
           (heard && (!context_.IsHome(slot, member.id) || repair.images.contains(member.id)));
  });
}

// Of the homes so many that each acknowledged event, which is on W of them, is on one of these.
size_t SlotRepair::SourcesNeeded(SlotId slot) const {
  const size_t homes = context_.Homes(slot).size();
  const size_t others = homes > 1 ? homes - 1 : 1;
  const size_t w = context_.W(slot);
  return homes >= w ? std::min(homes - w + 1, others) : 1;
}

bool SlotRepair::ReadRemains(SlotId slot, Repair* repair) {
  const SlotReplica& replica = context_.slots->At(slot);
  if (repair->remains || replica.aside() == nullptr) return true;
  auto remains = replica.Remains();
  if (!remains.ok()) {
    Log(slot, "cannot be read: " + remains.status().message());
    return false;
  }
  repair->remains = std::move(*remains);
  return true;
}

bool SlotRepair::TryFinish(SlotId slot) {
  Repair& repair = slots_.at(slot);
  const uint64_t now_us = context_.clock->MonotonicUs();
  if (now_us < repair.next_round_us || !ReadRemains(slot, &repair)) return false;
  const auto image = Join(slot, repair);
  if (image) return Finish(slot, *image);
  // Whoever was away or damaged may be back with more.
  repair.asked.clear();
  AskForHints(slot, &repair);
  repair.rounds = std::min(repair.rounds + 1, kRoundsMax);
  repair.next_round_us = now_us + (kRoundUs << repair.rounds);
  return false;
}

void SlotRepair::OnPeerUp(NodeId peer) {
  for (auto& [slot, repair] : slots_) {
    repair.asked.erase(peer);
    repair.hints_heard.erase(peer);
    repair.next_round_us = 0;
  }
}

std::optional<SlotImage> SlotRepair::Join(SlotId slot, const Repair& repair) const {
  Images images;
  if (repair.remains) images.push_back(&*repair.remains);
  for (const auto& [home, image] : repair.images) images.push_back(&image);
  // By dot: each actor's in its order.
  std::map<causality::Dot, causality::EventPtr> by_dot = repair.late_events;
  for (const auto& event : repair.kept_events) by_dot.insert_or_assign(event->dot, event);
  std::vector<causality::Event> events;
  events.reserve(by_dot.size());
  for (const auto& [dot, event] : by_dot) {
    if (!causality::DecodeEvent(event->bytes, &events.emplace_back())) events.pop_back();
  }
  if (auto joined = JoinSome(slot, images, repair.remains.has_value(), events)) return joined;
  if (!HeardAll(slot, repair) || repair.rounds < kRoundsMax) return std::nullopt;
  ORRERY_MARK("rows that no home can read are given up");
  Log(slot, "has rows that no home can read; they are lost");
  return JoinWhatIsLeft(images, events);
}

// The most images that make each other up. Our own may be left out, if those of enough homes remain: then
// what only we had seen is forgotten, as if our disk were new. It may not be that it stays and rows of it are
// missing.
std::optional<SlotImage> SlotRepair::JoinSome(SlotId slot, const Images& images, bool with_own,
                                              const std::vector<causality::Event>& events) const {
  const size_t count = std::min(images.size(), kChoicesMax);
  std::vector<uint32_t> choices;
  for (uint32_t choice = 1; choice < (uint32_t{1} << count); ++choice) {
    const bool has_own = with_own && (choice & 1) != 0;
    if (has_own || static_cast<size_t>(std::popcount(choice)) >= SourcesNeeded(slot))
      choices.push_back(choice);
  }
  std::stable_sort(choices.begin(), choices.end(), [&](uint32_t a, uint32_t b) {
    const bool own_a = with_own && (a & 1) != 0;
    const bool own_b = with_own && (b & 1) != 0;
    return own_a != own_b ? own_a : std::popcount(a) > std::popcount(b);
  });
  for (const uint32_t choice : choices) {
    Images chosen;
    for (size_t i = 0; i < count; ++i) {
      if ((choice >> i & 1) != 0) chosen.push_back(images[i]);
    }
    if (auto joined = JoinImages(chosen, events)) return joined;
  }
  return std::nullopt;
}

bool SlotRepair::Finish(SlotId slot, const SlotImage& image) {
  const auto kept_events = std::move(slots_.at(slot).kept_events);
  slots_.erase(slot);
  context_.slots->Touch(slot);
  Status status = context_.slots->At(slot).Replace(image);
  if (status.ok()) status = context_.slots->Replay(slot, kept_events);
  if (status.ok()) {
    ++context_.stats.repaired_slots;
    LogOfMany(slot, "is whole again");
  } else {
    Log(slot, "cannot be made anew: " + status.message());
  }
  if (slots_.empty() && std::exchange(lines_, 0) > kLinesMax && context_.log) {
    context_.log("all damaged slots are whole again");
  }
  return true;
}

}  // namespace orrery::replication
