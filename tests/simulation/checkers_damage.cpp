// What may be lost where disks are damaged, and what may not.

#include <algorithm>
#include <utility>

#include "orrery/storage/row_key.h"
#include "simulation/checkers.h"

namespace orrery::simulation {

using causality::Dot;
using replication::SlotImage;
using replication::SlotReplica;

// A damaged slot that was made anew without what only it had has lost a copy, as by a power cut: what it is
// to account for is what it has now. How much a disk that cannot be read may lose is not promised, only that
// this is all that is lost.
void Checkers::NoteDamage(size_t node, SlotId slot, const SlotReplica& replica) {
  auto& aside = books_[node].aside;
  if (!replica.is_aside()) {
    if (aside.erase(slot) > 0)
      copies_.RestartedWithClock(node, slot, history_.Applied(slot, replica.clock()));
    return;
  }
  if (aside.contains(slot)) return;
  auto remains = replica.aside() == nullptr ? Result<SlotImage>(SlotImage()) : replica.Remains();
  aside.emplace(slot, remains.ok() ? std::move(*remains) : SlotImage());
}

// Whether some disk can still tell what the event did to the row: a replica that covers it and can read the
// row, the damaged one of this node included, or a hint.
bool Checkers::IsReadableAnywhere(size_t node, SlotId slot, const std::string& row_key, const Dot& dot) {
  for (size_t i = 0; i < cluster_.size(); ++i) {
    if (!cluster_.node(i).up()) continue;
    if (HintsOf(i).contains({slot, dot})) return true;
    const auto aside = books_[i].aside.find(slot);
    if (aside != books_[i].aside.end()) {
      const SlotImage& remains = aside->second;
      if (history_.Applied(slot, remains.clock).Covers(dot) && !remains.HasHoleAt(row_key)) return true;
      continue;
    }
    const SlotReplica* replica = cluster_.node(i).ShardOf(slot).slots().Find(slot);
    if (i == node || replica == nullptr || !history_.Applied(slot, replica->clock()).Covers(dot)) continue;
    const auto row =
        cluster_.node(i).StoreOf(slot).Get(storage::Table::kRows, storage::WithSlot(slot, row_key));
    if (row.ok()) return true;
  }
  return false;
}

// A slot has just come back from damage: whether all that is wrong with its rows is that it lacks what events
// did that no disk could tell any more.
bool Checkers::IsDestroyed(size_t node, SlotId slot, const SlotReplica& replica, const Expected& expected) {
  if (replica.is_aside() || !books_[node].aside.contains(slot)) return false;
  std::map<std::string, std::string> rows;
  auto cursor = cluster_.node(node).StoreOf(slot).Scan(storage::Table::kRows, storage::SlotPrefix(slot));
  for (; cursor->Valid(); cursor->Next()) rows.emplace(cursor->key().substr(2), cursor->value());
  if (!cursor->status().ok()) return false;
  std::set<std::string> row_keys;
  for (const auto& [row_key, bytes] : rows) row_keys.insert(row_key);
  for (const auto& [row_key, row] : expected.rows) row_keys.insert(row_key);
  return std::all_of(row_keys.begin(), row_keys.end(), [&](const std::string& row_key) {
    const auto found = rows.find(row_key);
    const std::string bytes = found == rows.end() ? std::string() : found->second;
    const auto is = [&](const causality::Row& row) {
      return row.empty() ? bytes.empty() : bytes == causality::EncodeRow(row);
    };
    const auto wanted = expected.rows.find(row_key);
    if (is(wanted == expected.rows.end() ? causality::Row() : wanted->second)) return true;
    return is(history_.RowAt(slot, replica.clock(), row_key,
                             [&](const Dot& dot) { return !IsReadableAnywhere(node, slot, row_key, dot); }));
  });
}

}  // namespace orrery::simulation
