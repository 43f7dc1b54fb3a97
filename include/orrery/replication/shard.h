#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "orrery/replication/catch_up.h"
#include "orrery/replication/coordinator.h"
#include "orrery/replication/copy_counter.h"
#include "orrery/replication/expiry_sweeper.h"
#include "orrery/replication/frame_delay.h"
#include "orrery/replication/hint_service.h"
#include "orrery/replication/key_survey.h"
#include "orrery/replication/life_closer.h"
#include "orrery/replication/router.h"
#include "orrery/replication/seat_book.h"
#include "orrery/replication/seat_giver.h"
#include "orrery/replication/seat_taker.h"
#include "orrery/replication/shard_context.h"
#include "orrery/runtime/transport.h"
#include "orrery/storage/hint_store.h"
#include "orrery/storage/row_observer.h"

namespace orrery::replication {

/// One loop's share of a node: its slots as replica and coordinator, its hints, and the routing of its
/// clients' requests. Everything comes in through events and interfaces, so a shard behaves the same on libuv
/// and in the simulation.
///
/// Each turn of the loop: any number of events and requests, then EndTurn once, which runs what can run,
/// sends, commits everything in one batch, and only then acknowledges and answers. One loop; not thread-safe.
class Shard final : public runtime::PeerEvents, private CatchUpListener, private LifeCloserListener {
 public:
  struct Parts {
    runtime::Clock* clock = nullptr;
    runtime::Timers* timers = nullptr;
    runtime::Random* random = nullptr;
    runtime::Transport* transport = nullptr;
    storage::RowStore* store = nullptr;
    storage::RowObserver* observer = nullptr;
    CommandExecutor* executor = nullptr;
    LoopMesh* mesh = nullptr;
    /// Membership's messages, on the first loop only.
    std::function<void(NodeId from, std::string_view bytes)> on_gossip;
    /// Within turns that work on many bytes: may send gossip, and should give the transport's output to the system.
    /// May be empty.
    std::function<void()> sign_of_life;
    /// Runs a step that handles so many bytes, and returns when it is done; if it may be long, on another thread, giving
    /// signs of life meanwhile. May be empty: then steps just run.
    std::function<void(size_t bytes, const std::function<void()>& step)> run_step;
    std::function<void(const std::string&)> log;
  };

  /// Loads slots and hints. kIoError: the store cannot be read at all.
  static Result<std::unique_ptr<Shard>> Open(const ShardOptions& options, const Parts& parts,
                                             causality::Actor self, ClusterViewPtr view);
  ~Shard() override;
  /// Forgets its timer; nothing may be called afterwards but the destructor.
  void Stop();

  void SetView(ClusterViewPtr view);
  /// Takes over what may change while the shard runs: durability, timeouts, the pace of anti-entropy.
  void SetLiveOptions(const ShardOptions& options);
  const ClusterViewPtr& view() const { return context_.view; }

  void OnPeerUp(NodeId peer, uint64_t incarnation) override;
  void OnPeerDown(NodeId peer) override;
  void OnFrame(NodeId peer, std::string_view frame) override;
  /// What the peer was asked for may be in it.
  void OnPartOfFrame(NodeId peer) override {
    router_.OnPartOfFrame(peer);
    catch_up_.OnPartOfFrame(peer);
  }
  /// A message that another loop of this node received for one of our slots or requests.
  void OnMessage(NodeId from, Message message);
  void SendGossip(NodeId to, std::string bytes);
  /// Leaves after the commit of this turn, or never if that fails.
  void SendCommittedGossip(NodeId to, std::string bytes);
  /// Gives to the transport, before the turn ends, what may leave at any time.
  void SendEarly() { FlushNow(); }

  RequestRouter& router() { return router_; }
  KeySurveyor& survey() { return survey_; }
  CopyCounter& copies() { return copies_; }
  /// A request from another loop of this node, for a slot of ours.
  void RouteFromLoop(Request request, uint8_t hops, Callback done) {
    router_.Route(std::move(request), hops, std::move(done));
  }

  void EndTurn();
  /// The commit of this turn goes to the disk whatever the policy says: for what must not be forgotten, and
  /// is rare.
  void SyncTurn() { context_.sync_turn = true; }

  /// What answers and replies of the last turn have set going waits for another turn, which nothing else may
  /// bring soon.
  bool has_work() const { return router_.has_ended() || (!failed_ && coordinator_.has_work()); }

  /// Whether what has ended is purged here; for tests.
  void SetActiveExpiry(bool active) { expiry_.SetActive(active); }

  /// The disk refused a commit: nothing is acknowledged, answered or taken until the node starts a new life.
  bool failed() const { return failed_; }
  const std::string& disk_error() const { return coordinator_.disk_error(); }

