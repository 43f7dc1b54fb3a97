// Values of many megabytes that travel late: as hints, to a home that was away, to an empty disk, as
// siblings.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "cluster/large_values.h"
#include "cluster/processes.h"
#include "cluster/reset_steps.h"

namespace orrery::cluster {
namespace {

constexpr int kLargeKeys = 6;

std::vector<std::string> Keys() {
  std::vector<std::string> keys;
  for (int i = 0; i < kLargeKeys; ++i) keys.push_back("large:" + std::to_string(i));
  return keys;
}

class LargeMovesTest : public testing::Test {
 protected:
  void Write(size_t node, int round) {
    Client client = nodes_.ClientOf(node, kPatienceSeconds);
    for (int i = 0; i < kLargeKeys; ++i)
      ASSERT_EQ(client.Run({"SET", Keys()[i], LargeValue(i, round)}), "OK");
  }
  void ExpectAll(size_t node, int round) {
    Client client = nodes_.ClientOf(node, kPatienceSeconds);
    for (int i = 0; i < kLargeKeys; ++i)
      EXPECT_TRUE(client.Run({"GET", Keys()[i]}) == LargeValue(i, round)) << Keys()[i];
  }
  void Lose(size_t node) {
    nodes_.Crash(node);
    ASSERT_TRUE(nodes_.WaitUntilServing());
  }
  /// While others go on with small values, for which it is no reason to fail.
  void ExpectCalmUntilConverged() {
    ASSERT_TRUE(nodes_.WaitUntilServing());
    std::vector<size_t> downs;
    for (const size_t node : nodes_.running()) downs.push_back(CountDowns(nodes_, node));
    Errors errors;
    {
      SmallCommands small(nodes_, &errors);
      EXPECT_TRUE(Eventually([this] { return nodes_.HaveConverged(Keys()); }, 120));
    }
    EXPECT_EQ(errors.texts(), std::vector<std::string>());
    for (const size_t node : nodes_.running()) EXPECT_EQ(CountDowns(nodes_, node), downs[node]) << node;
  }

  Processes nodes_{4, {"--slot-transfer", "yes", "--request-timeout", "20000"}};
};

TEST_F(LargeMovesTest, ANodeThatComesBackGetsHintsAndWhatItMissed) {
  ASSERT_TRUE(nodes_.WaitUntilServing());
  Write(0, 1);
  Lose(3);
  Write(1, 2);
  nodes_.Start(3);
  ExpectCalmUntilConverged();
  for (size_t node = 0; node < 4; ++node) ExpectAll(node, 2);
}

TEST_F(LargeMovesTest, AnEmptyDiskGetsThemByMerges) {
  ASSERT_TRUE(nodes_.WaitUntilServing());
  Write(0, 1);
  const std::string lost = Id(nodes_, 2);
  Lose(2);
  std::filesystem::remove_all(nodes_.dir(2));
  std::filesystem::create_directory(nodes_.dir(2));
  nodes_.Start(2);
  ASSERT_TRUE(Eventually([&] { return KnownNodes(nodes_, 0) == "5"; }));
  EXPECT_EQ(nodes_.Run(0, {"RING", "REPLACE", lost}), "OK");
  EXPECT_TRUE(Eventually([&] { return nodes_.AllServe() && nodes_.AllSettled(); }, 120));
  ExpectCalmUntilConverged();
  for (size_t node = 0; node < 4; ++node) ExpectAll(node, 1);
}

TEST_F(LargeMovesTest, SiblingsOfBothSidesOfACutStay) {
  ASSERT_TRUE(nodes_.WaitUntilServing());
  const std::vector<std::set<size_t>> sides = {{0, 1}, {2, 3}};
  const auto link = [&](const std::string& what) {
    for (const size_t a : sides[0]) {
      for (const size_t b : sides[1]) {
        EXPECT_EQ(nodes_.Run(a, {"DEBUG", "LINK", what, Id(nodes_, b)}), "OK");
        EXPECT_EQ(nodes_.Run(b, {"DEBUG", "LINK", what, Id(nodes_, a)}), "OK");
      }
    }
  };
  link("DROP");
  for (int side = 0; side < 2; ++side) {
    EXPECT_TRUE(Eventually([&] {
      const std::string reply = nodes_.ClientOf(*sides[side].begin(), kPatienceSeconds)
                                    .Run({"DPUT", "cart", "", LargeValue(side, 0)});
      return !reply.starts_with("-");
    }));
  }
  link("HEAL");
  for (size_t node = 0; node < 4; ++node) {
    std::string reply;
    EXPECT_TRUE(Eventually([&] {
      reply = nodes_.ClientOf(node, kPatienceSeconds).Run({"DGET", "cart"});
      return reply.find(LargeValue(0, 0)) != std::string::npos &&
             reply.find(LargeValue(1, 0)) != std::string::npos;
    })) << node
        << ": " << reply.size() << " bytes";
  }
  Client client = nodes_.ClientOf(3, kPatienceSeconds);
  const std::string both = client.Run({"DGET", "cart"});
  const std::string joint = client.Run({"DPUT", "cart", both.substr(0, both.find('|')), LargeValue(2, 0)});
  EXPECT_FALSE(joint.starts_with("-")) << joint;
  for (size_t node = 0; node < 4; ++node)
    EXPECT_TRUE(nodes_.ClientOf(node, kPatienceSeconds).Run({"GET", "cart"}) == LargeValue(2, 0)) << node;
  EXPECT_TRUE(Eventually([&] { return nodes_.HaveConverged({"cart"}); }, 120));
}

}  // namespace
}  // namespace orrery::cluster
