#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "orrery/replication/closing_seals.h"
#include "orrery/replication/ended_lives.h"
#include "orrery/replication/hint_service.h"
#include "orrery/replication/shard_context.h"

namespace orrery::replication {

/// Hears what closing has settled. Called inside LifeCloser's calls.
class LifeCloserListener {
 public:
  virtual ~LifeCloserListener() = default;
  /// Every home has durably just these events of the lives. They are closed here, in the pending batch.
  virtual void OnLivesClosed(SlotId slot, const EndedLives& lives) = 0;
  /// This home has closed them, too.
  virtual void OnPeerClosed(NodeId home, SlotId slot, const EndedLives& lives) = 0;
};

/// Closes the lives of nodes that are over, so that slot clocks and voided sets do not grow with restarts:
/// every home of a slot raises the node's floor, once all homes have the same events of those lives on disk
/// and no member can bring another one (docs/closing.md has the protocol and why it is right).
///
/// The first home of a slot asks, for many slots at a time; everybody answers. Nothing is asked while any
/// member is out of reach, and nothing at all while there is nothing to close. Events in, messages into the
/// context's outbox. One loop.
class LifeCloser {
 public:
  static constexpr size_t kSlotsPerRound = 512;
  static constexpr uint64_t kPatienceUs = 2'000'000;  ///< for a whole round
  static constexpr uint64_t kAgainUs = 1'000'000;     ///< after a round that failed; doubled each time
  static constexpr unsigned kDoublingsMax = 4;

  LifeCloser(ShardContext* context, const HintService* hints, LifeCloserListener* listener);

  void OnAsk(NodeId from, const CloseAskMessage& ask);
  void OnAnswer(NodeId from, const CloseAnswerMessage& answer);
  void OnPeerUp(NodeId peer, uint64_t incarnation);
  void OnPeerDown(NodeId peer);
  void OnViewChanged();
  /// The slot's rows and clock were set aside: nothing holds of what was promised about it.
  void OnSlotReset(SlotId slot);
  void Tick(uint64_t now_us);

  /// The loop that asked; the others pass its answers on.
  static size_t LoopOfRound(uint64_t round) { return round >> 48; }
  /// Slots of which something may be to be closed.
  size_t pending() const { return due_.size(); }

 private:
  using Step = CloseAskMessage::Step;
  struct Due {
    uint64_t at_us = 0;
    unsigned failures = 0;
  };
  struct Asked {
    EndedLives lives;
    std::set<NodeId> awaited;
  };
  struct Round {
    uint64_t id = 0;
    Step step = Step::kHints;
    uint64_t until_us = 0;
    uint64_t members_hash = 0;
    std::map<SlotId, Asked> slots;
  };

  // The asker.
  bool EverybodyIsLinked() const;
  void LookForEnded(uint64_t now_us);
  void Note(SlotId slot, uint64_t now_us);
  bool HasEnded(SlotId slot) const;
  EndedLives FindEnded(const SlotReplica& replica) const;
  void Begin(uint64_t now_us);
  std::optional<EndedLives> Closable(SlotId slot) const;
  void Ask(Step step);
  void Advance();
  void Decide();
  void Close(SlotId slot, const EndedLives& lives);
  void GiveUp(SlotId slot);
  void GiveUpRound();

  // Everybody.
  bool Agrees(NodeId from, const CloseAskMessage& ask, const CloseAskMessage::Entry& entry);
  bool AgreesAsHome(const CloseAskMessage::Entry& entry) const;
  bool TakesClose(const CloseAskMessage::Entry& entry);
  bool HasOnDisk(SlotId slot, const EndedLives& lives) const;
  uint64_t MembersHash() const;
  uint64_t HomesHash(SlotId slot) const;

  ShardContext& context_;
  const HintService& hints_;
  LifeCloserListener& listener_;
  std::set<NodeId> members_;
  std::map<SlotId, Due> due_;
  bool look_ = true;  ///< lives or homes have changed: all slots are to be looked at
  std::optional<Round> round_;
  std::map<SlotId, EndedLives> closing_;  ///< asked to close in this round, until the homes have answered
  uint64_t next_round_ = 1;
};

}  // namespace orrery::replication
