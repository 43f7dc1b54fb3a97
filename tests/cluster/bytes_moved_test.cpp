// What travels when members come and go, beside what has to: the rows of slots for the nodes that are their
// homes afterwards and were not before.

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdio>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cluster/processes.h"

namespace orrery::cluster {
namespace {

constexpr size_t kKeys = 5'000;
constexpr size_t kValueBytes = 5'000;
constexpr size_t kPipeline = 200;
// Row keys, cells, clocks, and hashes of what is compared.
constexpr double kMostMore = 1.10;
// What was under way in memory when a process was killed travels again.
constexpr double kMostMoreAfterCrashes = 1.25;

class BytesMovedTest : public testing::Test {
 protected:
  using Homes = std::map<std::string, std::set<std::string>>;  // of each key, by address

  void SetUp() override {
    ASSERT_TRUE(nodes_.WaitUntilServing());
    Client client = nodes_.ClientOf(0, 30);
    for (size_t first = 0; first < kKeys; first += kPipeline) {
      for (size_t i = first; i < first + kPipeline; ++i) client.Send({"SET", Key(i), Value(i)});
      for (size_t i = first; i < first + kPipeline; ++i) ASSERT_EQ(client.Receive(), "OK");
    }
  }

  static std::string Key(size_t i) { return "row:" + std::to_string(i); }
  static std::string Value(size_t i) {
    std::mt19937_64 random(i);
    std::string value(kValueBytes, 0);
    for (char& byte : value) byte = static_cast<char>(random() >> 56);
    return value;
  }
  uint64_t Field(size_t node, const std::string& name) {
    return std::strtoull(FieldOf(nodes_.Run(node, {"INFO", "dynamo"}), name).c_str(), nullptr, 10);
  }
  Homes HomesOfAllKeys() {
    Homes homes;
    for (size_t i = 0; i < kKeys; ++i) {
      const std::vector<std::string> of_key = nodes_.HomesOf(Key(i));
      homes[Key(i)] = {of_key.begin(), of_key.end()};
    }
    return homes;
  }
  /// Bytes of keys and values that the difference moves.
  static double Minimum(const Homes& before, const Homes& after) {
    double bytes = 0;
    for (const auto& [key, homes] : after) {
      for (const std::string& home : homes) {
        if (!before.at(key).contains(home)) bytes += static_cast<double>(key.size() + kValueBytes);
      }
    }
    return bytes;
  }
  std::map<size_t, uint64_t> Copied() {
    std::map<size_t, uint64_t> copied;
    for (const size_t node : nodes_.running()) copied[node] = Field(node, "copied_bytes");
    return copied;
  }
  /// By those that run now; `before` of those that ran then.
  double CopiedSince(const std::map<size_t, uint64_t>& before) {
    uint64_t bytes = 0;
    for (const auto& [node, copied] : Copied()) {
      const auto known = before.find(node);
      bytes += copied - (known == before.end() ? 0 : known->second);
    }
    return static_cast<double>(bytes);
  }
  void WaitUntilSettled() {
    EXPECT_TRUE(Eventually([this] { return nodes_.AllServe() && nodes_.AllSettled(); }, 120))
        << nodes_.Run(0, {"RING", "STATUS"});
  }
  void Compare(const std::string& what, double copied, double minimum, double most_more) {
    std::printf("%-40s %6.2f MB moved, at least %6.2f MB had to: %.3f of it\n", what.c_str(), copied / 1e6,
                minimum / 1e6, copied / minimum);
    EXPECT_GE(copied, minimum) << what << ": not all that travelled was counted";
    EXPECT_LE(copied, minimum * most_more) << what;
  }
  void ExpectAllThere() {
    Client client = nodes_.ClientOf(0, 30);
    size_t wrong = 0;
    for (size_t i = 0; i < kKeys; ++i) wrong += client.Run({"GET", Key(i)}) == Value(i) ? 0 : 1;
    EXPECT_EQ(wrong, 0u) << "of " << kKeys;
  }
  void Stop(size_t node, int signal) {
    nodes_.Kill(node, signal);
    nodes_.Reap(node);
  }
  /// Kills `node`, and gives what it had copied by then: nothing comes in while its count is read.
  uint64_t CopiedByKilled(size_t node) {
    std::vector<std::string> cut = {"DEBUG", "LINK", "DROP"};
    for (const size_t other : nodes_.running()) {
      if (other != node) cut.push_back(nodes_.Run(other, {"CLUSTER", "MYID"}));
    }
    EXPECT_EQ(nodes_.Run(node, cut), "OK");
    uint64_t copied = 0;
    EXPECT_TRUE(Eventually([&] { return std::exchange(copied, Field(node, "copied_bytes")) == copied; }));
    Stop(node, SIGKILL);
    return copied;
  }

