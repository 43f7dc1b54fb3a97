#include <gtest/gtest.h>

#include <future>

#include "server/test_server.h"

namespace orrery::server {
namespace {

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(InfoTest, HasSectionsAndFieldsOfRedis) {
  TestServer server;
  TestClient client(server.port());
  client.Ask("set k v");
  client.Ask("nonsense");
  const std::string info = client.Ask("info everything");
  for (const char* part : {"# Server\r\nredis_version:7.0.15\r\n",
                           "redis_mode:cluster\r\n",
                           "# Clients\r\nconnected_clients:1\r\n",
                           "maxclients:10000\r\n",
                           "# Memory\r\nused_memory:",
                           "# Persistence\r\nloading:0\r\n",
                           "# Stats\r\n",
                           "total_connections_received:1\r\n",
                           "# Replication\r\nrole:master\r\n",
                           "# CPU\r\nused_cpu_sys:",
                           "# Modules\r\n",
                           "# Commandstats\r\n",
                           "cmdstat_set:calls=1,usec=",
                           "# Errorstats\r\nerrorstat_ERR:count=1\r\n",
                           "latency_percentiles_usec_set:p50=",
                           "# Cluster\r\ncluster_enabled:1\r\n",
                           "# Keyspace\r\ndb0:keys=6,expires=2,avg_ttl=0\r\ndb2:keys=4,",
                           "# Dynamo\r\nnode_id:0000000000000001",
                           "events_made:42\r\n",
                           "incarnation:42\r\n",
                           "hints:10\r\n",
                           "# RocksDB\r\nblock_cache_usage:123\r\n"}) {
    EXPECT_TRUE(Has(info, part)) << part << "\nin\n" << info;
  }
}

TEST(InfoTest, ShowsTheSectionsAskedFor) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("info CLUSTER"), "# Cluster\r\ncluster_enabled:1\r\n");
  EXPECT_EQ(client.Ask("info nothing"), "");
  const std::string two = client.Ask("info cluster cpu");
  EXPECT_TRUE(two.starts_with("# CPU\r\n"));
  EXPECT_TRUE(Has(two, "\r\n\r\n# Cluster\r\n"));
  const std::string standard = client.Ask("info");
  EXPECT_FALSE(Has(standard, "# Commandstats"));
  EXPECT_FALSE(Has(standard, "# RocksDB"));
  EXPECT_TRUE(Has(standard, "# Dynamo"));
  EXPECT_EQ(standard.substr(0, 9), client.Ask("info default").substr(0, 9));
}

TEST(InfoTest, TellsThatTheDiskStoppedWrites) {
  TestServer server("", 1);
  server.OnEveryLoop([&](size_t i) { server.nodes[i]->writes_stopped = true; });
  TestClient client(server.port());
  const std::string info = client.Ask("info persistence");
  EXPECT_TRUE(Has(info, "aof_last_write_status:err\r\n"));
  EXPECT_TRUE(Has(info, "writes_stopped_reason:no space left on device\r\n"));
}

TEST(ConfigCommandTest, GetsAndSets) {
  TestServer server("", 2);
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("config get timeout maxclients"), "[timeout 0 maxclients 10000]");
  EXPECT_EQ(client.Ask("config set timeout 100 maxclients 50"), "OK");
  EXPECT_EQ(client.Ask("config get timeout maxclients"), "[timeout 100 maxclients 50]");
  server.OnEveryLoop([&](size_t i) {
    ASSERT_NE(server.nodes[i]->seen_config, nullptr);
    EXPECT_EQ(server.nodes[i]->seen_config->timeout_s, 100u);
  });
  EXPECT_EQ(client.Ask("config set timeout"), "ERR wrong number of arguments for 'config|set' command");
  EXPECT_EQ(client.Ask("config set timeout 1 maxclients"),
            "ERR wrong number of arguments for 'config|set' command");
  EXPECT_EQ(client.Ask("config set port 1"),
            "ERR CONFIG SET failed (possibly related to argument 'port') - can't set immutable config");
  EXPECT_EQ(client.Ask("config rewrite"), "ERR The server is running without a config file");
}

