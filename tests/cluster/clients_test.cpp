#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>

#include "cluster/processes.h"

namespace orrery::cluster {
namespace {

struct Ended {
  std::string out;  // standard output and error
  int status = -1;
};

Ended Shell(const std::string& line) {
  Ended ended;
  FILE* pipe = ::popen((line + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return ended;
  std::array<char, 4096> buffer;
  for (size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    ended.out.append(buffer.data(), n);
  ended.status = ::pclose(pipe);
  return ended;
}

// The programs that users have, against three nodes.
class ClientsTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(nodes_.WaitUntilServing()); }
  std::string Cli(size_t node, const std::string& words) {
    return Shell("redis-cli -p " + std::to_string(nodes_.port(node)) + " " + words).out;
  }
  void ExpectBenchmarkRuns(const std::string& options) {
    const Ended ended = Shell("redis-benchmark -p " + std::to_string(nodes_.port(1)) +
                              " -q -n 2000 -c 10 -r 1000 -t set,get,incr,mset " + options);
    EXPECT_EQ(ended.status, 0) << ended.out;
    EXPECT_EQ(ended.out.find("rror"), std::string::npos) << ended.out;
    for (const char* test : {"SET: ", "GET: ", "INCR: ", "MSET (10 keys): "}) {
      EXPECT_NE(ended.out.find(test), std::string::npos) << ended.out;
    }
  }

  Processes nodes_{3, {}};
};

TEST_F(ClientsTest, RedisCliWorksThroughAnyNode) {
  EXPECT_EQ(Cli(0, "set k v"), "OK\n");
  EXPECT_EQ(Cli(1, "get k"), "v\n");
  EXPECT_EQ(Cli(2, "-c incr n"), "1\n");
  EXPECT_EQ(Cli(0, "-c incr n"), "2\n");
  EXPECT_EQ(Cli(1, "mset {a}1 x b y c z"), "OK\n");
  EXPECT_EQ(Cli(2, "--no-raw mget c b {a}1 none"), "1) \"z\"\n2) \"y\"\n3) \"x\"\n4) (nil)\n");
  EXPECT_EQ(Cli(2, "-3 --no-raw mget c none"), "1) \"z\"\n2) (nil)\n");
  EXPECT_EQ(Cli(0, "--scan --pattern '[bc]' | sort"), "b\nc\n");
}

TEST_F(ClientsTest, RedisBenchmarkRunsAgainstAnyNode) {
  ExpectBenchmarkRuns("");
  ExpectBenchmarkRuns("-P 16");
}

TEST_F(ClientsTest, RedisBenchmarkRunsAsAClusterClient) {
  ExpectBenchmarkRuns("--cluster");
  ExpectBenchmarkRuns("--cluster -P 16");
}

}  // namespace
}  // namespace orrery::cluster
