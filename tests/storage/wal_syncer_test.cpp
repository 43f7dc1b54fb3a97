#include "storage/wal_syncer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <vector>

namespace orrery::storage {
namespace {

TEST(WalSyncerTest, RequestsThatGatherDuringASyncShareTheNext) {
  std::atomic<int> syncs = 0;
  std::promise<void> first_begun, go_on;
  WalSyncer syncer([&] {
    if (++syncs == 1) {
      first_begun.set_value();
      go_on.get_future().wait();
    }
    return Status::Ok();
  });
  std::atomic<int> done = 0;
  syncer.Request([&](const Status&) { ++done; });
  first_begun.get_future().wait();
  std::promise<void> all_done;
  for (int i = 0; i < 10; ++i) syncer.Request([&](const Status&) { ++done; });
  syncer.Request([&](const Status&) { all_done.set_value(); });
  go_on.set_value();
  all_done.get_future().wait();
  EXPECT_EQ(done, 11);
  EXPECT_EQ(syncs, 2);
}

TEST(WalSyncerTest, HandsOnTheOutcome) {
  WalSyncer syncer([] { return Status::IoError("broken"); });
  std::promise<StatusCode> outcome;
  syncer.Request([&](const Status& s) { outcome.set_value(s.code()); });
  EXPECT_EQ(outcome.get_future().get(), StatusCode::kIoError);
}

TEST(WalSyncerTest, MayEndAtAnyTime) {
  for (int round = 0; round < 200; ++round) {
    int syncs = 0, done = 0;  // the syncer's thread alone writes them, and it has ended when they are read
    {
      WalSyncer syncer([&] {
        ++syncs;
        return Status::Ok();
      });
      for (int i = 0; i < round % 4; ++i) syncer.Request([&](const Status&) { ++done; });
    }
    EXPECT_LE(syncs, done);
    EXPECT_LE(done, round % 4);
  }
}

}  // namespace
}  // namespace orrery::storage
