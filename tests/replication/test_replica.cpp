#include "replication/test_replica.h"

#include <gtest/gtest.h>

namespace orrery::replication {

using causality::Event;
using causality::EventPtr;

EventPtr TestReplica::Run(const Work& work) {
  SlotReplica& replica = slot();
  now_ = std::max(now_, replica.newest()) + 1;
  storage::Transaction transaction(
      *store_, {kSlot, &replica.clock(), {self_, replica.clock().Get(self_) + 1}, now_, /*now_ms=*/1, 0});
  work(&transaction);
  EXPECT_TRUE(transaction.status().ok());
  if (!transaction.changed()) return nullptr;
  const Event event = transaction.TakeEvent();
  EventPtr encoded = causality::MakeEventPtr(event);
  EXPECT_TRUE(slots_.Apply(event, encoded).ok());
  return encoded;
}

bool TestReplica::Take(const EventPtr& encoded) {
  if (slot().Classify(encoded->dot) != SlotReplica::Fit::kNext) return false;
  EXPECT_TRUE(slots_.Apply(encoded).ok());
  return true;
}

void TestReplica::MergeFrom(TestReplica* source) {
  source->Commit();
  const Result<SlotImage> image = source->slot().Image();
  ASSERT_TRUE(image.ok());
  slots_.Touch(kSlot);
  ASSERT_TRUE(slot().Merge(*image).ok());
}

void TestReplica::Commit() {
  std::vector<SlotId> touched;
  slots_.SaveTouched(&touched);
  ASSERT_TRUE(store_->Commit(storage::Durability::kDisk).ok());
}

std::map<std::string, std::string> TestReplica::Rows() const {
  std::map<std::string, std::string> rows;
  auto cursor = store_->Scan(storage::Table::kRows, storage::SlotPrefix(kSlot));
  for (; cursor->Valid(); cursor->Next()) rows.emplace(cursor->key(), cursor->value());
  EXPECT_TRUE(cursor->status().ok());
  return rows;
}

// A replica that gets the same rows in one merge adds their hashes up from nothing.
void TestReplica::CheckDigest() {
  Commit();
  TestReplica fresh({NodeId{999}, 1});
  fresh.MergeFrom(this);
  EXPECT_EQ(fresh.Rows(), Rows());
  EXPECT_EQ(fresh.slot().digest(), slot().digest());
  EXPECT_EQ(fresh.slot().row_count(), slot().row_count());
  EXPECT_EQ(slot().row_count(), Rows().size());
}

void TestReplica::Reload() {
  Commit();
  ASSERT_TRUE(FoldSlotJournals(store_.get()).ok());
  SlotReplica loaded(kSlot, store_.get(), &observer_);
  ASSERT_TRUE(loaded.Load().ok());
  EXPECT_EQ(loaded.clock(), slot().clock());
  EXPECT_EQ(loaded.voided(), slot().voided());
  EXPECT_EQ(loaded.digest(), slot().digest());
  EXPECT_EQ(loaded.row_count(), slot().row_count());
  EXPECT_EQ(loaded.newest(), slot().newest());
}

}  // namespace orrery::replication
