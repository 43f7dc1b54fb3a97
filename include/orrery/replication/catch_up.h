#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "orrery/replication/merge_source.h"
#include "orrery/replication/messages.h"
#include "orrery/replication/shard_context.h"

namespace orrery::replication {

class CatchUpListener {
 public:
  virtual ~CatchUpListener() = default;
  /// Others' events or a merge moved our clock of the slot.
  virtual void OnSlotAdvanced(SlotId slot) = 0;
  /// A home told its durable clock.
  virtual void OnPeerClock(NodeId peer, SlotId slot, const causality::SlotClock& clock) = 0;
};

/// The replica's way of getting what it lacks, in order of cost: the stream of events, the peer's backlog, a merge of the
/// whole slot; and anti-entropy, which finds what nobody noticed (DESIGN: catching up; Dynamo, section 4.7).
/// One loop; events in, messages out.
class CatchUp {
 public:
  CatchUp(ShardContext* context, CatchUpListener* listener)
      : context_(*context), listener_(*listener), source_(context) {}

  /// An event from a coordinator, a peer's backlog or a fallback's hints.
  void OnEvent(NodeId from, const EventMessage& message);
  void OnClock(NodeId from, const ClockMessage& message);
  void OnBehind(NodeId from, const BehindMessage& message);
  void OnMergeRequest(NodeId from, const MergeRequestMessage& message) { source_.OnRequest(from, message); }
  void OnMergePart(NodeId from, MergePartMessage& message);
  void OnSummary(NodeId from, const SummaryMessage& message);

  /// Sends what we have and the peer, at that clock, lacks: events, or the word to merge.
  void SendLacking(NodeId peer, SlotId slot, const causality::SlotClock& peer_clock);
  /// The slot's stored bytes are unreadable: forget them and merge anew. Nothing is lost that other homes have.
  void OnCorruption(SlotId slot, const Status& why);

  void OnPeerUp(NodeId peer);
  void OnPeerDown(NodeId peer);
  void OnViewChanged();
  void Tick(uint64_t now_us);
  /// The turn's cumulative acknowledgements, to leave after the commit.
  void FlushAcks();
  void AfterCommit() { source_.AfterCommit(); }

  /// While a slot merges, or must, it takes events and answers probes, but does not coordinate.
  bool Merging(SlotId slot) const { return merges_.contains(slot) || damaged_.contains(slot); }
  size_t merges() const { return merges_.size(); }

 private:
  struct Merge {
    NodeId source;
    uint64_t id = 0;
    uint32_t next_part = 0;
    uint64_t heard_us = 0;
    SlotImage image;
  };
  struct Sweep {
    NodeId peer;
    SlotId next = 0;
  };

  void AskFor(NodeId peer, SlotId slot);
  void StartMerge(NodeId source, SlotId slot);
  void StartRepair(SlotId slot);
  void FinishMerge(SlotId slot);
  void StopMerges(const std::vector<SlotId>& slots);
  bool SharedHome(SlotId slot, NodeId peer) const;
  void SweepOn(Sweep* sweep);

  ShardContext& context_;
  CatchUpListener& listener_;
  MergeSource source_;
  std::map<SlotId, Merge> merges_;
  std::set<std::tuple<NodeId, SlotId, causality::Actor>> acks_;
  std::map<std::pair<NodeId, SlotId>, uint64_t> asked_us_;  ///< so that a burst of early events asks once
  std::vector<Sweep> sweeps_;
  std::set<SlotId> damaged_;  ///< reset, and not merged since
  std::set<SlotId> mismatched_;
  uint64_t last_sweep_us_ = 0;
};

}  // namespace orrery::replication
