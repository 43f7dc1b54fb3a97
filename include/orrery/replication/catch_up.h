#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "orrery/replication/anti_entropy.h"
#include "orrery/replication/lacking_sender.h"
#include "orrery/replication/merge_requester.h"
#include "orrery/replication/merge_source.h"
#include "orrery/replication/shard_context.h"
#include "orrery/replication/slot_repair.h"

namespace orrery::replication {

/// Hears what catching up has changed or learned. Called inside CatchUp's calls.
class CatchUpListener {
 public:
  virtual ~CatchUpListener() = default;
  /// Others' events or a merge moved our clock of the slot, in the pending batch.
  virtual void OnSlotAdvanced(SlotId slot) = 0;
  /// The slot's rows and clock are gone here, in the pending batch: what this replica has acknowledged it has
  /// no more.
  virtual void OnSlotReset(SlotId slot) = 0;
  /// A peer's image of the slot was merged, in the pending batch.
  virtual void OnCopied(SlotId /*slot*/) {}
  /// What hints we keep of the slot ourselves, in the order of each actor's counters.
  virtual std::vector<causality::EventPtr> HintsOf(SlotId /*slot*/) { return {}; }
  /// A peer told the clock that it durably has.
  virtual void OnPeerClock(NodeId peer, SlotId slot, const causality::SlotClock& clock) = 0;
};

/// The replica's side of a home: takes others' events in order, and brings slots that are behind up to date,
/// be it us or a peer, by the cheapest way that does: backlog, then merge; anti-entropy finds what nobody
/// asked for (docs/catch-up.md). Only homes apply. Events in, messages into the context's outbox; no waiting,
/// no threads. One loop.
class CatchUp {
 public:
  static constexpr uint64_t kAskPatienceUs = 1'000'000;

  CatchUp(ShardContext* context, CatchUpListener* listener);

  /// Sends what we have and the peer lacks, or says that it has to merge. What is in flight is not sent
  /// again.
  void SendLacking(NodeId peer, SlotId slot, const causality::SlotClock& peer_clock) {
    sender_.Send(peer, slot, peer_clock);
  }
  /// We lack something that the peer may have.
  void AskFor(NodeId peer, SlotId slot);

  /// Merges the slot from the peer, unless that is under way.
  void MergeFrom(NodeId peer, SlotId slot) { requester_.Want(slot, peer, MergeRequester::What::kDiffers); }

  void OnEvent(NodeId from, const EventMessage& message);
  void OnClock(NodeId from, const ClockMessage& message);
  void OnBehind(NodeId from, const BehindMessage& message);
  void OnMergeRequest(NodeId from, const MergeRequestMessage& message);
  void OnMergePart(NodeId from, const MergePartMessage& message);
  void OnMergeAsk(NodeId from, const MergeAskMessage& message) { source_.OnAsk(from, message); }
  void OnMergeTree(NodeId from, const MergeTreeMessage& message);
  void OnSummary(NodeId from, const SummaryMessage& message);
  /// A member's answer to a probe of a repair.
  void OnRepairHints(NodeId from, const ProbeReplyMessage& reply) { repair_.OnHints(from, reply.slot); }

  /// Stored bytes of the slot cannot be read: it leaves service and is merged anew. A status other than
  /// kCorruption is the disk's, and is only reported.
  void OnCorruption(SlotId slot, const Status& status);
  /// The slot's event or merge has failed, for whatever reason. What it has changed before cannot be taken
  /// out of the batch: then the slot counts as damaged.
  void OnHalfDone(SlotId slot, const Status& why);
  /// While this holds the slot is not to be coordinated here; it answers probes and takes events.
  bool Merging(SlotId slot) const { return requester_.Has(slot) || repair_.Has(slot); }
  /// The home that is ahead of us, if the slot merges from it; nobody while a damaged slot is repaired.
  std::optional<NodeId> Ahead(SlotId slot) const {
    return repair_.Has(slot) ? std::nullopt : requester_.SourceOf(slot);
  }
  size_t merges() const { return requester_.size(); }

  void OnPeerUp(NodeId peer);
  void OnPeerDown(NodeId peer);
  /// What the peer sends is on its way.
  void OnPartOfFrame(NodeId peer) { requester_.OnPartOfFrame(peer); }
  void OnViewChanged();
  /// Every tenth of a second or so.
  void Tick(uint64_t now_us);
  /// Queues the turn's acknowledgements. Before the commit, after the last event of the turn.
  void FlushAcks();
  /// The turn is committed: snapshots for those that merge from us are taken now.
  void AfterCommit();

 private:
  /// Whom to acknowledge what: one cumulative acknowledgement each, at the turn's end.
  struct Ack {
    NodeId peer;
    SlotId slot = 0;
    causality::Actor actor;
    auto operator<=>(const Ack&) const = default;
  };

  void Apply(NodeId from, const EventMessage& message);
  void OnGap(NodeId from, SlotId slot, const causality::Actor& actor);
  void AskHomes(SlotId slot);
  void TakeImage(SlotId slot, MergeRequester::Fetched fetched);
  void TakeForRepair(SlotId slot, MergeRequester::Fetched fetched);
  void Repair();
  void Reask();
  void SendClock(NodeId peer, SlotId slot, bool answer);

  ShardContext& context_;
  CatchUpListener& listener_;
  LackingSender sender_;
  MergeRequester requester_;
  MergeSource source_;
  AntiEntropy anti_entropy_;
  SlotRepair repair_;
  std::vector<Ack> acks_;
  std::map<std::pair<NodeId, SlotId>, uint64_t> asked_us_;
};

}  // namespace orrery::replication
