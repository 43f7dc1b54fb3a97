#include "types/test_slot.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "orrery/base/check.h"
#include "orrery/causality/merge.h"
#include "orrery/storage/row_key.h"

namespace orrery::types {

using causality::Event;
using causality::Row;
using storage::Table;

TestSlot::TestSlot(uint64_t node, SlotId slot)
    : slot_(slot), actor_{NodeId{node}, 100 + node}, store_(database_.OpenShard()) {}

std::optional<Event> TestSlot::Run(const Command& command) {
  hlc_ = std::max(hlc_ + 1, now_ms_ << causality::kLogicalBits);
  const causality::Dot dot{actor_, clock_.Get(actor_) + 1};
  storage::Transaction transaction(*store_, {slot_, &clock_, dot, hlc_, now_ms_, birth_floor_});
  command(transaction);
  ORRERY_CHECK(transaction.status().ok());
  if (!transaction.changed()) return std::nullopt;
  Event event = transaction.TakeEvent();
  Apply(event);
  return event;
}

void TestSlot::Apply(const Event& event) {
  if (clock_.Covers(event.dot)) return;
  hlc_ = std::max(hlc_, event.hlc);
  ApplyScopes(event);
  for (const causality::RowChange& change : event.changes) {
    const causality::Row before = Row(change.row_key);
    causality::Row after = before;
    causality::ApplyChange(change, {clock_, voided_}, &after);
    Change(change.row_key, before, after);
  }
  causality::VoidUnseen(event, clock_, &voided_);
  clock_.Advance(event.dot);
  voided_.Prune(clock_);
}

void TestSlot::ApplyScopes(const Event& event) {
  for (const causality::ScopeRemoval& scope : event.scopes) {
    std::vector<std::string> row_keys;
    const std::string slot = storage::SlotPrefix(slot_);
    for (auto cursor = store_->Scan(Table::kRows, slot + scope.prefix); cursor->Valid(); cursor->Next()) {
      row_keys.emplace_back(cursor->key().substr(slot.size()));
    }
    for (const std::string& row_key : row_keys) {
      const causality::Row before = Row(row_key);
      causality::Row after = before;
      if (causality::ApplyScope(scope, &after)) Change(row_key, before, after);
    }
  }
}

void TestSlot::Change(std::string_view row_key, const causality::Row& before, const causality::Row& after) {
  if (observer_ != nullptr) observer_->OnRowChange(slot_, row_key, before, after, store_.get());
  const std::string key = storage::WithSlot(slot_, row_key);
  after.empty() ? store_->Delete(Table::kRows, key)
                : store_->Put(Table::kRows, key, causality::EncodeRow(after));
}

causality::Row TestSlot::Row(std::string_view row_key) const {
  const auto bytes = store_->Get(Table::kRows, storage::WithSlot(slot_, row_key));
  ORRERY_CHECK(bytes.ok());
  causality::Row row;
  if (*bytes) ORRERY_CHECK(causality::DecodeRow(**bytes, &row));
  return row;
}

std::string TestSlot::Dump(Table table) const {
  std::string dump;
  Encoder out(&dump);
  for (auto cursor = store_->Scan(table, ""); cursor->Valid(); cursor->Next()) {
    out.PutBytes(cursor->key());
    out.PutBytes(cursor->value());
  }
  return dump;
}

}  // namespace orrery::types