TEST(ConfigCommandTest, ResetStatClearsTheCountersOfAllLoops) {
  TestServer server("", 2);
  TestClient client(server.port());
  TestClient other(server.port());
  client.Ask("set k v");
  other.Ask("get k");
  other.Ask("nonsense");
  EXPECT_EQ(client.Ask("config resetstat"), "OK");
  const std::string info = client.Ask("info all");
  EXPECT_FALSE(Has(info, "cmdstat_set:"));
  EXPECT_FALSE(Has(info, "cmdstat_get:"));
  EXPECT_FALSE(Has(info, "errorstat_"));
  EXPECT_TRUE(Has(info, "connected_clients:2\r\n"));
}

TEST(SlowlogTest, KeepsSlowCommands) {
  TestServer server("slowlog-log-slower-than 0\nslowlog-max-len 3\n", 2);
  TestClient client(server.port());
  client.Ask("client setname me");
  client.Ask({"set", "k", std::string(200, 'x')});
  std::vector<std::string> many = {"del"};
  for (int i = 0; i < 40; ++i) many.push_back("k" + std::to_string(i));
  client.Ask(many);
  const std::string log = client.Ask("slowlog get 2");
  EXPECT_TRUE(Has(log, "k29 ... (10 more arguments)] 127.0.0.1:")) << log;
  EXPECT_TRUE(Has(log, "[set k " + std::string(128, 'x') + "... (72 more bytes)]")) << log;
  EXPECT_TRUE(Has(log, " me]"));
  EXPECT_EQ(client.Ask("slowlog len"), "3");
  EXPECT_EQ(client.Ask("config set slowlog-log-slower-than -1"), "OK");
  EXPECT_EQ(client.Ask("slowlog reset"), "OK");
  EXPECT_EQ(client.Ask("slowlog len"), "0");
  EXPECT_EQ(client.Ask("slowlog get -1"), "[]");
  EXPECT_EQ(client.Ask("slowlog get -2"), "ERR count should be greater than or equal to -1");
  EXPECT_EQ(client.Ask("slowlog get x"), "ERR count should be greater than or equal to -1");
}

TEST(ConfigSetTest, ALoopTakesOverWhatIsInForceWhenItComesToIt) {
  TestServer server("", 2);
  TestClient on_second(server.port());  // the first client goes to the second loop
  TestClient on_first(server.port());
  EXPECT_EQ(on_second.Ask("ping"), "PONG");
  EXPECT_EQ(on_first.Ask("ping"), "PONG");
  std::promise<void> go_on;
  server.threads[1]->loop().Post([&] { go_on.get_future().wait(); });
  on_first.Send(TestClient::Encode("config set slowlog-max-len 71"));
  ASSERT_TRUE(TestServer::Until([&] { return server.config->Get()->slowlog_max_len == 71; }));
  server.threads[0]->Call([] {});
  // The second loop has not seen it yet, and the next change, from another loop, is in force already.
  const std::vector<std::pair<std::string, std::string>> next = {{"slowlog-max-len", "72"}};
  EXPECT_TRUE(server.config->Set(next).ok());
  go_on.set_value();
  EXPECT_EQ(on_first.Reply(), "OK");
  EXPECT_EQ(on_second.Ask("config get slowlog-max-len"), "[slowlog-max-len 72]");
}