  const ShardStats& stats() const { return context_.stats; }
  const ShardContext& context() const { return context_; }
  SlotTable& slots() { return slots_; }
  const SlotTable& slots() const { return slots_; }
  Coordinator& coordinator() { return coordinator_; }
  const HintService& hints() const { return hints_; }
  const CatchUp& catch_up() const { return catch_up_; }
  const LifeCloser& closer() const { return closer_; }
  /// Seats of ours, slots that are not dropped yet and hints, of this loop: what a node that leaves has to
  /// hand over.
  uint64_t Holdings() const;
  const SeatTaker& taker() const { return taker_; }
  const SeatGiver& giver() const { return giver_; }
  /// Commands that wait for something; 0 before a graceful stop ends.
  size_t pending() const { return coordinator_.pending() + router_.pending() + survey_.pending(); }
  /// Makes everything so far durable, then calls done. For a graceful stop and checkpoints.
  void Sync(std::function<void(Status)> done);

 private:
  Shard(const ShardOptions& options, const Parts& parts, causality::Actor self, ClusterViewPtr view,
        std::unique_ptr<storage::HintStore> hint_store);
  Status Load();
  void OnSlotAdvanced(SlotId slot) override {
    coordinator_.OnSlotAdvanced(slot);
    taker_.OnAdvanced(slot);
  }
  void OnCopied(SlotId slot) override { taker_.OnCopied(slot); }
  std::vector<causality::EventPtr> HintsOf(SlotId slot) override { return hints_.Lacking(slot, {}); }
  void OnSlotReset(SlotId slot) override {
    coordinator_.OnSlotReset(slot);
    closer_.OnSlotReset(slot);
    taker_.OnSlotReset(slot);
  }
  void OnPeerClock(NodeId peer, SlotId slot, const causality::SlotClock& clock) override {
    coordinator_.OnPeerClock(peer, slot, clock);
  }
  void OnLivesClosed(SlotId slot, const EndedLives& lives) override {
    coordinator_.OnLivesClosed(slot, lives);
  }
  void OnPeerClosed(NodeId home, SlotId slot, const EndedLives& lives) override;
  void PaceTransfers(uint64_t now_us);
  void Handle(NodeId from, Message& message);
  template <typename M>
  void DeliverParts(NodeId from, const M& message);
  struct Ahead;
  bool ReadAhead(FrameReader* reader, uint64_t left_ms, Ahead* ahead);
  void Answer(NodeId from, const ProbeMessage& probe);
  void SendAnswer(NodeId from, const ProbeReplyMessage& reply);
  void OnTurnProbe(NodeId from, const TurnProbeMessage& probe);
  void OnSeatsChanged(SlotId slot);
  void OnSeats(NodeId from, const SeatsMessage& message);
  void OnHintWant(NodeId from, const HintWantMessage& want);
  void PlanSeats(SlotId slot);
  void PlanAllSeats();
  void OnSeatsWritten();
  void Deliver(NodeId from, Message* message);
  size_t LoopOf(const Message& message) const;
  void Tick();
  void ArmTimer();
  void SyncIfDue(uint64_t now_us);
  void FlushNow();
  void FlushDurable();
  void CommitTurn();
  /// The clocks of slots committed since the last sync began. What this turn has added is not on its way to
  /// the disk: the slots that it touched wait for the next sync.
  std::vector<std::pair<SlotId, causality::SlotClock>> TakeUnsynced();
  void Fail(const std::string& what, const Status& status);

  causality::HybridClock hybrid_;
  Outbox outbox_;
  SlotTable slots_;
  std::unique_ptr<storage::HintStore> hint_store_;
  ShardContext context_;
  ForeignChanges foreign_;
  std::set<NodeId> counting_;  ///< peers that have asked for the count of foreign changes
  CatchUp catch_up_;
  HintService hints_;
  Coordinator coordinator_;
  Router router_;
  ExpirySweeper expiry_;
  KeySurveyor survey_;
  CopyCounter copies_;
  LifeCloser closer_;
  SeatBook book_;
  SeatTaker taker_;
  SeatGiver giver_;
  LoopMesh* mesh_;
  std::function<void(NodeId, std::string_view)> on_gossip_;
  /// Changed since the last sync was begun, with the clock of the last commit.
  static constexpr size_t kMessagesAhead = 16;
  static constexpr size_t kStageMessages = 4;  ///< between two steps of asking for what a message needs
  struct Ahead {
    Message message;
    std::optional<SlotId> slot;
    uint64_t row_hint = 0;  ///< for RowStore::PrefetchRow
  };
  struct PeerDelay {
    uint64_t incarnation = 0;
    FrameDelay delay;
  };
  std::map<NodeId, PeerDelay> delays_;
  std::array<Ahead, kMessagesAhead> ahead_;  ///< memory of OnFrame
  std::vector<SlotId> touched_;              ///< memory of CommitTurn
  SlotSet unsynced_;
  bool syncing_ = false;
  uint64_t ticked_us_ = 0;
  uint64_t last_sync_us_ = 0;
  runtime::TimerId timer_ = runtime::kNoTimer;
  bool failed_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< for callbacks that may outlive us
};

}  // namespace orrery::replication
