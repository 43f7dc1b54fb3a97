#pragma once

#include <cstdint>

#include "orrery/base/status.h"
#include "orrery/causality/dot.h"
#include "orrery/membership/member.h"
#include "orrery/runtime/random.h"
#include "orrery/storage/row_store.h"

namespace orrery::replication {

/// What a node is, durable in Table::kNode: its id, drawn once for the life of its disk, the incarnation of its latest
/// life, and the members it knows.
struct NodeState {
  NodeId id;
  uint64_t incarnation = 0;
  membership::MembershipMap members;
  /// It was to join others and has not heard yet that it belongs to them (ClusterView::awaits_meeting).
  bool awaits_meeting = false;
  bool is_first_life = false;  ///< not stored: the disk was fresh when this life began
};

/// A fresh store gives a state without id. kCorruption: the bytes are not ours.
Result<NodeState> LoadNodeState(const storage::RowStore& store);
/// Into the pending batch.
void SaveNodeState(const NodeState& state, storage::RowStore* store);

/// The incarnation of a new life: above the stored one, above all that peers know of us, and from the wall clock with
/// random low bits, so that neither lost writes nor an old disk image bring back an actor (DESIGN: actors never repeat).
uint64_t NextIncarnation(uint64_t stored, uint64_t known_to_peers, uint64_t wall_ms, runtime::Random* random);

/// What a process does with its store before anything else: folds the journals, loads the state, gives a fresh disk the
/// id, takes the next incarnation, and has it all on the disk before it returns. Errors are the store's.
Result<NodeState> BeginLife(storage::RowStore* store, NodeId fresh_id, uint64_t wall_ms, runtime::Random* random);

}  // namespace orrery::replication
