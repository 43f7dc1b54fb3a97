#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>

#include "orrery/causality/hybrid_clock.h"
#include "orrery/replication/closing_seals.h"
#include "orrery/replication/cluster_view.h"
#include "orrery/replication/ended_lives.h"
#include "orrery/replication/outbox.h"
#include "orrery/replication/request.h"
#include "orrery/replication/seats.h"
#include "orrery/replication/slot_set.h"
#include "orrery/replication/slot_table.h"
#include "orrery/replication/transfer_pace.h"
#include "orrery/runtime/clock.h"
#include "orrery/runtime/random.h"
#include "orrery/runtime/timers.h"
#include "orrery/storage/row_store.h"

namespace orrery::replication {

/// When a commit counts as durable (redis.conf: appendfsync).
enum class SyncPolicy : uint8_t { kAlways, kEverySecond, kNo };

struct ShardOptions {
  size_t loop_index = 0;  ///< this shard owns the slots with slot % loop_count == loop_index
  size_t loop_count = 1;
  SyncPolicy sync = SyncPolicy::kEverySecond;
  uint64_t request_timeout_us = 5'000'000;
  uint64_t anti_entropy_interval_us = 10'000'000;
  /// What 99 of 100 commands should not take longer than while slots change hands; 0: no matter.
  uint64_t transfer_latency_target_us = 50'000;
  size_t backlog_bytes_max = 64 << 20;
  /// Keep events although there is no other member that could ask for them: for whoever looks on.
  bool lone_backlog = false;
  size_t hint_bytes_max = size_t{1} << 30;
  /// Commands are refused that would make a larger event or leave a larger row, and requests and replies that would be
  /// larger are not forwarded: links and stores take 4 GiB at once, and two sides of a cut may each fill a row.
  size_t event_bytes_max = size_t{1} << 30;
  size_t row_bytes_max = size_t{1} << 30;
  size_t request_bytes_max = size_t{2} << 30;
  size_t reply_bytes_max = size_t{2} << 30;
  size_t merge_part_bytes = 256 << 10;
  size_t merge_whole_bytes = 8 << 10;  ///< an image of so little is sent at once, without comparing
  size_t merge_leaf_bytes = 4 << 10;   ///< nor are ranges of so little divided
  size_t merge_fanout = 32;            ///< into so many pieces a range that differs is divided
  uint64_t max_clock_ahead_ms = 300'000;
  /// A forwarded request older than this is not run: whoever sent it may have turned elsewhere, and a paused node that
  /// ran it late would undo what was acknowledged since. Below the time after which a silent node counts as down.
  uint64_t forward_age_max_ms = 500;
  /// So long after its start a node holds what it would refuse for want of links to other members.
  uint64_t start_grace_us = 1'000'000;
  uint64_t probe_patience_us = 50'000;  ///< then everybody is asked, not just R-1
};

/// Counts for INFO and tests. Written by the shard's loop only.
struct ShardStats {
  uint64_t events_made = 0;
  uint64_t events_applied = 0;
  uint64_t events_duplicate = 0;
  uint64_t events_early = 0;
  uint64_t events_foreign = 0;  ///< of slots that we are no home of
  uint64_t probes_sent = 0;
  uint64_t probes_joined = 0;  ///< reads of slots that the turn's question to the peer was asked for
  uint64_t probes_spared = 0;  ///< reads for which the node that forwarded them had answered already
  uint64_t reads_repaired = 0;
  uint64_t hints_stored = 0;
  uint64_t hints_delivered = 0;
  uint64_t hints_refused = 0;
  uint64_t merges_done = 0;
  uint64_t merge_rows = 0;        ///< that came
  uint64_t merge_rows_equal = 0;  ///< that did not have to come
  uint64_t merge_bytes = 0;       ///< of rows and hashes that came
  uint64_t digest_mismatches = 0;
  uint64_t lives_closed = 0;  ///< slots of which lives that are over were closed here
  uint64_t corrupt_slots = 0;
  uint64_t repaired_slots = 0;  ///< of them, in service again
  uint64_t bad_frames = 0;
  uint64_t unknown_messages = 0;  ///< of types that a later version has; skipped
  uint64_t clock_refused = 0;
  uint64_t replies_bound = 0;  ///< of other coordinators, shown when we had what they were bound to
  uint64_t forwarded = 0;
  uint64_t relayed = 0;
  uint64_t handed_over = 0;  ///< commands that a home ahead of us ran, while we merged
  uint64_t unknown_outcomes = 0;
  uint64_t no_replicas = 0;
  uint64_t cluster_down = 0;
  uint64_t seats_taken = 0;
  uint64_t seats_given = 0;
  uint64_t slots_dropped = 0;
  uint64_t seats_claimed = 0;  ///< of the taken: from removed nodes
  uint64_t copied_bytes = 0;   ///< that came for slots that we were to get a seat of: rows, hashes, events
  uint64_t given_bytes = 0;    ///< that went out to nodes that are no homes yet
};

/// What the parts of a shard share. Owned by the Shard; every member lives as long as it does. One loop.
struct ShardContext {
  ShardOptions options;
  runtime::Clock* clock = nullptr;
  runtime::Timers* timers = nullptr;
  runtime::Random* random = nullptr;
  storage::RowStore* store = nullptr;
  CommandExecutor* executor = nullptr;
  std::function<void(const std::string&)> log;

