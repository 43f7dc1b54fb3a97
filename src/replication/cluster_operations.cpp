// What operators ask of the members, and who was there at the founding.

#include <algorithm>
#include <string>
#include <utility>

#include "orrery/replication/cluster_control.h"
#include "replication/control_parts.h"

namespace orrery::replication {

using membership::Member;
using membership::MembershipMap;
using membership::MemberState;

namespace {

// A node that leaves is gone when it has had nothing for so long: what others did not know yet may still have
// reached it.
constexpr uint64_t kQuietUs = 2'000'000;
// Then it refuses new requests, and what it has sent to others for its clients is waited for: at least until
// the loops have counted anew, and at most as long as a client that blocks.
constexpr uint64_t kFarewellUs = 1'000'000;
constexpr uint64_t kFarewellMaxUs = 10'000'000;

}  // namespace

// ---- founders ----

void ClusterControl::UpdateFounders() {
  const auto* members = state_.members.Founders();
  if (members == nullptr) {
    founders_ = nullptr;
    founder_members_.clear();
    return;
  }
  if (founders_ && *members == founder_members_) return;
  founder_members_ = *members;
  founders_ = founder_members_ == ring_members_
                  ? ring_
                  : hooks_.build_ring(founder_members_, options_.replication_factor);
  if (hooks_.sync_turn) hooks_.sync_turn();
}

// Before a newcomer is a member it knows that it owns no seat. Whether its entry changed.
bool ClusterControl::AdoptFounders(const MembershipMap& known) {
  const auto* founders = known.Founders();
  if (founders == nullptr || state_.members.Founders() != nullptr || hooks_.has_data()) return false;
  Member own = *state_.members.Find(state_.id);
  own.founders = *founders;
  ++own.version;
  state_.members.Merge(own);
  return true;
}

// Seats go to members with a share, and there have to be as many of these as seats of a slot.
size_t ClusterControl::OthersWithShare(NodeId node) const {
  const auto members = RingMembersOf(state_.members);
  return static_cast<size_t>(
      std::count_if(members.begin(), members.end(),
                    [&](const ring::RingMember& member) { return member.id != node && member.weight > 0; }));
}

// ---- leaving ----

bool ClusterControl::is_leaving() const {
  const Member* own = state_.members.Find(state_.id);
  return own != nullptr && own->state == MemberState::kLeaving;
}

void ClusterControl::TellOfOwnEntry() {
  OnMembersChanged();
  Gossip(gossip_.OnLocalChange(LinkedMembers()));
}

Status ClusterControl::Leave() {
  Member own = *state_.members.Find(state_.id);
  if (own.state == MemberState::kRemoved) return Status::Invalid("this node was removed from the cluster");
  if (own.state == MemberState::kLeaving) return Status::Ok();
  const size_t up = RingMembersOf(state_.members).size();
  if (up <= 1) return Status::Invalid("the only member cannot leave");
  if (founders_ && OthersWithShare(state_.id) < options_.replication_factor) {
    return Status::Invalid("the other members are fewer than the copies of each slot; add a node first");
  }
  own.state = MemberState::kLeaving;
  ++own.version;
  state_.members.Merge(own);
  nothing_held_since_us_ = 0;
  farewell_since_us_ = 0;
  others_suffice_ = true;
  TellOfOwnEntry();
  if (hooks_.log) hooks_.log("leaving: what this node has goes to the other members");
  return Status::Ok();
}

void ClusterControl::FinishLeaving(uint64_t now_us) {
  if (!is_leaving() || !hooks_.holdings) return;
  if (hooks_.holdings() > 0) {
    nothing_held_since_us_ = 0;
    if (std::exchange(farewell_since_us_, 0) != 0) Publish(true);
    return TellWhetherOthersSuffice();
  }
  if (nothing_held_since_us_ == 0) nothing_held_since_us_ = now_us;
  if (now_us < nothing_held_since_us_ + kQuietUs) return;
  if (farewell_since_us_ == 0) {
    farewell_since_us_ = now_us;
    return Publish(true);
  }
  if (now_us < farewell_since_us_ + kFarewellUs) return;
  const bool is_waited_for = hooks_.requests && hooks_.requests() > 0;
  if (is_waited_for && now_us < farewell_since_us_ + kFarewellMaxUs) return;
  state_.members.Merge(membership::RemovalOf(*state_.members.Find(state_.id)));
  has_left_unheard_ = !state_.members.Present().empty();
  farewell_since_us_ = 0;
  TellOfOwnEntry();
  if (!has_left_unheard_) TellThatWeHaveLeft();
}

// Not before somebody knows: for the others a node that is stopped earlier is dead, and its seats wait.
void ClusterControl::TellThatWeHaveLeft() {
  Publish(true);
  if (hooks_.log)
    hooks_.log("this node has left the cluster; it may be stopped, or become a new node by CLUSTER RESET");
}

// Each node grants what operators ask by what it knows, so several who are asked at one moment may together
// leave too few.
void ClusterControl::TellWhetherOthersSuffice() {
  const bool suffice = !founders_ || OthersWithShare(state_.id) >= options_.replication_factor;
  if (suffice == std::exchange(others_suffice_, suffice) || !hooks_.log) return;
  hooks_.log(suffice ? "leaving goes on: the other members with a share are enough again"
                     : "leaving waits: the other members with a share are fewer than the copies of each "
                       "slot; add a node, "
                       "or give a member its share again");
}

// ---- removal ----

Status ClusterControl::Remove(NodeId node) {
  const Member* member = state_.members.Find(node);
  if (member == nullptr) return Status::Invalid("Unknown node " + node.ToName());
  if (node == state_.id) return Status::Invalid("I tried hard but I can't forget myself...");
  // Whoever tells one member after the other need not be faster than the first one's news.
  if (member->state == MemberState::kRemoved) return Status::Ok();
  if (view_->IsAlive(node)) {
    if (member->state == MemberState::kLeaving || member->weight == 0) {
      hooks_.send(node, std::string(1, kAskToLeave));
      if (hooks_.log)
        hooks_.log("node " + node.ToHex() +
                   " is asked to leave: it has no share, and an operator wants it removed");
      return Status::Ok();
    }
    return Status::Invalid(
        "the node is alive: RING LEAVE there hands over what it has; only a dead node is removed");
  }
  state_.members.Merge(membership::RemovalOf(*member));
  if (hooks_.log) hooks_.log("node " + node.ToHex() + " was removed by an operator");
  TellOfOwnEntry();
  return Status::Ok();
}

Status ClusterControl::Replace(NodeId node) {
  if (OthersWithShare(node) < options_.replication_factor) {
    return Status::Invalid("there is no other node to take its place; add one first");
  }
  return Remove(node);
}

// Somebody was told to forget us, who have no share: what we may still hold for others goes to them first.
void ClusterControl::OnAskedToLeave(NodeId from) {
  const Member* own = state_.members.Find(state_.id);
  if (!IsMember(from) || !IsMember(state_.id) || own->weight > 0) return;
  if (Status s = Leave(); !s.ok() && hooks_.log) {
    hooks_.log("node " + from.ToHex() + " wants us to leave, which cannot be: " + s.message());
  }
}

void ClusterControl::RefuseRequests(bool refuses) {
  if (std::exchange(refuses_requests_, refuses) != refuses) Publish(true);
}

// A removal is final, whoever says so.
bool ClusterControl::TakeRemoval(const MembershipMap& known) {
  const Member* removal = known.Find(state_.id);
  if (removal == nullptr || removal->state != MemberState::kRemoved || !state_.members.Merge(*removal))
    return false;
  if (hooks_.log)
    hooks_.log(
        "this node was removed from the cluster: it serves nothing until CLUSTER RESET makes it a new one");
  OnMembersChanged();
  return true;
}

// ---- shares ----

Status ClusterControl::SetShare(uint32_t weight, const std::string& zone) {
  if (weight == 0 && founders_ && OthersWithShare(state_.id) < options_.replication_factor) {
    return Status::Invalid(
        "the other members with a share are fewer than the copies of each slot; add a node first");
  }
  options_.weight = weight;
  options_.zone = zone;
  WriteOwnEntry();
  TellOfOwnEntry();
  return Status::Ok();
}

}  // namespace orrery::replication
