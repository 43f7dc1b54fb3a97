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

// Only what we have on disk: to be named in it is to be a member.
void ClusterControl::SendMembers(NodeId to) {
  std::string bytes(1, kMembers);
  Encoder out(&bytes);
  state_.members.Encode(&out);
  const Standing standing = OwnStanding();
  if (standing != Standing::kServes) out.PutU8(static_cast<uint8_t>(standing));
  hooks_.send_committed(to, std::move(bytes));
}

Standing ClusterControl::OwnStanding() const {
  if (state_.awaits_meeting || !IsMember(state_.id)) return Standing::kAwaitsMeeting;
  return is_compared_ ? Standing::kServes : Standing::kStarts;
}

// Whether we take the word of such a node for it that we belong to it, and who else does.
bool ClusterControl::Counts(NodeId from, Standing standing) const {
  if (standing == Standing::kServes || IsMet(from)) return true;
  return standing == Standing::kStarts && !state_.awaits_meeting;
}

// The first answer is for the choice of tokens only: whether we belong to them is not decided yet, unless we
// did before.
void ClusterControl::OnMembers(NodeId from, Decoder* in) {
  const MembershipMap known = MembershipMap::Decode(in);
  const auto standing = in->done() ? Standing::kServes : static_cast<Standing>(in->GetU8());
  if (!in->done() || standing > Standing::kStarts) return;
  const Member* own = known.Find(state_.id);
  const bool says_we_left = own != nullptr && own->state == MemberState::kRemoved && IsMember(from);
  if (says_we_left && standing != Standing::kAwaitsMeeting && std::exchange(has_left_unheard_, false))
    TellThatWeHaveLeft();
  if (TakeRemoval(known)) return;
  if (AdoptFounders(known) && !is_new_) OnMembersChanged();
  const auto* founders = known.Founders();
  if (!hooks_.has_data() && founders != nullptr && state_.members.Find(state_.id)->founders == *founders) {
    for (const auto& [id, member] : known.entries()) joining_.insert(id);
  }
  JudgeClaim(from, known);
  if (is_new_) {
    // Another newcomer cannot tell whether our disk has forgotten the others. Who serves by now is none to be
    // told.
    const bool can_tell = standing != Standing::kAwaitsMeeting || IsMet(from) || is_compared_;
    return can_tell ? MeetFirst(known, Counts(from, standing)) : void();
  }
  if (state_.members.Founders() != nullptr && (is_compared_ || is_newcomer_)) MeetEarly();
  const bool asks = state_.awaits_meeting || !is_compared_;
  if (asks && Counts(from, standing) && MayCompare(from, known)) Compare(known);
}

void ClusterControl::MeetFirst(const MembershipMap& known, bool counts) {
  const bool has_forgotten =
      known.Find(state_.id) != nullptr && !ORRERY_MUTATION("forgotten-members-choose-anew");
  has_forgotten ? Remember(known) : ChooseTokens(known);
  IntroduceToAll();
  if (has_forgotten && counts) Belong();
}

void ClusterControl::MeetEarly() {
  for (const auto& [from, bytes] : std::exchange(early_, {})) OnIntroduction(from, bytes);
}

// A member, or where members come and go somebody who knows us from an earlier life. Where they do not, that
// may be a stranger who was refused, and a disk that knows none of those who are members knows of no data
// either: it is admitted anew. A newcomer belongs to whoever says so.
bool ClusterControl::MayCompare(NodeId from, const MembershipMap& known) const {
  const Member* own = known.Find(state_.id);
  if (own == nullptr) return false;
  if (IsMember(from)) return true;
  if (is_newcomer_) return state_.members.Find(from) == nullptr;
  return options_.transfer && own->incarnation < state_.incarnation;
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
  Belong();
}

// Who waits and who has compared is published together: else what clients have sent meanwhile would be
// refused.
void ClusterControl::Belong() {
  const bool waited = std::exchange(state_.awaits_meeting, false);
  SetCompared();
  if (waited) TellThatWeBelong();
}

// Others may have waited for us.
void ClusterControl::TellThatWeBelong() {
  SaveNodeState(state_, &store_);
  Publish(true);
  for (NodeId peer : linked_) SendMembers(peer);
}

void ClusterControl::OnOwnSeed() {
  if (options_.has_seeds && std::exchange(state_.awaits_meeting, false)) TellThatWeBelong();
}

void ClusterControl::OnMet(const std::string& host, uint16_t peer_port) {
  met_.emplace(host, peer_port);
}

void ClusterControl::OnDialled(NodeId peer, const std::string& host, uint16_t peer_port) {
  dialled_[peer] = {host, peer_port};
}

// By the address that it announces, or where we found it.
bool ClusterControl::IsMet(NodeId peer) const {
  if (met_.empty()) return false;
  const Member* member = state_.members.Find(peer);
  if (member != nullptr && met_.contains({member->host, member->peer_port})) return true;
  const auto found = dialled_.find(peer);
  return found != dialled_.end() && met_.contains(found->second);
}

void ClusterControl::SetCompared() {
  if (std::exchange(is_compared_, true)) return;
  Publish(true);
  if (is_new_) return;
  MeetEarly();
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
  is_newcomer_ = state_.members.size() == 1;
  for (NodeId peer : linked_) SendIntroduction(peer);
  MeetEarly();
}

