#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "orrery/base/slot.h"
#include "orrery/replication/request.h"

namespace orrery::replication {

/// Requests that wait at their coordinator until one of their keys has something for them: the waiting half
/// of blocking commands (https://redis.io/commands/blpop/). They read only, so they may be lost, repeated or
/// answered for nothing: whoever waits asks again. Taking what there is is a request of its own, by the same
/// place.
///
/// First come, first served, by Request::place, whichever node the clients are connected to: of the requests
/// that wait for a key only the first is called, and until it has come for the key, or kPatienceUs have
/// passed, the key is held for it.
///
/// The coordinator's; one loop.
class ParkedRequests final : public KeyHolds {
 public:
  /// So long a key is held for a client that was called: many round trips, yet short for those behind a node
  /// that died.
  static constexpr uint64_t kPatienceUs = 500'000;

  struct Parked {
    Request request;
    Callback done;  ///< empty: it was called, and its keys are held for it
    uint64_t until_us = 0;
  };

  bool empty() const { return slots_.empty(); }
  /// REQUIRES: nothing of the same place is parked in the slot.
  void Park(Request request, Callback done, uint64_t until_us);
  /// Takes out what waits in the slot by that place. Gives its callback, empty if there is none to call.
  Callback Leave(SlotId slot, std::string_view place);
  /// What is parked in the slot leaves, all of it.
  std::vector<Callback> LeaveAll(SlotId slot);

  /// The slot's rows have changed: who waits there may have something now.
  void Touch(SlotId slot);
  bool IsTouched(SlotId slot) const;
  /// Those to ask now whether there is something for them: the first of each key, if it was not called yet.
  /// The slot counts as untouched afterwards. Pointers are good until something is parked or leaves.
  std::vector<const Request*> Candidates(SlotId slot);
  /// It is called: keeps its keys for it, and gives the callback.
  Callback Call(SlotId slot, std::string_view place, uint64_t now_us);

  /// Takes out what has waited for too long; slots whose keys became free by that are touched.
  std::vector<Callback> TakeLate(uint64_t now_us);
  std::vector<SlotId> slots() const;

  bool IsHeld(const Request& request, std::string_view key) const override;

 private:
  using Key = std::pair<uint8_t, std::string>;
  struct Slot {
    std::map<std::string, Parked, std::less<>> by_place;
    std::map<Key, std::set<std::string, std::less<>>> places;  ///< of those who wait for the key, in order
    bool touched = true;
  };

  Callback Erase(Slot* slot, std::map<std::string, Parked, std::less<>>::iterator it);

  std::map<SlotId, Slot> slots_;
};

}  // namespace orrery::replication
