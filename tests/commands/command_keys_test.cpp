#include "orrery/commands/command_keys.h"

#include <gtest/gtest.h>

#include "commands/slot_split.h"

namespace orrery::commands {
namespace {

using Words = std::vector<std::string_view>;

std::vector<size_t> Positions(const KeyRange& range, size_t argc) {
  std::vector<size_t> positions;
  for (KeyWalk walk(range, argc); walk.valid(); walk.Next()) positions.push_back(walk.position());
  EXPECT_EQ(KeyWalk(range, argc).count(), positions.size());
  return positions;
}

std::string Keys(const Words& args) {
  const CommandSpec* parent = nullptr;
  const CommandSpec* spec = CommandTable::Get().Lookup(args, &parent);
  if (spec == nullptr) return "unknown";
  std::string text;
  for (const KeyUse& use : KeysOfCall(*spec, FullName(*spec, parent), args)) {
    text.append(use.key).append(":").append(use.flags).append(";");
  }
  return text;
}

TEST(KeyWalkTest, WalksFixedAndOpenRanges) {
  EXPECT_EQ(Positions({1, 1, 1}, 3), (std::vector<size_t>{1}));
  EXPECT_EQ(Positions({1, 2, 1}, 3), (std::vector<size_t>{1, 2}));
  EXPECT_EQ(Positions({1, -1, 1}, 4), (std::vector<size_t>{1, 2, 3}));
  EXPECT_EQ(Positions({1, -1, 2}, 5), (std::vector<size_t>{1, 3}));
  EXPECT_EQ(Positions({2, -1, 1}, 5), (std::vector<size_t>{2, 3, 4}));
  EXPECT_EQ(Positions({1, -2, 1}, 4), (std::vector<size_t>{1, 2}));
}

TEST(KeyWalkTest, StaysWithinTheArguments) {
  EXPECT_TRUE(Positions({0, 0, 0}, 4).empty());
  EXPECT_EQ(Positions({1, 2, 1}, 2), (std::vector<size_t>{1}));
  EXPECT_TRUE(Positions({2, -1, 1}, 2).empty());
  EXPECT_TRUE(Positions({1, -2, 1}, 1).empty());
}

TEST(CommandKeysTest, TellsWhatBecomesOfKeys) {
  EXPECT_EQ(Keys({"get", "a"}), "a:RO access;");
  EXPECT_EQ(Keys({"mset", "a", "1", "b", "2"}), "a:OW update;b:OW update;");
  EXPECT_EQ(Keys({"bitop", "and", "d", "a", "b"}), "d:OW update;a:RO access;b:RO access;");
  EXPECT_EQ(Keys({"rename", "a", "b"}), "a:RW access delete;b:OW update;");
  EXPECT_EQ(Keys({"lcs", "a", "b", "LEN"}), "a:RO access;b:RO access;");
  EXPECT_EQ(Keys({"object", "encoding", "k"}), "k:RO;");
  EXPECT_EQ(Keys({"ping"}), "");
}

TEST(CommandKeysTest, FindsCountedKeysAndThoseBeforeThem) {
  EXPECT_EQ(Keys({"zunion", "2", "a", "b", "WITHSCORES"}), "a:RO access;b:RO access;");
  EXPECT_EQ(Keys({"zunionstore", "d", "2", "a", "b", "WEIGHTS", "1", "2"}), "d:OW update;a:RO access;b:RO access;");
  EXPECT_EQ(Keys({"zmpop", "1", "a", "MIN"}), "a:RW access delete;");
  EXPECT_EQ(Keys({"georadius", "a", "1", "2", "3", "km"}), "a:RO access;");
  EXPECT_EQ(Keys({"georadius", "a", "1", "2", "3", "km", "STORE", "d"}), "a:RO access;d:OW update;");
  EXPECT_EQ(Keys({"georadiusbymember", "a", "store", "3", "km", "STORE", "d", "storedist", "e"}),
            "a:RO access;e:OW update;");
  // The handler says what is wrong; until then the first key tells the slot.
  EXPECT_EQ(Keys({"zunionstore", "d", "9", "a", "b"}), "d:OW update;a:RO access;");
}

TEST(CommandKeysTest, FlagsThatDependOnOptionsAreThoseOfTheCall) {
  EXPECT_EQ(Keys({"set", "a", "get"}), "a:OW update;");  // a value, not the option
  EXPECT_EQ(Keys({"set", "a", "1", "GET"}), "a:RW access update;");
  EXPECT_EQ(Keys({"bitfield", "k", "get", "u8", "0"}), "k:RO access;");
  EXPECT_EQ(Keys({"bitfield", "k", "malformed"}), "k:RW access update;");
  EXPECT_EQ(Keys({"bitfield", "k", "get", "u8", "0", "incrby", "u8", "0", "1"}), "k:RW access update;");
}

TEST(SlotSplitTest, KeysOfOneTagShareASlot) {
  const Words args = {"mget", "{t}a", "{t}b", "x{t}c"};
  EXPECT_EQ(CommonSlot({1, -1, 1}, args), SlotOf("t"));
  const Words others = {"mget", "a", "b"};
  EXPECT_EQ(CommonSlot({1, -1, 1}, others), std::nullopt);
  EXPECT_EQ(CommonSlot({1, -1, 1}, Words{"mget"}), std::nullopt);
}

TEST(SlotSplitTest, PartsKeepTheOrderOfKeysAndTheirValues) {
  const KeyRange pairs{1, -1, 2};
  const Words args = {"MSET", "{b}1", "v1", "{a}1", "v2", "{b}2", "v3"};
  const auto parts = SplitBySlot(pairs, args);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].slot, SlotOf("b"));
  EXPECT_EQ(parts[0].keys, (std::vector<uint32_t>{0, 2}));
  EXPECT_EQ(parts[1].keys, (std::vector<uint32_t>{1}));
  const auto first = PartArguments(pairs, args, parts[0]);
  ASSERT_EQ(first.size(), 5u);
  EXPECT_EQ(first[0], "MSET");
  EXPECT_EQ(first[1], "{b}1");
  EXPECT_EQ(first[2], "v1");
  EXPECT_EQ(first[3], "{b}2");
  EXPECT_EQ(first[4], "v3");
}

}  // namespace
}  // namespace orrery::commands
