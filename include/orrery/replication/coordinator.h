#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "orrery/base/prefetch.h"
#include "orrery/replication/ack_notes.h"
#include "orrery/replication/catch_up.h"
#include "orrery/replication/hint_service.h"
#include "orrery/replication/messages.h"
#include "orrery/replication/parked_requests.h"
#include "orrery/replication/quorum.h"
#include "orrery/replication/shard_context.h"
#include "orrery/replication/slot_set.h"
#include "orrery/replication/targets.h"
#include "orrery/replication/turn_probes.h"

namespace orrery::replication {

/// Runs commands for the slots that this node coordinates: quorum read, execution, event, replication, commit
/// point (DESIGN: writing, reading; Dynamo, sections 4.5 and 4.6). Event in, messages and replies out; driven
/// by the shard's turn: inputs, then BeforeCommit, the commit, AfterCommit. One loop.
class Coordinator final : private storage::FoldRule {
 public:
  Coordinator(ShardContext* context, CatchUp* catch_up, HintService* hints)
      : context_(*context), catch_up_(*catch_up), hints_(*hints), slots_(kSlotCount) {}

  /// Takes a command for a slot. done is called in AfterCommit or OnTick, once. Commands of a slot run in
  /// order. may_hand_over: false for one that another node has handed to us, which is to be run here or not
  /// at all.
  void Submit(Request&& request, Callback&& done, bool may_hand_over = true);
  /// Sends a command to a home that is ahead of us, to be run there. done comes back with kNotHere if that
  /// did not run it.
  using HandOver = std::function<void(NodeId peer, Request request, uint64_t deadline_us, Callback done)>;
  void SetHandOver(HandOver hand_over) { hand_over_ = std::move(hand_over); }

  void OnAck(NodeId from, const AckMessage& ack);
  void OnProbeReply(NodeId from, const ProbeReplyMessage& reply);
  void OnCountedReply(NodeId from, const CountedReplyMessage& reply);
  void OnTurnProbeReply(NodeId from, const TurnProbeReplyMessage& reply);
  void OnCommitAsk(NodeId from, const CommitAskMessage& ask);
  void OnHintAck(NodeId from, const HintAckMessage& ack);
  /// A peer told its durable clock for another reason.
  void OnPeerClock(NodeId peer, SlotId slot, const causality::SlotClock& clock);
  /// All homes have just these events of the lives on disk; the lives are closed here.
  void OnLivesClosed(SlotId slot, const EndedLives& lives);
  /// Others' events or a merge moved the slot's clock.
  void OnSlotAdvanced(SlotId slot);
  /// The slot was emptied after damage. What waits for copies counted ours, so its outcome is unknown now;
  /// what has not run asks its quorum again, since we are not current with anybody any more.
  void OnSlotReset(SlotId slot);
  /// Links or the view changed: who takes part is computed anew, what was in flight to a lost home is hinted.
  void OnReachChanged();
  void OnPeerDown(NodeId peer);
  /// Others own the slot's seats now. What waits for copies counted those that did before; commands that wait
  /// to run are passed on to whoever coordinates.
  void OnSeatsChanged(SlotId slot);
  /// Whether no command that ran waits for anything.
  bool IsIdle(SlotId slot) const;
  /// Whether others' events of the slot are applied here as they come: not while it is merged or repaired.
  bool TakesEvents(SlotId slot) const { return !catch_up_.Merging(slot); }
  /// In this turn, whatever it is that may have changed.
  void LookAt(SlotId slot) {
    if (slots_[slot]) Changed(slot);
  }
  /// Where requests go that we do not coordinate any more.
  void SetPassOn(std::function<void(Request, Callback)> pass_on) { pass_on_ = std::move(pass_on); }

  /// Asks for the memory of a slot that a command or message is about to be about: where it is, a little
  /// later the slot itself, then what that points to.
  void PrefetchPlace(SlotId id) const {
    PrefetchBytes(&slots_[id], sizeof(slots_[id]));
    context_.slots->PrefetchFind(id);
    context_.seats.PrefetchOwners(id);
  }
  void PrefetchSlot(SlotId id) const;
  void PrefetchQueues(SlotId id) const;
  /// For an acknowledgement. True: as it seems it will only be noted, and needs nothing else of the slot.
  bool PrefetchNotes(SlotId id) const;
  /// Counts what is noted of the slot: its commit point may be higher than it seems.
  void CountNoted(SlotId id) { Find(id); }
  /// Runs what can run and sends the turn's probes.
  void BeforeCommit();
  /// The turn's changes are durable: acknowledges what is on W nodes.
  void AfterCommit();
  /// The turn's changes are lost: their outcome is unknown to their clients.
  void CommitFailed(const std::string& why);
  /// Deadlines and probes that nobody answered. Every tenth of a second.
  void OnTick(uint64_t now_us);

