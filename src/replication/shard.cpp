#include "orrery/replication/shard.h"

#include <utility>
#include <vector>

#include "orrery/base/check.h"
#include "orrery/base/marks.h"
#include "orrery/storage/slot_row_key.h"

namespace orrery::replication {
namespace {

constexpr uint64_t kTickUs = 100'000;
constexpr uint64_t kSyncIntervalUs = 1'000'000;

ShardContext MakeContext(const ShardOptions& options, const Shard::Parts& parts, causality::Actor self,
                         ClusterViewPtr view) {
  ShardContext context;
  context.options = options;
  context.seats_compared = false;
  context.clock = parts.clock;
  context.timers = parts.timers;
  context.random = parts.random;
  context.store = parts.store;
  context.executor = parts.executor;
  context.log = parts.log;
  context.pace.SetTarget(options.transfer_latency_target_us);
  context.self = self;
  context.view = std::move(view);
  return context;
}

const std::shared_ptr<const ring::Ring>& FoundersOf(const ClusterView& view) {
  return view.founders ? view.founders : view.ring;
}

}  // namespace

Result<std::unique_ptr<Shard>> Shard::Open(const ShardOptions& options, const Parts& parts, causality::Actor self,
                                           ClusterViewPtr view) {
  auto hint_store = storage::HintStore::Open(
      parts.store, {options.hint_bytes_max, [options](SlotId slot) {
                      return slot % options.loop_count == options.loop_index;
                    }});
  if (!hint_store.ok()) return hint_store.status();
  std::unique_ptr<Shard> shard(new Shard(options, parts, self, std::move(view), std::move(*hint_store)));
  if (Status s = shard->Load(); !s.ok()) return s;
  return shard;
}

Shard::Shard(const ShardOptions& options, const Parts& parts, causality::Actor self, ClusterViewPtr view,
             std::unique_ptr<storage::HintStore> hint_store)
    : hybrid_(options.max_clock_ahead_ms),
      outbox_(parts.transport),
      slots_(parts.store, parts.observer, options.backlog_bytes_max, options.loop_index),
      hint_store_(std::move(hint_store)),
      context_(MakeContext(options, parts, self, std::move(view))),
      catch_up_(&context_, this),
      hints_(&context_, hint_store_.get()),
      coordinator_(&context_, &catch_up_, &hints_),
      router_(&context_, &coordinator_, parts.mesh),
      expiry_(&context_, &coordinator_),
      survey_(&context_, &catch_up_, &hints_, parts.observer, parts.mesh),
      closer_(&context_, &hints_, this),
      book_(&context_, parts.mesh),
      taker_(&context_, &catch_up_, &hints_, &book_),
      giver_(&context_, &catch_up_, &coordinator_, &book_),
      mesh_(parts.mesh),
      on_gossip_(parts.on_gossip) {
  context_.hybrid = &hybrid_;
  context_.outbox = &outbox_;
  context_.slots = &slots_;
  context_.seats.SetFounders(FoundersOf(*context_.view));
  coordinator_.SetPassOn([this](Request request, Callback done) { router_.Route(std::move(request), 0, std::move(done)); });
}

Shard::~Shard() { Stop(); }

Status Shard::Load() {
  const auto unfolded = HasSlotJournals(*context_.store);
  if (!unfolded.ok()) return unfolded.status();
  ORRERY_CHECK(!*unfolded);
  if (Status s = book_.Load(); !s.ok()) return s;
  const auto hints_lost = HasLostHints(*context_.store);
  if (!hints_lost.ok()) return hints_lost.status();
  if (*hints_lost) hints_.NoteLost();
  std::vector<std::pair<SlotId, Status>> corrupt;
  if (Status s = slots_.LoadAll([this](SlotId slot) { return context_.Owns(slot); }, &corrupt); !s.ok()) return s;
  for (SlotId slot : slots_.known()) hybrid_.ObserveStored(slots_.At(slot).newest());
  for (const auto& [slot, damage] : corrupt) catch_up_.OnCorruption(slot, damage);
  PlanAllSeats();
  ArmTimer();
  return Status::Ok();
}

void Shard::Stop() {
  *alive_ = false;
  context_.timers->Cancel(std::exchange(timer_, runtime::kNoTimer));
}

void Shard::ArmTimer() {
  timer_ = context_.timers->After(kTickUs, [this] {
    ArmTimer();
    Tick();
  });
}

void Shard::Tick() {
  if (failed_) return;
  const uint64_t now_us = context_.clock->MonotonicUs();
  PaceTransfers(now_us);
  coordinator_.OnTick(now_us);
  router_.OnTick(now_us);
  catch_up_.Tick(now_us);
  hints_.Tick(now_us);
  expiry_.Tick();
  survey_.OnTick(now_us);
  closer_.Tick(now_us);
  book_.Tick(now_us);
  taker_.Tick(now_us);
  giver_.Tick(now_us);
  SyncIfDue(now_us);
}

// A tick that comes late tells how long commands wait for the loop.
void Shard::PaceTransfers(uint64_t now_us) {
  const uint64_t due_us = std::exchange(ticked_us_, now_us) + kTickUs;
  if (now_us > due_us) context_.pace.NoteForeground(now_us - due_us);
  context_.pace.Tick(now_us, taker_.waiting() + taker_.under_way() + giver_.to_give() > 0);
}

// ---- reach ----

void Shard::SetView(ClusterViewPtr view) {
  const ClusterViewPtr before = std::exchange(context_.view, std::move(view));
  context_.seats.SetFounders(FoundersOf(*context_.view));
  const bool wants_others = before->ring != context_.view->ring || before->members.size() != context_.view->members.size();
  if (wants_others) PlanAllSeats();
  coordinator_.OnReachChanged();
  catch_up_.OnViewChanged();
  closer_.OnViewChanged();
  if (before->members.size() != context_.view->members.size()) book_.OnViewChanged();
  router_.OnReachChanged();
}

void Shard::SetLiveOptions(const ShardOptions& options) {
  context_.options.request_timeout_us = options.request_timeout_us;
  context_.options.anti_entropy_interval_us = options.anti_entropy_interval_us;
  context_.options.transfer_latency_target_us = options.transfer_latency_target_us;
  context_.pace.SetTarget(options.transfer_latency_target_us);
  const SyncPolicy before = std::exchange(context_.options.sync, options.sync);
  // Under `always` a slot counts as synced with its next commit: what earlier ones left in memory is synced now.
  if (options.sync == SyncPolicy::kAlways && before != SyncPolicy::kAlways && !failed_) Sync([](const Status&) {});
}

void Shard::OnPeerUp(NodeId peer, uint64_t incarnation) {
  context_.linked.insert(peer);
  // Another life may have another machine's monotonic clock.
  PeerDelay& known = delays_[peer];
  if (known.incarnation != incarnation) known = {incarnation, {}};
  closer_.OnPeerUp(peer, incarnation);
  coordinator_.OnReachChanged();
  catch_up_.OnPeerUp(peer);
  hints_.OnPeerUp(peer);
  book_.OnPeerUp(peer);
  taker_.OnPeerUp(peer);
  router_.OnReachChanged();
}

void Shard::OnPeerDown(NodeId peer) {
  context_.linked.erase(peer);
  coordinator_.OnPeerDown(peer);
  catch_up_.OnPeerDown(peer);
  hints_.OnPeerDown(peer);
  closer_.OnPeerDown(peer);
  survey_.OnPeerDown(peer);
  taker_.OnPeerDown(peer);
  router_.OnReachChanged();
}

// ---- messages ----

void Shard::OnFrame(NodeId peer, std::string_view frame) {
  if (failed_) return;
  FrameReader reader(frame);
  if (Status s = hybrid_.Observe(reader.time(), context_.clock->WallMs()); !s.ok()) {
    if (context_.stats.clock_refused++ == 0 && context_.log) context_.log(peer.ToHex() + ": " + s.message());
  }
  const uint64_t now_ms = context_.NowMs();
  const uint64_t left_ms = now_ms - std::min(now_ms, delays_[peer].delay.LateMs(reader.sent_ms(), now_ms));
  // Messages of one frame are about as many slots, all of them cold. Each is read some messages before its
  // turn comes, and step by step the memory that it needs is asked for, so that none waits for its own.
  const auto at = [this](size_t place) -> Ahead& { return ahead_[place % kMessagesAhead]; };
  size_t read = 0;
  bool more = true;
  for (size_t place = 0; more || place < read + 3 * kStageMessages; ++place) {
    if (more) {
      more = ReadAhead(&reader, left_ms, &at(place));
      read += more ? 1 : 0;
    }
    if (const size_t i = place - kStageMessages; place >= kStageMessages && i < read && at(i).slot) {
      coordinator_.PrefetchSlot(*at(i).slot);
    }
    if (const size_t i = place - 2 * kStageMessages; place >= 2 * kStageMessages && i < read && at(i).slot) {
      coordinator_.PrefetchQueues(*at(i).slot);
      if (at(i).row_hint != 0) context_.store->PrefetchRow(at(i).row_hint);
    }
    if (const size_t i = place - 3 * kStageMessages; place >= 3 * kStageMessages && i < read) {
      Deliver(peer, &at(i).message);
    }
  }
  context_.stats.unknown_messages += reader.unknown();
  if (reader.ok()) return;
  ++context_.stats.bad_frames;
  if (context_.log) context_.log("malformed frame from " + peer.ToHex());
}

bool Shard::ReadAhead(FrameReader* reader, uint64_t left_ms, Ahead* ahead) {
  if (!reader->Next(&ahead->message)) return false;
  ahead->slot = SlotOfMessage(ahead->message);
  ahead->row_hint = 0;
  if (ahead->slot) coordinator_.PrefetchPlace(*ahead->slot);
  if (auto* forward = std::get_if<ForwardMessage>(&ahead->message)) {
    forward->request.sent_ms = left_ms > forward->age_ms ? left_ms - forward->age_ms : 1;
  } else if (const auto* message = std::get_if<EventMessage>(&ahead->message)) {
    const std::string_view row_key = causality::FirstRowKeyOf(*message->event);
    if (!row_key.empty()) {
      ahead->row_hint = context_.store->PrefetchKey(storage::SlotRowKey(*ahead->slot, row_key).view());
    }
  }
  return true;
}

size_t Shard::LoopOf(const Message& message) const {
  if (context_.options.loop_count == 1) return context_.options.loop_index;
  if (const auto slot = SlotOfMessage(message)) return *slot % context_.options.loop_count;
  if (const auto* reply = std::get_if<ForwardReplyMessage>(&message)) {
    return Router::LoopOfRequest(reply->request_id) % context_.options.loop_count;
  }
  if (const auto* reply = std::get_if<SurveyReplyMessage>(&message)) {
    return KeySurveyor::LoopOfSurvey(reply->survey_id) % context_.options.loop_count;
  }
  if (const auto* answer = std::get_if<CloseAnswerMessage>(&message)) {
    return LifeCloser::LoopOfRound(answer->round) % context_.options.loop_count;
  }
  return std::holds_alternative<GossipMessage>(message) ? 0 : context_.options.loop_index;
}

// Of a message about many slots each loop gets those that it owns.
template <typename M>
void Shard::DeliverParts(NodeId from, const M& message) {
  std::vector<M> parts(context_.options.loop_count, [&] {
    M part = message;
    part.entries.clear();
    return part;
  }());
  for (const auto& entry : message.entries) parts[entry.slot % parts.size()].entries.push_back(entry);
  for (size_t loop = 0; loop < parts.size(); ++loop) {
    if (parts[loop].entries.empty()) continue;
    Message part = std::move(parts[loop]);
    if (loop == context_.options.loop_index) {
      Handle(from, part);
    } else {
      mesh_->PostMessage(loop, from, std::move(part));
    }
  }
}

// What the message holds is taken where it is wanted; the rest of it stays until the next one comes in its place.
void Shard::Deliver(NodeId from, Message* message) {
  if (context_.options.loop_count > 1) {
    if (const auto* summary = std::get_if<SummaryMessage>(message)) return DeliverParts(from, *summary);
    if (const auto* ask = std::get_if<CloseAskMessage>(message)) return DeliverParts(from, *ask);
  }
  if (std::holds_alternative<SurveyMessage>(*message) || std::holds_alternative<SeatsMessage>(*message)) {
    for (size_t loop = 0; loop < context_.options.loop_count; ++loop) {
      if (loop != context_.options.loop_index) mesh_->PostMessage(loop, from, *message);
    }
    return Handle(from, *message);
  }
  const size_t loop = LoopOf(*message);
  if (loop == context_.options.loop_index) return Handle(from, *message);
  mesh_->PostMessage(loop, from, std::move(*message));
}

void Shard::OnMessage(NodeId from, Message message) {
  if (!failed_) Handle(from, message);
}

void Shard::Handle(NodeId from, Message& message) {
  struct Visitor {
    Shard& shard;
    NodeId from;
    void operator()(ForwardMessage& m) { shard.router_.OnForward(from, std::move(m)); }
    void operator()(ForwardReplyMessage& m) { shard.router_.OnForwardReply(from, std::move(m)); }
    void operator()(EventMessage& m) { shard.catch_up_.OnEvent(from, m); }
    void operator()(AckMessage& m) { shard.coordinator_.OnAck(from, m); }
    void operator()(ProbeMessage& m) { shard.Answer(from, m); }
    void operator()(ProbeReplyMessage& m) {
      if ((m.probe_id & SeatTaker::kProbeBit) != 0) return shard.taker_.OnHints(from, m);
      shard.coordinator_.OnProbeReply(from, m);
    }
    void operator()(ClockMessage& m) { shard.catch_up_.OnClock(from, m); }
    void operator()(BehindMessage& m) { shard.catch_up_.OnBehind(from, m); }
    void operator()(MergeRequestMessage& m) { shard.catch_up_.OnMergeRequest(from, m); }
    void operator()(MergePartMessage& m) { shard.catch_up_.OnMergePart(from, m); }
    void operator()(MergeAskMessage& m) { shard.catch_up_.OnMergeAsk(from, m); }
    void operator()(MergeTreeMessage& m) { shard.catch_up_.OnMergeTree(from, m); }
    void operator()(HintMessage& m) { shard.hints_.OnHint(from, m); }
    void operator()(HintAckMessage& m) { shard.coordinator_.OnHintAck(from, m); }
    void operator()(HintOfferMessage& m) { shard.hints_.OnHintOffer(from, m); }
    void operator()(HintWantMessage& m) { shard.OnHintWant(from, m); }
    void operator()(SummaryMessage& m) { shard.catch_up_.OnSummary(from, m); }
    void operator()(GossipMessage& m) {
      if (shard.on_gossip_) shard.on_gossip_(from, m.bytes);
    }
    void operator()(SurveyMessage& m) { shard.survey_.OnSurvey(from, m); }
    void operator()(SurveyReplyMessage& m) { shard.survey_.OnReply(from, m); }
    void operator()(CloseAskMessage& m) { shard.closer_.OnAsk(from, m); }
    void operator()(CloseAnswerMessage& m) { shard.closer_.OnAnswer(from, m); }
    void operator()(SeatsMessage& m) { shard.OnSeats(m); }
    void operator()(SeatHashMessage& m) { shard.book_.OnHash(from, m); }
    void operator()(SeatDigestsMessage& m) {
      shard.book_.OnDigests(from, m);
      shard.router_.DispatchStarting();
    }
    void operator()(SeatAskMessage& m) { shard.giver_.OnAsk(from, m); }
    void operator()(SeatGivenMessage& m) { shard.taker_.OnGiven(from, m); }
    void operator()(SeatReachMessage& m) { shard.taker_.OnReach(from, m); }
  };
  std::visit(Visitor{*this, from}, message);
}

void Shard::OnPeerClosed(NodeId home, SlotId slot, const EndedLives& lives) {
  causality::SlotClock closed;
  for (const auto& span : lives.spans) closed.RaiseFloor(span.node, span.to);
  coordinator_.OnPeerClock(home, slot, closed);
}

// The replica's side of a quorum read: what the asker lacks goes out first, then the clock it was compared
// with.
void Shard::Answer(NodeId from, const ProbeMessage& probe) {
  ProbeReplyMessage reply{probe.slot, probe.probe_id, false, {}};
  if (probe.as_fallback) {
    ORRERY_MARK("fallback asked in place of a home");
    if (hints_.has_lost()) return;
    for (const auto& event : hints_.Lacking(probe.slot, probe.clock)) {
      outbox_.SendDurable(from, EventMessage{0, event});
    }
    reply.clock = hints_.HintClock(probe.slot);
    outbox_.SendDurable(from, reply);
    return;
  }
  // Whoever does not own a seat, or does not cover yet what its giver promised, says nothing.
  if (!context_.InService(probe.slot)) return context_.TellSeats(from, probe.slot);
  const SlotReplica& replica = slots_.At(probe.slot);
  // What it had it may have lost: it counts for nothing until it has it again.
  if (replica.is_aside()) return;
  reply.equal = replica.clock() == probe.clock;
  if (!reply.equal) {
    reply.clock = replica.clock();
    if (!probe.clock.CoversEveryDotOf(replica.clock())) catch_up_.SendLacking(from, probe.slot, probe.clock);
  }
  outbox_.SendDurable(from, reply);
}

// ---- seats ----

void Shard::OnHintWant(NodeId from, const HintWantMessage& want) {
  hints_.OnHintWant(from, want);
  giver_.OnWant(from, want);
  taker_.OnWant(from, want);
}

uint64_t Shard::Holdings() const {
  uint64_t held = giver_.leftovers();
  for (SlotId slot = 0; slot < kSlotCount; ++slot) held += context_.Owns(slot) && context_.IsHome(slot) ? 1 : 0;
  for (const auto& [home, totals] : hints_.totals()) held += totals.count;
  return held;
}

void Shard::PlanSeats(SlotId slot) {
  taker_.Plan(slot);
  giver_.Plan(slot, taker_.WasCopied(slot));
}

void Shard::PlanAllSeats() {
  for (SlotId slot = 0; slot < kSlotCount; ++slot) {
    if (context_.Owns(slot)) PlanSeats(slot);
  }
}

void Shard::OnSeatsChanged(SlotId slot) {
  coordinator_.OnSeatsChanged(slot);
  PlanSeats(slot);
  // The first home closes lives that are over, and it may be another one now.
  context_.perhaps_ended.Insert(slot);
}

void Shard::OnSeats(const SeatsMessage& message) {
  for (const SlotId slot : book_.Learn(message.records)) {
    OnSeatsChanged(slot);
  }
}

// Our records are on the disk, and with them all that we hold of the slots.
void Shard::OnSeatsWritten() {
  for (const SlotId slot : book_.AfterCommit()) {
    OnSeatsChanged(slot);
    if (!context_.InService(slot)) continue;
    // The other homes hear what counts as held by us from now on.
    for (const NodeId home : context_.Homes(slot)) {
      if (home != context_.self.node) outbox_.SendDurable(home, ClockMessage{slot, true, slots_.At(slot).clock()});
    }
  }
  giver_.AfterCommit();
  taker_.AfterCommit();
}

void Shard::SendGossip(NodeId to, std::string bytes) { outbox_.Send(to, GossipMessage{std::move(bytes)}); }

// ---- the turn ----

void Shard::EndTurn() {
  if (failed_) return;
  coordinator_.BeforeCommit();
  taker_.BeforeCommit();
  giver_.BeforeCommit();
  catch_up_.FlushAcks();
  hints_.FlushAcks();
  FlushNow();
  if (ORRERY_MUTATION("acknowledged-before-the-commit")) FlushDurable();
  CommitTurn();
  if (failed_) return;
  coordinator_.AfterCommit();
  OnSeatsWritten();
  catch_up_.AfterCommit();
  survey_.AfterCommit();
  FlushDurable();
  FlushNow();
}

void Shard::FlushNow() { outbox_.FlushNow(hybrid_.Read(context_.clock->WallMs()), context_.NowMs()); }

void Shard::FlushDurable() { outbox_.FlushDurable(hybrid_.Read(context_.clock->WallMs()), context_.NowMs()); }

void Shard::CommitTurn() {
  slots_.SaveTouched(&touched_);
  const bool to_disk = std::exchange(context_.sync_turn, false) || context_.options.sync == SyncPolicy::kAlways;
  if (!context_.store->HasPending()) return;
  const Status status = context_.store->Commit(to_disk ? storage::Durability::kDisk : storage::Durability::kMemory);
  if (!status.ok()) return Fail("commit", status);
  for (SlotId slot : touched_) {
    if (to_disk) {
      slots_.At(slot).MarkSynced(slots_.At(slot).clock());
    } else {
      unsynced_.Insert(slot);
    }
  }
  slots_.TrimBacklogs(context_.self);
}

void Shard::Fail(const std::string& what, const Status& status) {
  failed_ = true;
  outbox_.DropDurable();
  if (context_.log) context_.log(what + " failed, this shard stops acknowledging: " + status.message());
  coordinator_.CommitFailed(status.message());
}

void Shard::SyncIfDue(uint64_t now_us) {
  const bool due = context_.options.sync == SyncPolicy::kEverySecond && now_us >= last_sync_us_ + kSyncIntervalUs;
  if (!due || syncing_ || unsynced_.empty()) return;
  last_sync_us_ = now_us;
  Sync([](Status) {});
}

std::vector<std::pair<SlotId, causality::SlotClock>> Shard::TakeUnsynced() {
  std::vector<std::pair<SlotId, causality::SlotClock>> clocks;
  std::vector<SlotId> unsynced;
  unsynced_.TakeInto(&unsynced);
  clocks.reserve(unsynced.size());
  for (SlotId slot : unsynced) {
    if (slots_.IsTouched(slot)) {
      unsynced_.Insert(slot);
    } else {
      clocks.emplace_back(slot, slots_.At(slot).clock());
    }
  }
  return clocks;
}

void Shard::Sync(std::function<void(Status)> done) {
  syncing_ = true;
  context_.store->SyncSoon([this, alive = alive_, clocks = TakeUnsynced(), done = std::move(done)](Status status) {
    if (!*alive) return;
    syncing_ = false;
    if (status.ok()) {
      for (const auto& [slot, clock] : clocks) slots_.At(slot).MarkSynced(clock);
    } else if (!failed_) {
      // What was acknowledged from memory may never reach this disk: as bad as a commit that failed.
      Fail("sync", status);
    }
    done(status);
  });
}

}  // namespace orrery::replication
