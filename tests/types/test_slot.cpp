#include "types/test_slot.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "orrery/base/check.h"
#include "orrery/storage/row_key.h"

namespace orrery::types {

using causality::Event;
using causality::Row;
using storage::Table;

// Hands on to whatever a test has set, if anything.
class TestSlot::Observer final : public storage::RowObserver {
 public:
  Status OnRowChange(const storage::ObservedChange& change, storage::RowStore* store) override {
    return to == nullptr ? Status::Ok() : to->OnRowChange(change, store);
  }
  Result<std::optional<storage::RowTotals>> OnElementsRemoved(SlotId slot, std::string_view key_prefix,
                                                              storage::RowTag tag,
                                                              storage::RowStore* store) override {
    if (to == nullptr) return std::optional<storage::RowTotals>();
    return to->OnElementsRemoved(slot, key_prefix, tag, store);
  }

  storage::RowObserver* to = nullptr;
};

TestSlot::TestSlot(uint64_t node, SlotId slot)
    : slot_(slot),
      actor_{NodeId{node}, 100 + node},
      store_(database_.OpenShard()),
      observer_(std::make_unique<Observer>()),
      replica_(std::make_unique<replication::SlotReplica>(slot, store_.get(), observer_.get())) {}

TestSlot::~TestSlot() = default;

void TestSlot::set_observer(storage::RowObserver* observer) {
  observer_->to = observer;
}

std::optional<Event> TestSlot::Run(const Command& command) {
  hlc_ = std::max(hlc_ + 1, now_ms_ << causality::kLogicalBits);
  const causality::Dot dot{actor_, clock().Get(actor_) + 1};
  storage::Transaction transaction(
      *store_, {slot_, &clock(), dot, hlc_, now_ms_, birth_floor_, replica_->collection_rows() > 0, folding_});
  command(transaction);
  ORRERY_CHECK(transaction.status().ok());
  if (!transaction.changed()) return std::nullopt;
  Event event = transaction.TakeEvent();
  Apply(event);
  return event;
}

void TestSlot::Apply(const Event& event) {
  if (clock().Covers(event.dot)) return;
  hlc_ = std::max(hlc_, event.hlc);
  ORRERY_CHECK(replica_->Classify(event.dot) == replication::SlotReplica::Fit::kNext);
  ORRERY_CHECK(replica_->Apply(event, causality::MakeEventPtr(event)).ok());
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