TEST(SlowlogTest, HidesPasswordsHoweverTheyAreSent) {
  TestServer server("requirepass hidden0\n", 1);
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("auth hidden0"), "OK");
  EXPECT_EQ(client.Ask("config set slowlog-log-slower-than 0"), "OK");
  for (const char* command :
       {"auth hidden0", "auth default hidden0", "auth hidden1", "auth hidden1 hidden2 hidden3",
        "hello 2 auth default hidden0", "hello 2 setname auth auth default hidden0 setname shown",
        "hello 2 auth auth hidden1", "hello 2 auth hidden1", "hello x auth default hidden1",
        "config set requirepass hidden4", "config set slowlog-max-len 777 REQUIREPASS hidden5",
        "config set requirepass hidden6 requirepass hidden7", "config set requirepass hidden8 foo",
        "config set peer-secret hidden9", "config set requirepas hidden10",
        "config set masterauth hidden11"}) {
    client.Ask(command);
  }
  client.Send(TestClient::Encode("slowlog get -1"));
  const auto log = client.ReadReply();
  ASSERT_TRUE(log.has_value());
  EXPECT_EQ(log->elements().size(), 17u);
  const std::string text = TestClient::ToText(*log);
  EXPECT_EQ(text.find("hidden"), std::string::npos) << text;
  for (const char* shown :
       {"[auth (redacted)]", "[auth (redacted) (redacted)]", "[hello 2 auth (redacted) (redacted)]",
        "[hello 2 setname auth (redacted) (redacted) (redacted) setname shown]",
        "[config set slowlog-max-len 777 REQUIREPASS (redacted)]",
        "[config set slowlog-log-slower-than 0]"}) {
    EXPECT_NE(text.find(shown), std::string::npos) << shown << " in " << text;
  }
}

TEST(SlowlogTest, SaysNothingOfCommandsThatCameWhileItWasOff) {
  TestServer server("slowlog-log-slower-than -1\n", 1);
  TestClient client(server.port());
  server.Hold("get");
  client.Send(TestClient::Encode("get k"));
  ASSERT_TRUE(TestServer::Until([&] { return server.Started() == 1; }));
  TestClient other(server.port());
  EXPECT_EQ(other.Ask("config set slowlog-log-slower-than 0"), "OK");
  server.Release();
  EXPECT_EQ(client.Reply(), "(nil)");
  EXPECT_EQ(client.Ask("ping"), "PONG");
  const std::string log = other.Ask("slowlog get -1");
  EXPECT_NE(log.find("[config set slowlog-log-slower-than 0]"), std::string::npos) << log;
  EXPECT_NE(log.find("[ping]"), std::string::npos) << log;
  EXPECT_EQ(log.find("[]"), std::string::npos) << log;
}

TEST(LatencyTest, CountsCommandsByTheirTime) {
  TestServer server("", 2);
  TestClient client(server.port());
  TestClient other(server.port());
  for (int i = 0; i < 5; ++i) client.Ask("set k v");
  for (int i = 0; i < 5; ++i) other.Ask("set k v");
  const std::string histogram = client.Ask("latency histogram set");
  EXPECT_TRUE(histogram.starts_with("[set [calls 10 histogram_usec [")) << histogram;
  EXPECT_TRUE(histogram.ends_with(" 10]]]")) << histogram;
  EXPECT_EQ(client.Ask("latency histogram lpush"), "[]");
}

TEST(LatencyTest, WatchesSlowMoments) {
  TestServer server("enable-debug-command yes\n", 2);
  TestClient client(server.port());
  EXPECT_TRUE(client.Ask("latency doctor").starts_with("Latency is not being watched"));
  EXPECT_EQ(client.Ask("config set latency-monitor-threshold 10"), "OK");
  EXPECT_EQ(client.Ask("latency latest"), "[]");
  EXPECT_EQ(client.Ask("debug sleep 0.03"), "OK");
  // What is no number is no sleep, as in Redis.
  for (const char* none : {"debug sleep abc", "debug sleep -1", "debug sleep nan", "debug sleep 0x"}) {
    EXPECT_EQ(client.Ask(none), "OK") << none;
  }
  EXPECT_EQ(client.Ask("debug sleep 1e9"), "ERR value is not a valid float");
  EXPECT_TRUE(client.Ask("latency latest").starts_with("[[command "));
  EXPECT_TRUE(Has(client.Ask("latency doctor"), "1. command: 1 spikes"));
  EXPECT_TRUE(Has(client.Ask("latency graph command"), "all time high"));
  EXPECT_EQ(client.Ask("latency graph x"), "ERR No samples available for event 'x'");
  EXPECT_NE(client.Ask("latency history command"), "[]");
  EXPECT_EQ(client.Ask("latency history x"), "[]");
  EXPECT_EQ(client.Ask("latency reset command x"), "1");
  EXPECT_EQ(client.Ask("latency history command"), "[]");
}

