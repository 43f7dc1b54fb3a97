#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "orrery/membership/failure_detector.h"
#include "orrery/membership/gossip.h"
#include "orrery/replication/cluster_view.h"
#include "orrery/replication/node_state.h"
#include "orrery/runtime/clock.h"

namespace orrery::replication {

enum class Standing : uint8_t;

struct ClusterOptions {
  std::string host;
  uint16_t client_port = 0;
  uint16_t peer_port = 0;
  uint32_t weight = 1;
  std::string zone;
  uint8_t replication_factor = 3;
  uint8_t read_quorum = 2;
  uint8_t write_quorum = 2;
  membership::FailureDetectorOptions failure_detector;
  /// Others are to be found where the configuration says: whoever knows nobody waits for them a while before
  /// it serves alone.
  bool has_seeds = false;
  /// Our own address is among them: whoever is to be found there may found the cluster. One that has seeds
  /// and is none serves nothing before it has joined (ClusterView::awaits_meeting).
  bool is_seed = false;
  /// We were taken out of a cluster: as if we had seeds.
  bool awaits_meeting = false;
  /// Whether slots with data may change hands (docs/ownership-transfer.md). If not, members join before the
  /// first write.
  bool transfer = false;
};

/// Who belongs to the cluster and who is alive, as this node sees it: drives gossip and failure detection,
/// admits nodes, and makes the ClusterViews that the shards work by. Pure: events in, calls of the hooks out.
/// One per node, on its first loop.
///
/// A node that knows nobody yet asks the first that it meets whom it knows, chooses its tokens by the answer
/// (ring/token_seed.h), and only then introduces itself. If the answer names it, it was a member whose disk
/// has forgotten that: it takes its place again.
///
/// Nothing is served before the members are compared with another one's (ClusterView::is_compared): a disk
/// may be older than the last change of them. If nobody answers, what this node knows counts after a moment.
/// A newcomer that is to join others waits until one of them has it on its disk that we belong to them.
///
/// Admission: a node with data, its own or its cluster's, joins nobody, unless it knows a member of the
/// cluster, past or present: then it is one of ours that was forgotten. One without data joins a cluster that
/// holds data if slots may change hands there. A refused node is told so, and stays alone. The members that
/// there are when data first comes are the founders.
class ClusterControl {
 public:
  struct Hooks {
    /// The shards may see it once the turn is committed, and not before: whoever serves as a member must not
    /// forget that it is one.
    std::function<void(const ClusterViewPtr&)> on_view;
    /// The members to keep links to.
    std::function<void(const std::vector<membership::Member>&)> set_peers;
    std::function<void(NodeId to, std::string bytes)> send;
    /// Leaves after the commit of this turn, or never if that fails: what it says is on our disk. Empty: as
    /// `send`.
    std::function<void(NodeId to, std::string bytes)> send_committed{};
    std::function<bool()> has_data;
    /// What a node that leaves still has to hand over: seats, slots not dropped yet, hints.
    std::function<uint64_t()> holdings{};
    /// Clients' commands under way here: a node that leaves waits for them before its links are cut.
    std::function<uint64_t()> requests{};
    std::function<void(const std::string&)> log;
    /// Who belongs to the cluster has changed: the commit of this turn goes to the disk.
    std::function<void()> sync_turn{};
    /// How rings are made and tokens chosen; when empty, by ring::Ring::Build and ring::ChooseTokenSeed.
    /// These are pure functions that take milliseconds: whoever runs many nodes in one process may share what
    /// they give.
    std::function<std::shared_ptr<const ring::Ring>(const std::vector<ring::RingMember>&, uint8_t n)>
        build_ring{};
    std::function<uint32_t(const std::vector<ring::RingMember>&, const ring::RingMember& newcomer, uint8_t n)>
        choose_token_seed{};
  };

  /// state: as loaded; its incarnation is that of this life. The store must outlive this; changes go into its
  /// pending batch, which the turn commits.
  ClusterControl(const ClusterOptions& options, NodeState state, storage::RowStore* store,
                 runtime::Clock* clock, runtime::Random* random, Hooks hooks);

  /// Publishes the first view.
  void Start();

  void OnPeerUp(NodeId peer);
  void OnPeerDown(NodeId peer);
  /// Any frame from the peer proves that it lives.
  void OnHeard(NodeId peer);
  /// Bytes that the peer's control sent.
  void OnMessage(NodeId from, std::string_view bytes);
  /// One of the seeds that we dial turned out to be ourselves.
  void OnOwnSeed();
  /// An operator has named somebody to us (CLUSTER MEET): we take its word even if it is as new as we are.
  void OnMet(const std::string& host, uint16_t peer_port);
  /// We have found the peer at that address.
  void OnDialled(NodeId peer, const std::string& host, uint16_t peer_port);
  /// Every heartbeat interval.
  void Tick();
  /// Within a turn that lasts long, any number of times: sends heartbeats if they are due.
  void SignOfLife();

  void SetQuorums(uint8_t n, uint8_t r, uint8_t w);
  uint64_t KnownIncarnation(NodeId node) const;

