#include "orrery/membership/failure_detector.h"

#include <gtest/gtest.h>

#include <limits>

#include "orrery/runtime/random.h"

namespace orrery::membership {
namespace {

using Changes = std::vector<FailureDetector::Change>;

constexpr NodeId kPeer{1};
constexpr NodeId kOther{2};
constexpr uint64_t kBeatUs = 100'000;

/// A detector that is looked at, and peers that beat, once per interval.
class FailureDetectorTest : public ::testing::Test {
 protected:
  FailureDetectorTest() : detector_(FailureDetectorOptions()) {}

  void Beat(int times, std::initializer_list<NodeId> peers) {
    for (int i = 0; i < times; ++i) {
      now_us_ += kBeatUs;
      for (NodeId peer : peers) detector_.OnHeard(peer, now_us_);
      changes_ = detector_.Evaluate(now_us_);
    }
  }

  /// How long it takes to find the peer down from now on.
  uint64_t SilenceUntilDown(NodeId peer) {
    const uint64_t start_us = now_us_;
    while (detector_.IsAlive(peer) && now_us_ < start_us + 10'000'000) Beat(1, {});
    return now_us_ - start_us;
  }

  FailureDetector detector_;
  uint64_t now_us_ = 1'000'000;
  Changes changes_;
};

TEST_F(FailureDetectorTest, KnowsNothingOfStrangers) {
  EXPECT_FALSE(detector_.IsAlive(kPeer));
  EXPECT_EQ(detector_.Phi(kPeer, now_us_), std::numeric_limits<double>::infinity());
  detector_.OnHeard(kPeer, now_us_);
  detector_.OnDisconnected(kPeer);
  EXPECT_FALSE(detector_.IsAlive(kPeer));
  EXPECT_TRUE(detector_.Evaluate(now_us_).empty());
}

TEST_F(FailureDetectorTest, APeerIsAliveFromTheConnectionOn) {
  detector_.OnConnected(kPeer, now_us_);
  EXPECT_TRUE(detector_.IsAlive(kPeer));
  EXPECT_EQ(detector_.Evaluate(now_us_), (Changes{{kPeer, true}}));
  EXPECT_TRUE(detector_.Evaluate(now_us_).empty());
}

TEST_F(FailureDetectorTest, ALostConnectionIsDownAtOnce) {
  detector_.OnConnected(kPeer, now_us_);
  Beat(5, {kPeer});
  detector_.OnDisconnected(kPeer);
  EXPECT_FALSE(detector_.IsAlive(kPeer));
  EXPECT_EQ(detector_.Phi(kPeer, now_us_), std::numeric_limits<double>::infinity());
  EXPECT_EQ(detector_.Evaluate(now_us_), (Changes{{kPeer, false}}));
  // A frame that was still on its way revives nobody; a new connection does.
  detector_.OnHeard(kPeer, now_us_);
  EXPECT_FALSE(detector_.IsAlive(kPeer));
  detector_.OnConnected(kPeer, now_us_);
  EXPECT_EQ(detector_.Evaluate(now_us_), (Changes{{kPeer, true}}));
}

TEST_F(FailureDetectorTest, SilenceIsDownWithinASecondButNotAtTheFirstMissedBeats) {
  detector_.OnConnected(kPeer, now_us_);
  Beat(50, {kPeer});
  const uint64_t silence_us = SilenceUntilDown(kPeer);
  EXPECT_GE(silence_us, 500'000u);
  EXPECT_LE(silence_us, 1'000'000u);
  EXPECT_EQ(changes_, (Changes{{kPeer, false}}));
}

TEST_F(FailureDetectorTest, SilenceRightAfterConnectingIsDownWithinASecond) {
  detector_.OnConnected(kPeer, now_us_);
  EXPECT_LE(SilenceUntilDown(kPeer), 1'000'000u);
}

TEST_F(FailureDetectorTest, SilenceIsDownWithinASecondHoweverIrregularThePeerWas) {
  const uint64_t seed = runtime::SystemSeed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  runtime::SeededRandom random(seed);
  detector_.OnConnected(kPeer, now_us_);
  for (int i = 0; i < 300; ++i) {
    Beat(static_cast<int>(random.Below(8)), {});
    Beat(1, {kPeer});
  }
  EXPECT_LE(SilenceUntilDown(kPeer), 1'000'000u);
}

TEST_F(FailureDetectorTest, LearnsToBePatientWithAnIrregularPeer) {
  detector_.OnConnected(kPeer, now_us_);
  detector_.OnConnected(kOther, now_us_);
  for (int i = 0; i < 100; ++i) {
    Beat(3, {kOther});
    Beat(1, {kPeer, kOther});
  }
  EXPECT_LT(detector_.Phi(kPeer, now_us_ + 600'000), detector_.Phi(kOther, now_us_ + 600'000));
}

TEST_F(FailureDetectorTest, BusyTrafficMakesItNoMoreImpatient) {
  detector_.OnConnected(kPeer, now_us_);
  detector_.OnConnected(kOther, now_us_);
  for (int i = 0; i < 100; ++i) {
    for (uint64_t us = 0; us < kBeatUs; us += 1000) detector_.OnHeard(kPeer, now_us_ + us);
    Beat(1, {kPeer, kOther});
  }
  EXPECT_LE(detector_.Phi(kPeer, now_us_ + 600'000), detector_.Phi(kOther, now_us_ + 600'000));
}

TEST_F(FailureDetectorTest, PhiGrowsWithSilence) {
  detector_.OnConnected(kPeer, now_us_);
  Beat(20, {kPeer});
  double last = 0;
  for (uint64_t us = kBeatUs; us < 900'000; us += 50'000) {
    const double phi = detector_.Phi(kPeer, now_us_ + us);
    EXPECT_GT(phi, last);
    last = phi;
  }
  EXPECT_GT(last, FailureDetectorOptions().phi_threshold);
}

TEST_F(FailureDetectorTest, APeerThatSpeaksAgainIsAliveAndJudgedAsBefore) {
  detector_.OnConnected(kPeer, now_us_);
  Beat(20, {kPeer});
  SilenceUntilDown(kPeer);
  Beat(300, {});
  detector_.OnHeard(kPeer, now_us_);
  EXPECT_TRUE(detector_.IsAlive(kPeer));
  EXPECT_EQ(detector_.Evaluate(now_us_), (Changes{{kPeer, true}}));
  Beat(50, {kPeer});
  EXPECT_LE(SilenceUntilDown(kPeer), 900'000u);
}

TEST_F(FailureDetectorTest, OurOwnPauseCondemnsNobody) {
  detector_.OnConnected(kPeer, now_us_);
  detector_.OnConnected(kOther, now_us_);
  Beat(20, {kPeer, kOther});
  now_us_ += 30'000'000;
  EXPECT_TRUE(detector_.Evaluate(now_us_).empty());
  Beat(8, {kPeer});
  EXPECT_TRUE(detector_.IsAlive(kPeer));
  // The grace is one period of silence, not more.
  Beat(2, {kPeer});
  EXPECT_FALSE(detector_.IsAlive(kOther));
}

TEST_F(FailureDetectorTest, OurOwnPauseRevivesNobody) {
  detector_.OnConnected(kPeer, now_us_);
  SilenceUntilDown(kPeer);
  now_us_ += 30'000'000;
  EXPECT_TRUE(detector_.Evaluate(now_us_).empty());
  EXPECT_FALSE(detector_.IsAlive(kPeer));
}

TEST_F(FailureDetectorTest, ForgetsAPeer) {
  detector_.OnConnected(kPeer, now_us_);
  Beat(1, {kPeer});
  detector_.Forget(kPeer);
  EXPECT_FALSE(detector_.IsAlive(kPeer));
  EXPECT_TRUE(detector_.Evaluate(now_us_).empty());
}

}  // namespace
}  // namespace orrery::membership