TEST(MemoryTest, ReportsAndPurges) {
  TestServer server;
  TestClient client(server.port());
  const std::string stats = client.Ask("memory stats");
  EXPECT_TRUE(Has(stats, "total.allocated "));
  EXPECT_TRUE(Has(stats, "keys.count 10 "));
  EXPECT_TRUE(Has(stats, "rocksdb.block_cache_usage 123"));
  EXPECT_FALSE(client.Ask("memory doctor").empty());
  EXPECT_FALSE(client.Ask("memory malloc-stats").empty());
  EXPECT_EQ(client.Ask("memory purge"), "OK");
}

TEST(SaveTest, MakesCheckpoints) {
  TestServer server("", 1);
  TestClient client(server.port());
  EXPECT_NE(client.Ask("lastsave"), "0");
  EXPECT_EQ(client.Ask("save"), "OK");
  EXPECT_EQ(client.Ask("bgsave"), "Background saving started");
  EXPECT_TRUE(TestServer::Until([&] { return Has(client.Ask("info persistence"), "rdb_saves:2\r\n"); }));
  EXPECT_EQ(client.Ask("bgsave foo"), "ERR syntax error");
}

TEST(SaveTest, OneAtATimeAndFailuresAreTold) {
  TestServer server("", 1);
  server.OnEveryLoop([&](size_t i) { server.nodes[i]->hold_checkpoint = true; });
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("bgsave schedule"), "Background saving started");
  EXPECT_EQ(client.Ask("save"), "ERR Background save already in progress");
  EXPECT_TRUE(Has(client.Ask("info persistence"), "rdb_bgsave_in_progress:1\r\n"));
  server.threads[0]->Call([&] {
    server.nodes[0]->hold_checkpoint = false;
    server.nodes[0]->checkpoint_status = Status::IoError("the disk is full");
    server.nodes[0]->checkpoint(Status::IoError("the disk is full"));
  });
  EXPECT_TRUE(Has(client.Ask("info persistence"), "rdb_last_bgsave_status:err\r\n"));
  EXPECT_EQ(client.Ask("save"), "ERR the disk is full");
}

TEST(WaitTest, AsksAboutTheSlotsThatTheClientWrote) {
  TestServer server("", 1);
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("wait 0 0"), "2");
  client.Ask("set foo 1");
  client.Ask("set bar 1");
  client.Ask("get other");
  EXPECT_EQ(client.Ask("wait 1 0"), "1");
  server.threads[0]->Call([&] {
    EXPECT_EQ(server.nodes[0]->awaited, (std::vector<SlotId>{SlotOf("bar"), SlotOf("foo")}));
  });
  EXPECT_EQ(client.Ask("wait a 0"), "ERR value is not an integer or out of range");
  EXPECT_EQ(client.Ask("wait 0 a"), "ERR timeout is not an integer or out of range");
  EXPECT_EQ(client.Ask("wait 0 -1"), "ERR timeout is negative");
}

TEST(WaitTest, HoldsBackLaterCommandsAndEndsWithItsClient) {
  TestServer server("", 1);
  {
    TestClient client(server.port());
    client.Ask("set foo 1");
    client.Send(TestClient::Encode("wait 2 0") + TestClient::Encode("get foo"));
    ASSERT_TRUE(TestServer::Until([&] {
      size_t waits = 0;
      server.threads[0]->Call([&] { waits = server.nodes[0]->waits.size(); });
      return waits == 1;
    }));
    EXPECT_EQ(server.Started(), 1u);
    server.threads[0]->Call([&] { std::exchange(server.nodes[0]->waits, {})[0](2); });
    EXPECT_EQ(client.Reply(), "2");
    EXPECT_EQ(client.Reply(), "1");
    client.Send(TestClient::Encode("wait 2 0"));
    ASSERT_TRUE(TestServer::Until([&] {
      size_t waits = 0;
      server.threads[0]->Call([&] { waits = server.nodes[0]->waits.size(); });
      return waits == 1;
    }));
  }
  TestClient other(server.port());
  EXPECT_TRUE(TestServer::Until([&] { return Has(other.Ask("info clients"), "connected_clients:1\r\n"); }));
  server.threads[0]->Call([&] {
    EXPECT_TRUE(*server.nodes[0]->wait_given_up);
    server.nodes[0]->waits[0](0);
  });
  EXPECT_EQ(other.Ask("ping"), "PONG");
}

