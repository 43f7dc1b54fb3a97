#pragma once

#include <atomic>
#include <cstddef>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cluster/processes.h"

namespace orrery::cluster {

// What tests with values of many megabytes share.

inline constexpr size_t kLargeBytes = 24'000'000;
inline constexpr int kPatienceSeconds = 60;

inline std::string LargeValue(int client, int round) {
  std::string value(kLargeBytes, static_cast<char>('a' + client));
  return value.replace(kLargeBytes / 2, 8, "round " + std::to_string(round));
}

/// How often a node has called another one down.
inline size_t CountDowns(const Processes& nodes, size_t node) {
  std::ifstream log(nodes.dir(node) + "/log");
  std::stringstream text;
  text << log.rdbuf();
  size_t count = 0;
  for (size_t at = 0; (at = text.str().find(" is down", at)) != std::string::npos; ++at) ++count;
  return count;
}

/// What went otherwise than it should, from any thread.
class Errors {
 public:
  void Expect(bool met, const std::string& what) {
    const std::lock_guard lock(mutex_);
    if (!met) texts_.push_back(what.substr(0, 200));
  }
  std::vector<std::string> texts() {
    const std::lock_guard lock(mutex_);
    return texts_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> texts_;
};

/// A client of each node that runs, which sets, reads and counts small values until it is told to stop.
class SmallCommands {
 public:
  SmallCommands(const Processes& nodes, Errors* errors) {
    for (const size_t node : nodes.running()) {
      threads_.emplace_back([this, node, errors, client = nodes.ClientOf(node, kPatienceSeconds)]() mutable {
        for (int i = 0; !stop_; ++i) {
          const std::string key = "small:" + std::to_string(node) + ":" + std::to_string(i % 100);
          const std::string value = std::to_string(i);
          std::string reply = client.Run({"SET", key, value});
          errors->Expect(reply == "OK", "SET " + key + ": " + reply);
          reply = client.Run({"GET", key});
          errors->Expect(reply == value, "GET " + key + ": " + reply);
          reply = client.Run({"INCR", "counter:" + std::to_string(i % 20)});
          errors->Expect(!reply.starts_with("-"), "INCR: " + reply);
          ++done_;
        }
      });
    }
  }
  ~SmallCommands() { Stop(); }
  void Stop() {
    stop_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  size_t done() const { return done_; }

 private:
  std::atomic<bool> stop_ = false;
  std::atomic<size_t> done_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace orrery::cluster
