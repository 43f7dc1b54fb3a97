#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "orrery/runtime/uv/loop_thread.h"
#include "orrery/server/server.h"
#include "server/fake_node.h"
#include "server/test_client.h"

namespace orrery::server {

/// A Server with `loops` threads on a port of its own.
class TestServer {
 public:
  /// settings come after "port 0" and "bind 127.0.0.1".
  explicit TestServer(const std::string& settings = {}, size_t loops = 2,
                      std::set<NodeId> alive = {NodeId{1}, NodeId{2}, NodeId{3}})
      : log(Log::Silent()) {
    auto parsed = ParseConfig("port 0\nbind 127.0.0.1\n" + settings);
    EXPECT_TRUE(parsed.ok()) << parsed.status().message();
    if (!parsed->logfile.empty()) log = std::move(*Log::Open(parsed->logfile, parsed->loglevel));
    config = std::make_unique<ConfigStore>(*parsed);
    ServerOptions options;
    options.config = config.get();
    options.log = log.get();
    options.on_stopped = [this] { stopped = true; };
    for (size_t i = 0; i < loops; ++i) {
      threads.push_back(std::make_unique<runtime::LoopThread>());
      runtime::UvLoop* loop = &threads.back()->loop();
      runners.push_back(std::make_unique<FakeRunner>(loop, &keys));
      nodes.push_back(std::make_unique<FakeNode>(loop, alive));
      options.loops.push_back({loop, runners.back().get(), nodes.back().get()});
    }
    server = std::make_unique<Server>(std::move(options));
    const Status listening = server->Listen();
    EXPECT_TRUE(listening.ok()) << listening.message();
    for (auto& thread : threads) thread->Start();
  }
  ~TestServer() {
    for (auto& thread : threads) thread->Stop();
    server.reset();
  }

  uint16_t port() const { return server->port(); }

  /// Runs the function on every loop, one after the other.
  void OnEveryLoop(const std::function<void(size_t)>& function) {
    for (size_t i = 0; i < threads.size(); ++i) threads[i]->Call([&] { function(i); });
  }
  void Hold(const std::string& command) {
    OnEveryLoop([&](size_t i) { runners[i]->held.insert(command); });
  }
  void Release(bool backwards = false) {
    OnEveryLoop([&](size_t i) { runners[i]->Release(backwards); });
  }
  size_t Started() const {
    size_t sum = 0;
    for (const auto& runner : runners) sum += runner->started;
    return sum;
  }

  /// Waits until the condition holds; false if that takes so long that something is broken.
  static bool Until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      poll(nullptr, 0, 1);
    }
    return true;
  }

  FakeKeys keys;
  std::unique_ptr<Log> log;
  std::unique_ptr<ConfigStore> config;
  std::vector<std::unique_ptr<runtime::LoopThread>> threads;
  std::vector<std::unique_ptr<FakeRunner>> runners;
  std::vector<std::unique_ptr<FakeNode>> nodes;
  std::unique_ptr<Server> server;
  std::atomic<bool> stopped{false};
};

}  // namespace orrery::server
