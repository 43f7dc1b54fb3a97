#include "orrery/replication/router.h"

#include <algorithm>
#include <utility>

#include "orrery/base/marks.h"

namespace orrery::replication {
namespace {

// Two nodes with different views may each think that the other coordinates; after this many hops whoever has
// the request runs it: concurrent coordinators are safe, endless relays are not.
constexpr uint8_t kHopsMax = 2;
// The entry node gives a coordinator time to report that the outcome is unknown before it says so itself.
constexpr uint64_t kGraceUs = 500'000;

// A write that was sent once may have been applied there, now or later: nobody may call it refused any more.
Callback MaybeApplied(Callback done) {
  return [done = std::move(done)](Response response) {
    if (response.outcome != Outcome::kReply) response = {Outcome::kUnknown, ""};
    done(std::move(response));
  };
}

}  // namespace

Router::Router(ShardContext* context, Coordinator* coordinator, LoopMesh* mesh)
    : context_(*context),
      coordinator_(*coordinator),
      mesh_(mesh),
      next_id_(Hash64({}, context->self.incarnation) & kIdMask),
      started_until_us_(context->clock->MonotonicUs() + context->options.start_grace_us) {
  coordinator_.SetHandOver([this](NodeId peer, Request request, uint64_t deadline_us, Callback done) {
    HandOver(peer, std::move(request), deadline_us, std::move(done));
  });
}

// With all its hops, so that the peer runs it whoever it takes for the coordinator.
void Router::HandOver(NodeId peer, Request request, uint64_t deadline_us, Callback done) {
  Sent sent{peer, std::move(request), std::move(done), kHopsMax - 1, true, deadline_us + kGraceUs};
  Forward(peer, std::move(sent));
}

void Router::SetDeadline(Sent* sent) const {
  if (sent->deadline_us != 0) return;
  sent->deadline_us = context_.clock->MonotonicUs() + context_.TimeoutUs(sent->request) + kGraceUs;
}

void Router::Submit(Request request, Callback done) {
  Route(std::move(request), 0, std::move(done));
}

void Router::Route(Request&& request, uint8_t hops, Callback&& done) {
  Sent sent;
  sent.request = std::move(request);
  sent.done = std::move(done);
  sent.hops = hops;
  Dispatch(std::move(sent));
}

// Whether too few take part for the request only because this node has just started.
bool Router::LacksLinks(const Request& request) const {
  if (!just_started_ || context_.clock->MonotonicUs() >= started_until_us_) return false;
  const size_t needed = std::max(request.traits.writes ? context_.W(request.slot, request.write_quorum) : 0,
                                 request.traits.reads ? context_.R(request.slot, request.read_quorum) : 0);
  return ComputeTargets(context_, request.slot, {}).participants() < needed;
}

void Router::DispatchStarting() {
  for (Sent& sent : std::exchange(starting_, {})) Dispatch(std::move(sent));
}

void Router::Dispatch(Sent&& sent) {
  if (context_.view->is_removed || context_.view->says_farewell) {
    // Another node's client is not to blame for that node's old view.
    if (sent.request.sent_ms != 0) return sent.done({Outcome::kNotHere, ""});
    return sent.done({Outcome::kClusterDown, context_.view->is_removed
                                                 ? "this node was removed from the cluster"
                                                 : "this node is about to leave the cluster"});
  }
  if (!starting_.empty() || LacksLinks(sent.request)) {
    ORRERY_MARK("request waited for the links of a node that has just started");
    SetDeadline(&sent);
    starting_.push_back(std::move(sent));
    return;
  }
  if (context_.IsStale(sent.request)) {
    ORRERY_MARK("forwarded request too old to be passed on");
    return sent.done({Outcome::kNotHere, ""});
  }
  const SlotId slot = sent.request.slot;
  const NodeId node = sent.hops >= kHopsMax ? context_.self.node : CoordinatorInReach(context_, slot);
  if (node && node != context_.self.node) return Forward(node, std::move(sent));
  if (context_.Owns(slot)) {
    return coordinator_.Submit(std::move(sent.request), std::move(sent.done), sent.hops < kHopsMax);
  }
  mesh_->PostRequest(slot % context_.options.loop_count, std::move(sent.request), sent.hops,
                     std::move(sent.done));
}

void Router::Forward(NodeId peer, Sent&& sent) {
  const uint64_t id = (uint64_t{context_.options.loop_index} << 48) | (next_id_++ & kIdMask);
  ++context_.stats.forwarded;
  sent.peer = peer;
  SetDeadline(&sent);
  ForwardMessage message{id, static_cast<uint8_t>(sent.hops + 1), context_.AgeMs(sent.request),
                         std::move(sent.request)};
  context_.outbox->Send(peer, message);
  sent.request = std::move(message.request);
  sent_.emplace_hint(sent_.end(), id, std::move(sent));
}

void Router::OnForward(NodeId from, ForwardMessage message) {
  const uint64_t id = message.request_id;
  if (message.hops > 1) ++context_.stats.relayed;
  const SlotId slot = message.request.slot;
  Route(std::move(message.request), message.hops, [this, from, id, slot](Response response) {
    // Whoever thought that we coordinate learns first who does.
    if (response.outcome == Outcome::kNotHere) context_.TellSeats(from, slot);
    context_.outbox->SendDurable(from, ForwardReplyMessage{id, std::move(response)});
  });
}

void Router::OnForwardReply(NodeId from, ForwardReplyMessage message) {
  const auto it = sent_.find(message.request_id);
  if (it == sent_.end() || it->second.peer != from) return;
  Sent sent = std::move(it->second);
  sent_.erase(it);
  if (message.response.outcome == Outcome::kNotHere && !sent.handed_over) {
    waiting_.push_back(std::move(sent));
    return;
  }
  sent.done(std::move(message.response));
}

void Router::Lost(Sent sent) {
  if (sent.handed_over && !sent.request.traits.writes) return sent.done({Outcome::kNotHere, ""});
  const bool again = !sent.request.traits.writes || sent.request.traits.idempotent;
  if (!sent.handed_over && (again || ORRERY_MUTATION("retries-increments"))) {
    ORRERY_MARK("request tried elsewhere after its coordinator was lost");
    sent.hops = 0;
    if (sent.request.traits.writes) sent.done = MaybeApplied(std::move(sent.done));
    waiting_.push_back(std::move(sent));
    return;
  }
  ++context_.stats.unknown_outcomes;
  sent.done({Outcome::kUnknown, ""});
}

void Router::OnReachChanged() {
  DispatchStarting();
  for (Sent& sent : TakeSentIf([this](const Sent& s) { return !context_.InReach(s.peer); }))
    Lost(std::move(sent));
  for (Sent& sent : std::exchange(waiting_, {})) Dispatch(std::move(sent));
}

std::vector<Router::Sent> Router::TakeSentIf(const std::function<bool(const Sent&)>& condition) {
  std::vector<Sent> taken;
  for (auto it = sent_.begin(); it != sent_.end();) {
    if (!condition(it->second)) {
      ++it;
      continue;
    }
    taken.push_back(std::move(it->second));
    it = sent_.erase(it);
  }
  return taken;
}

void Router::OnTick(uint64_t now_us) {
  just_started_ = just_started_ && now_us < started_until_us_;
  DispatchStarting();
  for (Sent& sent : std::exchange(waiting_, {})) {
    if (sent.deadline_us > now_us) {
      Dispatch(std::move(sent));
    } else {
      sent.done({Outcome::kClusterDown, "no coordinator in reach"});
    }
  }
  for (Sent& sent : TakeSentIf([now_us](const Sent& s) { return s.deadline_us <= now_us; })) {
    const bool wrote = sent.request.traits.writes;
    sent.done({wrote ? Outcome::kUnknown : Outcome::kClusterDown, ""});
  }
}

}  // namespace orrery::replication
