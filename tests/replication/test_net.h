#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "orrery/replication/catch_up.h"
#include "orrery/replication/copy_counter.h"
#include "orrery/replication/hint_service.h"
#include "orrery/replication/key_survey.h"
#include "replication/test_replica.h"

namespace orrery::replication {

class TestNet;

/// Time that tests move by hand.
class HandClock final : public runtime::Clock {
 public:
  uint64_t WallMs() const override { return us_ / 1000; }
  uint64_t MonotonicUs() const override { return us_; }
  void Advance(uint64_t us) { us_ += us; }

 private:
  uint64_t us_ = 10'000'000;
};

/// Whatever was to run later runs when a test says so, however much later it was to be.
class HandTimers final : public runtime::Timers {
 public:
  runtime::TimerId After(uint64_t /*delay_us*/, std::function<void()> callback) override {
    callbacks_.emplace(++last_, std::move(callback));
    return last_;
  }
  void Cancel(runtime::TimerId id) override { callbacks_.erase(id); }
  void RunAll() {
    for (auto& [id, callback] : std::exchange(callbacks_, {})) callback();
  }

 private:
  runtime::TimerId last_ = 0;
  std::map<runtime::TimerId, std::function<void()>> callbacks_;
};

/// Every row is a key.
class RowCounter final : public storage::RowObserver {
 public:
  Status OnRowChange(const storage::ObservedChange&, storage::RowStore*) override { return Status::Ok(); }
  std::optional<uint64_t> CountKeys(SlotId slot, uint8_t db, const storage::RowStore& store) const override;
};

/// A node reduced to catching up, hints and surveys, on a memory store: no coordinator. Turns as a shard's.
class TestNode final : private CatchUpListener, private runtime::Transport {
 public:
  TestNode(TestNet* net, NodeId id, const ClusterViewPtr& view, const ShardOptions& options);

  /// Makes an event here, as a coordinator or a fallback without homes would.
  causality::EventPtr Run(SlotId slot, const TestReplica::Work& work);
  causality::EventPtr Set(SlotId slot, const std::string& key, const std::string& value);
  void Send(NodeId to, const Message& message) { outbox_.Send(to, message); }
  void Handle(NodeId from, const Message& message);
  void EndTurn();
  void Tick();
  void Link(NodeId peer);
  void Unlink(NodeId peer);

  SlotReplica& slot(SlotId slot) { return slots_.At(slot); }
  SlotTable& slots() { return slots_; }
  std::map<std::string, std::string> Rows(SlotId slot) const;

  const NodeId id;
  ShardContext context;
  storage::MemoryDatabase database;
  /// What came in, by the message's type.
  std::map<size_t, size_t> received;
  std::vector<std::pair<NodeId, AckMessage>> acks;
  std::vector<std::pair<NodeId, HintAckMessage>> hint_acks;
  std::map<std::pair<NodeId, SlotId>, causality::SlotClock> peer_clocks;
  size_t advanced = 0;
  std::vector<std::string> logged;
  template <typename M>
  size_t Received() const {
    const auto it = received.find(Message(M()).index());
    return it == received.end() ? 0 : it->second;
  }

 private:
  void OnSlotAdvanced(SlotId) override { ++advanced; }
  void OnSlotReset(SlotId) override { ++advanced; }
  void OnPeerClock(NodeId peer, SlotId slot, const causality::SlotClock& clock) override {
    peer_clocks[{peer, slot}].Join(clock);
  }
  void Send(NodeId peer, std::string frame) override;

  TestNet* net_;
  RowCounter observer_;
  std::unique_ptr<storage::RowStore> store_;
  Outbox outbox_;
  SlotTable slots_;
  ForeignChanges foreign_{&context.seats, id, 1};
  std::unique_ptr<storage::HintStore> hint_store_;
  runtime::SeededRandom random_;
  HandTimers timers_;

 public:
  CatchUp catch_up;
  HintService hints;
  KeySurveyor survey;
  CopyCounter copies;
};

/// Nodes and the links between them; frames travel when a test says so. Nodes are numbered from 1.
class TestNet {
 public:
  explicit TestNet(size_t nodes, int replication_factor = 3, const ShardOptions& options = {});

  TestNode& node(uint64_t number) { return *nodes_.at(number - 1); }
  /// A slot that has, or has not, the node among its homes.
  SlotId SlotOf(uint64_t number, bool is_home) const;
  /// The numbers of the slot's homes.
  std::vector<uint64_t> Homes(SlotId slot) const;
  uint64_t Fallback(SlotId slot) const;

  void Link(uint64_t a, uint64_t b);
  void Unlink(uint64_t a, uint64_t b);
  void LinkAll();
  /// One turn of each node, then what it sent arrives. Whether anything did.
  bool Step();
  /// Steps until all is quiet.
  void Settle();
  /// Time passes in ticks, settling after each.
  void Pass(uint64_t us);

  HandClock clock;
  ClusterViewPtr view;
  uint64_t bytes_sent = 0;  ///< in frames, by all nodes

 private:
  friend class TestNode;
  std::vector<std::unique_ptr<TestNode>> nodes_;
  std::set<std::pair<NodeId, NodeId>> links_;
  std::map<std::pair<NodeId, NodeId>, std::deque<std::string>> frames_;  // (from, to)
};

}  // namespace orrery::replication
