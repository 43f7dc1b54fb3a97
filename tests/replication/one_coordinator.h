#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "orrery/replication/coordinator.h"
#include "replication/test_net.h"

namespace orrery::replication {

/// The coordinator of node 1; what it sends goes to the test.
class OneCoordinator : protected runtime::Transport {
 protected:
  OneCoordinator(size_t nodes, int replication_factor, CommandExecutor* executor)
      : net_(nodes, replication_factor) {
    context_.hybrid = &hybrid_;
    context_.outbox = &outbox_;
    context_.executor = executor;
  }
  void Send(NodeId /*to*/, std::string /*frame*/) override {}

  /// Commits what ran and lets replies leave.
  void CommitTurn() {
    std::vector<SlotId> touched;
    net_.node(1).slots().SaveTouched(&touched);
    outbox_.FlushNow(0, 0);
    ASSERT_TRUE(context_.store->Commit(storage::Durability::kDisk).ok());
    coordinator_.AfterCommit();
  }

  TestNet net_;
  ShardContext& context_ = net_.node(1).context;
  causality::HybridClock hybrid_{300'000};
  Outbox outbox_{this};
  Coordinator coordinator_{&context_, &net_.node(1).catch_up, &net_.node(1).hints};
};

}  // namespace orrery::replication
