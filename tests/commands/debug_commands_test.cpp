#include "orrery/commands/debug_commands.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "commands/fake_cluster.h"
#include "orrery/resp/value_parser.h"

namespace orrery::commands {
namespace {

std::vector<std::string> DigestsOf(FakeCluster* cluster, std::vector<std::string_view> keys) {
  keys.insert(keys.begin(), DigestValueCommand().name);
  const auto value = resp::ParseValue(cluster->Run(DigestValueCommand(), keys));
  std::vector<std::string> digests;
  EXPECT_TRUE(value.ok() && value->is_aggregate());
  if (!value.ok()) return digests;
  for (const auto& digest : value->elements()) digests.emplace_back(digest.text());
  return digests;
}

std::string DigestOfAll(FakeCluster* cluster) {
  return cluster->Run(DigestCommand(), {DigestCommand().name});
}

TEST(DigestValueTest, IsTheSameForEqualValuesOfEachType) {
  FakeCluster cluster;
  for (const std::string key : {"a", "b", "{c}d"}) {
    cluster.Run({"set", "s" + key, "value"});
    cluster.Run({"rpush", "l" + key, "1", "2", "1"});
    cluster.Run({"zadd", "z" + key, "1.5", "m", "2", "n"});
  }
  cluster.Run({"sadd", "ta", "1", "2", "3"});
  cluster.Run({"sadd", "tb", "3", "1"});
  cluster.Run({"sadd", "tb", "2"});
  cluster.Run({"hset", "ha", "f", "1", "g", "2"});
  cluster.Run({"hset", "hb", "g", "2", "f", "1"});
  const auto digests =
      DigestsOf(&cluster, {"sa", "sb", "la", "lb", "za", "zb", "ta", "tb", "ha", "hb", "s{c}d"});
  ASSERT_EQ(digests.size(), 11u);
  for (size_t i = 0; i + 1 < 10; i += 2) {
    EXPECT_EQ(digests[i], digests[i + 1]) << i;
    if (i > 0) {
      EXPECT_NE(digests[i], digests[i - 1]) << i;
    }
  }
  EXPECT_EQ(digests[10], digests[0]);
}

TEST(DigestValueTest, TellsApartWhatDiffers) {
  FakeCluster cluster;
  cluster.Run({"rpush", "a", "1", "2"});
  cluster.Run({"rpush", "b", "2", "1"});
  cluster.Run({"rpush", "c", "1", "2"});
  cluster.Run({"expire", "c", "100"});
  const auto digests = DigestsOf(&cluster, {"a", "b", "c", "none"});
  ASSERT_EQ(digests.size(), 4u);
  EXPECT_NE(digests[0], digests[1]);
  EXPECT_NE(digests[0], digests[2]);
  EXPECT_EQ(digests[3], "0000000000000000");
}

TEST(DigestTest, IsOfAllKeysWithTheirNames) {
  FakeCluster cluster;
  EXPECT_EQ(DigestOfAll(&cluster), "+0000000000000000\r\n");
  for (int i = 0; i < 50; ++i) cluster.Run({"set", "key" + std::to_string(i), "v"});
  const std::string before = DigestOfAll(&cluster);
  cluster.Run({"rename", "key1", "other"});
  EXPECT_NE(DigestOfAll(&cluster), before);
  cluster.Run({"rename", "other", "key1"});
  EXPECT_EQ(DigestOfAll(&cluster), before);
  cluster.session.db = 1;
  EXPECT_EQ(DigestOfAll(&cluster), "+0000000000000000\r\n");
}

TEST(DigestTest, AnErrorOfASlotIsTheReply) {
  FakeCluster cluster;
  cluster.Run({"set", "k", "v"});
  cluster.Fail(SlotOf("k"), replication::Response{replication::Outcome::kClusterDown, "no"});
  EXPECT_EQ(DigestOfAll(&cluster), "-CLUSTERDOWN no\r\n");
}

TEST(DescribeObjectTest, TellsEncodingAndLengthOfTheDump) {
  FakeCluster cluster;
  const std::string_view name = DescribeObjectCommand().name;
  cluster.Run({"set", "k", "12"});
  EXPECT_EQ(cluster.Run(DescribeObjectCommand(), {name, "k"}),
            "+refcount:1 encoding:int serializedlength:13\r\n");
  EXPECT_EQ(cluster.Run(DescribeObjectCommand(), {name, "none"}), "-ERR no such key\r\n");
}

TEST(EncodingLimitsTest, TextGoesThereAndBack) {
  const EncodingLimits limits{1, 2, 3, 4, uint64_t{1} << 40};
  EXPECT_EQ(ParseEncodingLimits(ToText(limits)), limits);
  for (const std::string_view bad : {"", "1", "1,2,3,4", "1,2,3,4,5,6", "1,2,3,4,x", "1,2,3,4,-5", ",,,,"}) {
    EXPECT_FALSE(ParseEncodingLimits(bad).has_value()) << bad;
  }
}

TEST(EncodingLimitsTest, DecideWhatObjectEncodingSays) {
  FakeCluster cluster;
  cluster.Run({"hset", "h", "f", "1", "g", "22"});
  cluster.Run({"sadd", "s", "1", "2"});
  cluster.Run({"zadd", "z", "1", "aa", "2", "b"});
  const auto encoding = [&](std::string_view key) {
    const std::string reply = cluster.Run({"object", "encoding", key});
    return reply.substr(reply.find('\n') + 1);
  };
  EXPECT_EQ(encoding("h") + encoding("s") + encoding("z"), "listpack\r\nintset\r\nlistpack\r\n");
  const std::pair<EncodingLimits, std::string> cases[] = {
      {{1, 64, 2, 2, 64}, "hashtable\r\nintset\r\nlistpack\r\n"},
      {{2, 1, 1, 2, 2}, "hashtable\r\nhashtable\r\nlistpack\r\n"},
      {{2, 2, 2, 1, 64}, "listpack\r\nintset\r\nskiplist\r\n"},
      {{2, 2, 2, 2, 1}, "listpack\r\nintset\r\nskiplist\r\n"},
  };
  for (const auto& [limits, encodings] : cases) {
    cluster.dispatcher().SetEncodingLimits(limits);
    EXPECT_EQ(encoding("h") + encoding("s") + encoding("z"), encodings) << ToText(limits);
  }
  cluster.dispatcher().SetEncodingLimits({});
  EXPECT_EQ(encoding("h"), "listpack\r\n");
}

}  // namespace
}  // namespace orrery::commands
