#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "orrery/replication/hint_service.h"
#include "orrery/replication/messages.h"
#include "orrery/replication/shard_context.h"

namespace orrery::replication {

/// How many other homes have what has been written to some slots so far: WAIT (redis.io/commands/wait).
///
/// The node that is asked need not be a home, and knows no dots. So it asks all homes, and as many fallbacks,
/// for their clocks. What was acknowledged is on W of these, and N-W+1 homes and the hints tell of all of it:
/// what they cover together is what has to be on the homes. That may be more than the client wrote; it is
/// never less. Then it asks again until enough homes, one more than the other copies that are wanted, cover
/// that. Part of a shard; one loop.
class CopyCounter {
 public:
  using Done = std::function<void(uint64_t copies)>;
  /// Set by whoever does not want to know any more; any thread.
  using GivenUp = std::shared_ptr<const std::atomic<bool>>;

  CopyCounter(ShardContext* context, const HintService* hints) : context_(*context), hints_(*hints) {}

  /// done is called once, on this loop, never inside Await: when `replicas` other homes have everything of
  /// each of these slots of this loop, or after timeout_ms (0: no limit), with the least number of them;
  /// never, if given up.
  void Await(const std::vector<SlotId>& slots, uint64_t replicas, uint64_t timeout_ms, GivenUp given_up,
             Done done);

  void OnAsk(NodeId from, const ClockAskMessage& ask);
  void OnTell(NodeId from, const ClockTellMessage& tell);
  /// The turn is committed: own clocks count.
  void AfterCommit();

 private:
  /// Who does not answer for so long is not waited for.
  static constexpr uint64_t kPatienceUs = 300'000;
  static constexpr uint64_t kPauseMinUs = 5'000;
  static constexpr uint64_t kPauseMaxUs = 100'000;

  struct Slot {
    std::map<NodeId, causality::SlotClock> homes;
    causality::SlotClock hinted;
    std::set<NodeId> awaited;
    bool is_known = false;  ///< what has to be covered
    causality::SlotClock wanted;
    uint64_t copies = 0;
  };
  struct Wait {
    std::map<SlotId, Slot> slots;
    uint64_t replicas = 0;
    uint64_t deadline_us = 0;  ///< 0: none
    GivenUp given_up;
    Done done;
    uint64_t begun_us = 0;
    uint64_t asked_us = 0;  ///< last
    uint64_t pause_us = kPauseMinUs;
  };

  void Ask(uint64_t id, SlotId slot, Slot* asked);
  void AskAgain(uint64_t id, Wait* wait, uint64_t now_us);
  void AddOwn(SlotId slot, Slot* asked) const;
  void Count(SlotId slot, Slot* asked, bool is_late) const;
  bool IsOver(Wait* wait, uint64_t now_us) const;
  void Tick();
  void Arm();

  ShardContext& context_;
  const HintService& hints_;
  uint64_t next_id_ = 1;
  std::map<uint64_t, Wait> waits_;
  std::set<uint64_t> changed_;  ///< waits to look at when the turn is committed
  bool armed_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< for the timer, which may outlive us
};

}  // namespace orrery::replication
