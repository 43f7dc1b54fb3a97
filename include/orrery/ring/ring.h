#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "orrery/base/node_id.h"
#include "orrery/base/slot.h"
#include "orrery/ring/preference_list.h"

namespace orrery::ring {

class TokenOrder;

/// What the ring knows of a member; all of it comes from the member's own membership entry.
struct RingMember {
  NodeId id;
  uint32_t weight = 1;      ///< share of the data relative to the others; 0 holds nothing and is in no list
  std::string zone{};       ///< nodes of one zone fail together; empty: a zone of its own
  uint32_t token_seed = 0;  ///< which of its possible token sets the node uses; see token_seed.h

  bool operator==(const RingMember&) const = default;
};

/// Neighbouring slots, both ends included.
struct SlotRange {
  SlotId first = 0;
  SlotId last = 0;

  bool operator==(const SlotRange&) const = default;
};

/// Neighbouring slots with the same coordinator.
struct CoordinatedRange {
  SlotRange slots;
  NodeId coordinator;
};

/// Which nodes hold which slot: strategy 3 of the Dynamo paper (section 6.2), equal slots dealt out evenly,
/// but as a pure function of the members, so that whoever knows the same members knows the same ring, on any
/// machine, in any order of input. No member has more than 1/0.95 of its fair share of homes, or of slots to
/// coordinate, unless zones leave no choice; and hardly more moves than the newcomer must get or the leaver
/// gives up (docs/ring.md has the measurements).
///
/// Immutable after Build; copies share the tables; any thread.
class Ring {
 public:
  /// No members: no homes anywhere.
  Ring();
  /// Milliseconds for ten members, some tenths of a second for a thousand.
  /// REQUIRES: ids are distinct and not zero; replication_factor >= 1.
  static Ring Build(std::vector<RingMember> members, int replication_factor);

  /// The same ring, but with nobody (node 0) as the homes of slots that are not kept: for simulations, in which many slots that
  /// nobody uses would only take time.
  Ring Only(const std::bitset<kSlotCount>& kept) const;

  /// The members with a weight, by id.
  const std::vector<RingMember>& members() const;
  bool Contains(NodeId node) const;
  int replication_factor() const { return replication_factor_; }
  /// The replication factor, or fewer if there are fewer members.
  int homes_per_slot() const { return homes_per_slot_; }

  /// The slot's homes, the preferred coordinator first; empty if there are no members. Constant time, no
  /// allocation.
  std::span<const NodeId> Homes(SlotId slot) const {
    return {homes_.data() + static_cast<size_t>(slot) * homes_per_slot_,
            static_cast<size_t>(homes_per_slot_)};
  }
  /// Zero if there are no members.
  NodeId Coordinator(SlotId slot) const { return homes_per_slot_ == 0 ? NodeId{} : Homes(slot).front(); }
  bool IsHome(SlotId slot, NodeId node) const;

  /// Homes, then fallbacks. The list refers to this ring, which must outlive it.
  PreferenceList PreferenceListOf(SlotId slot) const { return {this, slot}; }
  /// What PreferenceList computes on demand: every member that is not a home, zones not yet listed first.
  std::vector<NodeId> Fallbacks(SlotId slot) const;

  /// The slots that the node is preferred to coordinate, and those it is a home of, in order.
  std::vector<SlotRange> SlotsOf(NodeId node) const;
  std::vector<SlotRange> SlotsHeldBy(NodeId node) const;
  /// The whole ring, one entry per run of slots with one coordinator.
  std::vector<CoordinatedRange> CoordinatedRanges() const;
  uint32_t CoordinatorCount(NodeId node) const;
  uint32_t HomeCount(NodeId node) const;

  /// Equal for equal rings: a check between nodes, and for operators.
  uint64_t Fingerprint() const;

 private:
  int replication_factor_ = 1;
  int homes_per_slot_ = 0;
  std::vector<NodeId> homes_;  // homes_per_slot_ for each slot
  std::shared_ptr<const TokenOrder> order_;
};

}  // namespace orrery::ring
