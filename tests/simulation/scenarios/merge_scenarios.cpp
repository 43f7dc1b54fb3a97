// What becomes of collections that two sides of a cut change: the examples of docs/data-types.md, one by one.

#include <algorithm>
#include <string>
#include <vector>

#include "simulation/scenarios/scenario.h"

namespace orrery::simulation {
namespace {

constexpr uint64_t kNoticedUs = 6'000'000;

using Words = std::vector<std::string>;

/// Two sides of a cut, side A with the key's coordinator. Keys are named by their kinds.
class MergeScenario : public testing::Test {
 protected:
  static Options WithAllKinds() {
    Options options = Scenario::Sizes();
    options.keys_per_slot = options.kinds.size();
    return options;
  }

  std::string Both(char key, const std::string& command, const Words& rest = {}) {
    return s_.Do(s_.home(0), key, command, rest);
  }
  void Cut() {
    s_.RunFor(100'000);
    s_.Isolate({s_.home(0), s_.away(0)});
    s_.RunFor(kNoticedUs);
  }
  std::string A(char key, const std::string& command, const Words& rest = {}) {
    return s_.Do(s_.away(0), key, command, rest);
  }
  std::string B(char key, const std::string& command, const Words& rest = {}) {
    return s_.Do(s_.away(1), key, command, rest);
  }
  void Heal() { s_.Settle(); }
  /// The bulk strings of an array, as every node gives them.
  Words Read(char key, const std::string& command, const Words& rest = {}) {
    const std::string reply = s_.Do(s_.home(0), key, command, rest);
    for (const size_t node : {s_.home(1), s_.home(2), s_.away(0), s_.away(1)}) {
      EXPECT_EQ(s_.Do(node, key, command, rest), reply);
    }
    Words words;
    for (size_t at = reply.find("\r\n"); (at = reply.find('$', at)) != std::string::npos;) {
      const size_t begin = reply.find("\r\n", at) + 2;
      const size_t size = std::stoul(reply.substr(at + 1));
      words.push_back(reply.substr(begin, size));
      at = begin + size;
    }
    return words;
  }
  Words ReadSorted(char key, const std::string& command) {
    Words words = Read(key, command);
    std::sort(words.begin(), words.end());
    return words;
  }

  Scenario s_{WithAllKinds()};
};

TEST_F(MergeScenario, AddsOfDifferentElementsAllSurvive) {
  Both('m', "SADD", {"red"});
  Cut();
  EXPECT_EQ(A('m', "SADD", {"green"}), ":1\r\n");
  EXPECT_EQ(B('m', "SADD", {"blue"}), ":1\r\n");
  Heal();
  EXPECT_EQ(ReadSorted('m', "SMEMBERS"), (Words{"blue", "green", "red"}));
}

TEST_F(MergeScenario, FieldsOfBothSidesSurviveAndCountsAddUp) {
  Cut();
  A('g', "HSET", {"name", "Ada"});
  A('g', "HINCRBY", {"visits", "2"});
  B('g', "HSET", {"city", "London"});
  B('g', "HINCRBY", {"visits", "3"});
  Heal();
  EXPECT_EQ(ReadSorted('g', "HGETALL"), (Words{"5", "Ada", "London", "city", "name", "visits"}));
}

TEST_F(MergeScenario, AnAddWinsOverAConcurrentRemove) {
  Both('m', "SADD", {"red"});
  Cut();
  EXPECT_EQ(A('m', "SREM", {"red"}), ":1\r\n");
  // It is there, and is written all the same.
  EXPECT_EQ(B('m', "SADD", {"red", "blue"}), ":1\r\n");
  Heal();
  EXPECT_EQ(ReadSorted('m', "SMEMBERS"), (Words{"blue", "red"}));
}

TEST_F(MergeScenario, WhatWasRemovedStaysRemoved) {
  Both('m', "SADD", {"red", "blue"});
  Cut();
  EXPECT_EQ(A('m', "SREM", {"red"}), ":1\r\n");
  EXPECT_EQ(B('m', "SADD", {"green"}), ":1\r\n");
  EXPECT_EQ(B('m', "SISMEMBER", {"red"}), ":1\r\n");
  Heal();
  EXPECT_EQ(ReadSorted('m', "SMEMBERS"), (Words{"blue", "green"}));
}

// Pushes of two sides interleave, each side's own in their order, in the same way everywhere.
TEST_F(MergeScenario, ConcurrentPushesAllSurviveInOneOrder) {
  Both('l', "RPUSH", {"a"});
  Cut();
  EXPECT_EQ(A('l', "RPUSH", {"b", "c"}), ":3\r\n");
  EXPECT_EQ(B('l', "RPUSH", {"x", "y"}), ":3\r\n");
  Heal();
  const Words all = Read('l', "LRANGE", {"0", "-1"});
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[0], "a");
  const auto place = [&](const char* value) {
    return std::find(all.begin(), all.end(), value) - all.begin();
  };
  EXPECT_LT(place("b"), place("c"));
  EXPECT_LT(place("x"), place("y"));
  EXPECT_LT(place("y"), std::ssize(all));
  EXPECT_EQ(std::max(place("b"), place("x")), 2);
}

TEST_F(MergeScenario, AnElementThatBothSidesPopIsGoneOnceAndNothingElseIs) {
  Both('l', "RPUSH", {"a", "b", "c"});
  Cut();
  EXPECT_EQ(A('l', "LPOP"), "$1\r\na\r\n");
  EXPECT_EQ(B('l', "LPOP"), "$1\r\na\r\n");
  EXPECT_EQ(B('l', "RPUSH", {"d"}), ":3\r\n");
  Heal();
  EXPECT_EQ(Read('l', "LRANGE", {"0", "-1"}), (Words{"b", "c", "d"}));
}

TEST_F(MergeScenario, IncrementsOfScoresAddUp) {
  Both('h', "ZADD", {"10", "ada", "20", "alan"});
  Cut();
  A('h', "ZINCRBY", {"5", "ada"});
  A('h', "ZREM", {"alan"});
  B('h', "ZINCRBY", {"7", "ada"});
  B('h', "ZADD", {"20", "alan", "1", "grace"});
  Heal();
  EXPECT_EQ(Read('h', "ZRANGE", {"0", "-1", "WITHSCORES"}), (Words{"grace", "1", "alan", "20", "ada", "22"}));
}

TEST_F(MergeScenario, ASketchCountsWhatBothSidesAdded) {
  Both('j', "PFADD", {"red"});
  Cut();
  EXPECT_EQ(A('j', "PFADD", {"green"}), ":1\r\n");
  EXPECT_EQ(B('j', "PFADD", {"blue"}), ":1\r\n");
  Heal();
  EXPECT_EQ(s_.Do(s_.home(0), 'j', "PFCOUNT"), ":3\r\n");
}

TEST_F(MergeScenario, ADeleteKeepsWhatItHadNotSeen) {
  Both('g', "HSET", {"name", "Ada", "city", "Paris"});
  Cut();
  EXPECT_EQ(A('g', "DEL"), ":1\r\n");
  EXPECT_EQ(B('g', "HSET", {"city", "London"}), ":0\r\n");
  Heal();
  EXPECT_EQ(Read('g', "HGETALL"), (Words{"city", "London"}));
}

// The newest value decides; when that type goes, the other comes to light.
TEST_F(MergeScenario, OfTwoTypesTheNewerShowsEverywhere) {
  Cut();
  EXPECT_EQ(A('g', "HSET", {"f", "v"}), ":1\r\n");
  s_.RunFor(1'000'000);
  EXPECT_EQ(B('g', "SADD", {"member"}), ":1\r\n");
  Heal();
  EXPECT_EQ(Read('g', "SMEMBERS"), (Words{"member"}));
  EXPECT_EQ(s_.Do(s_.home(1), 'g', "HGET", {"f"}).substr(0, 10), "-WRONGTYPE");
  EXPECT_EQ(s_.Do(s_.home(2), 'g', "SREM", {"member"}), ":1\r\n");
  EXPECT_EQ(Read('g', "HGETALL"), (Words{"f", "v"}));
  EXPECT_EQ(s_.Do(s_.home(1), 'g', "DEL"), ":1\r\n");
  EXPECT_EQ(s_.Do(s_.away(1), 'g', "EXISTS"), ":0\r\n");
}

TEST_F(MergeScenario, BothSidesServeWhoWaitsThere) {
  Both('l', "RPUSH", {"a"});
  Cut();
  EXPECT_NE(A('l', "BLPOP", {"1"}).find("\r\na\r\n"), std::string::npos);
  EXPECT_NE(B('l', "BLPOP", {"1"}).find("\r\na\r\n"), std::string::npos);
  EXPECT_EQ(A('l', "BLPOP", {"0.1"}), "*-1\r\n");
  Heal();
  EXPECT_EQ(Read('l', "LRANGE", {"0", "-1"}), Words());
}

}  // namespace
}  // namespace orrery::simulation
