// CLUSTER RESET of a node that was in a cluster with data, and its way back.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "cluster/processes.h"
#include "cluster/reset_steps.h"

namespace orrery::cluster {
namespace {

struct Output {
  int code = -1;
  std::string text;
};
Output RedisCli(const std::string& args) {
  Output output;
  std::FILE* pipe = ::popen(("redis-cli " + args + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return output;
  std::array<char, 4096> bytes;
  while (const size_t n = std::fread(bytes.data(), 1, bytes.size(), pipe))
    output.text.append(bytes.data(), n);
  const int status = ::pclose(pipe);
  output.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return output;
}

class ResetTest : public testing::Test {
 protected:
  void Write(size_t count) {
    Client client = nodes_.ClientOf(0);
    for (size_t i = 0; i < count; ++i) {
      keys_.push_back("key" + std::to_string(keys_.size()));
      EXPECT_EQ(client.Run({"SET", keys_.back(), "value of " + keys_.back()}), "OK");
    }
  }
  bool IsSettled() { return nodes_.AllServe() && nodes_.AllSettled() && nodes_.HaveConverged(keys_); }
  void ExpectWholeAt(size_t node) {
    EXPECT_TRUE(Eventually([this] { return IsSettled(); }, 60)) << nodes_.Run(node, {"RING", "STATUS"});
    Client client = nodes_.ClientOf(node);
    for (const std::string& key : keys_) EXPECT_EQ(client.Run({"GET", key}), "value of " + key);
  }
  void ExpectNobodyRemembers(const std::string& id) {
    for (size_t node : nodes_.running()) {
      EXPECT_EQ(nodes_.Run(node, {"CLUSTER", "NODES"}).find(id), std::string::npos) << node;
    }
  }

  // The fourth may go, and the others still have three copies.
  static constexpr size_t kFourth = 3;
  Processes nodes_{4, {"--slot-transfer", "yes", "--failure-detection-timeout", "3000"}};
  std::vector<std::string> keys_;
};

TEST_F(ResetTest, ANodeThatLeavesIsResetAndMeetsTheClusterAgain) {
  ASSERT_TRUE(nodes_.WaitUntilServing());
  Write(150);
  const std::string old_id = Id(nodes_, kFourth);
  EXPECT_EQ(Reset(nodes_, kFourth), kHasKeys + ": RING LEAVE hands them to the other members");
  EXPECT_EQ(Id(nodes_, kFourth), old_id);
  ASSERT_EQ(nodes_.Run(kFourth, {"RING", "LEAVE"}), "OK");
  ASSERT_EQ(Reset(nodes_, kFourth), "OK");
  ASSERT_TRUE(Eventually([&] { return IsNewAndWaits(nodes_, kFourth, old_id); }));
  Write(50);
  EXPECT_EQ(KnownNodes(nodes_, kFourth), "1") << "it has seeds, and does not go back by itself";
  EXPECT_EQ(KnownNodes(nodes_, 0), "3");
  ASSERT_EQ(nodes_.Run(kFourth, {"CLUSTER", "MEET", "127.0.0.1", std::to_string(nodes_.port(0))}), "OK");
  ExpectWholeAt(kFourth);
  ExpectNobodyRemembers(old_id);
}

TEST_F(ResetTest, ANodeThatWasForgottenWhileItWasDeadIsResetAndMeetsTheClusterAgain) {
  ASSERT_TRUE(nodes_.WaitUntilServing());
  Write(150);
  const std::string old_id = Id(nodes_, kFourth);
  nodes_.Crash(kFourth);
  Write(50);
  ASSERT_TRUE(Eventually([&] { return nodes_.Run(0, {"CLUSTER", "FORGET", old_id}) == "OK"; }));
  ASSERT_TRUE(Eventually([this] { return IsSettled(); }, 60));
  nodes_.Start(kFourth);
  ASSERT_TRUE(Eventually([&] { return nodes_.Run(kFourth, {"GET", "key0"}) == kWasRemoved; }));
  ASSERT_EQ(Reset(nodes_, kFourth), "OK") << "it has rows, which the others have made up for";
  ASSERT_TRUE(Eventually([&] { return IsNewAndWaits(nodes_, kFourth, old_id); }));
  ASSERT_EQ(nodes_.Run(0, {"CLUSTER", "MEET", "127.0.0.1", std::to_string(nodes_.port(kFourth))}), "OK");
  ExpectWholeAt(kFourth);
  ExpectNobodyRemembers(old_id);
}

TEST_F(ResetTest, RedisCliDeletesANodeWithoutAShareAndAddsItAgain) {
  ASSERT_TRUE(nodes_.WaitUntilServing());
  Write(150);
  const std::string old_id = Id(nodes_, kFourth);
  const std::string del_node = "--cluster del-node " + nodes_.address(0) + " " + old_id;
  const Output refused = RedisCli(del_node);
  EXPECT_NE(refused.code, 0);
  EXPECT_NE(refused.text.find("is not empty"), std::string::npos) << refused.text;

  ASSERT_EQ(nodes_.Run(kFourth, {"RING", "WEIGHT", "0"}), "OK");
  ASSERT_TRUE(Eventually(
      [&] {
        const std::string status = nodes_.Run(0, {"RING", "STATUS"});
        return IsSettled() && status.find("weight=0 zone=- coordinates=0 home-of=0") != std::string::npos;
      },
      60));
  const Output deleted = RedisCli(del_node);
  EXPECT_EQ(deleted.code, 0) << deleted.text;
  ASSERT_TRUE(Eventually([&] { return IsNewAndWaits(nodes_, kFourth, old_id); })) << deleted.text;
  EXPECT_EQ(KnownNodes(nodes_, 0), "3");

  const Output added = RedisCli("--cluster add-node " + nodes_.address(kFourth) + " " + nodes_.address(0));
  EXPECT_EQ(added.code, 0) << added.text;
  ExpectWholeAt(kFourth);
  ExpectNobodyRemembers(old_id);
}

}  // namespace
}  // namespace orrery::cluster
