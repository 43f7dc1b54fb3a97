#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "orrery/replication/bound_replies.h"
#include "orrery/replication/coordinator.h"
#include "orrery/replication/messages.h"
#include "orrery/replication/request.h"
#include "orrery/replication/shard_context.h"

namespace orrery::replication {

/// Reaches the other loops of this node. Implemented by the server with one mailbox per loop, by tests directly.
class LoopMesh {
 public:
  virtual ~LoopMesh() = default;
  /// Hands a request to the loop that owns its slot; done comes back on the caller's loop.
  virtual void PostRequest(size_t loop, Request request, uint8_t hops, Callback done) = 0;
  /// Hands a peer's message to the loop that it concerns. Messages of one peer to one loop keep their order.
  virtual void PostMessage(size_t loop, NodeId from, Message message) = 0;
};

/// Brings requests to their coordinators: the entry node's part (DESIGN: writing, step 1), and the relay's, when another
/// node thought that we coordinate. One loop.
///
/// A request that was sent and got no answer is tried elsewhere only if running it twice is as good as once; else its
/// outcome is unknown. A write is tried only when it is too old for its first receiver to run it any more: run late, it
/// would undo what its client wrote after it was answered. Meanwhile what comes after it for its slot waits behind it. A
/// request that no coordinator took was not applied and is always tried again until its deadline.
///
/// A node that has just started, or heard of the first other members, has no links yet: what lacks participants then waits for them a
/// moment, in order, instead of being refused. Until it has compared members and seats with another member, everything waits:
/// an old disk may know of fewer copies than there are.
class Router final : public RequestRouter {
 public:
  Router(ShardContext* context, Coordinator* coordinator, LoopMesh* mesh);

  void Submit(Request request, Callback done) override;
  /// As Submit, after this many hops between nodes.
  void Route(Request&& request, uint8_t hops, Callback&& done);

  void OnForward(NodeId from, ForwardMessage message);
  /// Some reply of the peer may be on its way.
  void OnPartOfFrame(NodeId peer) { part_came_us_[peer] = context_.clock->MonotonicUs(); }
  void OnForwardReply(NodeId from, ForwardReplyMessage message);
  void OnCommitTell(const CommitTellMessage& tell);
  /// The turn is committed, and what it changed in these slots.
  void AfterCommit(const std::vector<SlotId>& changed);
  /// A link or the view changed: what was sent to a node now out of reach is lost.
  void OnReachChanged();
  /// We belong to a cluster from now on, of which we know as little as if we had just started.
  void OnJoined();
  void OnTick(uint64_t now_us);
  /// What waited for links, or to hear who belongs to the cluster, may not have to any more.
  void DispatchStarting();
  /// Answers what has been answered without anybody else, at the end of the turn.
  void TellEnded();
  bool has_ended() const { return !ended_.empty(); }
  /// The disk refused a commit: whatever waits here is answered, and nothing is taken any more.
  void Fail(const std::string& why);

  static size_t LoopOfRequest(uint64_t request_id) { return request_id >> 48; }
  size_t pending() const { return unanswered_ + waiting_.size() + starting_.size(); }

 private:
  struct Sent {
    NodeId peer;
    Request request;
    Callback done;
    uint8_t hops = 0;
    bool handed_over = false;  ///< by our coordinator, which gets it back if the peer does not run it
    uint64_t deadline_us = 0;  ///< 0: not yet set, which it is when the request has to wait for anybody
    uint64_t sent_us = 0;      ///< to the peer
    uint64_t not_before_us = 0;
    uint64_t lenience_us = kLenienceUs;  ///< so much longer it may take where receivers are busy
  };
  static constexpr uint64_t kLenienceUs = 25'000'000;

  /// An answer to a peer that no link leads to yet.
  struct Unsent {
    NodeId to;
    ForwardReplyMessage message;
    uint64_t until_us = 0;
  };

  void Dispatch(Sent&& sent);
  void Forward(NodeId peer, Sent&& sent);
  uint64_t CountFor(NodeId peer, const Sent& sent) const;
  void HandOver(NodeId peer, Request request, uint64_t deadline_us, Callback done);
  bool MustCompare() const;
  bool LacksLinks(const Request& request) const;
  void DispatchWaiting(uint64_t now_us);
  void Answer(NodeId to, ForwardReplyMessage message);
  void SendAnswers();
  void Lost(Sent sent);
  void TryAgain(Sent&& sent);
  void End(Sent&& sent, Response response);
  std::unique_ptr<Sent>* FindSent(uint64_t request_id);
  Sent TakeSent(std::unique_ptr<Sent>* sent);
  void Show(uint64_t request_id, Response response);
  void TrimSent();
  bool IsOverdue(const Sent& sent, uint64_t now_us) const;
  std::vector<Sent> TakeSentIf(const std::function<bool(const Sent&)>& condition);
  void SetDeadline(Sent* sent) const;

  static constexpr uint64_t kIdMask = (uint64_t{1} << 48) - 1;

  ShardContext& context_;
  Coordinator& coordinator_;
  LoopMesh* mesh_;  ///< null where one loop owns all slots
  /// Begins elsewhere in each life: a peer may answer what an earlier life asked it.
  uint64_t next_id_;
  /// Request first_sent_ first; null where the answer has come. Requests are numbered one by one, so that
  /// this needs no search.
  std::deque<std::unique_ptr<Sent>> sent_;
  uint64_t first_sent_ = 0;
  size_t unanswered_ = 0;
  std::vector<Sent> waiting_;  ///< to be tried again at the next tick or when the reach changes, in order
  std::set<SlotId> held_;      ///< of those in waiting_ whose time has not come
  std::vector<std::pair<Callback, Response>> ended_;  ///< in this turn
  std::optional<std::string> disk_error_;
  std::vector<Sent> starting_;  ///< for links to come up, in the order of arrival
  std::vector<Unsent> unsent_;
  BoundReplies bound_;
  const BoundReplies::Show show_ = [this](uint64_t id, Response response) { Show(id, std::move(response)); };
  std::map<NodeId, uint64_t> part_came_us_;  ///< when part of a frame last came, where that was just now
  uint64_t started_until_us_;
  bool was_alone_;
  uint64_t compare_until_us_;
  bool just_started_ = true;  ///< spares looking at the clock later on
};

}  // namespace orrery::replication
