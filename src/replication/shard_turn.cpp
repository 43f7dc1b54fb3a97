// The end of a turn of the loop: what it has applied is committed, then what waited for that leaves.

#include <utility>
#include <vector>

#include "orrery/base/marks.h"
#include "orrery/replication/shard.h"

namespace orrery::replication {
namespace {

constexpr uint64_t kSyncIntervalUs = 1'000'000;

}  // namespace

void Shard::EndTurn() {
  router_.TellEnded();
  if (failed_) return;
  coordinator_.BeforeCommit();
  taker_.BeforeCommit();
  giver_.BeforeCommit();
  catch_up_.FlushAcks();
  hints_.FlushAcks();
  FlushNow();
  if (ORRERY_MUTATION("acknowledged-before-the-commit")) FlushDurable();
  CommitTurn();
  if (failed_) return;
  coordinator_.AfterCommit();
  router_.AfterCommit(touched_);
  OnSeatsWritten();
  catch_up_.AfterCommit();
  survey_.AfterCommit();
  copies_.AfterCommit();
  FlushDurable();
  FlushNow();
  context_.turn_bytes = 0;
}

void Shard::FlushNow() { outbox_.FlushNow(hybrid_.Read(context_.clock->WallMs()), context_.NowMs()); }

void Shard::FlushDurable() { outbox_.FlushDurable(hybrid_.Read(context_.clock->WallMs()), context_.NowMs()); }

void Shard::CommitTurn() {
  slots_.SaveTouched(&touched_);
  const bool to_disk = std::exchange(context_.sync_turn, false) || context_.options.sync == SyncPolicy::kAlways;
  if (!context_.store->HasPending()) return;
  context_.NoteWork(context_.turn_bytes);
  Status status;
  const auto commit = [&] {
    status = context_.store->Commit(to_disk ? storage::Durability::kDisk : storage::Durability::kMemory);
  };
  // A small one may wait, too: for a large one of another loop, or for the store to make room after one.
  context_.run_step ? context_.run_step(context_.turn_bytes, commit) : commit();
  if (!status.ok()) return Fail("commit", status);
  context_.NoteWork(context_.turn_bytes);
  for (SlotId slot : touched_) {
    if (to_disk) {
      slots_.At(slot).MarkSynced(slots_.At(slot).clock());
    } else {
      unsynced_.Insert(slot);
    }
  }
  slots_.TrimBacklogs(context_.self, [this](SlotId slot) { coordinator_.CountNoted(slot); });
}

void Shard::Fail(const std::string& what, const Status& status) {
  failed_ = true;
  outbox_.DropDurable();
  if (context_.log) context_.log(what + " failed, this shard stops acknowledging: " + status.message());
  coordinator_.CommitFailed(status.message());
  router_.Fail(status.message());
}

void Shard::SyncIfDue(uint64_t now_us) {
  const bool due = context_.options.sync == SyncPolicy::kEverySecond && now_us >= last_sync_us_ + kSyncIntervalUs;
  if (!due || syncing_ || unsynced_.empty()) return;
  last_sync_us_ = now_us;
  Sync([](Status) {});
}

std::vector<std::pair<SlotId, causality::SlotClock>> Shard::TakeUnsynced() {
  std::vector<std::pair<SlotId, causality::SlotClock>> clocks;
  std::vector<SlotId> unsynced;
  unsynced_.TakeInto(&unsynced);
  clocks.reserve(unsynced.size());
  for (SlotId slot : unsynced) {
    if (slots_.IsTouched(slot)) {
      unsynced_.Insert(slot);
    } else {
      clocks.emplace_back(slot, slots_.At(slot).clock());
    }
  }
  return clocks;
}

void Shard::Sync(std::function<void(Status)> done) {
  syncing_ = true;
  context_.store->SyncSoon([this, alive = alive_, clocks = TakeUnsynced(), done = std::move(done)](Status status) {
    if (!*alive) return;
    syncing_ = false;
    if (status.ok()) {
      for (const auto& [slot, clock] : clocks) slots_.At(slot).MarkSynced(clock);
    } else if (!failed_) {
      // What was acknowledged from memory may never reach this disk: as bad as a commit that failed.
      Fail("sync", status);
    }
    done(status);
  });
}

}  // namespace orrery::replication
