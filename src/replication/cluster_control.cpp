#include "orrery/replication/cluster_control.h"

#include <algorithm>
#include <utility>

#include "orrery/base/marks.h"
#include "orrery/ring/token_seed.h"
#include "replication/control_parts.h"

namespace orrery::replication {

using membership::Member;
using membership::MembershipMap;
using membership::MemberState;

namespace {

constexpr uint64_t kGossipIntervalUs = 1'000'000;
// A new node does not wait longer to hear whom others know.
constexpr uint64_t kAnswerPatienceUs = 1'000'000;
// Nor does a node wait longer to serve what it knows; one that knows nobody gives its seeds more time.
constexpr uint64_t kComparePatienceUs = 1'000'000;
constexpr uint64_t kSeedPatienceUs = 3'000'000;
constexpr const char* kWaitsForSeeds =
    "no member has taken this node in yet, so it serves nothing; if it is to found a new cluster, its own "
    "address belongs among its seeds";

}  // namespace

ring::RingMember RingMemberOf(const Member& member) {
  return {member.id, member.weight, member.zone, member.token_seed};
}

std::vector<ring::RingMember> RingMembersOf(const membership::MembershipMap& map) {
  std::vector<ring::RingMember> members;
  for (const Member& member : map.Present()) {
    if (member.state == MemberState::kUp) members.push_back(RingMemberOf(member));
  }
  return members;
}

ClusterControl::ClusterControl(const ClusterOptions& options, NodeState state, storage::RowStore* store,
                               runtime::Clock* clock, runtime::Random* random, Hooks hooks)
    : options_(options),
      state_(std::move(state)),
      store_(*store),
      clock_(*clock),
      random_(*random),
      hooks_(std::move(hooks)),
      detector_(options.failure_detector),
      gossip_(&state_.members, state_.id, random) {
  if (!hooks_.build_ring) {
    hooks_.build_ring = [](const std::vector<ring::RingMember>& members, uint8_t n) {
      return std::make_shared<const ring::Ring>(ring::Ring::Build(members, n));
    };
  }
  if (!hooks_.send_committed) hooks_.send_committed = hooks_.send;
  if (!hooks_.choose_token_seed) hooks_.choose_token_seed = ring::ChooseTokenSeed;
}

void ClusterControl::Start() {
  WriteOwnEntry();
  const bool is_alone = state_.members.size() == 1;
  is_new_ = is_alone && !hooks_.has_data();
  const bool joins_others = options_.awaits_meeting || (options_.has_seeds && !options_.is_seed);
  const bool belongs = hooks_.has_data() || !(is_alone || state_.awaits_meeting);
  state_.awaits_meeting = !belongs && joins_others && !ORRERY_MUTATION("newcomers-serve-alone");
  is_newcomer_ = state_.awaits_meeting && !is_new_;
  has_left_unheard_ = !IsMember(state_.id) && !state_.members.Present().empty();
  is_compared_ = (state_.is_first_life && !options_.has_seeds) || ORRERY_MUTATION("served-without-comparing");
  const uint64_t patience_us = is_alone && options_.has_seeds ? kSeedPatienceUs : kComparePatienceUs;
  compare_until_us_ = clock_.MonotonicUs() + patience_us;
  OnMembersChanged();
}

// Our entry of this life: the stored one with what the configuration says now.
void ClusterControl::WriteOwnEntry() {
  const Member* stored = state_.members.Find(state_.id);
  Member own = stored != nullptr ? *stored : Member();
  own.id = state_.id;
  own.host = options_.host;
  own.client_port = options_.client_port;
  own.peer_port = options_.peer_port;
  own.weight = options_.weight;
  own.zone = options_.zone;
  own.incarnation = state_.incarnation;
  own.has_data = hooks_.has_data();
  if (own.has_data && state_.members.Founders() == nullptr) {
    MembershipMap with_own = state_.members;
    ++own.version;
    with_own.Merge(own);
    own.founders = RingMembersOf(with_own);
  }
  if (stored != nullptr && own == *stored) return;
  ++own.version;
  state_.members.Merge(own);
}

bool ClusterControl::IsMember(NodeId node) const {
  const Member* member = state_.members.Find(node);
  return member != nullptr && member->state != MemberState::kRemoved;
}

std::vector<NodeId> ClusterControl::LinkedMembers() const {
  std::vector<NodeId> peers;
  for (NodeId node : linked_) {
    if (IsMember(node)) peers.push_back(node);
  }
  return peers;
}

// ---- links ----

void ClusterControl::OnPeerUp(NodeId peer) {
  if (is_silent_) return;
  linked_.insert(peer);
  if (is_new_) {
    if (asked_us_ == 0) asked_us_ = clock_.MonotonicUs();
    hooks_.send(peer, std::string(1, kAskMembers));
  } else {
    if (!is_compared_ || state_.awaits_meeting) hooks_.send(peer, std::string(1, kAskMembers));
    SendIntroduction(peer);
  }
  if (!IsMember(peer)) return;
  detector_.OnConnected(peer, clock_.MonotonicUs());
  Publish(false);
}

void ClusterControl::OnPeerDown(NodeId peer) {
  linked_.erase(peer);
  claims_.erase(peer);
  early_.erase(peer);
  detector_.OnDisconnected(peer);
  gossip_.ForgetOpinionOf(peer);
  Publish(false);
}

void ClusterControl::OnHeard(NodeId peer) {
  const bool was_alive = detector_.IsAlive(peer);
  detector_.OnHeard(peer, clock_.MonotonicUs());
  if (!was_alive && detector_.IsAlive(peer)) Publish(false);
}

void ClusterControl::Tick() {
  const uint64_t now_us = clock_.MonotonicUs();
  const auto changes = detector_.Evaluate(now_us);
  for (const auto& change : changes) {
    // Who was removed is linked and cut off again for as long as it runs.
    if (hooks_.log && IsMember(state_.id)) {
      hooks_.log("node " + change.peer.ToHex() + (change.alive ? " is alive" : " is down"));
    }
  }
  if (!changes.empty()) Publish(false);
  const bool has_waited_enough = !is_compared_ && now_us >= compare_until_us_;
  // Who has been waiting for us comes before our clients.
  const bool is_answer_late = has_waited_enough || now_us > asked_us_ + kAnswerPatienceUs;
  if (is_new_ && asked_us_ != 0 && is_answer_late) IntroduceToAll();
  if (has_waited_enough) {
    if (state_.awaits_meeting && options_.has_seeds && hooks_.log) hooks_.log(kWaitsForSeeds);
    SetCompared();
  }
  const std::vector<NodeId> peers = LinkedMembers();
  SendHeartbeats(peers, now_us);
  const Member* own = state_.members.Find(state_.id);
  if (own != nullptr && own->has_data != hooks_.has_data()) {
    WriteOwnEntry();
    TellOfOwnEntry();
  }
  FinishLeaving(now_us);
  if (now_us < last_gossip_us_ + kGossipIntervalUs) return;
  last_gossip_us_ = now_us;
  AskAgain();
  Gossip(gossip_.OnTick(peers));
}

// What was asked for may have been lost with a link, or the answer did not say it yet.
void ClusterControl::AskAgain() {
  if (is_new_) return;
  // Who knows that we have left refuses us and says what it knows.
  for (NodeId peer : has_left_unheard_ ? linked_ : std::set<NodeId>()) SendIntroduction(peer);
  std::set<NodeId> asked;
  if (state_.awaits_meeting || !is_compared_) {
    for (NodeId peer : LinkedMembers()) asked.insert(peer);
  }
  for (const auto& [peer, introduction] : early_) asked.insert(peer);
  for (NodeId peer : asked) hooks_.send(peer, std::string(1, kAskMembers));
}

void ClusterControl::SignOfLife() {
  const uint64_t now_us = clock_.MonotonicUs();
  if (now_us < last_heartbeat_us_ + options_.failure_detector.heartbeat_interval_us) return;
  SendHeartbeats(LinkedMembers(), now_us);
}

void ClusterControl::SendHeartbeats(const std::vector<NodeId>& peers, uint64_t now_us) {
  last_heartbeat_us_ = now_us;
  for (NodeId peer : peers) hooks_.send(peer, std::string(1, kHeartbeat));
}

// ---- messages ----

void ClusterControl::OnMessage(NodeId from, std::string_view bytes) {
  if (bytes.empty() || is_silent_) return;
  const char type = bytes.front();
  bytes.remove_prefix(1);
  Decoder in(bytes);
  if (type == kIntroduction) return OnIntroduction(from, bytes);
  if (type == kAskMembers) return SendMembers(from);
  if (type == kMembers) return OnMembers(from, &in);
  if (type == kAskToLeave) return OnAskedToLeave(from);
  if (type == kRefusal) {
    return NoteRefusal(std::string(bytes), "node " + from.ToHex() + " refused us: " + std::string(bytes));
  }
  if (type != kGossip || !IsMember(from)) return;
  bool changed = false;
  auto answers = gossip_.OnMessage(from, bytes, &changed);
  Gossip(std::move(answers));
  if (changed) {
    OnMembersChanged();
  } else if (gossip_.FoundDown() != view_->found_down) {
    Publish(false);
  }
}

// One that comes again and again, from whomever, is told once.
void ClusterControl::NoteRefusal(const std::string& why, const std::string& line) {
  if (std::exchange(last_refusal_, why) != why && hooks_.log) hooks_.log(line);
}

void ClusterControl::Gossip(std::vector<membership::Gossip::Message> messages) {
  for (auto& message : messages) hooks_.send(message.to, std::string(1, kGossip) + message.bytes);
}

// ---- views ----

void ClusterControl::OnMembersChanged() {
  // Whoever forgot that there is data would take in a newcomer for which nothing is moved.
  if (ClusterHasData() && !std::exchange(knew_of_data_, true) && hooks_.sync_turn) hooks_.sync_turn();
  // Nor would whoever has left come back if the only one that knows it forgot it.
  const size_t removals = state_.members.size() - state_.members.Present().size();
  if (removals > std::exchange(removals_, removals) && hooks_.sync_turn) hooks_.sync_turn();
  SaveNodeState(state_, &store_);
  std::vector<Member> peers;
  for (const Member& member : state_.members.Present()) {
    if (member.id == state_.id) continue;
    peers.push_back(member);
    // Learned by gossip while a link stood already. One that we knew and find down stays down until it
    // speaks.
    const bool is_new = !view_ || view_->Find(member.id) == nullptr;
    if (linked_.contains(member.id) && is_new && !detector_.IsAlive(member.id)) {
      detector_.OnConnected(member.id, clock_.MonotonicUs());
    }
  }
  hooks_.set_peers(peers);
  std::vector<ring::RingMember> members = RingMembersOf(state_.members);
  const bool ring_changed = !ring_ || members != ring_members_;
  if (ring_changed) {
    ring_members_ = std::move(members);
    ring_ = hooks_.build_ring(ring_members_, options_.replication_factor);
    if (hooks_.sync_turn && !ORRERY_MUTATION("members-committed-to-memory")) hooks_.sync_turn();
  }
  UpdateFounders();
  Publish(true);
}

void ClusterControl::Publish(bool members_changed) {
  auto view = std::make_shared<ClusterView>();
  view->self = state_.id;
  view->members = state_.members.Present();
  for (const auto& [id, member] : state_.members.entries()) {
    if (member.state == membership::MemberState::kRemoved) view->removed.insert(id);
  }
  view->ring = ring_;
  view->founders = founders_;
  const Member* own = state_.members.Find(state_.id);
  view->is_compared = is_compared_;
  view->is_removed = own != nullptr && own->state == MemberState::kRemoved;
  view->awaits_meeting = state_.awaits_meeting;
  view->says_farewell = farewell_since_us_ != 0 || refuses_requests_;
  view->is_removal_known = is_removal_known();
  view->replication_factor = options_.replication_factor;
  view->read_quorum = options_.read_quorum;
  view->write_quorum = options_.write_quorum;
  view->alive.insert(state_.id);
  for (const Member& member : view->members) {
    if (detector_.IsAlive(member.id)) view->alive.insert(member.id);
  }
  const bool told = SayWhoIsDown(*view);
  view->found_down = gossip_.FoundDown();
  const bool same = view_ && view->alive == view_->alive && view->found_down == view_->found_down;
  if (members_changed || !same) {
    view_ = std::move(view);
    hooks_.on_view(view_);
  }
  if (told) Gossip(gossip_.OnLocalChange(LinkedMembers()));
}

// For display elsewhere. Whether it is news.
bool ClusterControl::SayWhoIsDown(const ClusterView& view) {
  std::vector<NodeId> down;
  for (const Member& member : view.members) {
    if (!view.IsAlive(member.id)) down.push_back(member.id);
  }
  if (down == said_down_) return false;
  said_down_ = down;
  gossip_.SetDown(std::move(down));
  return true;
}

void ClusterControl::SetQuorums(uint8_t n, uint8_t r, uint8_t w) {
  const bool ring_changed = n != options_.replication_factor;
  options_.replication_factor = n;
  options_.read_quorum = r;
  options_.write_quorum = w;
  if (ring_changed) {
    ring_members_.clear();
    founder_members_.clear();
  }
  OnMembersChanged();
}

uint64_t ClusterControl::KnownIncarnation(NodeId node) const {
  const Member* member = state_.members.Find(node);
  return member == nullptr ? 0 : member->incarnation;
}

}  // namespace orrery::replication