TEST(DebugTest, IsOffByDefault) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_TRUE(
      client.Ask("debug sleep 0").starts_with("ERR DEBUG command not allowed. If the enable-debug-command"));
}

TEST(DebugTest, APushIsFollowedByTheReply) {
  TestServer server("enable-debug-command yes\n", 1);
  TestClient client(server.port());
  client.Ask("hello 3");
  client.Send(TestClient::Encode("debug protocol push") + TestClient::Encode("ping"));
  const auto push = client.ReadReply();
  ASSERT_TRUE(push.has_value());
  EXPECT_EQ(push->type(), resp::Value::Type::kPush);
  EXPECT_EQ(TestClient::ToText(*push), "[server-cpu-usage 42]");
  EXPECT_EQ(client.Reply(), "Some real reply following the push reply");
  EXPECT_EQ(client.Reply(), "PONG");
}

TEST(DebugTest, CutsAndHealsLinks) {
  TestServer server("enable-debug-command local\n", 2);
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("debug link drop 127.0.0.1:7002 " + NodeId{3}.ToName()), "OK");
  server.OnEveryLoop([&](size_t i) {
    EXPECT_EQ(server.nodes[i]->blocked, (std::set<NodeId>{NodeId{2}, NodeId{3}}));
  });
  EXPECT_EQ(client.Ask("debug link heal 127.0.0.1:7002"), "OK");
  server.OnEveryLoop([&](size_t i) { EXPECT_EQ(server.nodes[i]->blocked, (std::set<NodeId>{NodeId{3}})); });
  EXPECT_EQ(client.Ask("debug link heal"), "OK");
  server.OnEveryLoop([&](size_t i) { EXPECT_TRUE(server.nodes[i]->blocked.empty()); });
  EXPECT_EQ(client.Ask("debug link drop 127.0.0.1:9"), "ERR Unknown node 127.0.0.1:9");
  EXPECT_EQ(client.Ask("debug link drop 127.0.0.1:7001"), "ERR a node has no link to itself");
  EXPECT_EQ(client.Ask("debug link drop"), "ERR syntax error");
  EXPECT_EQ(client.Ask("debug foo"),
            "ERR unknown subcommand or wrong number of arguments for 'foo'. Try DEBUG HELP.");
  EXPECT_TRUE(client.Ask("debug help").starts_with("[DEBUG <subcommand>"));
}

TEST(DebugTest, ReloadsOnEveryLoop) {
  TestServer server("enable-debug-command yes\n", 2);
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("debug reload"), "OK");
  server.OnEveryLoop([&](size_t i) { EXPECT_EQ(server.nodes[i]->forgotten, 1); });
  EXPECT_EQ(server.nodes[0]->flushes + server.nodes[1]->flushes, 1);
  server.OnEveryLoop([&](size_t i) { server.nodes[i]->checkpoint_status = Status::IoError("full"); });
  EXPECT_EQ(client.Ask("debug reload"), "ERR Error reloading: full");
}

TEST(DebugTest, StopsThePurgingOfWhatHasEnded) {
  TestServer server("enable-debug-command yes\n", 2);
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("debug set-active-expire 0"), "OK");
  server.OnEveryLoop([&](size_t i) { EXPECT_FALSE(server.nodes[i]->active_expiry); });
  EXPECT_EQ(client.Ask("debug set-active-expire 1"), "OK");
  server.OnEveryLoop([&](size_t i) { EXPECT_TRUE(server.nodes[i]->active_expiry); });
  EXPECT_EQ(client.Ask("debug set-active-expire x"), "ERR value is not an integer or out of range");
}

