#include "orrery/replication/key_survey.h"

#include <gtest/gtest.h>

#include <optional>

#include "replication/test_net.h"

namespace orrery::replication {
namespace {

constexpr size_t kQuorum = 2;

class KeySurveyTest : public testing::Test {
 protected:
  /// Asked of the node, which need not have all answers yet.
  void Ask(uint64_t number, std::optional<uint8_t> db = 0) {
    result_.reset();
    net_.node(number).survey.Ask({db, 0, 0}, [this](const KeySurvey& survey) { result_ = survey; });
  }
  KeySurvey Survey(uint64_t number, std::optional<uint8_t> db = 0) {
    Ask(number, db);
    net_.Settle();
    EXPECT_TRUE(result_.has_value());
    return result_.value_or(KeySurvey());
  }
  /// The key is set on the slot's first home, and reaches the others if they are linked.
  void Set(SlotId slot, const std::string& key) { SetOn(net_.Homes(slot).front(), slot, key); }
  void SetOn(uint64_t number, SlotId slot, const std::string& key) {
    const auto event = net_.node(number).Set(slot, key, "value");
    for (const uint64_t home : net_.Homes(slot)) {
      if (home != number) net_.node(number).Send(NodeId{home}, EventMessage{0, event});
    }
    net_.Settle();
  }

