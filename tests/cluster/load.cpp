#include "cluster/load.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace orrery::cluster {
namespace {

constexpr int kClients = 4;
constexpr int kKeysOfClient = 40;
constexpr int kHandOverSeconds = 10;

using Clock = std::chrono::steady_clock;

// A later value than the acknowledged one must be one that was tried after it.
void ExpectKeyKept(const std::string& key, int acknowledged, const std::string& shown, const Ledger& ledger) {
  const int number = std::atoi(shown.c_str());
  if (number == acknowledged) return;
  const auto maybe = ledger.doubtful.find(key);
  const bool was_tried = maybe != ledger.doubtful.end() && maybe->second.contains(number);
  EXPECT_TRUE(number > acknowledged && was_tried)
      << key << " was acknowledged at " << acknowledged << ", shows " << shown;
}

}  // namespace

bool NothingWasApplied(const std::string& reply) {
  for (const char* error : {"-NOREPLICAS", "-CLUSTERDOWN", "-MISCONF", "-NOCONNECTION"}) {
    if (reply.starts_with(error)) return true;
  }
  return false;
}

Load::Load(const Processes& nodes) : ledgers_(kClients) {
  for (int c = 0; c < kClients; ++c) threads_.emplace_back([this, &nodes, c] { Work(nodes, c); });
}

void Load::Stop() {
  stop_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Load::Work(const Processes& nodes, int c) {
  Ledger& ledger = ledgers_[static_cast<size_t>(c)];
  size_t node = static_cast<size_t>(c) % nodes.size();
  Client client = nodes.ClientOf(node);
  for (int value = 1; !stop_; ++value) {
    const std::string key = "key:" + std::to_string(c) + ":" + std::to_string(value % kKeysOfClient);
    const std::string set = client.Run({"SET", key, std::to_string(value)});
    if (set == "OK") {
      ledger.acknowledged[key] = value;
      ++written_;
    } else {
      if (!NothingWasApplied(set)) ledger.doubtful[key].insert(value);
      NoteError();
    }
    const std::string count = client.Run({"INCR", "counter"});
    if (!count.starts_with("-")) {
      ++ledger.counted;
    } else {
      if (!NothingWasApplied(count)) ++ledger.doubtful_counts;
      NoteError();
    }
    if (set.ends_with("CONNECTION") || count.ends_with("CONNECTION")) {
      node = (node + 1) % nodes.size();
      client = nodes.ClientOf(node);
    }
  }
}

double Load::SecondsUntilLastError(Clock::time_point start) const {
  const Clock::duration span = Clock::duration(last_error_.load()) - start.time_since_epoch();
  return std::max(0.0, std::chrono::duration<double>(span).count());
}

void WaitForWrites(const Load& load, int64_t more) {
  const int64_t target = load.written() + more;
  EXPECT_TRUE(Eventually([&] { return load.written() >= target; }, 60))
      << "the cluster has stopped taking writes";
}

std::vector<std::string> KeysOf(const Load& load) {
  std::vector<std::string> keys = {"counter"};
  for (const Ledger& ledger : load.ledgers()) {
    for (const auto& [key, value] : ledger.acknowledged) keys.push_back(key);
  }
  return keys;
}

void ExpectHandedOverSoon(Processes* nodes, const Load& load) {
  const Clock::time_point start = Clock::now();
  EXPECT_TRUE(Eventually([&] { return nodes->HaveConverged(KeysOf(load)); }, kHandOverSeconds))
      << "replicas differ, or hints remain";
  std::cout << "hints handed over and replicas equal "
            << std::chrono::duration<double>(Clock::now() - start).count() << " s after the return" << std::endl;
}

void ExpectNothingLost(Processes* nodes, const Load& load) {
  int64_t counted = 0, doubtful = 0;
  for (const Ledger& ledger : load.ledgers()) {
    counted += ledger.counted;
    doubtful += ledger.doubtful_counts;
    for (const auto& [key, value] : ledger.acknowledged) {
      ExpectKeyKept(key, value, nodes->Run(0, {"GET", key}), ledger);
    }
  }
  std::cout << load.written() << " SETs and " << counted << " INCRs acknowledged, " << doubtful
            << " INCRs of unknown outcome" << std::endl;
  for (size_t i = 0; i < nodes->size(); ++i) {
    const int64_t shown = std::atoll(nodes->Run(i, {"GET", "counter"}).c_str());
    EXPECT_GE(shown, counted) << "on node " << i;
    EXPECT_LE(shown, counted + doubtful) << "on node " << i;
  }
  EXPECT_TRUE(Eventually([&] { return nodes->HaveConverged(KeysOf(load)); })) << "replicas differ, or hints remain";
}

}  // namespace orrery::cluster
