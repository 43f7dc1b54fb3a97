#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "orrery/runtime/uv/peer_listener.h"
#include "orrery/runtime/uv/peer_transport.h"
#include "runtime/greeting.h"

namespace orrery::runtime {

/// What a test node is made of; times are short so that refusals and retries come soon.
inline PeerTransportOptions TestOptions(uint64_t id, uint64_t incarnation = 1) {
  PeerTransportOptions options;
  options.cluster = "test";
  options.secret = "s3cret";
  options.id = NodeId{id};
  options.incarnation = incarnation;
  options.reconnect_min_ms = 2;
  options.reconnect_max_ms = 20;
  return options;
}

/// One loop's part of a node: a transport that records what it tells. Loop's thread only.
class RecordingTransport : public PeerEvents {
 public:
  RecordingTransport(UvLoop& loop, const PeerTransportOptions& options) : random_(options.id.value) {
    PeerTransportHooks hooks;
    hooks.known_incarnation = [this](NodeId id) { return known_incarnations[id]; };
    hooks.on_greeted = [this](const PeerGreeting& greeting) {
      greetings.push_back(greeting);
      if (on_greeted) on_greeted(greeting);
    };
    hooks.on_note = [this](const std::string& line) { notes.push_back(line); };
    transport = std::make_unique<PeerTransport>(loop, random_, options, *this, std::move(hooks));
  }

  void OnPeerUp(NodeId peer, uint64_t incarnation) override {
    EXPECT_FALSE(is_up[peer]);
    is_up[peer] = true;
    ups.emplace_back(peer, incarnation);
    if (on_up) on_up(peer);
    if (on_change) on_change();
  }
  void OnPeerDown(NodeId peer) override {
    EXPECT_TRUE(is_up[peer]);
    is_up[peer] = false;
    downs.push_back(peer);
    if (on_change) on_change();
  }
  void OnFrame(NodeId peer, std::string_view frame) override {
    EXPECT_TRUE(is_up[peer] || !frames_need_up);
    frames[peer].emplace_back(frame);
    if (on_change) on_change();
  }

  void OnPartOfFrame(NodeId peer) override {
    EXPECT_TRUE(is_up[peer] || !frames_need_up);
    ++parts[peer];
    if (on_change) on_change();
  }

  bool Noted(const std::string& part) const {
    for (const std::string& line : notes) {
      if (line.find(part) != std::string::npos) return true;
    }
    return false;
  }

  std::map<NodeId, uint64_t> known_incarnations;
  std::vector<PeerGreeting> greetings;
  std::vector<std::pair<NodeId, uint64_t>> ups;
  std::vector<NodeId> downs;
  std::map<NodeId, bool> is_up;
  std::map<NodeId, std::vector<std::string>> frames;
  std::map<NodeId, size_t> parts;  ///< how often part of a frame came
  std::vector<std::string> notes;
  std::function<void(const PeerGreeting&)> on_greeted;
  std::function<void(NodeId)> on_up;
  std::function<void()> on_change;
  bool frames_need_up = true;
  std::unique_ptr<PeerTransport> transport;

 private:
  SeededRandom random_;
};

/// A node of one loop, with its listener.
struct TestNode : RecordingTransport {
  TestNode(UvLoop& loop, const PeerTransportOptions& options, PeerListenerOptions listen = {})
      : RecordingTransport(loop, options), id(options.id) {
    auto made = PeerListener::Listen(loop, listen, {transport.get()},
                                     [this](const std::string& line) { notes.push_back(line); });
    EXPECT_TRUE(made.ok()) << made.status().message();
    listener = std::move(*made);
  }

  PeerAddress AddressAt(const std::string& host) const { return {id, host, listener->port()}; }
  PeerAddress address() const { return {id, "127.0.0.1", listener->port()}; }
  bool Up(const TestNode& other) { return is_up[other.id]; }
  void Send(const TestNode& other, std::string frame) { transport->Send(other.id, std::move(frame)); }

  NodeId id;
  std::unique_ptr<PeerListener> listener;
};

}  // namespace orrery::runtime