  // Events of the past are few, so that what moves are images.
  Processes nodes_{5,
                   {"--slot-transfer", "yes", "--backlog-size", "1mb", "--failure-detection-timeout", "3000"},
                   {.started = 3}};
};

TEST_F(BytesMovedTest, JoinLeaveAndReplacementMoveWhatTheRingsDifferenceSays) {
  const Homes three = HomesOfAllKeys();
  auto copied = Copied();
  nodes_.Start(3);
  WaitUntilSettled();
  const Homes four = HomesOfAllKeys();
  Compare("3 nodes, and a fourth joins:", CopiedSince(copied), Minimum(three, four), kMostMore);
  // Its share, and hardly more: a quarter of three copies.
  EXPECT_LE(Minimum(three, four), 1.1 * 3 * kKeys * kValueBytes / 4);

  copied = Copied();
  nodes_.Start(4);
  WaitUntilSettled();
  const Homes five = HomesOfAllKeys();
  Compare("a fifth joins:", CopiedSince(copied), Minimum(four, five), kMostMore);

  copied = Copied();
  ASSERT_EQ(nodes_.Run(3, {"RING", "LEAVE"}), "OK");
  EXPECT_TRUE(Eventually(
      [this] {
        return nodes_.Run(3, {"GET", "any"}).starts_with("-CLUSTERDOWN this node was removed");
      },
      120));
  Stop(3, SIGTERM);
  WaitUntilSettled();
  const Homes without = HomesOfAllKeys();
  Compare("one of the five leaves:", CopiedSince(copied), Minimum(five, without), kMostMore);

  copied = Copied();
  const std::string dead = nodes_.Run(1, {"CLUSTER", "MYID"});
  Stop(1, SIGKILL);
  ASSERT_TRUE(Eventually([&] { return nodes_.Run(0, {"RING", "REPLACE", dead}) == "OK"; }));
  WaitUntilSettled();
  const Homes replaced = HomesOfAllKeys();
  Compare("one is dead and replaced by the others:", CopiedSince(copied), Minimum(without, replaced),
          kMostMore);
  ExpectAllThere();
}

TEST_F(BytesMovedTest, ATransferThatCrashesInterruptGoesOnWhereItWas) {
  const Homes before = HomesOfAllKeys();
  const auto copied = Copied();
  const auto taken = [this] { return Field(3, "seats_taken"); };
  nodes_.Start(3);
  ASSERT_TRUE(Eventually([&] { return taken() > 2'000; }));
  const uint64_t copied_by_killed = CopiedByKilled(3);
  nodes_.Start(3);
  ASSERT_TRUE(Eventually([&] { return taken() > 2'000; }));
  Stop(2, SIGKILL);
  EXPECT_GT(Field(3, "seats_waiting") + Field(3, "seats_under_way"), 0u) << "too late to interrupt anything";
  nodes_.Start(2);
  WaitUntilSettled();
  auto known = copied;
  known.erase(2);
  Compare("taker and giver are killed meanwhile:", CopiedSince(known) + static_cast<double>(copied_by_killed),
          Minimum(before, HomesOfAllKeys()), kMostMoreAfterCrashes);
  ExpectAllThere();
}

}  // namespace
}  // namespace orrery::cluster
