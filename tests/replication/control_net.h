#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "orrery/replication/cluster_control.h"
#include "orrery/storage/memory_row_store.h"
#include "replication/test_net.h"

namespace orrery::replication {

inline constexpr uint64_t kHeartbeatUs = 100'000;

/// Controls of some nodes; what they say arrives when Settle is called, over the links that are up.
class ControlNet {
 public:
  struct Node {
    NodeId id;
    storage::MemoryDatabase database;
    std::unique_ptr<storage::RowStore> store = database.OpenShard();
    runtime::SeededRandom random{7};
    std::unique_ptr<ClusterControl> control;
    bool has_data = false;
    uint64_t holdings = 0, requests = 0;
    std::set<NodeId> links;
    bool silent = false;  ///< its links stand, but nothing comes out of them
    bool commits = true;  ///< its disk works
    std::vector<std::string> logged;
    std::vector<ClusterViewPtr> views;  ///< all that it published in this life
    ClusterOptions options;
  };

  using Change = std::function<void(size_t node, ClusterOptions*)>;
  /// Nodes are numbered from 1.
  explicit ControlNet(size_t nodes, const Change& change = nullptr) {
    for (size_t i = 1; i <= nodes; ++i) {
      ClusterOptions options;
      if (change) change(i, &options);
      Add(NodeId{i * 0x1111}, options);
    }
  }

  Node& node(size_t number) { return *nodes_.at(number - 1); }
  ClusterControl& control(size_t number) { return *node(number).control; }

  void Link(size_t a, size_t b) {
    if (!node(a).links.insert(node(b).id).second) return;
    node(b).links.insert(node(a).id);
    control(a).OnPeerUp(node(b).id);
    control(b).OnPeerUp(node(a).id);
  }
  void Unlink(size_t a, size_t b) {
    node(a).links.erase(node(b).id);
    node(b).links.erase(node(a).id);
    control(a).OnPeerDown(node(b).id);
    control(b).OnPeerDown(node(a).id);
  }
  void LinkAll() {
    for (size_t a = 1; a <= nodes_.size(); ++a) {
      for (size_t b = a + 1; b <= nodes_.size(); ++b) Link(a, b);
    }
  }
  /// A new life from what its disk has; its links are down.
  void Restart(size_t number) {
    Node& node = this->node(number);
    for (size_t other = 1; other <= nodes_.size(); ++other) {
      if (node.links.contains(this->node(other).id)) Unlink(number, other);
    }
    ASSERT_TRUE(node.store->Commit(storage::Durability::kDisk).ok());
    auto state = LoadNodeState(*node.store);
    ASSERT_TRUE(state.ok());
    ++state->incarnation;
    node.views.clear();
    Begin(&node, std::move(*state));
  }
  void Settle() {
    while (!sent_.empty()) {
      const Sent sent = std::move(sent_.front());
      sent_.pop_front();
      Node& to = ById(sent.to);
      if (!to.links.contains(sent.from) || ById(sent.from).silent) continue;
      to.control->OnHeard(sent.from);
      to.control->OnMessage(sent.from, sent.bytes);
    }
  }
  /// Time passes in which nobody gets round to anything.
  void Advance(uint64_t us) { clock_.Advance(us); }
  /// Sent, and not delivered yet.
  size_t on_the_way() const { return sent_.size(); }
  void Pass(uint64_t us) {
    for (uint64_t passed = 0; passed < us; passed += kHeartbeatUs) {
      clock_.Advance(kHeartbeatUs);
      for (auto& node : nodes_) node->control->Tick();
      Settle();
    }
  }

 private:
  struct Sent {
    NodeId from;
    NodeId to;
    std::string bytes;
  };

  void Add(NodeId id, ClusterOptions options) {
    nodes_.push_back(std::make_unique<Node>());
    Node& node = *nodes_.back();
    node.id = id;
    node.options = std::move(options);
    node.options.host = "127.0.0.1";
    node.options.client_port = 7000;
    node.options.peer_port = 17000;
    NodeState state;
    state.id = id;
    state.incarnation = 1;
    Begin(&node, std::move(state));
  }
  void Begin(Node* node, NodeState state) {
    const NodeId id = node->id;
    ClusterControl::Hooks hooks;
    hooks.on_view = [node](const ClusterViewPtr& view) { node->views.push_back(view); };
    hooks.set_peers = [](const std::vector<membership::Member>&) {};
    hooks.send = [this, id](NodeId to, std::string bytes) { sent_.push_back({id, to, std::move(bytes)}); };
    hooks.send_committed = [this, id, node](NodeId to, std::string bytes) {
      if (node->commits) sent_.push_back({id, to, std::move(bytes)});
    };
    hooks.has_data = [node] { return node->has_data; };
    hooks.holdings = [node] { return node->holdings; };
    hooks.requests = [node] { return node->requests; };
    hooks.log = [node](const std::string& line) { node->logged.push_back(line); };
    node->control = std::make_unique<ClusterControl>(node->options, std::move(state), node->store.get(),
                                                     &clock_, &node->random, std::move(hooks));
    node->control->Start();
  }
  Node& ById(NodeId id) {
    for (auto& node : nodes_) {
      if (node->id == id) return *node;
    }
    ADD_FAILURE() << "no such node";
    return *nodes_.front();
  }

  HandClock clock_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::deque<Sent> sent_;
};

/// 1 to n know each other.
inline void Gather(ControlNet* net, size_t n) {
  for (size_t a = 1; a <= n; ++a) {
    for (size_t b = a + 1; b <= n; ++b) net->Link(a, b);
  }
  net->Settle();
  net->Pass(3'000'000);
}

}  // namespace orrery::replication
