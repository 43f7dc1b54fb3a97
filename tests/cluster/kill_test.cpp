#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cluster/processes.h"

namespace orrery::cluster {
namespace {

constexpr int kClients = 4;
constexpr int kKeysOfClient = 40;

// What one client knows of its keys: the last acknowledged value, and values since whose outcome is unknown.
struct Ledger {
  std::map<std::string, int> acknowledged;
  std::map<std::string, std::set<int>> doubtful;
  int64_t counted = 0;
  int64_t doubtful_counts = 0;
  int refused = 0;
};

// Clients that write until they are stopped, each its own keys, and all one counter.
class Load {
 public:
  explicit Load(const Processes& nodes) : ledgers_(kClients) {
    for (int c = 0; c < kClients; ++c) threads_.emplace_back([this, &nodes, c] { Work(nodes, c); });
  }
  ~Load() { Stop(); }
  void Stop() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  int64_t written() const { return written_; }
  const std::vector<Ledger>& ledgers() const { return ledgers_; }

 private:
  void Work(const Processes& nodes, int c) {
    Ledger& ledger = ledgers_[static_cast<size_t>(c)];
    size_t node = static_cast<size_t>(c) % nodes.size();
    Client client(nodes.port(node));
    for (int value = 1; !stop_; ++value) {
      const std::string key = "key:" + std::to_string(c) + ":" + std::to_string(value % kKeysOfClient);
      const std::string set = client.Run({"SET", key, std::to_string(value)});
      if (set == "OK") {
        ledger.acknowledged[key] = value;
        ++written_;
      } else {
        ledger.doubtful[key].insert(value);
        ++ledger.refused;
      }
      const std::string count = client.Run({"INCR", "counter"});
      ++(count.starts_with("-") ? ledger.doubtful_counts : ledger.counted);
      if (set == "-CONNECTION" || count == "-CONNECTION") {
        node = (node + 1) % nodes.size();
        client = Client(nodes.port(node));
      }
    }
  }

  std::atomic<bool> stop_ = false;
  std::atomic<int64_t> written_ = 0;
  std::vector<Ledger> ledgers_;
  std::vector<std::thread> threads_;
};

void WaitForWrites(const Load& load, int64_t more) {
  const int64_t target = load.written() + more;
  EXPECT_TRUE(Eventually([&] { return load.written() >= target; }, 60))
      << "the cluster has stopped taking writes";
}

void ExpectNothingLost(Processes* nodes, const Load& load) {
  int64_t counted = 0, doubtful = 0;
  std::vector<std::string> keys = {"counter"};
  for (const Ledger& ledger : load.ledgers()) {
    counted += ledger.counted;
    doubtful += ledger.doubtful_counts;
    for (const auto& [key, value] : ledger.acknowledged) {
      keys.push_back(key);
      const std::string shown = nodes->Run(0, {"GET", key});
      const int number = std::atoi(shown.c_str());
      const auto maybe = ledger.doubtful.find(key);
      const bool is_doubtful = maybe != ledger.doubtful.end() && maybe->second.contains(number);
      EXPECT_TRUE(number >= value || is_doubtful)
          << key << " was acknowledged at " << value << ", shows " << shown;
    }
  }
  for (size_t i = 0; i < nodes->size(); ++i) {
    const int64_t shown = std::atoll(nodes->Run(i, {"GET", "counter"}).c_str());
    EXPECT_GE(shown, counted) << "on node " << i;
    EXPECT_LE(shown, counted + doubtful) << "on node " << i;
  }
  EXPECT_TRUE(Eventually([&] { return nodes->HaveConverged(keys); })) << "replicas differ, or hints remain";
}

TEST(KillTest, OneOfFiveNodesDiesUnderLoadAndReturns) {
  Processes nodes(5, {});
  ASSERT_TRUE(nodes.WaitUntilServing());
  Load load(nodes);
  WaitForWrites(load, 500);
  nodes.Kill(4, SIGKILL);
  nodes.Reap(4);
  WaitForWrites(load, 500);
  nodes.Start(4);
  WaitForWrites(load, 500);
  load.Stop();
  ASSERT_TRUE(nodes.WaitUntilServing());
  ExpectNothingLost(&nodes, load);
}

TEST(KillTest, TwoOfFiveNodesDieAtOnceUnderLoadAndReturn) {
  Processes nodes(5, {});
  ASSERT_TRUE(nodes.WaitUntilServing());
  Load load(nodes);
  WaitForWrites(load, 500);
  for (size_t node : {2u, 3u}) nodes.Kill(node, SIGKILL);
  for (size_t node : {2u, 3u}) nodes.Reap(node);
  WaitForWrites(load, 500);
  for (size_t node : {2u, 3u}) nodes.Start(node);
  WaitForWrites(load, 500);
  load.Stop();
  ASSERT_TRUE(nodes.WaitUntilServing());
  ExpectNothingLost(&nodes, load);
}

TEST(KillTest, AStoppedNodeThatGoesOnUndoesNothing) {
  Processes nodes(5, {});
  ASSERT_TRUE(nodes.WaitUntilServing());
  Load load(nodes);
  WaitForWrites(load, 500);
  nodes.Kill(4, SIGSTOP);
  WaitForWrites(load, 1000);
  nodes.Kill(4, SIGCONT);
  WaitForWrites(load, 500);
  load.Stop();
  ASSERT_TRUE(nodes.WaitUntilServing());
  ExpectNothingLost(&nodes, load);
}

TEST(KillTest, AllNodesDieAtOnceAndNothingAcknowledgedIsLost) {
  Processes nodes(3, {"--appendfsync", "always"});
  ASSERT_TRUE(nodes.WaitUntilServing());
  Load load(nodes);
  WaitForWrites(load, 200);
  for (size_t i = 0; i < 3; ++i) nodes.Kill(i, SIGKILL);
  for (size_t i = 0; i < 3; ++i) nodes.Reap(i);
  load.Stop();
  for (size_t i = 0; i < 3; ++i) nodes.Start(i);
  ASSERT_TRUE(nodes.WaitUntilServing());
  ExpectNothingLost(&nodes, load);
}

}  // namespace
}  // namespace orrery::cluster
