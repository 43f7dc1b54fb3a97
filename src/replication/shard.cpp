#include "orrery/replication/shard.h"

#include <utility>
#include <vector>

#include "orrery/base/check.h"
#include "orrery/base/marks.h"

namespace orrery::replication {
namespace {

constexpr uint64_t kTickUs = 100'000;

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
  context.sign_of_life = parts.sign_of_life;
  context.run_step = parts.run_step;
  context.pace.SetTarget(options.transfer_latency_target_us);
  context.self = self;
  context.view = std::move(view);
  return context;
}

const std::shared_ptr<const ring::Ring>& FoundersOf(const ClusterView& view) {
  return view.founders ? view.founders : view.ring;
}

}  // namespace

Result<std::unique_ptr<Shard>> Shard::Open(const ShardOptions& options, const Parts& parts,
                                           causality::Actor self, ClusterViewPtr view) {
  auto hint_store = storage::HintStore::Open(
      parts.store, {options.hint_bytes_max,
                    [options](SlotId slot) { return slot % options.loop_count == options.loop_index; }});
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
      foreign_(&context_.seats, self.node, parts.random->Next64()),
      catch_up_(&context_, this),
      hints_(&context_, hint_store_.get()),
      coordinator_(&context_, &catch_up_, &hints_),
      router_(&context_, &coordinator_, parts.mesh),
      expiry_(&context_, &coordinator_),
      survey_(&context_, &catch_up_, &hints_, parts.observer, parts.mesh),
      copies_(&context_, &hints_),
      closer_(&context_, &hints_, this),
      book_(&context_, parts.mesh),
      taker_(&context_, &catch_up_, &hints_, &book_),
      giver_(&context_, &catch_up_, &coordinator_, &book_),
      mesh_(parts.mesh),
      on_gossip_(parts.on_gossip) {
  context_.hybrid = &hybrid_;
  context_.outbox = &outbox_;
  context_.slots = &slots_;
  context_.foreign = &foreign_;
  context_.seats.SetFounders(FoundersOf(*context_.view));
  slots_.CountForeign(&foreign_);
  coordinator_.SetPassOn(
      [this](Request request, Callback done) { router_.Route(std::move(request), 0, std::move(done)); });
}

Shard::~Shard() {
  Stop();
}

Status Shard::Load() {
  const auto unfolded = HasSlotJournals(*context_.store);
  if (!unfolded.ok()) return unfolded.status();
  ORRERY_CHECK(!*unfolded);
  if (Status s = book_.Load(); !s.ok()) return s;
  const auto hints_lost = HasLostHints(*context_.store);
  if (!hints_lost.ok()) return hints_lost.status();
  if (*hints_lost) hints_.NoteLost();
  std::vector<std::pair<SlotId, Status>> corrupt;
  if (Status s = slots_.LoadAll([this](SlotId slot) { return context_.Owns(slot); }, &corrupt); !s.ok())
    return s;
  for (SlotId slot : slots_.known()) hybrid_.ObserveStored(slots_.At(slot).newest());
  for (const auto& [slot, damage] : corrupt) {
    // Where it was noted that any slot may have lost something: of this one there is nothing here, and need
    // not be.
    const bool is_others = !context_.Takes(slot) &&
                           !context_.store->Scan(storage::Table::kRows, storage::SlotPrefix(slot))->Valid();
    is_others ? slots_.Drop(slot) : catch_up_.OnCorruption(slot, damage);
  }
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
  const bool wants_others = before->ring != context_.view->ring ||
                            before->founders != context_.view->founders ||
                            before->members.size() != context_.view->members.size();
  if (wants_others) PlanAllSeats();
  // What it knew of seats as a newcomer was another newcomer's word.
  const bool has_joined = before->awaits_meeting && !context_.view->awaits_meeting;
  if (has_joined) {
    context_.seats_compared = false;
    router_.OnJoined();
  }
  coordinator_.OnReachChanged();
  catch_up_.OnViewChanged();
  closer_.OnViewChanged();
  if (has_joined || before->members.size() != context_.view->members.size()) book_.OnViewChanged();
  router_.OnReachChanged();
}

void Shard::SetLiveOptions(const ShardOptions& options) {
  context_.options.request_timeout_us = options.request_timeout_us;
  context_.options.anti_entropy_interval_us = options.anti_entropy_interval_us;
  context_.options.transfer_latency_target_us = options.transfer_latency_target_us;
  context_.pace.SetTarget(options.transfer_latency_target_us);
  const SyncPolicy before = std::exchange(context_.options.sync, options.sync);
  // Under `always` a slot counts as synced with its next commit: what earlier ones left in memory is synced
  // now.
  if (options.sync == SyncPolicy::kAlways && before != SyncPolicy::kAlways && !failed_)
    Sync([](const Status&) {});
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
  counting_.erase(peer);
  coordinator_.OnPeerDown(peer);
  catch_up_.OnPeerDown(peer);
  hints_.OnPeerDown(peer);
  closer_.OnPeerDown(peer);
  survey_.OnPeerDown(peer);
  taker_.OnPeerDown(peer);
  router_.OnReachChanged();
}

// ---- seats ----

void Shard::OnHintWant(NodeId from, const HintWantMessage& want) {
  hints_.OnHintWant(from, want);
  giver_.OnWant(from, want);
  taker_.OnWant(from, want);
}

uint64_t Shard::Holdings() const {
  uint64_t held = giver_.leftovers();
  for (SlotId slot = 0; slot < kSlotCount; ++slot)
    held += context_.Owns(slot) && context_.IsHome(slot) ? 1 : 0;
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

// A stranger, who is linked until it is refused, may have seats of another cluster.
void Shard::OnSeats(NodeId from, const SeatsMessage& message) {
  if (context_.view->Find(from) == nullptr && !ORRERY_MUTATION("seats-of-strangers-believed")) return;
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
      if (home != context_.self.node)
        outbox_.SendDurable(home, ClockMessage{slot, true, slots_.At(slot).clock()});
    }
  }
  giver_.AfterCommit();
  taker_.AfterCommit();
}

void Shard::SendGossip(NodeId to, std::string bytes) {
  outbox_.Send(to, GossipMessage{std::move(bytes)});
}

void Shard::SendCommittedGossip(NodeId to, std::string bytes) {
  outbox_.SendDurable(to, GossipMessage{std::move(bytes)});
}

}  // namespace orrery::replication