  /// Commands waiting to run or to be acknowledged.
  size_t pending() const { return pending_; }
  /// What the disk refused last; empty while it works. While it is set, nothing is run.
  const std::string& disk_error() const { return disk_error_; }
  void ClearDiskError() { disk_error_.clear(); }
  bool has_work() const { return !turn_.empty() || !finished_.empty() || !arrived_.empty(); }

 private:
  // A turn of many small commands touches as many slots, all of them cold.
  static constexpr size_t kPrefetchPlaceAhead = 9;
  static constexpr size_t kPrefetchAhead = 6;
  static constexpr size_t kPrefetchQueuesAhead = 3;
  /// So many commands run before what they made is applied.
  static constexpr size_t kRunTogether = 16;

  struct Slot;
  struct Waiting {
    Request request;
    Callback done;
    uint64_t begun_us = 0;  ///< when its node sent it, or it came here
    uint64_t deadline_us = 0;
    uint64_t probe_id = 0;  ///< 0: asks nobody
    size_t reads_needed = 0;
    uint64_t row_hint = 0;  ///< for RowStore::PrefetchRow
    bool may_hand_over = true;
  };
  struct Executed {
    Response response;
    Callback done;
    uint64_t begun_us = 0;
    uint64_t deadline_us = 0;
    uint64_t saw = 0;         ///< sequence that must be settled before the reply leaves
    causality::Dot own;       ///< counter 0: no event
    size_t event_bytes = 0;   ///< of the event as it is sent
    size_t write_quorum = 0;  ///< 0: the slot's
  };
  /// A command that has run, with what it made, which is not applied yet.
  struct Ran {
    SlotId id = 0;
    Slot* slot = nullptr;
    Executed executed;
    Status status;
    bool changed = false;
    causality::Event event;                ///< if it changed anything
    std::vector<storage::RowUpdate> rows;  ///< of the event's changes
    size_t bytes = 0;                      ///< of request and reply
    size_t step_bytes = 0;                 ///< about as many are handled when it is applied
    bool has_own_timeout = false;
    bool entry_is_home = false;
  };
  struct Slot {
    // What every command needs stands first, in this many bytes, for the sake of PrefetchSlot.
    static constexpr size_t kHotBytes = 6 * kCacheLineBytes;

    // Lists, since nearly all are empty: an empty one owns nothing, and a node is memory that was used just
    // now.
    std::list<Waiting> queue;
    std::list<Executed> replies;
    Targets targets;
    bool known_targets = false;
    bool ready = false;
    bool has_unapplied = false;  ///< the event of a command in ran_
    bool probe_wanted = false;
    bool probe_everybody = false;
    uint64_t next_probe = 1;
    uint64_t probed_turn = 0;  ///< in which probe next_probe - 1 was sent, and to so many
    size_t probed_count = 0;
    uint64_t birth_floor = 0;
    uint64_t made = 0;  ///< own counter, which a repair of the slot may have set back: no dot is given twice
    uint64_t others_saw = 0;    ///< sequence of the last event of another coordinator
    causality::SlotClock seen;  ///< what of our clock the quorum counts already
    SlotQuorum quorum;

    int large_values = 0;  ///< for so many commands it is expected to have some

    std::set<NodeId> refused;  ///< fallbacks that cannot take our hints, until retry_us
    uint64_t retry_us = 0;
    uint64_t retry_pause_us = 0;
    uint64_t ready_probe = 0;
    uint64_t counted_from = 0;  ///< what was answered to earlier probes says nothing of the clock that we have now
    NodeId ask_first;           ///< if it takes part: what it answers will spare later questions
    uint64_t probe_sent_us = 0;
    size_t counted_for = 0;        ///< W when what the slot had was last counted from the beginning
    uint64_t everybody_probe = 0;  ///< the last probe that went to all who take part
    causality::SlotClock everybody_clock;
    size_t handed_over =
        0;  ///< commands that a peer has and that have not been answered: what came later waits for them
  };

