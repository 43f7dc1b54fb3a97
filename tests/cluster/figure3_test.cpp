#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cluster/figure3.h"

namespace orrery::cluster {
namespace {

class Figure3Test : public testing::Test {
 protected:
  void Cut() {
    for (size_t i = 0; i < 5; ++i) {
      std::vector<std::string> args = {"DEBUG", "LINK", "DROP"};
      for (size_t j = 0; j < 5; ++j) {
        if ((i < 2) != (j < 2)) args.push_back(ids_[j]);
      }
      ASSERT_EQ(nodes_.Run(i, args), "OK");
    }
    for (size_t i = 0; i < 5; ++i) {
      const std::string alive = i < 2 ? "members_alive:2" : "members_alive:3";
      ASSERT_TRUE(Eventually([&] {
        return nodes_.Run(i, {"INFO", "dynamo"}).find(alive) != std::string::npos;
      }));
    }
  }
  void Heal() {
    for (size_t i = 0; i < 5; ++i) ASSERT_EQ(nodes_.Run(i, {"DEBUG", "LINK", "HEAL"}), "OK");
    ASSERT_TRUE(nodes_.WaitUntilServing());
  }
  // Counting needs a home in reach, and node ids, and so the homes, differ from run to run.
  std::string KeyWithHomesOnBothSides() {
    for (int number = 0; number < 1000; ++number) {
      std::string key = "visits:" + std::to_string(number);
      int first_side = 0, second_side = 0;
      for (const std::string& home : nodes_.HomesOf(key)) {
        const bool is_first = home == nodes_.address(0) || home == nodes_.address(1);
        ++(is_first ? first_side : second_side);
      }
      if (first_side > 0 && second_side > 0) return key;
    }
    ADD_FAILURE() << "no key has homes on both sides";
    return "visits";
  }
  void SetUp() override {
    ASSERT_TRUE(nodes_.WaitUntilServing());
    for (size_t i = 0; i < 5; ++i) ids_.push_back(nodes_.Run(i, {"CLUSTER", "MYID"}));
  }

  Processes nodes_{5, {}};
  std::vector<std::string> ids_;
};

// Dynamo, Figure 3: two versions that both descend from one that was read, made on two sides.
TEST_F(Figure3Test, TwoSidesWriteTheSameCartAndBothVersionsStayUntilTheyAreJoined) {
  ExpectBothVersionsStay(&nodes_, 0, 3, [this] { Cut(); }, [this] { Heal(); });
}

TEST_F(Figure3Test, CountsOfBothSidesAddUp) {
  const std::string key = KeyWithHomesOnBothSides();
  ASSERT_EQ(nodes_.Run(0, {"INCRBY", key, "10"}), "10");
  Cut();
  EXPECT_EQ(nodes_.Run(1, {"INCRBY", key, "5"}), "15");
  EXPECT_EQ(nodes_.Run(4, {"INCRBY", key, "7"}), "17");
  Heal();
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_TRUE(Eventually([&] {
      return nodes_.Run(i, {"GET", key}) == "22";
    })) << nodes_.Run(i, {"GET", key});
  }
}

}  // namespace
}  // namespace orrery::cluster