TEST(DebugTest, HandsKeysOnUnderANameThatClientsCannotUse) {
  TestServer server("enable-debug-command yes\n", 2);
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("debug digest-value a"), "ERR the fake does not know 'orrery.digest'");
  EXPECT_EQ(client.Ask("debug object a"), "ERR the fake does not know 'orrery.object'");
  EXPECT_EQ(client.Ask("debug digest"), "ERR the fake does not know 'orrery.digestall'");
  EXPECT_TRUE(client.Ask("orrery.digest a").starts_with("ERR unknown command"));
}

TEST(DebugTest, AnswersInEachTypeOfTheProtocol) {
  TestServer server("enable-debug-command yes\n", 2);
  TestClient client(server.port());
  const std::pair<const char*, const char*> in_resp2[] = {
      {"string", "$11\r\nHello World\r\n"},
      {"double", "$5\r\n3.141\r\n"},
      {"null", "$-1\r\n"},
      {"set", "*3\r\n:0\r\n:1\r\n:2\r\n"},
      {"true", ":1\r\n"},
      {"push", "-ERR RESP2 is not supported by this command\r\n"}};
  for (const auto& [type, reply] : in_resp2) {
    client.Send(TestClient::Encode(std::string("debug protocol ") + type));
    EXPECT_EQ(client.ReadSome(), reply);
  }
  client.Ask("hello 3");
  const std::pair<const char*, const char*> in_resp3[] = {
      {"double", ",3.141\r\n"},
      {"null", "_\r\n"},
      {"false", "#f\r\n"},
      {"set", "~3\r\n:0\r\n:1\r\n:2\r\n"},
      {"bignum", "(1234567999999999999999999999999999999\r\n"},
      {"verbatim", "=29\r\ntxt:This is a verbatim\nstring\r\n"}};
  for (const auto& [type, reply] : in_resp3) {
    client.Send(TestClient::Encode(std::string("debug protocol ") + type));
    EXPECT_EQ(client.ReadSome(), reply);
  }
  EXPECT_TRUE(client.Ask("debug protocol x").starts_with("ERR Wrong protocol type name."));
}

TEST(DebugTest, SaysAnyError) {
  TestServer server("enable-debug-command yes\n", 2);
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("debug error OOPS"), "OOPS");
  EXPECT_EQ(client.Ask("debug log text"), "OK");
  EXPECT_TRUE(
      client.Ask("debug log").starts_with("ERR unknown subcommand or wrong number of arguments for 'log'"));
}

TEST(TimeTest, TellsSecondsAndMicroseconds) {
  TestServer server;
  TestClient client(server.port());
  client.Send(TestClient::Encode("time"));
  const auto reply = client.ReadReply();
  ASSERT_TRUE(reply && reply->elements().size() == 2);
  EXPECT_GT(std::stoull(std::string(reply->elements()[0].text())), 1'600'000'000u);
  EXPECT_LT(std::stoull(std::string(reply->elements()[1].text())), 1'000'000u);
  bool fine = false;
  for (int i = 0; i < 1000 && !fine; ++i) {
    client.Send(TestClient::Encode("time"));
    const auto again = client.ReadReply();
    ASSERT_TRUE(again && again->elements().size() == 2);
    fine = std::stoull(std::string(again->elements()[1].text())) % 1000 != 0;
  }
  EXPECT_TRUE(fine) << "whole milliseconds, a thousand times";
}

TEST(HelpTest, EveryContainerHasHelp) {
  TestServer server;
  TestClient client(server.port());
  for (const char* name :
       {"client", "config", "slowlog", "latency", "memory", "cluster", "ring", "command"}) {
    const std::string help = client.Ask(std::string(name) + " help");
    EXPECT_TRUE(help.starts_with("[")) << help;
    EXPECT_GT(help.size(), 50u) << help;
  }
}

}  // namespace
}  // namespace orrery::server
