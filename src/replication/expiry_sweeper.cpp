#include "orrery/replication/expiry_sweeper.h"

#include "orrery/storage/row_key.h"

namespace orrery::replication {
namespace {

// Empty slots cost nearly nothing, others a look at the disk or its cache.
constexpr int kSlotsPassedPerTick = 2048;
constexpr int kSlotsLookedAtPerTick = 256;

}  // namespace

void ExpirySweeper::Tick() {
  if (!active_) return;
  const uint64_t now_ms = context_.clock->WallMs();
  for (int passed = 0, looked_at = 0; passed < kSlotsPassedPerTick && looked_at < kSlotsLookedAtPerTick;
       ++passed) {
    const SlotId slot = next_;
    next_ = static_cast<SlotId>((next_ + 1) % kSlotCount);
    const SlotReplica* replica = context_.slots->Find(slot);
    const bool has_rows = replica != nullptr && replica->row_count() > 0;
    if (!has_rows || !context_.Owns(slot) || !context_.InService(slot)) continue;
    // What every home covers is not known while a seat is between two of them.
    if (context_.seats.HasPending(slot)) continue;
    ++looked_at;
    if (CoordinatorInReach(context_, slot) != context_.self.node || !HasDue(slot, now_ms)) continue;
    Purge(slot);
  }
}

bool ExpirySweeper::HasDue(SlotId slot, uint64_t now_ms) const {
  const auto cursor = context_.store->Scan(storage::Table::kExpiry, storage::SlotPrefix(slot));
  return cursor->Valid() && cursor->key() < storage::ExpiryKey(slot, now_ms, "");
}

void ExpirySweeper::Purge(SlotId slot) {
  Request request;
  request.slot = slot;
  request.traits = {true, true, false, true};
  request.read_quorum = static_cast<uint8_t>(context_.seats.SeatCount(slot));
  request.args.Append("orrery.purge");
  coordinator_.Submit(std::move(request), [](const Response&) {});
}

}  // namespace orrery::replication