  /// An operator's wishes. kInvalid with the reason if they cannot be granted (cluster_operations.cpp).
  /// We hand over all that we have to the other members and are removed then.
  [[nodiscard]] Status Leave();
  /// Removes a member that is gone for good: it is down, and what it had is made up from the others' copies.
  /// One that is alive without a share is asked to leave by itself, as it may hold hints; one that is removed
  /// already stays so.
  [[nodiscard]] Status Remove(NodeId node);
  /// As Remove, if enough other members can take its place.
  [[nodiscard]] Status Replace(NodeId node);
  [[nodiscard]] Status SetShare(uint32_t weight, const std::string& zone);
  bool is_leaving() const;
  /// When we have left: whether some member knows it. Else the others would take us for dead if we went now.
  bool is_removal_known() const { return !has_left_unheard_; }
  /// CLUSTER RESET of the only member: while it is true, no new request is begun, as before a node that
  /// leaves is removed.
  void RefuseRequests(bool refuses);
  /// Our life ends: nobody hears from us any more, so that nobody takes in a member that is none.
  void FallSilent() { is_silent_ = true; }
  const ClusterViewPtr& view() const { return view_; }
  const membership::MembershipMap& members() const { return state_.members; }
  NodeId self() const { return state_.id; }
  double Phi(NodeId peer) const { return detector_.Phi(peer, clock_.MonotonicUs()); }
  /// Why the last node that wanted to join could not, or we could not join; for CLUSTER MEET and the log.
  const std::string& last_refusal() const { return last_refusal_; }

 private:
  bool IsMember(NodeId node) const;
  size_t OthersWithShare(NodeId node) const;
  std::vector<NodeId> LinkedMembers() const;
  void SendHeartbeats(const std::vector<NodeId>& peers, uint64_t now_us);
  void WriteOwnEntry();
  // cluster_admission.cpp
  void SendIntroduction(NodeId to);
  void SendMembers(NodeId to);
  void OnMembers(NodeId from, Decoder* in);
  Standing OwnStanding() const;
  bool Counts(NodeId from, Standing standing) const;
  bool IsMet(NodeId peer) const;
  void MeetFirst(const membership::MembershipMap& known, bool counts);
  void MeetEarly();
  bool MayCompare(NodeId from, const membership::MembershipMap& known) const;
  void ChooseTokens(const membership::MembershipMap& known);
  void Remember(const membership::MembershipMap& known);
  void IntroduceToAll();
  void Compare(const membership::MembershipMap& known);
  void SetCompared();
  void Belong();
  void TellThatWeBelong();
  void OnIntroduction(NodeId from, std::string_view bytes);
  std::string WhyNotAdmitted(const membership::Member& member, bool brings_data) const;
  void Admit(const membership::Member& member);
  void Refuse(const membership::Member& member, const std::string& why);
  void JudgeClaim(NodeId from, const membership::MembershipMap& known);
  void NoteRefusal(const std::string& why, const std::string& line);
  bool ClusterHasData() const;
  void OnMembersChanged();
  void UpdateFounders();
  void FinishLeaving(uint64_t now_us);
  void TellThatWeHaveLeft();
  void AskAgain();
  void TellWhetherOthersSuffice();
  void TellOfOwnEntry();
  bool AdoptFounders(const membership::MembershipMap& known);
  bool TakeRemoval(const membership::MembershipMap& known);
  void OnAskedToLeave(NodeId from);
  void Publish(bool members_changed);
  bool SayWhoIsDown(const ClusterView& view);
  void Gossip(std::vector<membership::Gossip::Message> messages);

  ClusterOptions options_;
  NodeState state_;
  storage::RowStore& store_;
  runtime::Clock& clock_;
  runtime::Random& random_;
  Hooks hooks_;
  membership::FailureDetector detector_;
  membership::Gossip gossip_;
  std::set<NodeId> linked_;
  std::shared_ptr<const ring::Ring> ring_;
  std::vector<ring::RingMember> ring_members_;
  std::shared_ptr<const ring::Ring> founders_;
  std::vector<ring::RingMember> founder_members_;
  ClusterViewPtr view_;
  uint64_t last_gossip_us_ = 0;
  uint64_t last_heartbeat_us_ = 0;
  uint64_t nothing_held_since_us_ = 0;
  uint64_t farewell_since_us_ = 0;  ///< since when a node that leaves refuses new requests; 0: it does not
  bool others_suffice_ = true;      ///< a node that leaves: whether somebody is there for each of its seats
  std::vector<NodeId> said_down_;
  /// Until we have introduced ourselves for the first time: tokens may still be chosen.
  bool is_new_ = false;
  bool is_newcomer_ = false;  ///< nobody knew us, so we are no old disk that has forgotten the others
  bool has_left_unheard_ = false;
  bool refuses_requests_ = false;
  bool is_silent_ = false;
  bool is_compared_ = false;  ///< as in the view
  uint64_t compare_until_us_ = 0;
  uint64_t asked_us_ = 0;                ///< when a new node first asked for members
  std::map<NodeId, std::string> early_;  ///< introductions that came before we could judge them
  std::set<NodeId> joining_;  ///< the members of a cluster with data that we are to join
  /// Nodes unknown to us that bring data, and are asked whom they know.
  std::map<NodeId, membership::Member> claims_;
  /// Where operators told us to meet somebody, and whom we found where.
  using Address = std::pair<std::string, uint16_t>;
  std::set<Address> met_;
  std::map<NodeId, Address> dialled_;
  std::string last_refusal_;
  bool knew_of_data_ = false;  ///< of anybody in the cluster
  size_t removals_ = 0;        ///< that we knew of
};

}  // namespace orrery::replication
