#pragma once

#include <bitset>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "orrery/replication/catch_up.h"
#include "orrery/replication/hint_service.h"
#include "orrery/replication/messages.h"
#include "orrery/replication/shard_context.h"
#include "orrery/replication/survey_result.h"
#include "orrery/storage/row_observer.h"

namespace orrery::replication {

class LoopMesh;

/// Adds up what the nodes said in one survey, slot by slot. Pure: no messages, no time.
///
/// A slot is certain if at least max(R, W) of its homes answered for it, all that answered have the same
/// clock and the same number of keys, and nobody keeps a hint in it. R equal clocks are what a quorum read
/// makes sure of, and W copies of what they cover what a reply waits for, so the number is what asking the
/// slot's coordinator would have given.
class SurveyTally {
 public:
  void Add(NodeId from, const SurveyReplyMessage& reply);
  /// The homes and quorums of each slot are the context's.
  KeySurvey Result(const ShardContext& context, const SurveyQuery& query) const;

 private:
  struct Node {
    std::bitset<kSlotCount> heard;                   ///< slots of the loops that answered
    std::bitset<kSlotCount> standing;                ///< of them, those that it is a home of, in service
    std::vector<SurveyReplyMessage::Entry> entries;  ///< by slot; of an empty clock where it said nothing
  };
  void Judge(SlotId slot, const ShardContext& context, const SurveyQuery& query, KeySurvey* survey) const;

  std::map<NodeId, Node> nodes_;
  std::bitset<kSlotCount> hinted_;
};

/// Asks every node in reach, once and not once per slot, how many keys its slots hold, and answers the
/// others' surveys. What it says of itself is what the turn has committed. Part of a shard; one loop.
class KeySurveyor {
 public:
  using Done = std::function<void(const KeySurvey&)>;

  /// observer: counts the keys; nullptr or one that cannot leaves every slot with rows in doubt.
  KeySurveyor(ShardContext* context, const CatchUp* catch_up, const HintService* hints,
              storage::RowObserver* observer, LoopMesh* mesh);

  /// done is called once, on this loop, never inside Ask: when all have answered, or after kPatienceUs.
  void Ask(const SurveyQuery& query, Done done);

  void OnSurvey(NodeId from, const SurveyMessage& message);
  void OnReply(NodeId from, const SurveyReplyMessage& message);
  void OnPeerDown(NodeId peer);
  /// The turn is committed: answers the surveys that it brought, and ends those that are complete.
  void AfterCommit();
  void OnTick(uint64_t now_us);

  static size_t LoopOfSurvey(uint64_t survey_id) { return survey_id >> 48; }
  size_t pending() const { return surveys_.size(); }

 private:
  /// A node that says nothing for so long is doubt: its slots are asked one by one, by requests that wait
  /// longer.
  static constexpr uint64_t kPatienceUs = 500'000;

  struct Survey {
    SurveyQuery query;
    Done done;
    uint64_t deadline_us = 0;
    std::shared_ptr<const ring::Ring> founders;
    uint64_t seats = 0;  ///< hash of the seat table when it was asked
    std::map<NodeId, std::set<size_t>> answered;  ///< of each node asked: its loops
    std::set<NodeId> awaited;
    SurveyTally tally;
  };
  struct Question {
    NodeId from;
    SurveyMessage message;
  };

  SurveyReplyMessage Describe(const SurveyMessage& question) const;
  void AddSlot(SlotId slot, uint8_t db, SurveyReplyMessage* reply) const;
  void Reply(NodeId to, SurveyReplyMessage reply);
  KeySurvey Conclude(const Survey& survey) const;

  ShardContext& context_;
  const CatchUp& catch_up_;
  const HintService& hints_;
  storage::RowObserver* observer_;
  LoopMesh* mesh_;
  uint64_t next_id_ = 1;
  std::map<uint64_t, Survey> surveys_;
  std::vector<Question> questions_;  ///< of this turn
};

}  // namespace orrery::replication
