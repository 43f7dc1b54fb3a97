#include "orrery/commands/dispatcher.h"

#include <gtest/gtest.h>

#include "commands/fake_cluster.h"

namespace orrery::commands {
namespace {

using replication::Outcome;
using replication::Response;

TEST(DispatcherTest, OneKeyIsOneRequestToItsSlot) {
  FakeCluster cluster;
  EXPECT_EQ(cluster.Run({"set", "k", "v"}), "+OK\r\n");
  EXPECT_EQ(cluster.Run({"GET", "k"}), "$1\r\nv\r\n");
  const std::string slot = std::to_string(SlotOf("k"));
  EXPECT_EQ(cluster.log(), (std::vector<std::string>{"set " + slot, "GET " + slot}));
}

TEST(DispatcherTest, RequestsCarryTheSession) {
  FakeCluster cluster;
  cluster.session = {3, 3, 2, 4, 750};
  EXPECT_EQ(cluster.Run({"get", "k"}), "_\r\n");
  const replication::Request& request = cluster.last_request();
  EXPECT_EQ(request.db, 3);
  EXPECT_EQ(request.resp, 3);
  EXPECT_EQ(request.read_quorum, 2);
  EXPECT_EQ(request.write_quorum, 4);
  EXPECT_EQ(request.timeout_ms, 750u);
  EXPECT_EQ(request.traits, (replication::Traits{true, false, false, true}));
}

TEST(DispatcherTest, OptionsOfVersionCommandsRuleTheirRequest) {
  FakeCluster cluster;
  cluster.session.read_quorum = 2;
  cluster.Run({"dget", "k", "R", "1", "timeout", "90"});
  EXPECT_EQ(cluster.last_request().read_quorum, 1);
  EXPECT_EQ(cluster.last_request().timeout_ms, 90u);
  cluster.Run({"dput", "k", "", "v", "W", "3", "EX", "100"});
  EXPECT_EQ(cluster.last_request().write_quorum, 3);
  EXPECT_EQ(cluster.last_request().read_quorum, 2);
  cluster.Run({"dget", "k", "r", "100000"});
  EXPECT_EQ(cluster.last_request().read_quorum, 255);
}

TEST(DispatcherTest, MalformedQuorumOptionsAreTheCommandsError) {
  FakeCluster cluster;
  EXPECT_EQ(cluster.Run({"dget", "k", "R", "x"})[0], '-');
  EXPECT_EQ(cluster.last_request().read_quorum, 0);
  EXPECT_EQ(cluster.Run({"dput", "k", "", "v", "W"})[0], '-');
  EXPECT_EQ(cluster.last_request().write_quorum, 0);
}

TEST(DispatcherTest, OptionsAreNotLookedForInOtherCommands) {
  FakeCluster cluster;
  cluster.Run({"setrange", "r", "3", "v"});
  cluster.Run({"mset", "{k}a", "w", "{k}r", "2"});
  EXPECT_EQ(cluster.last_request().write_quorum, 0);
  EXPECT_EQ(cluster.last_request().read_quorum, 0);
}

TEST(DispatcherTest, OutcomesBecomeErrors) {
  FakeCluster cluster;
  cluster.Fail(SlotOf("k"), Response{Outcome::kNoReplicas, ""});
  EXPECT_TRUE(cluster.Run({"set", "k", "v"}).starts_with("-NOREPLICAS"));
  cluster.Fail(SlotOf("k"), Response{Outcome::kClusterDown, ""});
  EXPECT_TRUE(cluster.Run({"get", "k"}).starts_with("-CLUSTERDOWN"));
  cluster.Fail(SlotOf("k"), Response{Outcome::kUnknown, ""});
  EXPECT_TRUE(cluster.Run({"incr", "k"}).starts_with("-UNKNOWN"));
}

TEST(DispatcherTest, ErrorsOfLookupComeLater) {
  FakeCluster cluster;
  std::optional<std::string> reply;
  cluster.Start({"nosuch", "a"}, &reply);
  EXPECT_FALSE(reply.has_value());
  cluster.Settle();
  EXPECT_EQ(*reply, "-ERR unknown command 'nosuch', with args beginning with: 'a' \r\n");
}

TEST(DispatcherTest, ObjectHelpNeedsNoSlot) {
  FakeCluster cluster;
  EXPECT_TRUE(cluster.Run({"object", "help"}).starts_with("*11\r\n+OBJECT <subcommand>"));
  EXPECT_TRUE(cluster.log().empty());
}

TEST(DispatcherTest, PipelinedCommandsOnOneKeyKeepTheirOrder) {
  const uint64_t seed = 20240611;
  FakeCluster cluster(seed);
  std::vector<std::optional<std::string>> replies(50);
  for (auto& reply : replies) cluster.Start({"incr", "n"}, &reply);
  cluster.Settle();
  for (size_t i = 0; i < replies.size(); ++i) EXPECT_EQ(*replies[i], ":" + std::to_string(i + 1) + "\r\n");
}

TEST(DispatcherTest, CallersOfOneRequestMayDispatchAgainFromTheirCallback) {
  FakeCluster cluster;
  std::optional<std::string> second;
  Dispatcher dispatcher(&cluster, &cluster, 1);
  const std::vector<std::string_view> set = {"set", "k", "v"};
  dispatcher.Dispatch({}, set, [&](std::string) {
    const std::vector<std::string_view> get = {"get", "k"};
    dispatcher.Dispatch({}, get, [&](std::string reply) { second = std::move(reply); });
  });
  cluster.Settle();
  EXPECT_EQ(second, "$1\r\nv\r\n");
}

TEST(DispatcherTest, CommandsOfSeveralRoundsRunAlone) {
  const auto alone = [](std::string_view name) {
    return Dispatcher::RunsAlone(*CommandTable::Get().Find(name));
  };
  for (const char* name : {"scan", "keys", "dbsize", "flushall", "flushdb", "randomkey", "rename", "renamenx",
                           "copy", "bitop", "lcs", "msetnx"}) {
    EXPECT_TRUE(alone(name)) << name;
  }
  for (const char* name : {"get", "set", "mget", "mset", "del", "exists", "dget", "ping"}) {
    EXPECT_FALSE(alone(name)) << name;
  }
}

}  // namespace
}  // namespace orrery::commands
