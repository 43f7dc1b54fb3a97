#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "orrery/replication/shard.h"
#include "orrery/runtime/random.h"
#include "orrery/storage/memory_row_store.h"
#include "orrery/types/derived_index.h"
#include "simulation/client_gate.h"
#include "simulation/node_time.h"
#include "simulation/sim_executor.h"

namespace orrery::simulation {

class SimNode;

/// One loop of one life of a node: a real Shard, and what brings it clients and the node's other loops.
class SimLoop final : private replication::LoopMesh {
 public:
  SimLoop(SimNode* node, size_t index, size_t count, uint64_t random_seed);
  ~SimLoop() override;

  /// Opens the shard with what the node's control sees.
  [[nodiscard]] Status Open();

  size_t index() const { return index_; }
  replication::Shard& shard() { return *shard_; }
  ClientGate& gate() { return *gate_; }
  storage::RowStore& store() { return *store_; }
  runtime::SeededRandom& random() { return random_; }
  bool opened() const { return shard_ != nullptr; }

  /// A task of another loop, which runs soon, in the order of posting.
  void Post(std::function<void()> task);

  // Of the turn, which the node manages.
  bool turn_end_planned = false;
  bool in_turn = false;
  bool given_up = false;  ///< its disk has refused, and it has closed its links

 private:
  class LoopTransport;

  // replication::LoopMesh
  void PostRequest(size_t loop, replication::Request request, uint8_t hops,
                   replication::Callback done) override;
  void PostMessage(size_t loop, NodeId from, replication::Message message) override;

  SimNode& node_;
  const size_t index_;
  const size_t count_;
  runtime::SeededRandom random_;
  NodeTimers timers_;
  std::unique_ptr<LoopTransport> transport_;
  types::DerivedIndex observer_;
  SimExecutor executor_;
  std::unique_ptr<storage::RowStore> store_;
  std::unique_ptr<replication::Shard> shard_;
  std::unique_ptr<ClientGate> gate_;
  uint64_t last_post_us_ = 0;
};

}  // namespace orrery::simulation
