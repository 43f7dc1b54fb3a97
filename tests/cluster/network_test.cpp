// Cuts of the network itself: no node is told, frames just stop coming.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "cluster/figure3.h"
#include "cluster/load.h"
#include "cluster/namespaces.h"

namespace orrery::cluster {
namespace {

class NetworkTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = Namespaces::Enter(); !missing.empty()) GTEST_SKIP() << missing;
    network_ = std::make_unique<Namespaces>();
  }
  void Begin(size_t count) {
    nodes_ = std::make_unique<Processes>(count, std::vector<std::string>{"--protected-mode", "no"},
                                         network_.get());
    ASSERT_TRUE(nodes_->WaitUntilServing());
  }
  /// Returns when each side knows that the other is gone.
  void Cut(const std::set<size_t>& side) {
    network_->Cut(nodes_->size(), side);
    for (size_t i = 0; i < nodes_->size(); ++i) {
      const size_t left = side.contains(i) ? side.size() : nodes_->size() - side.size();
      EXPECT_TRUE(Eventually([&] {
        return FieldOf(nodes_->Run(i, {"INFO", "dynamo"}), "members_alive") == std::to_string(left);
      })) << "node "
          << i;
    }
  }
  void Heal() {
    network_->Heal();
    ASSERT_TRUE(nodes_->WaitUntilServing());
  }

  std::unique_ptr<Namespaces> network_;
  std::unique_ptr<Processes> nodes_;
};

TEST_F(NetworkTest, TwoHalvesWriteTheSameCartAndBothVersionsStayUntilTheyAreJoined) {
  Begin(4);
  ExpectBothVersionsStay(
      nodes_.get(), 0, 3,
      [this] {
        Cut({2, 3});
      },
      [this] { Heal(); });
}

TEST_F(NetworkTest, BothHalvesOfACutClusterTakeWritesAndAgreeAfterwards) {
  Begin(4);
  Load load(*nodes_);
  WaitForWrites(load, 500);
  Cut({2, 3});
  WaitForWrites(load, 1000);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(nodes_->Run(i, {"SET", "side:" + std::to_string(i), "v"}), "OK") << "through node " << i;
  }
  Heal();
  WaitForWrites(load, 500);
  load.Stop();
  ExpectHandedOverSoon(nodes_.get(), load);
  ExpectNothingLost(nodes_.get(), load);
  const std::string keys = nodes_->Run(0, {"KEYS", "*"});
  const auto count = static_cast<size_t>(std::count(keys.begin(), keys.end(), '|') + 1);
  EXPECT_EQ(count, KeysOf(load).size() + 4);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(nodes_->Run(i, {"DBSIZE"}), std::to_string(count));
    EXPECT_EQ(nodes_->Run(3 - i, {"GET", "side:" + std::to_string(i)}), "v");
  }
}

TEST_F(NetworkTest, AnIsolatedNodeRefusesWhatItCannotKeepAndHasAllAfterwards) {
  Begin(5);
  Load load(*nodes_);
  WaitForWrites(load, 500);
  Cut({4});
  WaitForWrites(load, 1000);
  EXPECT_TRUE(nodes_->Run(4, {"SET", "alone", "v"}).starts_with("-NOREPLICAS"));
  EXPECT_EQ(nodes_->Run(0, {"SET", "together", "v"}), "OK");
  Heal();
  WaitForWrites(load, 500);
  load.Stop();
  ExpectHandedOverSoon(nodes_.get(), load);
  ExpectNothingLost(nodes_.get(), load);
  EXPECT_EQ(nodes_->Run(4, {"GET", "together"}), "v");
  EXPECT_EQ(nodes_->Run(4, {"EXISTS", "alone"}), "0");
}

TEST_F(NetworkTest, ANodeThatWasKilledDuringACutReturnsAfterIt) {
  Begin(5);
  Load load(*nodes_);
  WaitForWrites(load, 300);
  Cut({3, 4});
  nodes_->Crash(4);
  WaitForWrites(load, 500);
  network_->Heal();
  nodes_->Start(4);
  ASSERT_TRUE(nodes_->WaitUntilServing());
  WaitForWrites(load, 300);
  load.Stop();
  ExpectHandedOverSoon(nodes_.get(), load);
  ExpectNothingLost(nodes_.get(), load);
}

// Reachability that is no partition: some nodes see others that do not see each other; and links that are
// bad.
TEST_F(NetworkTest, BridgesRingsAndBadLinksLoseNothing) {
  Begin(5);
  Load load(*nodes_);
  WaitForWrites(load, 200);
  network_->Connect(5, {{0, 1, 2}, {2, 3, 4}});  // node 2 is the only bridge
  WaitForWrites(load, 300);
  network_->Connect(5,
                    {{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 0}});  // each sees a majority, all of them another
  WaitForWrites(load, 300);
  for (size_t a = 0; a < 5; ++a) {
    for (size_t b = 0; b < a; ++b)
      network_->SetLink(a, b, {.delay_ms = 10, .jitter_ms = 20, .lost_percent = 5});
  }
  WaitForWrites(load, 100);
  EXPECT_GT(network_->switchboard().dropped(), 0u);
  Heal();
  load.Stop();
  ExpectHandedOverSoon(nodes_.get(), load);
  ExpectNothingLost(nodes_.get(), load);
}

// ORRERY_TEST_SEED repeats a run's cuts; ORRERY_LONG_TESTS=1 makes ten times as many.
TEST_F(NetworkTest, CutsThatComeAndGoLoseNothing) {
  const char* given = std::getenv("ORRERY_TEST_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << "seed " << seed << std::endl;
  std::mt19937_64 random(seed);
  const int rounds = std::getenv("ORRERY_LONG_TESTS") != nullptr ? 60 : 6;
  Begin(5);
  Load load(*nodes_);
  // Progress paces the cuts; where a cut leaves nobody who can write, the next step comes after two seconds.
  // Many are healed before anybody has noticed.
  const auto wait_for_some = [&] {
    const int64_t target = load.written() + static_cast<int64_t>(random() % 400);
    Eventually([&] { return load.written() >= target; }, 2);
  };
  for (int round = 0; round < rounds; ++round) {
    wait_for_some();
    std::set<size_t> side;
    for (size_t i = 0; i < nodes_->size(); ++i) {
      if (random() % 3 == 0) side.insert(i);
    }
    network_->Cut(nodes_->size(), side);
    wait_for_some();
    if (random() % 3 != 0) network_->Heal();
  }
  Heal();
  load.Stop();
  ExpectHandedOverSoon(nodes_.get(), load);
  ExpectNothingLost(nodes_.get(), load);
}

}  // namespace
}  // namespace orrery::cluster
