#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "cluster/load.h"

namespace orrery::cluster {
namespace {

constexpr size_t kNodes = 5;
constexpr size_t kClients = 8;

struct Count {
  std::atomic<int64_t> acknowledged = 0;
  std::atomic<int64_t> unknown = 0;
  std::atomic<int64_t> refused = 0;
};

// Clients that count, each through its own node, until they are stopped.
class Counting {
 public:
  explicit Counting(const Processes& nodes) {
    for (size_t c = 0; c < kClients; ++c) threads_.emplace_back([this, &nodes, c] { Work(nodes, c); });
  }
  ~Counting() { Stop(); }
  void Stop() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  const Count& count() const { return count_; }

 private:
  void Work(const Processes& nodes, size_t c) {
    Client client(nodes.port(c % kNodes));
    while (!stop_) {
      const std::string reply = client.Run({"INCR", "visits"});
      if (!reply.starts_with("-")) {
        ++count_.acknowledged;
      } else {
        ++(NothingWasApplied(reply) ? count_.refused : count_.unknown);
      }
    }
  }

  std::atomic<bool> stop_ = false;
  Count count_;
  std::vector<std::thread> threads_;
};

class Links {
 public:
  explicit Links(Processes* nodes) : nodes_(nodes) {
    for (size_t i = 0; i < kNodes; ++i) ids_.push_back(nodes->Run(i, {"CLUSTER", "MYID"}));
  }
  // Cuts about every third link, each at one of its ends or at both.
  void CutAtRandom(std::mt19937_64* random) {
    for (size_t i = 0; i < kNodes; ++i) {
      std::vector<std::string> args = {"DEBUG", "LINK", "DROP"};
      for (size_t j = 0; j < kNodes; ++j) {
        if (j != i && (*random)() % 5 == 0) args.push_back(ids_[j]);
      }
      if (args.size() > 3) {
        EXPECT_EQ(nodes_->Run(i, args), "OK");
      }
    }
  }
  void Heal() {
    for (size_t i = 0; i < kNodes; ++i) EXPECT_EQ(nodes_->Run(i, {"DEBUG", "LINK", "HEAL"}), "OK");
  }

 private:
  Processes* nodes_;
  std::vector<std::string> ids_;
};

// ORRERY_TEST_SEED repeats a run's cuts; ORRERY_LONG_TESTS=1 makes ten times as many.
TEST(CountersTest, AddUpWhileLinksAreCutAndHealedAtRandom) {
  const char* given = std::getenv("ORRERY_TEST_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << "seed " << seed << std::endl;
  std::mt19937_64 random(seed);
  const int rounds = std::getenv("ORRERY_LONG_TESTS") != nullptr ? 80 : 8;

  Processes nodes(kNodes, {});
  ASSERT_TRUE(nodes.WaitUntilServing());
  Links links(&nodes);
  Counting counting(nodes);
  // Progress paces the cuts; where a cut leaves nobody who can count, the next step comes after a second.
  const auto wait_for_some = [&] {
    const int64_t target = counting.count().acknowledged + 100 + static_cast<int64_t>(random() % 200);
    Eventually([&] { return counting.count().acknowledged >= target; }, 1);
  };
  for (int round = 0; round < rounds; ++round) {
    wait_for_some();
    links.CutAtRandom(&random);
    wait_for_some();
    if (random() % 2 == 0) links.CutAtRandom(&random);
    wait_for_some();
    links.Heal();
  }
  counting.Stop();
  ASSERT_TRUE(nodes.WaitUntilServing());
  EXPECT_TRUE(Eventually([&] { return nodes.HaveConverged({"visits"}); }))
      << "replicas differ, or hints remain";

  const Count& count = counting.count();
  std::cout << count.acknowledged << " acknowledged, " << count.unknown << " of unknown outcome, "
            << count.refused << " refused" << std::endl;
  EXPECT_GT(count.acknowledged, 0);
  const int64_t shown = std::atoll(nodes.Run(0, {"GET", "visits"}).c_str());
  EXPECT_GE(shown, count.acknowledged);
  EXPECT_LE(shown, count.acknowledged + count.unknown);
  for (size_t i = 1; i < kNodes; ++i) {
    EXPECT_EQ(nodes.Run(i, {"GET", "visits"}), std::to_string(shown)) << "on node " << i;
  }
}

}  // namespace
}  // namespace orrery::cluster
