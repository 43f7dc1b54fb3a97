#include "orrery/replication/router.h"

#include <algorithm>
#include <utility>

#include "orrery/base/hash.h"
#include "orrery/base/marks.h"

namespace orrery::replication {
namespace {

// Two nodes with different views may each think that the other coordinates; after this many hops whoever has
// the request runs it: concurrent coordinators are safe, endless relays are not.
constexpr uint8_t kHopsMax = 2;
// The entry node gives a coordinator time to report that the outcome is unknown before it says so itself.
constexpr uint64_t kGraceUs = 500'000;
// A receiver may take a request for so much younger than it is: it does not know how long the quickest way takes.
constexpr uint64_t kAgeErrorMs = 250;
// So long a reply may be on its way beyond the deadline, and so long ago what last came of a long frame: between two of
// them a node may work on the value of one.
constexpr uint64_t kReplyUsMax = 60'000'000;
constexpr uint64_t kPartsApartUs = 5'000'000;

// A write that was sent once may have been applied there, now or later: nobody may call it refused any more.
Callback MaybeApplied(Callback done) {
  return [done = std::move(done)](Response response) {
    if (response.outcome != Outcome::kReply) response = {Outcome::kUnknown, ""};
    done(std::move(response));
  };
}

/// Null if nothing speaks against it.
const char* WhyNothingIsServed(const ClusterView& view) {
  if (view.says_farewell || !view.is_removal_known) return "this node is about to leave the cluster";
  if (view.is_removed) return "this node was removed from the cluster";
  // Who has just started is likely to hear soon.
  if (view.awaits_meeting && view.is_compared)
    return "this node belongs to no cluster yet: it waits for its seeds or CLUSTER MEET";
  return nullptr;
}

}  // namespace

Router::Router(ShardContext* context, Coordinator* coordinator, LoopMesh* mesh)
    : context_(*context),
      coordinator_(*coordinator),
      mesh_(mesh),
      next_id_(Hash64({}, context->self.incarnation) & kIdMask),
      bound_(context),
      started_until_us_(context->clock->MonotonicUs() + context->options.start_grace_us),
      was_alone_(context->view->members.size() == 1),
      compare_until_us_(started_until_us_) {
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

// Whoever hears of an end may have its next request ready, which must find everything in its place; and whoever has just
// submitted something expects to hear of it later.
void Router::End(Sent&& sent, Response response) {
  ended_.emplace_back(std::move(sent.done), std::move(response));
}

void Router::TellEnded() {
  if (ended_.empty()) return;
  for (auto& [done, response] : std::exchange(ended_, {})) done(std::move(response));
}

void Router::Fail(const std::string& why) {
  disk_error_ = why;
  for (std::vector<Sent>* waiting : {&starting_, &waiting_}) {
    for (Sent& sent : std::exchange(*waiting, {})) End(std::move(sent), {Outcome::kDiskError, why});
  }
  held_.clear();
  for (Sent& sent : TakeSentIf([](const Sent&) { return true; })) {
    const bool wrote = sent.request.traits.writes;
    End(std::move(sent), wrote ? Response{Outcome::kUnknown, ""} : Response{Outcome::kDiskError, why});
  }
  TellEnded();
}

// Whether too few take part for the request, or no home, only because this node has just started or heard of the first other members.
bool Router::LacksLinks(const Request& request) const {
  if (!just_started_ || context_.clock->MonotonicUs() >= started_until_us_) return false;
  const size_t needed = std::max(request.traits.writes ? context_.W(request.slot, request.write_quorum) : 0,
                                 request.traits.reads ? context_.R(request.slot, request.read_quorum) : 0);
  bool has_home = false;
  bool may_have = false;
  for (const NodeId home : context_.Homes(request.slot)) {
    has_home |= context_.InReach(home);
    // Of whom a newcomer has not heard yet it does not know that he was removed.
    may_have |= home && !context_.view->removed.contains(home);
  }
  return (may_have && !has_home) || ComputeTargets(context_, request.slot, {}).participants() < needed;
}

bool Router::MustCompare() const {
  if (!context_.view->is_compared) return true;
  if (context_.seats_compared || context_.view->members.size() == 1) return false;
  return context_.clock->MonotonicUs() < compare_until_us_ && !ORRERY_MUTATION("served-without-comparing");
}

void Router::DispatchStarting() {
  if (starting_.empty()) return;
  const uint64_t now_us = context_.clock->MonotonicUs();
  for (Sent& sent : std::exchange(starting_, {})) {
    if (now_us < sent.deadline_us) {
      Dispatch(std::move(sent));
    } else {
      End(std::move(sent), {Outcome::kClusterDown, "this node has not heard from the other members yet"});
    }
  }
}

void Router::Dispatch(Sent&& sent) {
  if (disk_error_) return End(std::move(sent), {Outcome::kDiskError, *disk_error_});
  if (const char* why = WhyNothingIsServed(*context_.view)) {
    // Another node's client is not to blame for that node's old view.
    if (sent.request.sent_ms != 0) return End(std::move(sent), {Outcome::kNotHere, ""});
    return End(std::move(sent), {Outcome::kClusterDown, why});
  }
  if (!held_.empty() && held_.contains(sent.request.slot)) {
    ORRERY_MARK("request waited behind a write whose coordinator was lost");
    SetDeadline(&sent);
    waiting_.push_back(std::move(sent));
    return;
  }
  if (!starting_.empty() || MustCompare() || LacksLinks(sent.request)) {
    ORRERY_MARK("request waited for the links of a node that has just started");
    SetDeadline(&sent);
    starting_.push_back(std::move(sent));
    return;
  }
  if (context_.IsStale(sent.request)) {
    ORRERY_MARK("forwarded request too old to be passed on");
    return End(std::move(sent), {Outcome::kNotHere, ""});
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
  const size_t bytes = RequestBytes(sent.request);
  if (bytes > context_.options.request_bytes_max) {
    ORRERY_MARK("request too large to be forwarded");
    return End(std::move(sent), TooLarge("what the command needs", context_.options.request_bytes_max));
  }
  if (sent_.empty()) first_sent_ = next_id_;
  const uint64_t id = (uint64_t{context_.options.loop_index} << 48) | (next_id_++ & kIdMask);
  ++context_.stats.forwarded;
  sent.peer = peer;
  sent.sent_us = context_.clock->MonotonicUs();
  SetDeadline(&sent);
  // Nothing is copied for the message: it only borrows the request.
  Message message = ForwardMessage{id, static_cast<uint8_t>(sent.hops + 1), context_.AgeMs(sent.request),
                                   CountFor(peer, sent), std::move(sent.request)};
  context_.NoteWork(bytes);
  context_.outbox->Send(peer, message);
  sent.request = std::move(std::get<ForwardMessage>(message).request);
  sent_.push_back(std::make_unique<Sent>(std::move(sent)));
  ++unanswered_;
}

// What we would answer to the peer's question for the slot; 0 if nothing, or if we would not take what it
// makes of the request, as while we merge, for which reason a request is handed over.
uint64_t Router::CountFor(NodeId peer, const Sent& sent) const {
  const SlotId slot = sent.request.slot;
  if (sent.handed_over || !context_.Owns(slot) || !context_.InService(slot)) return 0;
  return coordinator_.TakesEvents(slot) ? context_.foreign->CountOf(peer) : 0;
}

// Null if nobody waits for the answer.
std::unique_ptr<Router::Sent>* Router::FindSent(uint64_t request_id) {
  if (LoopOfRequest(request_id) != context_.options.loop_index) return nullptr;
  const uint64_t place = (request_id - first_sent_) & kIdMask;
  return place < sent_.size() && sent_[place] != nullptr ? &sent_[place] : nullptr;
}

Router::Sent Router::TakeSent(std::unique_ptr<Sent>* sent) {
  Sent taken = std::move(**sent);
  sent->reset();
  --unanswered_;
  return taken;
}

void Router::TrimSent() {
  for (; !sent_.empty() && sent_.front() == nullptr; ++first_sent_) sent_.pop_front();
}

void Router::OnForward(NodeId from, ForwardMessage message) {
  const uint64_t id = message.request_id;
  if (message.hops > 1) ++context_.stats.relayed;
  const SlotId slot = message.request.slot;
  message.request.entry = from;
  message.request.entry_count = message.count;
  Route(std::move(message.request), message.hops, [this, from, id, slot](Response response) {
    // Whoever thought that we coordinate learns first who does.
    if (response.outcome == Outcome::kNotHere) context_.TellSeats(from, slot);
    const uint64_t after = response.after;
    Answer(from, {id, std::move(response), {context_.self, after}});
  });
}

// A peer with more loops than we have may have asked over a link of its own before ours to it is up.
void Router::Answer(NodeId to, ForwardReplyMessage message) {
  if (message.response.reply.size() > context_.options.reply_bytes_max) {
    ORRERY_MARK("reply too large to be passed on");
    message.response = TooLarge("the reply", context_.options.reply_bytes_max);
  }
  if (context_.linked.contains(to)) return context_.outbox->SendDurable(to, std::move(message));
  ORRERY_MARK("answer waited for a link to who asked");
  unsent_.push_back({to, std::move(message), context_.clock->MonotonicUs() + context_.options.start_grace_us});
}

void Router::SendAnswers() {
  if (unsent_.empty()) return;
  const uint64_t now_us = context_.clock->MonotonicUs();
  std::erase_if(unsent_, [&](const Unsent& unsent) {
    const bool linked = context_.linked.contains(unsent.to);
    if (linked) context_.outbox->SendDurable(unsent.to, unsent.message);
    return linked || now_us >= unsent.until_us;
  });
}

void Router::OnForwardReply(NodeId from, ForwardReplyMessage message) {
  std::unique_ptr<Sent>* const found = FindSent(message.request_id);
  if (found == nullptr || (*found)->peer != from) return;
  if (message.after.counter != 0) {
    return bound_.Add((*found)->request.slot, message.request_id, from, message.after,
                      std::move(message.response));
  }
  Sent sent = TakeSent(found);
  TrimSent();
  if (message.response.outcome == Outcome::kNotHere && !sent.handed_over) return TryAgain(std::move(sent));
  sent.done(std::move(message.response));
}

void Router::Show(uint64_t request_id, Response response) {
  std::unique_ptr<Sent>* const found = FindSent(request_id);
  if (found == nullptr) return;
  Sent sent = TakeSent(found);
  TrimSent();
  sent.done(std::move(response));
}

void Router::OnCommitTell(const CommitTellMessage& tell) {
  bound_.OnCommitTell(tell, show_);
}

void Router::AfterCommit(const std::vector<SlotId>& changed) {
  bound_.AfterCommit(changed, show_);
}

// Before what its client has sent for the slot since, which waits behind it.
void Router::TryAgain(Sent&& sent) {
  // A receiver that is busy with large values may find each request too old. It has not run it, and is alive: what it
  // took to say so does not count.
  const uint64_t took_us = context_.clock->MonotonicUs() - sent.sent_us;
  if (sent.request.timeout_ms == 0 && took_us > context_.AgeMaxUs(sent.request)) {
    ORRERY_MARK("request given back by a busy node");
    const uint64_t more_us = std::min(took_us, sent.lenience_us);
    sent.deadline_us += more_us;
    sent.lenience_us -= more_us;
  }
  const auto is_later = [&](const Sent& other) { return !other.peer && other.request.slot == sent.request.slot; };
  const bool first = held_.insert(sent.request.slot).second;
  waiting_.insert(first ? waiting_.end() : std::find_if(waiting_.begin(), waiting_.end(), is_later), std::move(sent));
}

void Router::Lost(Sent sent) {
  if (sent.handed_over && !sent.request.traits.writes) return End(std::move(sent), {Outcome::kNotHere, ""});
  const bool again = !sent.request.traits.writes || sent.request.traits.idempotent;
  if (!sent.handed_over && (again || ORRERY_MUTATION("retries-increments"))) {
    ORRERY_MARK("request tried elsewhere after its coordinator was lost");
    sent.hops = 0;
    if (sent.request.traits.writes) {
      if (!ORRERY_MUTATION("lost-writes-tried-elsewhere-at-once")) {
        sent.not_before_us = sent.sent_us + context_.AgeMaxUs(sent.request) + kAgeErrorMs * 1000;
        held_.insert(sent.request.slot);
      }
      sent.done = MaybeApplied(std::move(sent.done));
    }
    waiting_.push_back(std::move(sent));
    return;
  }
  ++context_.stats.unknown_outcomes;
  End(std::move(sent), {Outcome::kUnknown, ""});
}

void Router::OnReachChanged() {
  const size_t members = context_.view->members.size();
  if (std::exchange(was_alone_, members == 1) && members > 1) {
    just_started_ = true;
    started_until_us_ = context_.clock->MonotonicUs() + context_.options.start_grace_us;
  }
  SendAnswers();
  DispatchStarting();
  for (Sent& sent : TakeSentIf([this](const Sent& s) { return !context_.InReach(s.peer); }))
    Lost(std::move(sent));
  DispatchWaiting(context_.clock->MonotonicUs());
}

void Router::DispatchWaiting(uint64_t now_us) {
  if (waiting_.empty()) return;
  held_.clear();
  for (Sent& sent : std::exchange(waiting_, {})) {
    if (sent.deadline_us <= now_us) {
      End(std::move(sent), {Outcome::kClusterDown, "no coordinator in reach"});
    } else if (sent.not_before_us > now_us) {
      held_.insert(sent.request.slot);
      waiting_.push_back(std::move(sent));
    } else {
      Dispatch(std::move(sent));
    }
  }
}

std::vector<Router::Sent> Router::TakeSentIf(const std::function<bool(const Sent&)>& condition) {
  std::vector<Sent> taken;
  for (std::unique_ptr<Sent>& sent : sent_) {
    if (sent != nullptr && condition(*sent)) taken.push_back(TakeSent(&sent));
  }
  TrimSent();
  return taken;
}

// A large reply is waited for as long as something comes.
bool Router::IsOverdue(const Sent& sent, uint64_t now_us) const {
  if (now_us < sent.deadline_us) return false;
  return now_us >= sent.deadline_us + kReplyUsMax || !part_came_us_.contains(sent.peer);
}

void Router::OnJoined() {
  just_started_ = true;
  started_until_us_ = compare_until_us_ = context_.clock->MonotonicUs() + context_.options.start_grace_us;
}

void Router::OnTick(uint64_t now_us) {
  just_started_ = just_started_ && now_us < started_until_us_;
  if (now_us >= compare_until_us_) context_.seats_compared = true;  // what we know has to do
  SendAnswers();
  DispatchStarting();
  DispatchWaiting(now_us);
  bound_.OnTick([this](uint64_t request_id) { return FindSent(request_id) != nullptr; });
  std::erase_if(part_came_us_, [now_us](const auto& part) { return now_us > part.second + kPartsApartUs; });
  for (Sent& sent : TakeSentIf([&](const Sent& s) { return IsOverdue(s, now_us); })) {
    const bool wrote = sent.request.traits.writes;
    End(std::move(sent), {wrote ? Outcome::kUnknown : Outcome::kClusterDown, ""});
  }
}

}  // namespace orrery::replication
