// CLUSTER RESET of a node that is alone, or among few: when it is refused, and what a crash in the middle
// leaves.

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "cluster/processes.h"
#include "cluster/reset_steps.h"
#include "cluster/small_disk.h"

namespace orrery::cluster {
namespace {

TEST(ResetOfAFewTest, MembersWithoutDataLeaveAndTheLastOneIsResetAndTheyMeetAgain) {
  Processes nodes(2, {"--slot-transfer", "yes"});
  ASSERT_TRUE(nodes.WaitUntilServing());
  for (size_t node : {1, 0}) {
    const std::string old_id = Id(nodes, node);
    ASSERT_EQ(Reset(nodes, node), "OK");
    const auto is_new = [&] {
      return node == 1 ? IsNewAndWaits(nodes, node, old_id) : IsNewAndServes(nodes, node, old_id);
    };
    ASSERT_TRUE(Eventually([&] { return is_new() && KnownNodes(nodes, 0) == "1"; }));
  }
  // Two that were reset make a cluster.
  ASSERT_EQ(nodes.Run(1, {"CLUSTER", "MEET", "127.0.0.1", std::to_string(nodes.port(0))}), "OK");
  ASSERT_TRUE(nodes.WaitUntilServing());
  EXPECT_EQ(nodes.Run(1, {"SET", "k", "v"}), "OK");
}

TEST(ResetOfAFewTest, AMemberWhoseCopiesWouldBeMissedStays) {
  Processes nodes(3, {"--slot-transfer", "yes"});
  ASSERT_TRUE(nodes.WaitUntilServing());
  EXPECT_EQ(nodes.Run(0, {"SET", "k", "v"}), "OK");
  ASSERT_TRUE(Eventually([&] { return nodes.Run(1, {"FLUSHALL"}) == "OK" && nodes.HaveConverged({"k"}); }));
  const std::string id = Id(nodes, 2);
  // Once it has compared what it knows with the others, it knows that there was data, wherever.
  nodes.Kill(2, SIGTERM);
  EXPECT_EQ(nodes.Reap(2), 0);
  nodes.Start(2);
  ASSERT_TRUE(nodes.WaitUntilServing());
  EXPECT_EQ(Reset(nodes, 2),
            "-ERR the other members are fewer than the copies of each slot; add a node first");
  EXPECT_EQ(Id(nodes, 2), id);
  EXPECT_EQ(nodes.Run(2, {"SET", "k", "w"}), "OK");
}

class ResetOfOneTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(nodes_.WaitUntilServing()); }
  std::string Run(const std::vector<std::string>& args) { return nodes_.Run(0, args); }

  Processes nodes_{1, {"--threads", "2", "--appendfsync", "no"}};
};

TEST_F(ResetOfOneTest, KeysAreNotGivenUpAndEverythingElseIs) {
  const std::string old_id = Id(nodes_, 0);
  const pid_t pid = nodes_.pid(0);
  EXPECT_EQ(Run({"SADD", "set", "a"}), "1");
  EXPECT_EQ(Run({"CLUSTER", "RESET", "HARD"}), kHasKeys);
  EXPECT_EQ(Run({"SMEMBERS", "set"}), "a");
  EXPECT_EQ(Run({"SAVE"}), "OK");
  EXPECT_EQ(Run({"FLUSHALL"}), "OK");
  auto blocked = std::async(std::launch::async, [this] {
    return nodes_.ClientOf(0, 60).Run({"BLPOP", "list", "0"});
  });
  ASSERT_TRUE(Eventually([&] { return FieldOf(Run({"INFO", "clients"}), "blocked_clients") == "1"; }));
  EXPECT_EQ(Run({"CLUSTER", "RESET", "SOFT"}), "OK");
  EXPECT_EQ(blocked.get(), "-CONNECTION");
  ASSERT_TRUE(Eventually([&] { return IsNewAndServes(nodes_, 0, old_id); }));
  EXPECT_EQ(::kill(pid, 0), 0);
  EXPECT_EQ(FieldOf(Run({"INFO", "server"}), "process_id"), std::to_string(pid));
  EXPECT_FALSE(std::filesystem::is_empty(nodes_.dir(0) + "/checkpoints")) << "an operator made it";
  EXPECT_EQ(Run({"SET", "k", "v"}), "OK");
  nodes_.Kill(0, SIGTERM);
  EXPECT_EQ(nodes_.Reap(0), 0);
  nodes_.Start(0);
  ASSERT_TRUE(nodes_.WaitUntilServing());
  EXPECT_EQ(Run({"GET", "k"}), "v") << "the new life lasts";
}

