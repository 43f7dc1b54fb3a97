// How nodes meet: what a new one asks, how it introduces itself, and who is admitted.

#include <algorithm>
#include <utility>

#include "orrery/base/marks.h"
#include "orrery/replication/cluster_control.h"
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

// The answer is for the choice of tokens only: whether we belong to them is not decided yet, unless we did
// before.
void ClusterControl::OnMembers(NodeId from, Decoder* in) {
  const MembershipMap known = MembershipMap::Decode(in);
  if (!in->done() || TakeRemoval(known)) return;
  if (AdoptFounders(known) && !is_new_) OnMembersChanged();
  if (!hooks_.has_data() && state_.members.Founders() != nullptr) {
    for (const auto& [id, member] : known.entries()) joining_.insert(id);
  }
  if (!is_new_) {
    if (!is_compared_) {
      if (MayCompare(from, known)) Compare(known);
      return;
    }
    const auto early = std::exchange(early_, {});
    if (state_.members.Founders() == nullptr) return;  // they will introduce themselves again
    for (const auto& [peer, introduction] : early) OnIntroduction(peer, introduction);
    return;
  }
  if (known.Find(state_.id) != nullptr && !ORRERY_MUTATION("forgotten-members-choose-anew")) {
    Remember(known);
  } else {
    ChooseTokens(known);
  }
  IntroduceToAll();
  SetCompared();
}

// A member, or where members come and go somebody who knows us from an earlier life. Where they do not, that
// may be a stranger who was refused, and a disk that knows none of those who are members knows of no data
// either: it is admitted anew.
bool ClusterControl::MayCompare(NodeId from, const MembershipMap& known) const {
  const Member* own = known.Find(state_.id);
  if (own == nullptr) return false;
  return IsMember(from) || (options_.transfer && own->incarnation < state_.incarnation);
}

// Another member's map: a disk may be older than what it says.
void ClusterControl::Compare(const MembershipMap& known) {
  // Also at equal versions: an entry of ours that was lost with its life may say otherwise.
  if (membership::Supersedes(*known.Find(state_.id), *state_.members.Find(state_.id))) {
    Remember(known);
  } else {
    bool changed = false;
    for (const auto& [id, member] : known.entries()) changed |= state_.members.Merge(member);
    if (changed) OnMembersChanged();
  }
  SetCompared();
}

void ClusterControl::SetCompared() {
  if (std::exchange(is_compared_, true)) return;
  Publish(true);
  if (is_new_) return;
  for (const auto& [from, bytes] : std::exchange(early_, {})) OnIntroduction(from, bytes);
}

// An old disk: the tokens are those that everybody knows, and so are the members.
void ClusterControl::Remember(const MembershipMap& known) {
  ORRERY_MARK("member that has forgotten the cluster");
  const Member now = *state_.members.Find(state_.id);
  for (const auto& [id, member] : known.entries()) state_.members.Merge(member);
  Member own = *known.Find(state_.id);
  if (own.state == MemberState::kRemoved) return OnMembersChanged();
  own.host = now.host;
  own.client_port = now.client_port;
  own.peer_port = now.peer_port;
  own.weight = now.weight;
  own.zone = now.zone;
  own.incarnation = now.incarnation;
  own.has_data = now.has_data;
  own.version = std::max(own.version, now.version) + 1;
  state_.members.Merge(own);
  OnMembersChanged();
}

void ClusterControl::ChooseTokens(const MembershipMap& known) {
  Member own = *state_.members.Find(state_.id);
  own.token_seed =
      hooks_.choose_token_seed(RingMembersOf(known), RingMemberOf(own), options_.replication_factor);
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
  const bool we_join = options_.transfer && (!ClusterHasData() || joining_.contains(member.id));
  if (member.has_data && !we_join)
    return "a node that holds data cannot join; start it with an empty directory";
  if (!ClusterHasData() || options_.transfer || ORRERY_MUTATION("strangers-admitted")) return "";
  return "the cluster holds data and has slot-transfer no: its members must all join before the first write";
}

void ClusterControl::OnIntroduction(NodeId from, std::string_view bytes) {
  if (is_new_) {
    early_.emplace_back(from, bytes);
    return;
  }
  Decoder in(bytes);
  const Member member = membership::DecodeMember(&in);
  if (!in.done() || member.id != from) return;
  const bool is_new_to_us = state_.members.Find(from) == nullptr;
  if (is_new_to_us && !is_compared_) {
    // It may be a member, and we an old disk.
    ORRERY_MARK("somebody unknown waits until the members are compared");
    early_.emplace_back(from, bytes);
    return;
  }
  if (const std::string why = WhyNotAdmitted(member); !why.empty()) {
    const std::string line = "node " + from.ToHex() + " may not join: " + why;
    NoteRefusal(line, line);
    hooks_.send(from, std::string(1, kRefusal) + why);
    // One that was removed while it was away learns it from its own entry.
    if (state_.members.Find(from) != nullptr) SendMembers(from);
    return;
  }
  if (is_new_to_us && member.has_data && state_.members.Founders() == nullptr) {
    // We are to join it: before it is a member of ours we have to know who owns what there.
    early_.emplace_back(from, bytes);
    hooks_.send(from, std::string(1, kAskMembers));
    return;
  }
  if (is_new_to_us && ClusterHasData()) SendMembers(from);
  const bool changed = state_.members.Merge(member);
  if (is_new_to_us) detector_.OnConnected(from, clock_.MonotonicUs());
  if (!changed) return;
  OnMembersChanged();
  Gossip(gossip_.OnLocalChange(LinkedMembers()));
}

}  // namespace orrery::replication
