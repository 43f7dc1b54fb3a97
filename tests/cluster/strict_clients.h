#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cluster/processes.h"

namespace orrery::cluster {

/// Clients on threads that try nothing twice: every reply that is an error, or not what it has to be after
/// what was acknowledged before, is a failure. Only who hears that its node has left the cluster goes on with
/// another one. Each has keys of its own, so that it knows their values; all count in common counters, and
/// read what was put there before.
class StrictClients {
 public:
  struct Options {
    size_t clients = 3;
    size_t keys = 300;  ///< of each client
    size_t value_bytes = 32;
    size_t ground_keys = 0;  ///< written before the clients begin, of `ground_bytes` each, and never changed
    size_t ground_bytes = 1000;
    /// -UNKNOWN is no failure but counted: what was written then may show or not.
    bool may_be_unknown = false;
  };
  /// Uses these nodes. What is there before is written here, through the first of them.
  StrictClients(const Processes& nodes, const std::set<size_t>& in_use, const Options& options);
  ~StrictClients() { Stop(); }
  void Stop();

  /// Returns when no client uses another node any more.
  void Use(const std::set<size_t>& nodes);
  /// A failure of the test if the cluster stops answering.
  void WaitForMore(int64_t more) const;

  struct Span {
    double begin_s = 0;  ///< since the clients began
    double seconds = 0;
    size_t requests = 0;
    double p99_ms = 0;
    double longest_ms = 0;
    double PerSecond() const { return seconds > 0 ? static_cast<double>(requests) / seconds : 0; }
  };
  /// What was answered since the last call.
  Span Drain();
  /// All of it, second by second.
  std::vector<Span> Seconds();

  int64_t unknown() const { return unknown_; }
  /// What failed so far, in words; says it as failures of the test, the first few.
  std::vector<std::string> failures();
  void ExpectNoFailure();
  /// After Stop(): through each of the nodes, all values and counters are as acknowledged.
  void ExpectAllThere(const std::set<size_t>& through);
  std::vector<std::string> Keys() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Answered {
    double at_s;
    double took_ms;
  };
  struct Own {
    int64_t value = -1;                                   ///< of SET; none yet
    int64_t field = -1;                                   ///< of HSET
    bool value_in_doubt = false, field_in_doubt = false;  ///< it may be the next one already
  };

  void WriteGround(size_t node);
  size_t WrongGround(Client* client) const;
  std::string Value(int64_t number) const;
  std::string Ground(size_t index) const;
  std::string KeyOf(size_t client, size_t index) const;
  Client NextClient(std::mt19937_64* random, size_t client);
  void Work(size_t client);
  void Step(size_t c, Client* client, std::mt19937_64* random);
  std::string Ask(size_t c, Client* client, std::mt19937_64* random, const std::vector<std::string>& words);
  void Judge(bool good, const std::vector<std::string>& words, const std::string& reply,
             const std::string& wanted);
  using Asking = std::function<std::string(const std::vector<std::string>&)>;
  void Write(const Asking& ask, const std::vector<std::string>& words, const std::string& wanted,
             int64_t* number, bool* in_doubt);
  void Read(const Asking& ask, const std::vector<std::string>& words, int64_t* number, bool* in_doubt);
  void Count(const Asking& ask, size_t counter);
  Span Sum(const Answered* begin, const Answered* end, double begin_s, double end_s) const;
  double Now() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

  static constexpr size_t kCounters = 4;

  const Processes& nodes_;
  const Options options_;
  const Clock::time_point begin_ = Clock::now();
  std::mutex mutex_;
  std::set<size_t> in_use_;
  std::atomic<int64_t> generation_ = 0;
  std::vector<int64_t> seen_;  ///< by client
  std::vector<Answered> answered_;
  size_t drained_ = 0;
  double drained_s_ = 0;
  std::vector<std::string> failures_;
  std::vector<std::vector<Own>> own_;
  std::array<std::atomic<int64_t>, kCounters> counted_{}, perhaps_counted_{};
  std::atomic<int64_t> unknown_ = 0;
  std::atomic<int64_t> done_ = 0;
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace orrery::cluster
