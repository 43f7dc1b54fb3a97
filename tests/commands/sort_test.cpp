// SORT whose patterns and destination lie in other slots; one slot's are in the transcripts.

#include <gtest/gtest.h>

#include <algorithm>

#include "commands/fake_cluster.h"
#include "commands/sort_arguments.h"

namespace orrery::commands {
namespace {

using replication::Outcome;

constexpr uint64_t kSeeds = 20;

std::string Bulks(const std::vector<std::string>& texts) {
  std::string reply = "*" + std::to_string(texts.size()) + "\r\n";
  for (const std::string& text : texts) {
    reply += text == "(nil)" ? "$-1\r\n" : "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
  }
  return reply;
}

class SortTest : public testing::Test {
 protected:
  std::string Run(const std::vector<std::string_view>& args) { return cluster_.Run(args); }

  FakeCluster cluster_;
};

TEST_F(SortTest, PatternsFindKeysOfAllSlots) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    FakeCluster cluster(seed);
    std::vector<std::string> expected;
    for (int i = 0; i < 300; ++i) {
      const std::string name = std::to_string(i);
      cluster.Run({"sadd", "source", name});
      cluster.Run({"set", "weight_" + name, std::to_string(1000 - i)});
      if (i % 3 == 0) cluster.Run({"hset", "h_" + name, "name", "n" + name, "other", "x"});
      expected.insert(expected.begin(), {name, i % 3 == 0 ? "n" + name : "(nil)"});
    }
    EXPECT_EQ(cluster.Run({"sort", "source", "by", "weight_*", "get", "#", "get", "h_*->name"}),
              Bulks(expected));
    EXPECT_EQ(cluster.Run({"sort_ro", "source", "by", "weight_*", "get", "#", "get", "h_*->name"}),
              Bulks(expected));
  }
}

TEST_F(SortTest, OneSlotAnswersAloneWhatItCan) {
  Run({"sadd", "{t}s", "2", "1"});
  Run({"set", "{t}w1", "9"});
  cluster_.ClearLog();
  EXPECT_EQ(Run({"sort", "{t}s"}), Bulks({"1", "2"}));
  EXPECT_EQ(Run({"sort", "{t}s", "by", "{t}w*", "get", "#"}), Bulks({"2", "1"}));
  EXPECT_EQ(Run({"sort", "{t}s", "by", "none", "get", "{t}w*"}).substr(0, 4), "*2\r\n");
  EXPECT_EQ(Run({"sort", "s", "get"}), "-ERR syntax error\r\n");
  EXPECT_EQ(cluster_.log().size(), 4u);
}

TEST_F(SortTest, KeysThatDoNotFitThePatternFindNothing) {
  Run({"sadd", "s", "1", "2", "3", "4"});
  Run({"sadd", "h_1", "x"});
  Run({"set", "h_2", "string"});
  Run({"hset", "h_3", "f", "v"});
  Run({"hset", "h_4", "other", "v"});
  EXPECT_EQ(Run({"sort", "s", "get", "h_*->f"}), Bulks({"(nil)", "(nil)", "v", "(nil)"}));
  EXPECT_EQ(Run({"sort", "s", "get", "h_*"}), Bulks({"(nil)", "string", "(nil)", "(nil)"}));
}

TEST_F(SortTest, WhatHasEndedIsNotFound) {
  Run({"sadd", "s", "1", "2"});
  Run({"set", "w_1", "one", "px", "100"});
  Run({"hset", "h_2", "f", "two"});
  Run({"pexpire", "h_2", "100"});
  EXPECT_EQ(Run({"sort", "s", "get", "w_*", "get", "h_*->f"}), Bulks({"one", "(nil)", "(nil)", "two"}));
  cluster_.Advance(101);
  EXPECT_EQ(Run({"sort", "s", "get", "w_*", "get", "h_*->f"}), Bulks({"(nil)", "(nil)", "(nil)", "(nil)"}));
}

TEST_F(SortTest, AnErrorOfAnotherSlotIsTheReply) {
  Run({"sadd", "s", "1", "2"});
  cluster_.Fail(SlotOf("w_2"), replication::Response{Outcome::kClusterDown, "down"});
  const std::string reply = Run({"sort", "s", "by", "w_*"});
  EXPECT_EQ(reply.substr(0, 12), "-CLUSTERDOWN");
  cluster_.Fail(SlotOf("w_2"), std::nullopt);
  EXPECT_EQ(Run({"sort", "s", "by", "w_*"}), Bulks({"1", "2"}));
}