/// Writes as long as the connection lasts, which ends with the node that it was made to.
class Writer {
 public:
  explicit Writer(Client client) : client_(std::move(client)) {
    EXPECT_EQ(client_.Run({"PING"}), "PONG");
    thread_ = std::thread([this] { Write(); });
  }
  ~Writer() { Stop(); }
  void Stop() {
    stopped_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int acknowledged() const { return acknowledged_; }

 private:
  void Write() {
    for (int i = 0; !stopped_ && client_.connected(); ++i) {
      if (client_.Run({"SET", "key" + std::to_string(i), "v"}) == "OK") ++acknowledged_;
      std::this_thread::sleep_for(std::chrono::microseconds(i * 37 % 2000));
    }
  }
  Client client_;
  std::atomic<int> acknowledged_ = 0;
  std::atomic<bool> stopped_ = false;
  std::thread thread_;
};

TEST_F(ResetOfOneTest, AWriteThatIsAcknowledgedMeanwhileIsNotLost) {
  int resets = 0, refusals = 0;
  for (int round = 0; round < 200 && (resets < 8 || refusals < 8); ++round) {
    const std::string old_id = Id(nodes_, 0);
    Writer writer(nodes_.ClientOf(0));
    ASSERT_EQ(Run({"FLUSHALL"}), "OK");
    // One more may have been written before, and be acknowledged now.
    const int flushed = writer.acknowledged() + 1;
    const std::string reply = Run({"CLUSTER", "RESET"});
    writer.Stop();
    if (reply == "OK") {
      ++resets;
      EXPECT_LE(writer.acknowledged(), flushed) << "and wiped";
      ASSERT_TRUE(Eventually([&] { return IsNewAndServes(nodes_, 0, old_id); }));
    } else {
      ++refusals;
      EXPECT_EQ(reply, kHasKeys);
      EXPECT_EQ(Id(nodes_, 0), old_id);
      EXPECT_EQ(Run({"SET", "k", "v"}), "OK");
      const int keys = std::stoi(Run({"DBSIZE"}));
      EXPECT_GT(keys, writer.acknowledged() - flushed);
    }
  }
  EXPECT_GT(resets, 0);
  EXPECT_GT(refusals, 0);
}

TEST_F(ResetOfOneTest, WhenTheProcessIsKilledInTheMiddleTheNextOneBeginsInOneLifeOrTheOther) {
  for (int round = 0; round < 6; ++round) {
    const std::string old_id = Id(nodes_, 0);
    auto reply = std::async(std::launch::async, [this] { return Run({"CLUSTER", "RESET"}); });
    // From before it is asked until after it is all over.
    std::this_thread::sleep_for(std::chrono::milliseconds(40 + 30 * round));
    nodes_.Kill(0, round % 2 == 0 ? SIGKILL : SIGTERM);
    nodes_.Reap(0);
    const bool was_over = reply.get() == "OK";
    nodes_.Start(0);
    ASSERT_TRUE(nodes_.WaitUntilServing());
    EXPECT_TRUE(!was_over || Id(nodes_, 0) != old_id) << round;
    EXPECT_FALSE(std::filesystem::exists(nodes_.dir(0) + "/reset-pending"));
    EXPECT_EQ(Run({"DBSIZE"}), "0");
  }
}

TEST_F(ResetOfOneTest, WhateverOfTheOldLifeACrashHasLeftTheNextStartWipes) {
  for (int left : {1, 0}) {
    const std::string old_id = Id(nodes_, 0);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(Run({"SET", "key" + std::to_string(i), "v"}), "OK");
    nodes_.Crash(0);
    std::ofstream(nodes_.dir(0) + "/reset-pending").flush();
    const std::filesystem::path rows = nodes_.dir(0) + "/rows";
    if (left == 0) std::filesystem::remove(rows / "CURRENT");
    nodes_.Start(0);
    ASSERT_TRUE(Eventually([&] { return IsNewAndServes(nodes_, 0, old_id); })) << left;
  }
}

TEST(ResetDiskTest, AFullDiskIsNoObstacle) {
  Processes nodes(3, {"--slot-transfer", "yes", "--replication-factor", "2"});
  ASSERT_TRUE(nodes.WaitUntilServing());
  // The new database takes the room that the old one leaves, which is little for rows that can be compressed.
  std::mt19937_64 random(1);
  std::string value;
  while (value.size() < 40'000) value += std::to_string(random());
  for (int i = 0; i < 50; ++i) EXPECT_EQ(nodes.Run(0, {"SET", "key" + std::to_string(i), value}), "OK");
  const std::string old_id = Id(nodes, 2);
  nodes.Crash(2);
  ASSERT_TRUE(Eventually([&] { return nodes.Run(0, {"CLUSTER", "FORGET", old_id}) == "OK"; }));
  const std::string aside = nodes.dir(2) + ".aside";
  std::filesystem::copy(nodes.dir(2), aside, std::filesystem::copy_options::recursive);
  const SmallDisk disk(nodes.dir(2));
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small file system takes root";
  std::filesystem::copy(aside, nodes.dir(2), std::filesystem::copy_options::recursive);
  nodes.Start(2);
  ASSERT_TRUE(Eventually([&] { return nodes.Run(2, {"GET", "key0"}) == kWasRemoved; }));
  disk.Fill();
  EXPECT_EQ(Reset(nodes, 2), "OK");
  EXPECT_TRUE(Eventually([&] { return IsNewAndWaits(nodes, 2, old_id); }));
  disk.Free();
  nodes.Kill(2, SIGTERM);
  EXPECT_EQ(nodes.Reap(2), 0);
}

}  // namespace
}  // namespace orrery::cluster
