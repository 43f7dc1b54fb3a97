// How nodes meet: what a new one asks, how it introduces itself, and who is admitted.

#include <algorithm>
#include <utility>

#include "orrery/replication/cluster_control.h"
#include "orrery/ring/token_seed.h"
#include "replication/control_parts.h"

namespace orrery::replication {

using membership::Member;
using membership::MembershipMap;
using membership::MemberState;

// ---- a new node ----

void ClusterControl::SendMembers(NodeId to) {
  std::string bytes(1, kMembers);
  Encoder out(&bytes);
  state_.members.Encode(&out);
  hooks_.send(to, std::move(bytes));
}

// The answer is for the choice of tokens only: whether we belong to them is not decided yet.
void ClusterControl::OnMembers(Decoder* in) {
  const MembershipMap known = MembershipMap::Decode(in);
  if (!in->done() || !is_new_) return;
  ChooseTokens(known);
  IntroduceToAll();
}

void ClusterControl::ChooseTokens(const MembershipMap& known) {
  Member own = *state_.members.Find(state_.id);
  own.token_seed =
      ring::ChooseTokenSeed(RingMembersOf(known), RingMemberOf(own), options_.replication_factor);
  if (own == *state_.members.Find(state_.id)) return;
  ++own.version;
  state_.members.Merge(own);
  OnMembersChanged();
}

void ClusterControl::IntroduceToAll() {
  is_new_ = false;
  for (NodeId peer : linked_) SendIntroduction(peer);
  for (const auto& [from, bytes] : std::exchange(early_, {})) OnIntroduction(from, bytes);
}

void ClusterControl::SendIntroduction(NodeId to) {
  std::string bytes(1, kIntroduction);
  Encoder out(&bytes);
  membership::EncodeMember(*state_.members.Find(state_.id), &out);
  hooks_.send(to, std::move(bytes));
}

// ---- admission ----

bool ClusterControl::ClusterHasData() const {
  const auto members = state_.members.Present();
  return hooks_.has_data() ||
         std::any_of(members.begin(), members.end(), [](const Member& m) { return m.has_data; });
}

std::string ClusterControl::WhyNotAdmitted(const Member& member) const {
  const Member* known = state_.members.Find(member.id);
  if (known != nullptr) {
    return known->state == MemberState::kRemoved ? "this node was removed from the cluster" : "";
  }
  if (member.has_data) return "a node that holds data cannot join; start it with an empty directory";
  if (!ClusterHasData()) return "";
  return "the cluster holds data, and moving data to new members is not supported yet: join before the first "
         "write";
}

void ClusterControl::OnIntroduction(NodeId from, std::string_view bytes) {
  if (is_new_) {
    early_.emplace_back(from, bytes);
    return;
  }
  Decoder in(bytes);
  const Member member = membership::DecodeMember(&in);
  if (!in.done() || member.id != from) return;
  if (const std::string why = WhyNotAdmitted(member); !why.empty()) {
    last_refusal_ = "node " + from.ToHex() + " may not join: " + why;
    if (hooks_.log) hooks_.log(last_refusal_);
    hooks_.send(from, std::string(1, kRefusal) + why);
    return;
  }
  const bool is_new_to_us = state_.members.Find(from) == nullptr;
  const bool changed = state_.members.Merge(member);
  if (is_new_to_us) detector_.OnConnected(from, clock_.MonotonicUs());
  if (!changed) return;
  OnMembersChanged();
  Gossip(gossip_.OnLocalChange(LinkedMembers()));
}

}  // namespace orrery::replication
