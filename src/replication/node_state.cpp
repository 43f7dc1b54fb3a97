#include "orrery/replication/node_state.h"

#include <algorithm>

#include "orrery/base/marks.h"
#include "orrery/replication/slot_journal.h"

namespace orrery::replication {
namespace {

constexpr std::string_view kKey = "node";
constexpr uint8_t kFormat = 1;
constexpr uint8_t kAwaitsMeeting = 1;  // behind the members
constexpr int kRandomBits = 12;
constexpr int kRandomBitsOfOldClocks = 20;  // a quarter of a second

}  // namespace

Result<NodeState> LoadNodeState(const storage::RowStore& store) {
  auto bytes = store.Get(storage::Table::kNode, kKey);
  if (!bytes.ok()) return bytes.status();
  NodeState state;
  if (!*bytes) return state;
  Decoder in(**bytes);
  const uint8_t format = in.GetU8();
  state.id.value = in.GetU64();
  state.incarnation = in.GetVarint();
  state.members = membership::MembershipMap::Decode(&in);
  state.awaits_meeting = !in.done() && in.GetU8() == kAwaitsMeeting;
  if (!in.done() || format != kFormat || !state.id) return Status::Corruption("node state does not decode");
  return state;
}

void SaveNodeState(const NodeState& state, storage::RowStore* store) {
  std::string bytes;
  Encoder out(&bytes);
  out.PutU8(kFormat);
  out.PutU64(state.id.value);
  out.PutVarint(state.incarnation);
  state.members.Encode(&out);
  if (state.awaits_meeting) out.PutU8(kAwaitsMeeting);
  store->Put(storage::Table::kNode, kKey, bytes);
}

uint64_t NextIncarnation(uint64_t stored, uint64_t known_to_peers, uint64_t wall_ms, runtime::Random* random) {
  if (ORRERY_MUTATION("reused-incarnation") && stored != 0) return stored;
  const uint64_t by_clock = (wall_ms << kRandomBits) | random->Below(uint64_t{1} << kRandomBits);
  const uint64_t known = std::max(stored, known_to_peers);
  if (by_clock > known) return by_clock;
  // The clock was set back. If the disk was, too, an earlier life may have begun from the same state.
  return known + 1 + random->Below(uint64_t{1} << kRandomBitsOfOldClocks);
}

Result<NodeState> BeginLife(storage::RowStore* store, NodeId fresh_id, uint64_t wall_ms, runtime::Random* random) {
  if (Status s = FoldSlotJournals(store); !s.ok()) return s;
  auto state = LoadNodeState(*store);
  if (!state.ok()) return state;
  state->is_first_life = !state->id;
  if (!state->id) state->id = fresh_id;
  const membership::Member* own = state->members.Find(state->id);
  const uint64_t known = own == nullptr ? 0 : own->incarnation;
  state->incarnation = NextIncarnation(state->incarnation, known, wall_ms, random);
  SaveNodeState(*state, store);
  if (Status s = store->Commit(storage::Durability::kDisk); !s.ok()) return s;
  return state;
}

}  // namespace orrery::replication