  Slot& At(SlotId id);
  /// Whoever looks at a slot sees all acknowledgements counted.
  Slot* Find(SlotId id) {
    Slot* const slot = slots_[id].get();
    if (noted_acks_.Has(id)) CountNoted(id, slot);
    return slot;
  }
  void CountNoted(SlotId id, Slot* slot);
  uint64_t Settle(SlotId id, Slot* slot);
  void TakeArrived();
  void Enqueue(Waiting&& waiting);
  void PrefetchArrived(size_t place);
  void PrefetchTurn(size_t place) const;
  static bool IsEntryAHome(const Slot& slot, const Request& request);
  bool HasEntryAnswered(const Slot& slot, const Waiting& waiting) const;
  void WantProbe(Slot* slot, Waiting* waiting);
  void EndReplies(SlotId id, Slot* slot, const std::string& why);
  void EndReply(Executed&& executed, const std::string& why);
  bool Admit(Slot* slot, Waiting* waiting);
  bool SendOn(Waiting* waiting);
  void PassOn(Request&& request, Callback&& done);
  void PassOnMoved();
  void Refuse(Outcome outcome, std::string why, Callback done);
  void RefreshTargets(SlotId id, Slot* slot);
  void CountAnew(SlotId id, Slot* slot);
  void TurnElsewhere(SlotId id, Slot* slot, NodeId fallback);
  void RetryRefused(uint64_t now_us);
  void Introduce(SlotId id, Slot* slot, const Target& target);
  void BeginTurn();
  void RunQueue(SlotId id, Slot* slot);
  void RunAnswered(SlotId id, Slot* slot);
  /// Something was learnt, by which commands may run now or replies leave.
  void Changed(SlotId id) {
    turn_.Insert(id);
    release_.Insert(id);
  }
  bool ShowsNothingNew(SlotId id, const Slot& slot, const Executed& executed) const;
  void LookAfterCommit(SlotId id, Slot* slot, const Executed& executed);
  bool MayBind(const Ran& ran) const;
  void NoteTook(uint64_t begun_us);
  void NoteDone(SlotId id, const Slot& slot);
  bool CanRun(SlotId id, Slot* slot, const Waiting& head);
  size_t CurrentCount(const Slot& slot, uint64_t probe_id, bool homes_only) const;
  bool TryHandOver(SlotId id, Slot* slot, Waiting* head);
  void StartReadiness(SlotId id, Slot* slot);
  void SendProbes(SlotId id, Slot* slot);
  bool JoinTurnProbe(SlotId id, const Slot& slot, const Target& target, uint64_t probe_id);
  void ForgetCounts(Slot* slot);
  void SendProbe(SlotId id, const Target& target, uint64_t probe_id);
  void PrefetchAsked(const std::vector<TurnProbes::Asked>& asked, size_t place) const;
  void AskEverybody(Slot* slot);
  Foldable FoldableIn(SlotId id) const override;
  storage::Transaction Begin(SlotId id, const Slot& slot);
  void Execute(SlotId id, Slot* slot, Waiting&& waiting);
  void ExecuteArrived(SlotId id, Slot* slot, Waiting&& waiting);
  /// False: it was not run, and is answered or parked.
  bool Run(SlotId id, Slot* slot, Waiting&& waiting, Ran* ran);
  void Conclude(Ran* ran);
  void ConcludeArrived();
  Status CheckSizes(const causality::EncodedEvent* event, const std::vector<storage::RowUpdate>& rows) const;
  void NoteLarge(size_t bytes, Slot* slot);
  Status Commit(Ran* ran);
  void Fail(const Status& status, Ran* ran);
  void Replicate(SlotId id, Slot* slot, const causality::EventPtr& event);
  uint64_t HintsBegin(SlotId id, const Slot& slot, NodeId home, const causality::Actor& actor) const;
  void SendHints(SlotId id, Slot* slot, const Target& target, const causality::Actor& actor, uint64_t upto);
  void Release(SlotId id, Slot* slot);
  bool MayLeave(SlotId id, const Slot& slot, const Executed& executed, uint64_t settled) const;
  void Park(Waiting waiting);
  void CallParked(SlotId id, Slot* slot);
  void SendParkedAway();
  void ExpireParked(uint64_t now_us);
  void FinishParked(Callback done, std::string reply);
  void Finish(Callback done, Response response);
  void RunFinished();
  void Expire(Slot* slot, uint64_t now_us);

  ShardContext& context_;
  CatchUp& catch_up_;
  HintService& hints_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<Waiting> arrived_;  ///< since the last turn; slots are looked at for all of them in one go
  std::vector<Ran> ran_;          ///< of those, at most one of a slot
  SlotSet turn_;                  ///< slots to look at in this turn
  SlotSet release_;               ///< slots of which replies may leave when this turn is committed
  SlotSet busy_;                  ///< slots with a queue or replies
  SlotSet refused_;               ///< slots of which a fallback has refused hints
  AckNotes noted_acks_;
  std::vector<SlotId> taken_;     ///< memory of AfterCommit
  std::vector<std::pair<SlotId, Executed>> bound_;  ///< of this turn: they leave with its commit (MayBind)
  std::vector<std::pair<Callback, Response>> finished_;
  std::vector<std::pair<Callback, Response>> calling_;  ///< memory of RunFinished
  TurnProbes turn_probes_;
  ParkedRequests parked_;
  std::function<void(Request, Callback)> pass_on_;
  std::vector<std::pair<Request, Callback>>
      moved_on_;  ///< in this turn, to be passed on when it has looked at all slots
  size_t pending_ = 0;
  uint64_t turn_number_ = 1;
  bool turn_begun_ = false;
  uint64_t turn_us_ = 0;  ///< when the turn under way came to its commands, by the monotonic clock
  uint64_t turn_ms_ = 0;  ///< wall clock of the turn under way: all its commands run at one instant
  std::string disk_error_;
  HandOver hand_over_;
};

}  // namespace orrery::replication
