// Values that take long to copy and to send: whole shards, whose frames travel when a test says so.

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "orrery/replication/shard.h"
#include "orrery/storage/memory_row_store.h"
#include "replication/test_net.h"

namespace orrery::replication {
namespace {

constexpr uint64_t kTickUs = 100'000;

/// SET key size: replaces what is there by a value of so many bytes. ADD key size: one more beside it. GET
/// key.
class ValueExecutor final : public CommandExecutor {
 public:
  void Execute(const Request& request, storage::Transaction* transaction, std::string* reply) override {
    const std::string row = StringRow(request.args[1]);
    if (request.args[0] == "GET") {
      const causality::Cell* value = transaction->Get(row).NewestValue();
      *reply = value == nullptr ? "(none)" : value->payload;
      return;
    }
    if (request.args[0] == "SET") transaction->Clear(row);
    transaction->AddValue(row, std::string(std::stoul(std::string(request.args[2])), 'v'));
    *reply = "+OK\r\n";
  }
};

/// Three nodes, each with one shard; N=3, R=W=2. Numbered from 1.
class LargeValuesTest : public testing::Test {
 protected:
  struct Node final : runtime::Transport {
    void Send(NodeId peer, std::string frame) override { sent.emplace_back(peer, std::move(frame)); }
    template <typename M>
    size_t Sent() const {
      size_t count = 0;
      for (const auto& [peer, frame] : sent) {
        FrameReader reader(frame);
        for (Message message; reader.Next(&message);) count += std::holds_alternative<M>(message) ? 1 : 0;
      }
      return count;
    }

    NodeId id;
    HandTimers timers;
    runtime::SeededRandom random{1};
    storage::MemoryDatabase database;
    std::unique_ptr<storage::RowStore> store = database.OpenShard();
    RowCounter observer;
    ValueExecutor executor;
    std::deque<std::pair<NodeId, std::string>> sent;
    std::vector<bool> committed;  ///< at each sign of life: whether the turn's commit was done
    std::vector<size_t> given;    ///< and how many events had been given to the transport
    std::unique_ptr<Shard> shard;
  };

  void Start(const ShardOptions& options) {
    std::vector<ring::RingMember> members(3);
    for (size_t i = 0; i < 3; ++i) members[i].id = NodeId{i + 1};
    const auto ring = std::make_shared<const ring::Ring>(ring::Ring::Build(members, 3));
    for (const auto& member : members) {
      auto view = std::make_shared<ClusterView>();
      view->self = member.id;
      view->ring = ring;
      for (const auto& other : members) {
        view->members.emplace_back().id = other.id;
        view->alive.insert(other.id);
      }
      Open(member.id, view, options);
    }
    for (auto& node : nodes_) {
      for (const auto& member : members) {
        if (member.id != node->id) node->shard->OnPeerUp(member.id, 1);
      }
    }
    clock_.Advance(2'000'000);  // nobody has just started any more
    Settle();
    const NodeId first = ring->Coordinator(slot_);
    coordinator_ = nodes_[first.value - 1].get();
    entry_ = nodes_[first.value % 3].get();
  }

  void Open(NodeId id, const ClusterViewPtr& view, const ShardOptions& options) {
    Node& node = *nodes_.emplace_back(std::make_unique<Node>());
    node.id = id;
    Shard::Parts parts;
    parts.clock = &clock_;
    parts.timers = &node.timers;
    parts.random = &node.random;
    parts.transport = &node;
    parts.store = node.store.get();
    parts.observer = &node.observer;
    parts.executor = &node.executor;
    parts.sign_of_life = [&node] {
      node.shard->SendEarly();
      node.committed.push_back(!node.store->HasPending());
      node.given.push_back(node.Sent<EventMessage>());
    };
    auto shard = Shard::Open(options, parts, {id, 1}, view);
    ASSERT_TRUE(shard.ok());
    node.shard = std::move(*shard);
  }

  bool Deliver(Node* from) {
    const auto sent = std::exchange(from->sent, {});
    for (const auto& [peer, frame] : sent) {
      if (peer != deaf_) nodes_[peer.value - 1]->shard->OnFrame(from->id, frame);
    }
    return !sent.empty();
  }
  void Settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (auto& node : nodes_) node->shard->EndTurn();
      for (auto& node : nodes_) busy = Deliver(node.get()) || busy;
    }
  }
  void Pass(uint64_t us) {
    for (uint64_t passed = 0; passed < us; passed += kTickUs) {
      clock_.Advance(kTickUs);
      for (auto& node : nodes_) node->timers.RunAll();
      Settle();
    }
  }
  void Submit(Node* node, std::initializer_list<std::string_view> words) {
    Request request;
    request.slot = slot_;
    request.args = Arguments(words);
    const bool reads = request.args[0] == "GET";
    request.traits = {reads, !reads, false, true};
    node->shard->router().Submit(std::move(request),
                                 [this](Response response) { responses_.push_back(response); });
  }
  std::string Run(Node* node, std::initializer_list<std::string_view> words) {
    responses_.clear();
    Submit(node, words);
    Settle();
    return responses_.size() == 1 ? responses_[0].reply : "(no answer)";
  }

