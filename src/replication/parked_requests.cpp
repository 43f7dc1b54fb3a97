#include "orrery/replication/parked_requests.h"

#include "orrery/base/check.h"

namespace orrery::replication {

void ParkedRequests::Park(Request request, Callback done, uint64_t until_us) {
  Slot& slot = slots_[request.slot];
  for (size_t i = Request::kParkedKeys; i < request.args.size(); ++i) {
    slot.places[{request.db, std::string(request.args[i])}].insert(request.place);
  }
  slot.touched = true;
  std::string place = request.place;
  const bool is_new =
      slot.by_place.try_emplace(std::move(place), Parked{std::move(request), std::move(done), until_us})
          .second;
  ORRERY_CHECK(is_new);
}

Callback ParkedRequests::Erase(Slot* slot, std::map<std::string, Parked, std::less<>>::iterator it) {
  const Request& request = it->second.request;
  for (size_t i = Request::kParkedKeys; i < request.args.size(); ++i) {
    const auto key = slot->places.find({request.db, std::string(request.args[i])});
    if (key == slot->places.end()) continue;  // the same key, named twice
    key->second.erase(request.place);
    if (key->second.empty()) slot->places.erase(key);
  }
  Callback done = std::move(it->second.done);
  slot->by_place.erase(it);
  slot->touched = true;
  return done;
}

Callback ParkedRequests::Leave(SlotId id, std::string_view place) {
  const auto slot = slots_.find(id);
  if (slot == slots_.end()) return nullptr;
  const auto it = slot->second.by_place.find(place);
  if (it == slot->second.by_place.end()) return nullptr;
  Callback done = Erase(&slot->second, it);
  if (slot->second.by_place.empty()) slots_.erase(slot);
  return done;
}

std::vector<Callback> ParkedRequests::LeaveAll(SlotId id) {
  std::vector<Callback> left;
  const auto slot = slots_.find(id);
  if (slot == slots_.end()) return left;
  for (auto& [place, parked] : slot->second.by_place) {
    if (parked.done) left.push_back(std::move(parked.done));
  }
  slots_.erase(slot);
  return left;
}

void ParkedRequests::Touch(SlotId id) {
  const auto slot = slots_.find(id);
  if (slot != slots_.end()) slot->second.touched = true;
}

bool ParkedRequests::IsTouched(SlotId id) const {
  const auto slot = slots_.find(id);
  return slot != slots_.end() && slot->second.touched;
}

std::vector<const Request*> ParkedRequests::Candidates(SlotId id) {
  std::vector<const Request*> candidates;
  const auto slot = slots_.find(id);
  if (slot == slots_.end()) return candidates;
  slot->second.touched = false;
  std::set<std::string_view> firsts;
  for (const auto& [key, places] : slot->second.places) firsts.insert(*places.begin());
  for (std::string_view place : firsts) {
    const Parked& parked = slot->second.by_place.find(place)->second;
    if (parked.done) candidates.push_back(&parked.request);
  }
  return candidates;
}

Callback ParkedRequests::Call(SlotId id, std::string_view place, uint64_t now_us) {
  Parked& parked = slots_.at(id).by_place.find(place)->second;
  parked.until_us = now_us + kPatienceUs;
  return std::exchange(parked.done, nullptr);
}

std::vector<Callback> ParkedRequests::TakeLate(uint64_t now_us) {
  std::vector<Callback> late;
  for (auto slot = slots_.begin(); slot != slots_.end();) {
    auto& by_place = slot->second.by_place;
    for (auto it = by_place.begin(); it != by_place.end();) {
      const auto parked = it++;
      if (parked->second.until_us > now_us) continue;
      if (Callback done = Erase(&slot->second, parked)) late.push_back(std::move(done));
    }
    slot = by_place.empty() ? slots_.erase(slot) : std::next(slot);
  }
  return late;
}

std::vector<SlotId> ParkedRequests::slots() const {
  std::vector<SlotId> all;
  all.reserve(slots_.size());
  for (const auto& [id, slot] : slots_) all.push_back(id);
  return all;
}

bool ParkedRequests::IsHeld(const Request& request, std::string_view key) const {
  const auto slot = slots_.find(request.slot);
  if (slot == slots_.end()) return false;
  const auto places = slot->second.places.find({request.db, std::string(key)});
  return places != slot->second.places.end() && *places->second.begin() < request.place;
}

}  // namespace orrery::replication
