#include "orrery/replication/shard.h"

#include <utility>
#include <vector>

#include "orrery/base/check.h"
#include "orrery/base/marks.h"

namespace orrery::replication {
namespace {

constexpr uint64_t kTickUs = 100'000;
constexpr uint64_t kSyncIntervalUs = 1'000'000;

ShardContext MakeContext(const ShardOptions& options, const Shard::Parts& parts, causality::Actor self,
                         ClusterViewPtr view) {
  ShardContext context;
  context.options = options;
  context.clock = parts.clock;
  context.timers = parts.timers;
  context.random = parts.random;
  context.store = parts.store;
  context.executor = parts.executor;
  context.log = parts.log;
  context.self = self;
  context.view = std::move(view);
  return context;
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
      mesh_(parts.mesh),
      on_gossip_(parts.on_gossip) {
  context_.hybrid = &hybrid_;
  context_.outbox = &outbox_;
  context_.slots = &slots_;
}

Shard::~Shard() { Stop(); }

Status Shard::Load() {
  const auto unfolded = HasSlotJournals(*context_.store);
  if (!unfolded.ok()) return unfolded.status();
  ORRERY_CHECK(!*unfolded);
  std::vector<SlotId> corrupt;
  if (Status s = slots_.LoadAll([this](SlotId slot) { return context_.Owns(slot); }, &corrupt); !s.ok()) return s;
  for (SlotId slot : slots_.known()) hybrid_.ObserveStored(slots_.At(slot).newest());
  for (SlotId slot : corrupt) catch_up_.OnCorruption(slot, Status::Corruption("slot state does not decode"));
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
  coordinator_.OnTick(now_us);
  router_.OnTick(now_us);
  catch_up_.Tick(now_us);
  hints_.Tick(now_us);
  expiry_.Tick();
  survey_.OnTick(now_us);
  SyncIfDue(now_us);
}

// ---- reach ----

void Shard::SetView(ClusterViewPtr view) {
  context_.view = std::move(view);
  coordinator_.OnReachChanged();
  catch_up_.OnViewChanged();
  router_.OnReachChanged();
}

void Shard::SetLiveOptions(const ShardOptions& options) {
  context_.options.request_timeout_us = options.request_timeout_us;
  context_.options.anti_entropy_interval_us = options.anti_entropy_interval_us;
  const SyncPolicy before = std::exchange(context_.options.sync, options.sync);
  // Under `always` a slot counts as synced with its next commit: what earlier ones left in memory is synced now.
  if (options.sync == SyncPolicy::kAlways && before != SyncPolicy::kAlways && !failed_) Sync([](const Status&) {});
}

void Shard::OnPeerUp(NodeId peer, uint64_t /*incarnation*/) {
  context_.linked.insert(peer);
  coordinator_.OnReachChanged();
  catch_up_.OnPeerUp(peer);
  hints_.OnPeerUp(peer);
  router_.OnReachChanged();
}

void Shard::OnPeerDown(NodeId peer) {
  context_.linked.erase(peer);
  coordinator_.OnPeerDown(peer);
  catch_up_.OnPeerDown(peer);
  hints_.OnPeerDown(peer);
  survey_.OnPeerDown(peer);
  router_.OnReachChanged();
}

// ---- messages ----

void Shard::OnFrame(NodeId peer, std::string_view frame) {
  if (failed_) return;
  FrameReader reader(frame);
  if (Status s = hybrid_.Observe(reader.time(), context_.clock->WallMs()); !s.ok()) {
    if (context_.stats.clock_refused++ == 0 && context_.log) context_.log(peer.ToHex() + ": " + s.message());
  }
  for (size_t count = kMessagesAhead; count == kMessagesAhead;) {
    count = ReadAhead(&reader);
    for (size_t i = 0; i < count; ++i) {
      if (const auto slot = SlotOfMessage(ahead_[i])) coordinator_.PrefetchQueues(*slot);
    }
    for (size_t i = 0; i < count; ++i) Deliver(peer, std::exchange(ahead_[i], {}));
  }
  if (reader.ok()) return;
  ++context_.stats.bad_frames;
  if (context_.log) context_.log("malformed frame from " + peer.ToHex());
}

// Messages of one frame are about as many slots, all of them cold: their memory is asked for before it is needed.
size_t Shard::ReadAhead(FrameReader* reader) {
  size_t count = 0;
  while (count < kMessagesAhead && reader->Next(&ahead_[count])) {
    Message& message = ahead_[count++];
    if (auto* forward = std::get_if<ForwardMessage>(&message)) {
      const uint64_t left_ms = causality::PhysicalMs(reader->time());
      forward->request.sent_ms = left_ms > forward->age_ms ? left_ms - forward->age_ms : 1;
    }
    if (const auto slot = SlotOfMessage(message)) coordinator_.PrefetchSlot(*slot);
  }
  return count;
}

size_t Shard::LoopOf(const Message& message) const {
  if (const auto slot = SlotOfMessage(message)) return *slot % context_.options.loop_count;
  if (const auto* reply = std::get_if<ForwardReplyMessage>(&message)) {
    return Router::LoopOfRequest(reply->request_id) % context_.options.loop_count;
  }
  if (const auto* reply = std::get_if<SurveyReplyMessage>(&message)) {
    return KeySurveyor::LoopOfSurvey(reply->survey_id) % context_.options.loop_count;
  }
  return std::holds_alternative<GossipMessage>(message) ? 0 : context_.options.loop_index;
}

void Shard::Deliver(NodeId from, Message message) {
  if (auto* summary = std::get_if<SummaryMessage>(&message); summary != nullptr && context_.options.loop_count > 1) {
    std::vector<SummaryMessage> parts(context_.options.loop_count);
    for (const auto& entry : summary->entries) parts[entry.slot % parts.size()].entries.push_back(entry);
    for (size_t loop = 0; loop < parts.size(); ++loop) {
      if (parts[loop].entries.empty()) continue;
      if (loop == context_.options.loop_index) {
        catch_up_.OnSummary(from, parts[loop]);
      } else {
        mesh_->PostMessage(loop, from, std::move(parts[loop]));
      }
    }
    return;
  }
  if (std::holds_alternative<SurveyMessage>(message)) {
    for (size_t loop = 0; loop < context_.options.loop_count; ++loop) {
      if (loop != context_.options.loop_index) mesh_->PostMessage(loop, from, message);
    }
    return Handle(from, message);
  }
  const size_t loop = LoopOf(message);
  if (loop == context_.options.loop_index) return Handle(from, message);
  mesh_->PostMessage(loop, from, std::move(message));
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
    void operator()(ProbeReplyMessage& m) { shard.coordinator_.OnProbeReply(from, m); }
    void operator()(ClockMessage& m) { shard.catch_up_.OnClock(from, m); }
    void operator()(BehindMessage& m) { shard.catch_up_.OnBehind(from, m); }
    void operator()(MergeRequestMessage& m) { shard.catch_up_.OnMergeRequest(from, m); }
    void operator()(MergePartMessage& m) { shard.catch_up_.OnMergePart(from, m); }
    void operator()(HintMessage& m) { shard.hints_.OnHint(from, m); }
    void operator()(HintAckMessage& m) { shard.coordinator_.OnHintAck(from, m); }
    void operator()(HintOfferMessage& m) { shard.hints_.OnHintOffer(from, m); }
    void operator()(HintWantMessage& m) { shard.hints_.OnHintWant(from, m); }
    void operator()(SummaryMessage& m) { shard.catch_up_.OnSummary(from, m); }
    void operator()(GossipMessage& m) {
      if (shard.on_gossip_) shard.on_gossip_(from, m.bytes);
    }
    void operator()(SurveyMessage& m) { shard.survey_.OnSurvey(from, m); }
    void operator()(SurveyReplyMessage& m) { shard.survey_.OnReply(from, m); }
  };
  std::visit(Visitor{*this, from}, message);
}

// The replica's side of a quorum read: what the asker lacks goes out first, then the clock it was compared with.
void Shard::Answer(NodeId from, const ProbeMessage& probe) {
  ProbeReplyMessage reply{probe.slot, probe.probe_id, false, {}};
  if (probe.as_fallback || !context_.IsHome(probe.slot)) {
    ORRERY_MARK("fallback asked in place of a home");
    for (const auto& event : hints_.Lacking(probe.slot, probe.clock)) {
      outbox_.SendDurable(from, EventMessage{0, event});
    }
    reply.clock = hints_.HintClock(probe.slot);
    outbox_.SendDurable(from, reply);
    return;
  }
  const SlotReplica& replica = slots_.At(probe.slot);
  // What it had it may have lost: it counts for nothing until it has it again.
  if (replica.is_aside()) return;
  reply.equal = replica.clock() == probe.clock;
  if (!reply.equal) {
    reply.clock = replica.clock();
    if (!probe.clock.CoversAll(replica.clock())) catch_up_.SendLacking(from, probe.slot, probe.clock);
  }
  outbox_.SendDurable(from, reply);
}

void Shard::SendGossip(NodeId to, std::string bytes) { outbox_.Send(to, GossipMessage{std::move(bytes)}); }

// ---- the turn ----

void Shard::EndTurn() {
  if (failed_) return;
  coordinator_.BeforeCommit();
  catch_up_.FlushAcks();
  hints_.FlushAcks();
  outbox_.FlushNow(hybrid_.Read(context_.clock->WallMs()));
  if (ORRERY_MUTATION("acknowledged-before-the-commit")) outbox_.FlushDurable(hybrid_.Read(context_.clock->WallMs()));
  CommitTurn();
  if (failed_) return;
  coordinator_.AfterCommit();
  catch_up_.AfterCommit();
  survey_.AfterCommit();
  outbox_.FlushDurable(hybrid_.Read(context_.clock->WallMs()));
  outbox_.FlushNow(hybrid_.Read(context_.clock->WallMs()));
}

void Shard::CommitTurn() {
  slots_.SaveTouched(&touched_);
  if (!context_.store->HasPending()) return;
  const bool always = context_.options.sync == SyncPolicy::kAlways;
  const Status status = context_.store->Commit(always ? storage::Durability::kDisk : storage::Durability::kMemory);
  if (!status.ok()) return Fail("commit", status);
  for (SlotId slot : touched_) {
    if (always) {
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