  TestNet net_{4};
  SlotId slot_ = net_.SlotOf(1, true);
  std::optional<KeySurvey> result_;
};

TEST_F(KeySurveyTest, CountsTheKeysOfSlotsWhoseHomesAgreeAndIsSureOfEmptyOnes) {
  net_.LinkAll();
  Set(slot_, "a");
  Set(slot_, "b");
  Set(9000, "c");
  for (uint64_t number = 1; number <= 4; ++number) {
    const KeySurvey survey = Survey(number);
    EXPECT_TRUE(survey.counted.all());
    EXPECT_EQ(survey.keys, 3u);
    EXPECT_EQ(survey.may_have_keys.count(), 2u);
    EXPECT_TRUE(survey.may_have_keys[slot_] && survey.may_have_keys[9000]);
  }
}

TEST_F(KeySurveyTest, OtherDatabasesAreEmptyAndAllTogetherAreNotCounted) {
  net_.LinkAll();
  Set(slot_, "a");
  EXPECT_EQ(Survey(1, 5).keys, 0u);
  EXPECT_TRUE(Survey(1, 5).may_have_keys.none());
  const KeySurvey all = Survey(1, std::nullopt);
  EXPECT_EQ(all.may_have_keys.count(), 1u);
  EXPECT_TRUE(all.may_have_keys[slot_]);
  EXPECT_TRUE(all.counted.none());
}

TEST_F(KeySurveyTest, AHomeThatIsBehindLeavesTheSlotInDoubt) {
  net_.LinkAll();
  Set(slot_, "a");
  net_.node(net_.Homes(slot_).back()).Set(slot_, "b", "only here");
  const KeySurvey survey = Survey(1);
  EXPECT_TRUE(survey.may_have_keys[slot_]);
  EXPECT_FALSE(survey.counted[slot_]);
  EXPECT_EQ(survey.keys, 0u);
  EXPECT_EQ(survey.counted.count(), kSlotCount - 1);
}

TEST_F(KeySurveyTest, AHintLeavesTheSlotInDoubt) {
  net_.LinkAll();
  const uint64_t home = net_.Homes(slot_).back();
  const uint64_t fallback = net_.Fallback(slot_);
  Set(slot_, "a");
  const auto event = net_.node(net_.Homes(slot_).front()).Set(slot_, "b", "2");
  net_.Unlink(fallback, home);
  net_.node(fallback).Handle(NodeId{net_.Homes(slot_).front()}, HintMessage{NodeId{home}, 1, event});
  net_.Settle();
  ASSERT_EQ(net_.node(fallback).hints.HintedSlots(), std::vector<SlotId>{slot_});
  const KeySurvey survey = Survey(net_.Homes(slot_).front());
  EXPECT_TRUE(survey.may_have_keys[slot_]);
  EXPECT_FALSE(survey.counted[slot_]);
}

TEST_F(KeySurveyTest, AReplicaThatWasDamagedLeavesTheSlotInDoubt) {
  net_.LinkAll();
  Set(slot_, "a");
  net_.node(2).slot(slot_).SetAside();
  const bool is_home = net_.view->ring->IsHome(slot_, NodeId{2});
  EXPECT_EQ(Survey(1).counted[slot_], !is_home);
}

TEST_F(KeySurveyTest, AQuorumIsEnoughAndLessIsDoubt) {
  net_.LinkAll();
  Set(slot_, "a");
  net_.Unlink(1, 2);
  net_.Unlink(1, 3);
  const KeySurvey survey = Survey(1);
  for (uint32_t id = 0; id < kSlotCount; ++id) {
    const auto slot = static_cast<SlotId>(id);
    const bool both = net_.view->ring->IsHome(slot, NodeId{1}) && net_.view->ring->IsHome(slot, NodeId{4});
    EXPECT_EQ(survey.counted[slot], both) << slot;
    if (!both) {
      EXPECT_TRUE(survey.may_have_keys[slot]) << slot;
    }
  }
}

TEST_F(KeySurveyTest, ANodeThatSaysNothingEndsTheSurveyAfterAWhileAndOneThatGoesAtOnce) {
  net_.LinkAll();
  Ask(1);
  net_.node(1).EndTurn();
  net_.clock.Advance(10'000'000);
  net_.node(1).Tick();
  net_.node(1).EndTurn();
  ASSERT_TRUE(result_.has_value());
  EXPECT_TRUE(result_->counted.none());
  EXPECT_TRUE(result_->may_have_keys.all());

  Ask(1);
  net_.node(1).EndTurn();
  EXPECT_FALSE(result_.has_value());
  for (uint64_t peer = 2; peer <= 4; ++peer) net_.Unlink(1, peer);
  net_.node(1).EndTurn();
  EXPECT_TRUE(result_.has_value());
}

TEST_F(KeySurveyTest, ARingThatChangesMeanwhileLeavesEverythingInDoubt) {
  net_.LinkAll();
  Ask(1);
  auto view = std::make_shared<ClusterView>(*net_.view);
  view->ring = std::make_shared<const ring::Ring>(*view->ring);
  net_.node(1).context.view = view;
  net_.Settle();
  ASSERT_TRUE(result_.has_value());
  EXPECT_TRUE(result_->may_have_keys.all());
  EXPECT_TRUE(result_->counted.none());
}

ShardContext ContextOf(const TestNet& net) {
  ShardContext context;
  context.view = net.view;
  context.seats.SetFounders(net.view->ring);
  return context;
}

SurveyQuery QueryOf(uint8_t quorum) {
  SurveyQuery query;
  query.read_quorum = quorum;
  query.write_quorum = quorum;
  return query;
}

TEST(SurveyTallyTest, EveryLoopOfAHomeMustHaveAnswered) {
  const TestNet net(1, 1);
  SurveyTally tally;
  SurveyReplyMessage reply;
  reply.loops = 2;
  reply.loop = 1;
  reply.standing.set();
  reply.entries = {{3, 77, 5}};
  tally.Add(NodeId{1}, reply);
  const KeySurvey survey = tally.Result(ContextOf(net), QueryOf(1));
  EXPECT_EQ(survey.keys, 5u);
  EXPECT_EQ(survey.counted.count(), kSlotCount / 2);
  EXPECT_TRUE(survey.may_have_keys[2]);
  EXPECT_FALSE(survey.may_have_keys[5]);
}

TEST(SurveyTallyTest, EqualClocksWithOtherCountsAreDoubt) {
  const TestNet net(3, 3);
  SurveyTally tally;
  SurveyReplyMessage reply;
  reply.standing.set();
  reply.entries = {{3, 77, 5}};
  tally.Add(NodeId{1}, reply);
  tally.Add(NodeId{2}, reply);
  EXPECT_TRUE(tally.Result(ContextOf(net), QueryOf(kQuorum)).counted[3]);
  EXPECT_FALSE(tally.Result(ContextOf(net), QueryOf(kQuorum + 1)).counted[3]);
  reply.entries[0].keys = 6;
  tally.Add(NodeId{3}, reply);
  EXPECT_FALSE(tally.Result(ContextOf(net), QueryOf(kQuorum)).counted[3]);
}

}  // namespace
}  // namespace orrery::replication