  const SlotId slot_ = 7;
  HandClock clock_;
  std::vector<std::unique_ptr<Node>> nodes_;
  Node* coordinator_ = nullptr;
  Node* entry_ = nullptr;
  NodeId deaf_;  ///< what is sent to it is lost
  std::vector<Response> responses_;
};

// One node had it, and no link would take it, for ever.
TEST_F(LargeValuesTest, AnEventThatOthersCouldNotTakeIsRefusedBeforeAnythingIsWritten) {
  ShardOptions options;
  options.event_bytes_max = 10'000;
  Start(options);
  EXPECT_EQ(Run(entry_, {"SET", "k", "9000"}), "+OK\r\n");
  EXPECT_EQ(Run(entry_, {"SET", "k", "10000"}),
            "-ERR what the command writes is larger than 10000 bytes\r\n");
  EXPECT_EQ(coordinator_->shard->stats().events_made, 1u);
  EXPECT_EQ(Run(entry_, {"GET", "k"}), std::string(9000, 'v'));
  EXPECT_EQ(Run(entry_, {"SET", "k", "8000"}), "+OK\r\n");
  for (const auto& node : nodes_) {
    EXPECT_EQ(node->shard->slots().At(slot_).clock().Get({coordinator_->id, 1}), 2u);
    EXPECT_EQ(node->shard->pending(), 0u);
  }
}

TEST_F(LargeValuesTest, SiblingsThatWouldFillARowAreRefused) {
  ShardOptions options;
  options.row_bytes_max = 10'000;
  Start(options);
  EXPECT_EQ(Run(entry_, {"SET", "k", "6000"}), "+OK\r\n");
  EXPECT_EQ(Run(entry_, {"ADD", "k", "6000"}),
            "-ERR the value with its siblings is larger than 10000 bytes\r\n");
  EXPECT_EQ(Run(entry_, {"ADD", "k", "3000"}), "+OK\r\n");
  EXPECT_EQ(coordinator_->shard->stats().events_made, 2u);
}

TEST_F(LargeValuesTest, WhatIsTooLargeToBePassedOnIsAnErrorForItsClientAlone) {
  ShardOptions options;
  options.request_bytes_max = 10'000;
  options.reply_bytes_max = 20'000;
  Start(options);
  const std::string long_key(10'000, 'k');
  EXPECT_EQ(Run(entry_, {"GET", long_key}), "-ERR what the command needs is larger than 10000 bytes\r\n");
  EXPECT_EQ(Run(coordinator_, {"GET", long_key}), "(none)");
  EXPECT_EQ(Run(entry_, {"SET", "k", "30000"}), "+OK\r\n");
  EXPECT_EQ(Run(entry_, {"GET", "k"}), "-ERR the reply is larger than 20000 bytes\r\n");
  EXPECT_EQ(Run(coordinator_, {"GET", "k"}), std::string(30000, 'v'));
}

// Its peers heard nothing of a node that worked on one turn for longer than the failure detector waits.
TEST_F(LargeValuesTest, ALongTurnGivesSignsOfLifeAndSendsItsEventsBeforeItCommits) {
  Start({});
  const std::string large = std::to_string(ShardContext::kSilentBytesMax);
  EXPECT_EQ(Run(coordinator_, {"SET", "k", "1000"}), "+OK\r\n");
  EXPECT_TRUE(coordinator_->committed.empty());
  EXPECT_EQ(Run(coordinator_, {"SET", "k", large}), "+OK\r\n");
  ASSERT_GE(coordinator_->committed.size(), 3u);
  EXPECT_FALSE(coordinator_->committed.front());
  EXPECT_TRUE(coordinator_->committed.back());
  // The last one before the commit has sent them.
  const auto commit = std::find(coordinator_->committed.begin(), coordinator_->committed.end(), true);
  EXPECT_EQ(coordinator_->given[static_cast<size_t>(commit - coordinator_->committed.begin()) - 1], 2u);
  EXPECT_GE(entry_->committed.size(), 3u);
}

TEST_F(LargeValuesTest, ALargeWriteHasTimeAsLongAsItIsOnItsWay) {
  ShardOptions options;
  options.request_timeout_us = 1'000'000;
  Start(options);
  constexpr size_t kBytes = size_t{32} << 20;
  EXPECT_EQ(Run(entry_, {"SET", "k", "1"}), "+OK\r\n");
  // Two homes of three are lost without anybody noticing.
  responses_.clear();
  Submit(coordinator_, {"SET", "k", std::to_string(kBytes)});
  for (auto& node : nodes_) node->shard->EndTurn();
  for (auto& node : nodes_) node->sent.clear();
  const auto pass_alone = [&](uint64_t us) {
    for (uint64_t passed = 0; passed < us; passed += kTickUs) {
      clock_.Advance(kTickUs);
      coordinator_->timers.RunAll();
      coordinator_->shard->EndTurn();
      coordinator_->sent.clear();
    }
  };
  pass_alone(options.request_timeout_us + kTickUs);
  EXPECT_TRUE(responses_.empty());
  pass_alone(ShardContext::TransportUs(kBytes) + 2 * kTickUs);
  ASSERT_EQ(responses_.size(), 1u);
  EXPECT_EQ(responses_[0].outcome, Outcome::kUnknown);
}

}  // namespace
}  // namespace orrery::replication