void ClusterControl::SendIntroduction(NodeId to) {
  std::string bytes(1, kIntroduction);
  Encoder out(&bytes);
  const Member& own = *state_.members.Find(state_.id);
  membership::EncodeMember(own, &out);
  if (!own.has_data && ClusterHasData()) out.PutU8(kOthersHaveData);
  hooks_.send(to, std::move(bytes));
}

// ---- admission ----

bool ClusterControl::ClusterHasData() const {
  const auto members = state_.members.Present();
  return hooks_.has_data() ||
         std::any_of(members.begin(), members.end(), [](const Member& m) { return m.has_data; });
}

// brings_data: the node has some, or others of its cluster do.
std::string ClusterControl::WhyNotAdmitted(const Member& member, bool brings_data) const {
  const Member* known = state_.members.Find(member.id);
  if (known != nullptr) {
    return known->state == MemberState::kRemoved ? "this node was removed from the cluster" : "";
  }
  const bool we_join = options_.transfer && (!ClusterHasData() || joining_.contains(member.id));
  if (brings_data && !we_join) {
    return member.has_data ? "a node that holds data cannot join; start it with an empty directory"
                           : "it is a member of another cluster that holds data";
  }
  if (!ClusterHasData() || options_.transfer || ORRERY_MUTATION("strangers-admitted")) return "";
  return "the cluster holds data and has slot-transfer no: its members must all join before the first write";
}

void ClusterControl::OnIntroduction(NodeId from, std::string_view bytes) {
  if (is_new_) {
    early_[from] = bytes;
    return;
  }
  Decoder in(bytes);
  const Member member = membership::DecodeMember(&in);
  const bool is_flagged = !in.done();
  if (is_flagged && in.GetU8() != kOthersHaveData) in.Fail();
  if (!in.done() || member.id != from) return;
  const bool is_new_to_us = state_.members.Find(from) == nullptr;
  // Founders that are not ours are another cluster's, as far as we know.
  const auto* founders = state_.members.Founders();
  const bool has_others = !member.founders.empty() && (founders == nullptr || *founders != member.founders);
  const bool brings_data = member.has_data || is_flagged || (is_new_to_us && has_others);
  if (is_new_to_us && !is_compared_ && !is_newcomer_) {
    // It may be a member, and we an old disk.
    ORRERY_MARK("somebody unknown waits until the members are compared");
    early_[from] = bytes;
    return;
  }
  if (const std::string why = WhyNotAdmitted(member, brings_data); !why.empty()) {
    if (!is_new_to_us || !brings_data || !options_.transfer) return Refuse(member, why);
    claims_[from] = member;
    hooks_.send(from, std::string(1, kAskMembers));
    return;
  }
  if (is_new_to_us && brings_data && state_.members.Founders() == nullptr) {
    // We are to join it: before it is a member of ours we have to know who owns what there.
    early_[from] = bytes;
    hooks_.send(from, std::string(1, kAskMembers));
    return;
  }
  Admit(member);
}

void ClusterControl::Refuse(const Member& member, const std::string& why) {
  const std::string line = "node " + member.id.ToHex() + " may not join: " + why;
  NoteRefusal(line, line);
  hooks_.send(member.id, std::string(1, kRefusal) + why);
  // One that was removed while it was away learns it from its own entry.
  if (state_.members.Find(member.id) != nullptr) SendMembers(member.id);
}

void ClusterControl::Admit(const Member& member) {
  const bool is_new_to_us = state_.members.Find(member.id) == nullptr;
  const bool changed = state_.members.Merge(member);
  if (is_new_to_us) detector_.OnConnected(member.id, clock_.MonotonicUs());
  if (!changed) return;
  OnMembersChanged();
  // It waits until it hears that it belongs to us.
  if (is_new_to_us) SendMembers(member.id);
  Gossip(gossip_.OnLocalChange(LinkedMembers()));
}

// A node that brings data and is unknown here may belong to us all the same: whoever admitted it was lost, or
// has forgotten it, before others heard of it; or the members that we do not know were admitted by one of
// ours that had forgotten us. A member that both know, or knew, is the proof: nobody is a member of two
// clusters.
void ClusterControl::JudgeClaim(NodeId from, const MembershipMap& known) {
  const auto claim = claims_.extract(from);
  if (claim.empty()) return;
  const Member& member = claim.mapped();
  const std::string why = WhyNotAdmitted(member, true);
  const auto is_known = [this](const auto& entry) { return state_.members.Find(entry.first) != nullptr; };
  const bool is_ours = std::any_of(known.entries().begin(), known.entries().end(), is_known);
  if (why.empty()) return Admit(member);
  if (state_.members.Find(from) != nullptr || !is_ours || ORRERY_MUTATION("forgotten-members-refused"))
    return Refuse(member, why);
  if (member.has_data) {
    ORRERY_MARK("member that all others had forgotten");
    if (hooks_.log) hooks_.log("node " + from.ToHex() + " belongs to this cluster, which had forgotten it");
  }
  Admit(member);
}

}  // namespace orrery::replication