TEST_F(SortTest, StoresInAnotherSlot) {
  ASSERT_NE(SlotOf("source"), SlotOf("target"));
  Run({"rpush", "source", "2", "1", "2"});
  EXPECT_EQ(Run({"sort", "source", "store", "target"}), ":3\r\n");
  EXPECT_EQ(Run({"lrange", "target", "0", "-1"}), Bulks({"1", "2", "2"}));
  Run({"set", "w_1", "9"});
  EXPECT_EQ(Run({"sort", "source", "by", "w_*", "get", "w_*", "get", "#", "store", "target"}), ":6\r\n");
  EXPECT_EQ(Run({"lrange", "target", "0", "-1"}), Bulks({"", "2", "", "2", "9", "1"}));
  EXPECT_EQ(Run({"sort", "absent", "store", "target"}), ":0\r\n");
  EXPECT_EQ(Run({"exists", "target"}), ":0\r\n");
  EXPECT_EQ(Run({"lrange", "source", "0", "-1"}), Bulks({"2", "1", "2"}));
}

TEST_F(SortTest, AListInAnotherSlotKeepsItsOrder) {
  Run({"rpush", "source", "c", "a", "b"});
  EXPECT_EQ(Run({"sort", "source", "by", "nosort", "limit", "1", "5", "store", "target"}), ":2\r\n");
  EXPECT_EQ(Run({"lrange", "target", "0", "-1"}), Bulks({"a", "b"}));
  EXPECT_EQ(Run({"sort", "source", "by", "nosort", "desc", "store", "target"}), ":3\r\n");
  EXPECT_EQ(Run({"lrange", "target", "0", "-1"}), Bulks({"b", "a", "c"}));
}

TEST_F(SortTest, WrongTypesAreRefusedAfterGathering) {
  Run({"set", "text", "x"});
  EXPECT_EQ(Run({"sort", "text", "by", "w_*"}).substr(0, 10), "-WRONGTYPE");
  EXPECT_EQ(Run({"sort", "absent", "by", "w_*"}), "*0\r\n");
}

TEST(SortArgumentsTest, PatternsNameKeysAndFields) {
  EXPECT_EQ(KeyOfPattern("w_*", "1").key, "w_1");
  EXPECT_EQ(KeyOfPattern("*", "1").key, "1");
  EXPECT_EQ(KeyOfPattern("a*b*", "1").key, "a1b*");
  EXPECT_EQ(KeyOfPattern("h_*->f", "1").key, "h_1");
  EXPECT_EQ(KeyOfPattern("h_*->f", "1").field, "f");
  EXPECT_EQ(KeyOfPattern("h_*_x->f->g", "1").key, "h_1_x");
  EXPECT_EQ(KeyOfPattern("h_*_x->f->g", "1").field, "f->g");
  EXPECT_EQ(KeyOfPattern("h->_*", "1").key, "h->_1");
  EXPECT_EQ(KeyOfPattern("h_*->", "1").key, "h_1->");
  EXPECT_EQ(KeyOfPattern("h_*->", "1").field, "");
  EXPECT_FALSE(NamesKeys("#"));
  EXPECT_FALSE(NamesKeys("nosort"));
  EXPECT_TRUE(NamesKeys("#*"));
}

TEST(SortArgumentsTest, APatternsSlotIsKnownByItsHashTag) {
  EXPECT_EQ(SlotOfPattern("{t}w_*"), SlotOf("t"));
  EXPECT_EQ(SlotOfPattern("a{t}w_*->{x}"), SlotOf("t"));
  EXPECT_EQ(SlotOfPattern("w_*{t}"), std::nullopt);
  EXPECT_EQ(SlotOfPattern("{w_*}"), std::nullopt);
  EXPECT_EQ(SlotOfPattern("{}w_*"), std::nullopt);
}

TEST(SortArgumentsTest, FindsTheDestinationBehindOtherOptions) {
  const std::vector<std::string_view> args = {"sort",  "k",     "get",    "store", "by",
                                              "store", "STORE", "target", "desc"};
  const SortArguments sort = ParseSort(args, true);
  EXPECT_EQ(sort.store_arg, 7u);
  EXPECT_EQ(sort.by, "store");
  EXPECT_FALSE(sort.sorts);
  EXPECT_EQ(ParseSort(args, false).error, "ERR syntax error");
}

}  // namespace
}  // namespace orrery::commands