  causality::Actor self;
  causality::HybridClock* hybrid = nullptr;
  ClusterViewPtr view;
  /// Who owns the seats of all slots.
  SeatTable seats;
  /// Another member has said, in this life, who owns the seats.
  bool seats_compared = true;
  /// Slots that we are to get a seat of and copy meanwhile: we take events and images, and promise nothing.
  SlotSet taking;
  /// These, and those of which we own a seat that is not in service yet.
  SlotSet transferring;
  /// How fast slots change hands here.
  TransferPace pace{50'000};
  /// Slots whose seat we are about to give away: no command is begun.
  SlotSet closing;
  /// Slots with a seat that is not in service yet, and since when we know.
  std::map<SlotId, uint64_t> pending_since_us;
  /// Peers with a link now. A node is in reach if it is here and alive in the view.
  std::set<NodeId> linked;
  Outbox* outbox = nullptr;
  SlotTable* slots = nullptr;
  const ForeignChanges* foreign = nullptr;
  NodeLives lives;
  ClosingSeals seals;
  /// Slots that got events of lives that may be over: to be looked at by LifeCloser.
  SlotSet perhaps_ended;
  /// Lives that are over and of which events came that could not be applied: perhaps no home has anything of them.
  std::map<SlotId, std::set<causality::Actor>> heard_of;
  ShardStats stats;
  /// The commit of this turn goes to the disk whatever the policy says.
  bool sync_turn = false;
  /// Called within turns that work on many bytes, so that peers hear of us before they miss us. May send, and calls
  /// nobody else. Empty where nobody waits for it.
  std::function<void()> sign_of_life;
  /// Shard::Parts::run_step.
  std::function<void(size_t bytes, const std::function<void()>& step)> run_step;
  /// Worked on since the last sign of life, and in this turn.
  size_t silent_bytes = 0;
  size_t turn_bytes = 0;

  /// So many bytes of a command, an event or a reply have been, or are about to be, read or copied in this turn.
  void NoteWork(size_t bytes) {
    turn_bytes += bytes;
    silent_bytes += bytes;
    if (silent_bytes < kSilentBytesMax) return;
    silent_bytes = 0;
    if (sign_of_life) sign_of_life();
  }
  static constexpr size_t kSilentBytesMax = size_t{4} << 20;  ///< some milliseconds
  /// Runs a step that handles so many bytes where it does not silence the node. It may use all of the shard but for what
  /// signs of life need: the outbox and the hybrid clock.
  template <typename Step>
  void RunStep(size_t bytes, const Step& step) {
    if (bytes < kLongStepBytes || !run_step) return step();
    run_step(bytes, step);
  }
  static constexpr size_t kLongStepBytes = size_t{1} << 20;

  bool InReach(NodeId node) const {
    return node == self.node || (linked.contains(node) && view->IsAlive(node));
  }
  /// How long so many bytes may be on their way, beyond what few bytes may.
  static uint64_t TransportUs(size_t bytes) { return bytes / kBytesPerUsMin; }
  static constexpr uint64_t kBytesPerUsMin = 16;  ///< the same on all nodes, as both ends of a link reckon with it
  /// How long the request may take, its own limit or else the cluster's, which is longer for a large one.
  uint64_t TimeoutUs(const Request& request) const {
    if (request.timeout_ms != 0) return request.timeout_ms * uint64_t{1000};
    return options.request_timeout_us + TransportUs(request.args.bytes());
  }
  /// How old a forwarded request may be when it is run.
  uint64_t AgeMaxUs(const Request& request) const {
    return options.forward_age_max_ms * 1000 + TransportUs(request.args.bytes());
  }
  /// The monotonic clock.
  uint64_t NowMs() const { return clock->MonotonicUs() / 1000; }
  /// How long ago its node sent the request; 0 for one of our own clients.
  uint64_t AgeMs(const Request& request) const {
    if (request.sent_ms == 0) return 0;
    const uint64_t now_ms = NowMs();
    return request.sent_ms > now_ms ? 0 : now_ms - request.sent_ms;
  }
  /// Whoever sent it may have turned elsewhere: it must not be run any more, by nobody.
  bool IsStale(const Request& request) const { return AgeMs(request) * 1000 > AgeMaxUs(request); }
  /// The slot's homes: the owners of its seats, in the order in which they coordinate.
  std::span<const NodeId> Homes(SlotId slot) const { return seats.Owners(slot); }
  /// Other members in the order in which they stand in for homes.
  std::vector<NodeId> Fallbacks(SlotId slot) const;
  bool IsHome(SlotId slot) const { return IsHome(slot, self.node); }
  bool IsHome(SlotId slot, NodeId node) const { return seats.IsOwner(slot, node); }
  /// A home whose seat is in service: it answers for the slot.
  bool InService(SlotId slot) const { return InService(slot, self.node); }
  bool InService(SlotId slot, NodeId node) const { return seats.InService(slot, node); }
  /// Whether events of the slot are applied here.
  bool Takes(SlotId slot) const { return IsHome(slot) || taking.Contains(slot); }
  /// Whether we may begin commands of the slot: not while our seat is between two owners.
  bool MayCoordinate(SlotId slot) const {
    return !closing.Contains(slot) && (!IsHome(slot) || InService(slot));
  }
  /// Whether a seat between two owners is still expected to be in service in a moment.
  bool IsPatientWith(SlotId slot) const;
  /// The quorums of the slot: as wanted or else as configured, capped by its seats.
  size_t R(SlotId slot, uint8_t requested = 0) const;
  size_t W(SlotId slot, uint8_t requested = 0) const;
  /// Tells a peer that acts on old knowledge whose the slot's seats are.
  void TellSeats(NodeId peer, SlotId slot) const;
  /// What of the slot is on disk, as far as `appendfsync` lets us know.
  const causality::SlotClock& OnDisk(const SlotReplica& replica) const {
    return options.sync == SyncPolicy::kEverySecond ? replica.synced() : replica.clock();
  }
  bool Owns(SlotId slot) const { return slot % options.loop_count == options.loop_index; }
};

}  // namespace orrery::replication
