#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "orrery/replication/shard_context.h"

namespace orrery::replication {

/// Slots whose stored bytes cannot be read, on their way back. The replica is set aside and says nothing;
/// what of it can be read is put together with the images of the other homes, damaged ones included, until no
/// row is missing that the joint clock speaks of; hints of all members help (docs/catch-up.md). Says what to
/// do; the messages about images are CatchUp's. One loop.
class SlotRepair {
 public:
  /// So many rounds over all homes, then what none of them can read is given up.
  static constexpr int kRoundsMax = 5;
  /// Probes for hints have this bit, and no other one.
  static constexpr uint64_t kProbeBit = uint64_t{1} << 61;

  explicit SlotRepair(ShardContext* context) : context_(*context) {}

  /// Notes the damage and sets the slot aside. False: it is already, or no other home has the slot, so that
  /// what can be read of it here is all there is and it stays in service.
  bool Begin(SlotId slot, const Status& damage);
  /// Whether the slot is away from service.
  bool Has(SlotId slot) const { return slots_.contains(slot); }
  std::vector<SlotId> slots() const;
  /// The home in reach whose image is to be fetched next; nobody when all of this round have been asked.
  std::optional<NodeId> NextSource(SlotId slot);
  /// It is asked again, at once.
  void OnPeerUp(NodeId peer);
  void Fetched(SlotId slot, NodeId source, SlotImage image);
  /// An event of a slot that is away: somebody's hint, or just made. Kept for as long, within limits.
  void Keep(const causality::EventPtr& event);
  /// The member has sent what hints it has of the slot.
  void OnHints(NodeId from, SlotId slot);
  /// Whether the slot is whole again, in the pending batch, and back in service.
  bool TryFinish(SlotId slot);

 private:
  using Images = std::vector<const SlotImage*>;
  struct Repair {
    /// The backlog as it was: some of it, with W = 1 even acknowledged events, may be nowhere else.
    std::vector<causality::EventPtr> kept_events;
    /// What has come since. Nothing is promised about these: whoever keeps them as hints goes on doing so.
    std::map<causality::Dot, causality::EventPtr> late_events;
    size_t late_bytes = 0;
    std::set<NodeId> hints_heard;  ///< members that have answered in this round
    /// What can be read here; read when the first image is there.
    std::optional<SlotImage> remains;
    std::map<NodeId, SlotImage> images;
    std::set<NodeId> asked;
    int rounds = 0;
    uint64_t next_round_us = 0;
  };

  bool RebuildAlone(SlotId slot, const Status& damage);
  size_t SourcesNeeded(SlotId slot) const;
  void AskForHints(SlotId slot, Repair* repair);
  bool HeardAll(SlotId slot, const Repair& repair) const;
  bool ReadRemains(SlotId slot, Repair* repair);
  std::optional<SlotImage> Join(SlotId slot, const Repair& repair) const;
  std::optional<SlotImage> JoinSome(SlotId slot, const Images& images, bool with_own,
                                    const std::vector<causality::Event>& events) const;
  bool Finish(SlotId slot, const SlotImage& image);
  void Log(SlotId slot, const std::string& text) const;
  void LogOfMany(SlotId slot, const std::string& text);

  ShardContext& context_;
  std::map<SlotId, Repair> slots_;
  uint64_t lines_ = 0;         ///< of LogOfMany since no slot was away
  std::set<SlotId> reported_;  ///< damaged, but nobody else has a copy
};

}  // namespace orrery::replication
