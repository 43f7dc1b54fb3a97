// Lists in several slots: LMOVE, RPOPLPUSH, LMPOP.

#include <gtest/gtest.h>

#include "commands/fake_cluster.h"

namespace orrery::commands {
namespace {

constexpr uint64_t kSeeds = 20;

std::string Bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

std::string Array(const std::vector<std::string_view>& texts) {
  std::string reply = "*" + std::to_string(texts.size()) + "\r\n";
  for (const std::string_view text : texts) reply += Bulk(text);
  return reply;
}

std::string List(FakeCluster& cluster, std::string_view key) {
  return cluster.Run({"lrange", key, "0", "-1"});
}

TEST(SplitListsTest, AnElementMovesFromEitherEndToEitherEndOfAListInAnotherSlot) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    FakeCluster cluster(seed);
    cluster.Run({"rpush", "from", "a", "b", "c", "d", "e"});
    EXPECT_EQ(cluster.Run({"lmove", "from", "to", "LEFT", "RIGHT"}), Bulk("a"));
    EXPECT_EQ(cluster.Run({"lmove", "from", "to", "right", "right"}), Bulk("e"));
    EXPECT_EQ(cluster.Run({"lmove", "from", "to", "LEFT", "LEFT"}), Bulk("b"));
    EXPECT_EQ(cluster.Run({"rpoplpush", "from", "to"}), Bulk("d"));
    EXPECT_EQ(List(cluster, "from"), Array({"c"}));
    EXPECT_EQ(List(cluster, "to"), Array({"d", "b", "a", "e"}));
    EXPECT_EQ(cluster.Run({"rpoplpush", "from", "to"}), Bulk("c"));
    EXPECT_EQ(cluster.Run({"exists", "from"}), ":0\r\n");
    EXPECT_EQ(cluster.Run({"rpoplpush", "from", "to"}), "$-1\r\n");
  }
}

TEST(SplitListsTest, AMoveFetchesOneElementHoweverLongTheList) {
  FakeCluster cluster;
  for (int i = 0; i < 100; ++i) cluster.Run({"rpush", "from", "x", "y", "z"});
  size_t rows = 0;
  cluster.on_run = [&](const replication::Request& request) {
    if (request.args[0] == "lmove") rows = request.attachments.size();
  };
  EXPECT_EQ(cluster.Run({"lmove", "from", "to", "RIGHT", "LEFT"}), Bulk("z"));
  EXPECT_EQ(rows, 1u);
  EXPECT_EQ(cluster.Run({"llen", "from"}), ":299\r\n");
}

TEST(SplitListsTest, TheSourceKeepsItsEndAndWhatComesMeanwhile) {
  FakeCluster cluster;
  cluster.Run({"rpush", "from", "a", "b"});
  cluster.Run({"pexpire", "from", "5000"});
  std::optional<std::string> other;
  cluster.on_run = [&](const replication::Request& request) {
    if (request.args[0] == "lmove" && !other) cluster.Start({"lpush", "from", "new"}, &other);
  };
  EXPECT_EQ(cluster.Run({"lmove", "from", "to", "LEFT", "LEFT"}), Bulk("a"));
  ASSERT_EQ(other, ":3\r\n");
  EXPECT_EQ(List(cluster, "from"), Array({"new", "b"}));
  EXPECT_EQ(cluster.Run({"pttl", "from"}), ":5000\r\n");
  EXPECT_EQ(cluster.Run({"pttl", "to"}), ":-1\r\n");
}

TEST(SplitListsTest, AKeyOfAnotherTypeAtEitherSideChangesNothing) {
  FakeCluster cluster;
  cluster.Run({"rpush", "list", "a"});
  cluster.Run({"set", "string", "v"});
  cluster.Run({"hset", "hash", "f", "v"});
  for (const std::string_view other : {"string", "hash"}) {
    EXPECT_TRUE(cluster.Run({"lmove", "list", other, "LEFT", "LEFT"}).starts_with("-WRONGTYPE"));
    EXPECT_TRUE(cluster.Run({"lmove", other, "list", "LEFT", "LEFT"}).starts_with("-WRONGTYPE"));
    EXPECT_EQ(cluster.Run({"lmove", "none", other, "LEFT", "LEFT"}), "$-1\r\n");
  }
  EXPECT_EQ(cluster.Run({"lmove", "list", "string", "LEFT", "UP"}), "-ERR syntax error\r\n");
  EXPECT_EQ(List(cluster, "list"), Array({"a"}));
}

TEST(SplitListsTest, PopsFromTheFirstListThatHasElementsWhereverItLies) {
  FakeCluster cluster;
  cluster.Run({"rpush", "third", "a", "b", "c"});
  EXPECT_EQ(cluster.Run({"lmpop", "3", "first", "second", "third", "RIGHT", "COUNT", "2"}),
            "*2\r\n" + Bulk("third") + Array({"c", "b"}));
  EXPECT_EQ(cluster.Run({"lmpop", "2", "first", "second", "LEFT"}), "*-1\r\n");
}

}  // namespace
}  // namespace orrery::commands
