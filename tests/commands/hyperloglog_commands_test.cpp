// HyperLogLogs written on two sides of a cut, and such of several slots; single ones are in the transcripts.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "commands/command_harness.h"
#include "orrery/storage/row_key.h"
#include "orrery/types/hyperloglog.h"
#include "orrery/types/string_type.h"

namespace orrery::commands {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using types::HyperLogLog;
using types::TestSlot;

class HyperLogLogCommandsTest : public testing::Test {
 protected:
  std::string Run(std::string_view line) { return harness_.Run(line); }

  /// A write of another node that arrives now, made without having seen anything of this one.
  void ArriveFrom(uint64_t node, std::string_view key, std::string_view value, int64_t later_ms) {
    TestSlot other(node, SlotOf(key));
    other.set_now_ms(harness_.now_ms() + static_cast<uint64_t>(later_ms));
    const auto event = other.Run([&](storage::Transaction& transaction) {
      types::StringKey(&transaction, 0, key).Set(value, types::Lifetime::Forever());
    });
    harness_.SlotOfKey(key).Apply(*event);
  }
  static std::string TextOf(std::initializer_list<std::string_view> elements) {
    HyperLogLog counting;
    for (const std::string_view element : elements) counting.Add(element);
    return counting.Text();
  }

  CommandHarness harness_;
};

TEST_F(HyperLogLogCommandsTest, WhatBothSidesCountedCounts) {
  Run("PFADD visits ada alan");
  ArriveFrom(5, "visits", TextOf({"alan", "grace", "edsger"}), 1);
  ArriveFrom(6, "visits", TextOf({"barbara"}), 2);
  EXPECT_EQ(":5", Run("PFCOUNT visits"));
  // What was counted on the other side is known here.
  EXPECT_EQ(":0", Run("PFADD visits grace ada barbara"));
  EXPECT_EQ("\"HYLL\\x01", Run("GET visits").substr(0, 9));
  EXPECT_EQ(":1", Run("PFADD visits donald"));
  EXPECT_EQ(":6", Run("PFCOUNT visits"));
}

TEST_F(HyperLogLogCommandsTest, TheNextThatAddsLeavesOneValue) {
  Run("PFADD visits ada");
  ArriveFrom(5, "visits", TextOf({"grace"}), 1);
  const auto row = [&] {
    return harness_.SlotOfKey("visits").Row(
        storage::EncodeRowKey({0, "visits", storage::RowTag::kString, {}}));
  };
  EXPECT_EQ(2u, row().cells.size());
  Run("PFADD visits donald");
  EXPECT_EQ(1u, row().cells.size());
  EXPECT_EQ(":3", Run("PFCOUNT visits"));
}

TEST_F(HyperLogLogCommandsTest, GetShowsTheNewestSide) {
  Run("PFADD visits ada alan");
  const std::string of_both = Run("GET visits");
  ArriveFrom(5, "visits", TextOf({"grace"}), 1);
  EXPECT_NE(of_both, Run("GET visits"));
  ArriveFrom(6, "visits", TextOf({"ada", "alan"}), 2);
  EXPECT_EQ(of_both, Run("GET visits"));
  EXPECT_EQ(":3", Run("PFCOUNT visits"));
}

TEST_F(HyperLogLogCommandsTest, MergesAllSiblingsOfItsSources) {
  Run("PFADD {v}1 a b");
  ArriveFrom(5, "{v}1", TextOf({"c"}), 1);
  Run("PFADD {v}2 d");
  EXPECT_EQ("+OK", Run("PFMERGE {v}3 {v}1 {v}2"));
  EXPECT_EQ(":4", Run("PFCOUNT {v}3"));
}

TEST_F(HyperLogLogCommandsTest, ASiblingThatIsNoneCountsNothingUnlessItShows) {
  Run("PFADD visits ada alan");
  ArriveFrom(5, "visits", "something else", -10);
  EXPECT_EQ(":2", Run("PFCOUNT visits"));
  ArriveFrom(6, "visits", "newer", 10);
  EXPECT_THAT(Run("PFCOUNT visits"), StartsWith("-WRONGTYPE Key is not a valid HyperLogLog"));
  EXPECT_THAT(Run("PFADD visits grace"), StartsWith("-WRONGTYPE"));
}

TEST_F(HyperLogLogCommandsTest, KeysOfSeveralSlotsAreCountedTogether) {
  Run("PFADD a 1 2 3");
  Run("PFADD b 3 4");
  Run("PFADD c 5");
  EXPECT_EQ(":5", Run("PFCOUNT a b c absent"));
  EXPECT_EQ("+OK", Run("PFMERGE target a b c"));
  EXPECT_EQ(":5", Run("PFCOUNT target"));
  Run("SET text hello");
  EXPECT_THAT(Run("PFCOUNT a text"), HasSubstr("not a valid HyperLogLog"));
  EXPECT_THAT(Run("PFMERGE a text"), HasSubstr("not a valid HyperLogLog"));
  EXPECT_EQ(":3", Run("PFCOUNT a"));
}

}  // namespace
}  // namespace orrery::commands
