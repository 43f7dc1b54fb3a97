#include "orrery/server/config.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

#include "orrery/runtime/uv/listen_address.h"
#include "server/config/announced_host.h"
#include "server/config/setting.h"

namespace orrery::server {
namespace {

Config Parse(const std::string& text) {
  auto config = ParseConfig(text);
  EXPECT_TRUE(config.ok()) << config.status().message();
  return config.ok() ? *config : Config();
}

Startup Start(const std::vector<std::string>& args, const std::string& input = {}) {
  std::istringstream in(input);
  auto startup = LoadStartup(args, in);
  EXPECT_TRUE(startup.ok()) << startup.status().message();
  return startup.ok() ? *startup : Startup();
}

std::string StartError(const std::vector<std::string>& args) {
  std::istringstream in;
  auto startup = LoadStartup(args, in);
  return startup.ok() ? "" : startup.status().message();
}

std::string Value(const Config& config, std::string_view name) {
  const Setting* setting = FindSetting(name);
  return setting == nullptr ? "?" : setting->format(config);
}

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text) : path(testing::TempDir() + "orrery_config_XXXXXX") {
    const int fd = mkstemp(path.data());
    EXPECT_GE(fd, 0);
    close(fd);
    std::ofstream(path) << text;
  }
  ~TemporaryFile() { unlink(path.c_str()); }
  std::string Read() const {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  std::string path;
};

TEST(AnnouncedHostTest, IsAnAddressThatPeersCanUse) {
  EXPECT_EQ(AnnouncedHost(Config()), "127.0.0.1");
  EXPECT_EQ(AnnouncedHost(Parse("bind -10.0.0.9 10.0.0.1 10.0.0.2")), "10.0.0.1");
  EXPECT_EQ(AnnouncedHost(Parse("bind * 10.0.0.1")), "10.0.0.1");
  EXPECT_EQ(AnnouncedHost(Parse("bind ::1")), "::1");
  EXPECT_EQ(AnnouncedHost(Parse("bind -10.0.0.9")), "10.0.0.9");
  EXPECT_EQ(AnnouncedHost(Parse("bind * -::*\ncluster-announce-ip node1")), "node1");
  for (const char* any : {"bind *", "bind ::*", "bind * -::*", "bind 0.0.0.0", "bind ::", "bind * -::1"}) {
    const std::string host = AnnouncedHost(Parse(any));
    EXPECT_EQ(host, runtime::AddressOfThisMachine()) << any;
    EXPECT_TRUE(host != "::" && host != "0.0.0.0" && !host.empty()) << any;
  }
}

TEST(ConfigFileTest, ReadsEveryKindOfValue) {
  struct Case {
    std::string line;
    std::string name;
    std::string value;
  };
  const Case cases[] = {
      {"port 7001", "port", "7001"},
      {"  PORT\t7001  \r", "port", "7001"},
      {"bind 10.0.0.1 -::1", "bind", "10.0.0.1 -::1"},
      {"cluster-port 9", "peer-port", "9"},
      {"proto-max-bulk-len 1gb", "proto-max-bulk-len", "1073741824"},
      {"backlog-size 3m", "backlog-size", "3000000"},
      {"block-cache-size 64MB", "block-cache-size", "67108864"},
      {"daemonize YES", "daemonize", "yes"},
      {"appendfsync always", "appendfsync", "always"},
      {"loglevel debug", "loglevel", "debug"},
      {"requirepass \"a \\\"b\\\" \\x41\\n\"", "requirepass", "a \"b\" A\n"},
      {"requirepass 'it\\'s # not a comment'", "requirepass", "it's # not a comment"},
      {"requirepass \"\"", "requirepass", ""},
      {"slowlog-log-slower-than -1", "slowlog-log-slower-than", "-1"},
      {"client-output-buffer-limit replica 1mb 2kb 3", "client-output-buffer-limit",
       "normal 0 0 0 slave 1048576 2048 3 pubsub 33554432 8388608 60"},
      {"client-output-buffer-limit normal 1 2 3 pubsub 4 5 6", "client-output-buffer-limit",
       "normal 1 2 3 slave 268435456 67108864 60 pubsub 4 5 6"},
      {"seeds 127.0.0.1:7001 [::1]:7002@9 node-a:1", "seeds",
       "127.0.0.1:7001@17001 [::1]:7002@9 node-a:1@10001"},
      {"seeds \"\"", "seeds", ""},
      {"latency-tracking-info-percentiles 1 99.5", "latency-tracking-info-percentiles", "1 99.5"},
      {"save 3600 1\nsave 300 100", "save", "3600 1 300 100"},
      {"save 3600 1\nsave \"\"", "save", ""},
      {"maxmemory 1gb", "maxmemory", "1073741824"},
      {"maxmemory-policy AllKeys-LRU", "maxmemory-policy", "allkeys-lru"},
      {"appendonly NO", "appendonly", "no"},
      {"hz 9999", "hz", "500"},
      {"hz 0", "hz", "1"},
      {"repl-backlog-size 1kb", "repl-backlog-size", "16384"},
      {"oom-score-adj relative", "oom-score-adj", "yes"},
      {"oom-score-adj-values 1 -2000 2000", "oom-score-adj-values", "1 -2000 2000"},
      {"notify-keyspace-events KEA", "notify-keyspace-events", "AKE"},
      {"notify-keyspace-events nxgK", "notify-keyspace-events", "gxnK"},
      {"notify-keyspace-events dtexzhsl$gnE", "notify-keyspace-events", "AE"},
      {"notify-keyspace-events \"\"", "notify-keyspace-events", ""},
      {"proc-title-template {title}:{port}", "proc-title-template", "{title}:{port}"},
      {"dbfilename \"\"", "dbfilename", ""},
      {"maxmemory-clients 50%", "maxmemory-clients", "50%"},
      {"replicaof no one", "replicaof", ""},
      {"slaveof NO ONE", "replicaof", ""},
      {"slave-read-only no", "replica-read-only", "no"},
      {"min-slaves-to-write 1", "min-replicas-to-write", "1"},
      {"list-max-ziplist-size 128", "list-max-listpack-size", "128"},
      {"lua-time-limit 10", "busy-reply-threshold", "10"},
      {"slave-announce-ip 10.0.0.1", "replica-announce-ip", "10.0.0.1"},
      {"# comment\n\n   # another\nport 1", "port", "1"},
      {"port 1\nport 2", "port", "2"},
  };
  for (const Case& c : cases) EXPECT_EQ(Value(Parse(c.line), c.name), c.value) << c.line;
}

// What a file from before Redis 5 says of replicas and encodings.
TEST(ConfigFileTest, TakesTheOlderNames) {
  const std::string lines =
      "slave-serve-stale-data yes\nslave-read-only yes\nslave-priority 100\nslave-lazy-flush no\n"
      "slave-announce-ip 5.5.5.5\nslave-announce-port 1234\nmin-slaves-to-write 3\nmin-slaves-max-lag 10\n"
      "repl-ping-slave-period 10\ncluster-slave-validity-factor 10\nclient-output-buffer-limit slave 256mb "
      "64mb 60\n"
      "hash-max-ziplist-entries 512\nhash-max-ziplist-value 64\nlist-max-ziplist-size -2\n"
      "zset-max-ziplist-entries 128\nzset-max-ziplist-value 64\nlua-time-limit 5000\n"
      "active-defrag-ignore-bytes 100mb\nactive-defrag-threshold-lower 10\nactive-defrag-cycle-min 1\n";
  EXPECT_EQ(Value(Parse(lines), "replica-announce-port"), "1234");
}

TEST(ConfigFileTest, RefusesBadLinesInRedisWords) {
  struct Case {
    std::string line;
    std::string reason;
  };
  const Case cases[] = {
      {"foo bar", "Bad directive or wrong number of arguments"},
      {"port", "wrong number of arguments"},
      {"port 1 2", "wrong number of arguments"},
      {"port abc", "argument couldn't be parsed into an integer"},
      {"port 01", "argument couldn't be parsed into an integer"},
      {"port 99999", "argument must be between 0 and 65535 inclusive"},
      {"port -1", "argument must be between 0 and 65535 inclusive"},
      {"daemonize maybe", "argument must be 'yes' or 'no'"},
      {"loglevel x", "argument(s) must be one of the following: debug, verbose, notice, warning"},
      {"appendfsync sometimes", "argument(s) must be one of the following: everysec, always, no"},
      {"block-cache-size 10qq", "argument must be a memory value"},
      {"block-cache-size -1", "argument must be a memory value"},
      {"block-cache-size 99999999999999999999gb", "argument must be a memory value"},
      {"proto-max-bulk-len 1kb", "argument must be between 1048576 and 9223372036854775807 inclusive"},
      {"dir \"/tmp", "Unbalanced quotes in configuration line"},
      {"dir \"/tmp\"x", "Unbalanced quotes in configuration line"},
      {"client-output-buffer-limit normal 1 2", "Wrong number of arguments in buffer limit configuration."},
      {"client-output-buffer-limit foo 1 2 3",
       "Invalid client class specified in buffer limit configuration."},
      {"client-output-buffer-limit normal a 2 3",
       "Error in hard, soft or soft_seconds setting in buffer limit configuration."},
      {"save a", "Invalid save parameters"},
      {"appendonly maybe", "argument must be 'yes' or 'no'"},
      {"maxmemory-policy foo",
       "argument(s) must be one of the following: volatile-lru, volatile-lfu, volatile-random, volatile-ttl, "
       "allkeys-lru, allkeys-lfu, allkeys-random, noeviction"},
      {"repl-diskless-load foo", "argument(s) must be one of the following: disabled, on-empty-db, swapdb"},
      {"oom-score-adj foo", "argument(s) must be one of the following: no, yes, relative, absolute"},
      {"oom-score-adj-values 1 2", "wrong number of arguments"},
      {"oom-score-adj-values 1 2 2001",
       "Invalid oom-score-adj-values, elements must be between -2000 and 2000."},
      {"maxmemory-samples 0", "argument must be between 1 and 2147483647 inclusive"},
      {"maxmemory-clients 101%", "percentage argument must be less or equal to 100"},
      {"repl-timeout 0", "argument must be between 1 and 2147483647 inclusive"},
      {"lfu-log-factor -1", "argument must be between 0 and 2147483647 inclusive"},
      {"min-replicas-to-write -5", "argument must be between 0 and 2147483647 inclusive"},
      {"active-expire-effort 11", "argument must be between 1 and 10 inclusive"},
      {"io-threads 900", "argument must be between 1 and 128 inclusive"},
      {"list-compress-depth -1", "argument must be between 0 and 2147483647 inclusive"},
      {"cluster-node-timeout -1", "argument must be between 0 and 9223372036854775807 inclusive"},
      {"repl-backlog-size 0", "argument must be between 1 and 9223372036854775807 inclusive"},
      {"notify-keyspace-events Kq", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."},
      {"proc-title-template {nothing}", "template format is invalid or contains unknown variables"},
      {"proc-title-template \"\"", "template format is invalid or contains unknown variables"},
      {"dbfilename a/b", "dbfilename can't be a path, just a filename"},
      {"appendfilename \"\"", "appendfilename can't be empty"},
      {"appenddirname a/b", "appenddirname can't be a path, just a dirname"},
      {"replicaof no", "wrong number of arguments"},
      {"replicaof 10.0.0.1 6379", "a node cannot be the replica of another server"},
      {"replication-factor 0", "argument must be between 1 and 16 inclusive"},
      {"cluster-name \"two words\"", "argument must be printable, without blanks and commas"},
      {"seeds nowhere", "'nowhere' is not an address of the form host:port or host:port@peer-port"},
      {"seeds a:60000", "'a:60000' needs a peer port: host:port@peer-port"},
      {"bind \"\"", "bind needs an address; * stands for all"},
  };
  for (const Case& c : cases) {
    const auto config = ParseConfig("port 7001\n" + c.line + "\n");
    ASSERT_FALSE(config.ok()) << c.line;
    EXPECT_EQ(config.status().message(),
              "\n*** FATAL CONFIG FILE ERROR (Orrery 0.1.0) ***\n"
              "Reading the configuration file, at line 2\n>>> '" +
                  c.line + "'\n" + c.reason + "\n");
  }
}

TEST(ConfigFileTest, IncludesFilesWhereTheyStand) {
  const TemporaryFile inner("port 2\ntimeout 7\n");
  const Config config = Parse("port 1\ninclude " + inner.path + "\ntimeout 8\n");
  EXPECT_EQ(config.port, 2);
  EXPECT_EQ(config.timeout_s, 8u);
}

TEST(ConfigFileTest, ReportsAnIncludeThatCannotBeRead) {
  const auto config = ParseConfig("include /nonexistent/orrery.conf\n");
  ASSERT_FALSE(config.ok());
  EXPECT_NE(config.status().message().find("can't open config file '/nonexistent/orrery.conf'"),
            std::string::npos);
}

TEST(ConfigFileTest, StopsAtFilesThatIncludeEachOther) {
  const TemporaryFile loop("");
  std::ofstream(loop.path) << "include " << loop.path << "\n";
  EXPECT_FALSE(ParseConfig("include " + loop.path + "\n").ok());
}

TEST(ConfigFileTest, TakesRedisConfOfAnInstallation) {
  const std::string stock =
      "bind 127.0.0.1 -::1\nprotected-mode yes\nport 6379\ntcp-backlog 511\ntimeout 0\ntcp-keepalive "
      "300\ndaemonize yes\n"
      "pidfile /run/redis/redis-server.pid\nloglevel notice\nlogfile "
      "/var/log/redis/redis-server.log\ndatabases 16\n"
      "always-show-logo no\nset-proc-title yes\nproc-title-template \"{title} {listen-addr} {server-mode}\"\n"
      "stop-writes-on-bgsave-error yes\nrdbcompression yes\nrdbchecksum yes\ndbfilename "
      "dump.rdb\nrdb-del-sync-files no\n"
      "dir /var/lib/redis\nreplica-serve-stale-data yes\nreplica-read-only yes\nrepl-diskless-sync yes\n"
      "lazyfree-lazy-eviction no\noom-score-adj no\noom-score-adj-values 0 200 800\ndisable-thp "
      "yes\nappendonly no\nappendfilename \"appendonly.aof\"\n"
      "appenddirname \"appendonlydir\"\nappendfsync everysec\nauto-aof-rewrite-min-size "
      "64mb\nslowlog-max-len 128\n"
      "notify-keyspace-events \"\"\nhash-max-listpack-entries 512\nlist-max-listpack-size "
      "-2\nactiverehashing yes\n"
      "client-output-buffer-limit normal 0 0 0\nclient-output-buffer-limit replica 256mb 64mb 60\nhz "
      "10\ndynamic-hz yes\n";
  EXPECT_TRUE(Parse(stock).daemonize);
}

TEST(CommandLineTest, OverridesTheFile) {
  const TemporaryFile file("port 1\ntimeout 2\n");
  const Startup startup = Start({file.path, "--port", "7001", "--bind", "10.0.0.1", "10.0.0.2"});
  EXPECT_EQ(startup.file, file.path);
  EXPECT_EQ(startup.config.port, 7001);
  EXPECT_EQ(startup.config.timeout_s, 2u);
  EXPECT_EQ(startup.config.bind, (std::vector<std::string>{"10.0.0.1", "10.0.0.2"}));
}

TEST(CommandLineTest, TakesSettingsWithoutAFile) {
  const Startup startup =
      Start({"--port 7001", "--requirepass", "two words", "--appendfsync", "always", "--save"});
  EXPECT_EQ(startup.file, "");
  EXPECT_EQ(startup.config.port, 7001);
  EXPECT_EQ(startup.config.requirepass, "two words");
  EXPECT_EQ(startup.config.appendfsync, AppendFsync::kAlways);
}

TEST(CommandLineTest, ReadsStandardInput) {
  const Startup startup = Start({"-", "--timeout", "9"}, "port 7001\ntimeout 3\n");
  EXPECT_EQ(startup.config.port, 7001);
  EXPECT_EQ(startup.config.timeout_s, 9u);
}

TEST(CommandLineTest, NamesHelpAndVersion) {
  EXPECT_EQ(Start({"--help"}).action, Startup::Action::kHelp);
  EXPECT_EQ(Start({"-h"}).action, Startup::Action::kHelp);
  EXPECT_EQ(Start({"--version"}).action, Startup::Action::kVersion);
  EXPECT_EQ(Start({"-v"}).action, Startup::Action::kVersion);
  EXPECT_EQ(Start({}).action, Startup::Action::kRun);
}

TEST(CommandLineTest, ReportsMistakes) {
  EXPECT_NE(StartError({"--foo", "bar"}).find(">>> 'foo bar'\nBad directive"), std::string::npos);
  EXPECT_NE(StartError({"--port"}).find(">>> 'port'\nwrong number of arguments"), std::string::npos);
  EXPECT_NE(
      StartError({"/nonexistent.conf"}).find("can't open config file '/nonexistent.conf': No such file"),
      std::string::npos);
}

TEST(CommandLineTest, SaysWhatHasNoEffect) {
  const Startup startup = Start({"--save", "900 1", "--hz", "50", "--port", "1", "--hz", "60"});
  ASSERT_EQ(startup.notes.size(), 2u);
  EXPECT_NE(startup.notes[0].find("'save' has no effect"), std::string::npos);
  EXPECT_NE(startup.notes[1].find("'hz' has no effect"), std::string::npos);
}

using Changes = std::vector<std::pair<std::string, std::string>>;

TEST(ConfigStoreTest, ChangesSeveralSettingsOrNone) {
  ConfigStore store{Config()};
  EXPECT_TRUE(store.Set(Changes{{"timeout", "5"}, {"MaxClients", "7"}}).ok());
  EXPECT_EQ(store.Get()->timeout_s, 5u);
  EXPECT_EQ(store.Get()->maxclients, 7u);
  const Status failed = store.Set(Changes{{"timeout", "6"}, {"maxclients", "x"}});
  EXPECT_EQ(failed.message(),
            "ERR CONFIG SET failed (possibly related to argument 'maxclients') - argument couldn't be parsed "
            "into an "
            "integer");
  EXPECT_EQ(store.Get()->timeout_s, 5u);
}

TEST(ConfigStoreTest, RefusesInRedisWords) {
  ConfigStore store{Config()};
  const std::string failed = "ERR CONFIG SET failed (possibly related to argument ";
  const std::pair<Changes, std::string> cases[] = {
      {{{"foo", "1"}}, "ERR Unknown option or number of arguments for CONFIG SET - 'foo'"},
      {{{"daemonize", "yes"}}, failed + "'daemonize') - can't set immutable config"},
      {{{"port", "1"}}, failed + "'port') - can't set immutable config"},
      {{{"dir", "/"}}, failed + "'dir') - can't set protected config"},
      {{{"timeout", "1"}, {"timeout", "2"}}, failed + "'timeout') - duplicate parameter"},
      {{{"client-output-buffer-limit", "normal 1"}},
       failed + "'client-output-buffer-limit') - Wrong number of arguments in buffer limit configuration."},
  };
  for (const auto& [changes, error] : cases) EXPECT_EQ(store.Set(changes).message(), error);
}

TEST(ConfigStoreTest, TakesAStartSettingThatIsInForce) {
  ConfigStore store{Config()};
  EXPECT_TRUE(store.Set(Changes{{"port", "6379"}, {"bind", "127.0.0.1 -::1"}, {"seeds", ""}}).ok());
  EXPECT_EQ(*store.Get(), Config());
}

TEST(ConfigStoreTest, NoNodeIsAReplicaOfAnother) {
  ConfigStore store{Config()};
  EXPECT_FALSE(store.Set(Changes{{"replicaof", "127.0.0.1 1"}}).ok());
  EXPECT_FALSE(ParseConfig("replicaof 127.0.0.1 1\n").ok());
  const std::string_view patterns[] = {"*of"};
  EXPECT_EQ(MatchSettings(*store.Get(), patterns), (Changes{{"replicaof", ""}, {"slaveof", ""}}));
}

TEST(ConfigStoreTest, SizesMayBeShares) {
  ConfigStore store{Config()};
  EXPECT_TRUE(store.Set(Changes{{"maxmemory-clients", "50%"}}).ok());
  EXPECT_EQ(store.Set(Changes{{"maxmemory-clients", "101%"}}).message(),
            "ERR CONFIG SET failed (possibly related to argument 'maxmemory-clients') - percentage argument must be "
            "less or equal to 100");
  EXPECT_FALSE(store.Set(Changes{{"maxmemory-clients", "x%"}}).ok());
  const std::string_view patterns[] = {"maxmemory-clients"};
  EXPECT_EQ(MatchSettings(*store.Get(), patterns), (Changes{{"maxmemory-clients", "50%"}}));
}

TEST(ConfigStoreTest, LimitsOfEncodingsHaveTwoNames) {
  ConfigStore store{Config()};
  ASSERT_TRUE(store.Set(Changes{{"hash-max-ziplist-entries", "3"}, {"zset-max-listpack-value", "1kb"}}).ok());
  EXPECT_EQ(store.Get()->Encodings(), (commands::EncodingLimits{3, 64, 512, 128, 1024}));
}

TEST(ConfigStoreTest, ReadersKeepTheValueTheyHave) {
  ConfigStore store{Config()};
  const ConfigPtr before = store.Get();
  ASSERT_TRUE(store.Set(Changes{{"timeout", "5"}}).ok());
  EXPECT_EQ(before->timeout_s, 0u);
}

TEST(ConfigStoreTest, MatchesPatterns) {
  const Config config;
  const std::string_view patterns[] = {"MAX*s", "p?rt", "cluster-port"};
  const auto found = MatchSettings(config, patterns);
  std::vector<std::string> names;
  for (const auto& [name, value] : found) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"port", "cluster-port", "maxclients", "maxmemory-samples",
                                             "maxmemory-clients"}));
}

TEST(ConfigRewriteTest, KeepsCommentsAndUntouchedLines) {
  const TemporaryFile file(
      "# my node\nport 7001\n\n  Timeout   5 \n# end of the timeouts\ntimeout 6\nblock-cache-size "
      "67108864\n");
  ConfigStore store(Parse(file.Read()), file.path);
  ASSERT_TRUE(
      store.Set(Changes{{"timeout", "9"}, {"requirepass", "a b"}, {"proto-max-bulk-len", "1048576"}}).ok());
  ASSERT_TRUE(store.Rewrite().ok());
  EXPECT_EQ(file.Read(),
            "# my node\nport 7001\n\ntimeout 9\n# end of the timeouts\nblock-cache-size 67108864\n"
            "# Generated by CONFIG REWRITE\nproto-max-bulk-len 1mb\nrequirepass \"a b\"\n");
}

TEST(ConfigSetTest, KeepsWhatRedisKeepsWhileItRuns) {
  ConfigStore store{Config()};
  for (const char* name : {"rdbchecksum", "appendfilename", "appenddirname", "io-threads", "io-threads-do-reads",
                           "cluster-enabled", "cluster-config-file", "always-show-logo", "set-proc-title",
                           "disable-thp", "replicaof"}) {
    for (const std::string value : {"no", "900"}) {
      if (Value(*store.Get(), name) == value) continue;
      EXPECT_EQ(store.Set(Changes{{name, value}}).message(),
                "ERR CONFIG SET failed (possibly related to argument '" + std::string(name) +
                    "') - can't set immutable config");
    }
  }
  EXPECT_EQ(store.Set(Changes{{"dbfilename", "other.rdb"}}).message(),
            "ERR CONFIG SET failed (possibly related to argument 'dbfilename') - can't set protected config");
  EXPECT_TRUE(store.Set(Changes{{"io-threads", "1"}, {"appendonly", "no"}}).ok());
}

TEST(ConfigRewriteTest, WritesNothingWhenNothingChanged) {
  const std::string text = "port   7001 # 1\n";
  const TemporaryFile file("port 7001\n");
  ConfigStore store(Parse(file.Read()), file.path);
  ASSERT_TRUE(store.Rewrite().ok());
  EXPECT_EQ(file.Read(), "port 7001\n");
}

TEST(ConfigRewriteTest, OverrulesAnIncludedFile) {
  const TemporaryFile inner("timeout 3\n");
  const TemporaryFile file("timeout 2\ninclude " + inner.path + "\n");
  ConfigStore store(Parse(file.Read()), file.path);
  ASSERT_TRUE(store.Set(Changes{{"timeout", "4"}}).ok());
  ASSERT_TRUE(store.Rewrite().ok());
  EXPECT_EQ(Parse(file.Read()).timeout_s, 4u);
  EXPECT_EQ(inner.Read(), "timeout 3\n");
}

TEST(ConfigRewriteTest, RewrittenFileGivesEqualSettings) {
  const TemporaryFile file("port 7001\nsave 1 1\nseeds a:1 b:2\n");
  ConfigStore store(Parse(file.Read()), file.path);
  ASSERT_TRUE(store
                  .Set(Changes{{"client-output-buffer-limit", "normal 1gb 3 4"},
                               {"save", "5 6"},
                               {"latency-tracking-info-percentiles", ""},
                               {"requirepass", "\x01\"\\' #"}})
                  .ok());
  ASSERT_TRUE(store.Rewrite().ok());
  const Config again = Parse(file.Read());
  for (const Setting& setting : AllSettings()) {
    EXPECT_EQ(setting.format(again), setting.format(*store.Get())) << setting.name << "\n" << file.Read();
  }
}

TEST(ConfigRewriteTest, NeedsAFile) {
  ConfigStore store{Config()};
  EXPECT_EQ(store.Rewrite().message(), "ERR The server is running without a config file");
}

/// The lines of config/orrery.conf that show a setting, without their comment mark.
std::string ShownSettings(const std::string& text) {
  std::istringstream in(text);
  std::string shown;
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("# ")) continue;
    std::vector<std::string> words;
    if (!SplitWords(line.substr(2), &words) || words.size() < 2) continue;
    const Setting* setting = FindSetting(words[0]);
    if (setting == nullptr || std::string(setting->name) != words[0]) continue;
    if (Config probe; ApplySetting(*setting, std::span(words).subspan(1), &probe).empty())
      shown += line.substr(2) + "\n";
  }
  return shown;
}

std::string ReadShippedFile() {
  std::ostringstream text;
  text << std::ifstream(ORRERY_SOURCE_DIR "/config/orrery.conf").rdbuf();
  return text.str();
}

TEST(ShippedConfigTest, LoadsAsItIs) {
  EXPECT_EQ(Parse(ReadShippedFile()), Config());
}

TEST(ShippedConfigTest, ShowsEverySettingWithItsDefault) {
  const std::string shown = ShownSettings(ReadShippedFile());
  const Config config = Parse(shown);
  EXPECT_EQ(config, Config());
  std::istringstream in(shown);
  std::set<std::string> names;
  for (std::string line; std::getline(in, line);) names.insert(line.substr(0, line.find(' ')));
  for (const Setting& setting : AllSettings()) {
    if (setting.has(Setting::kInert)) continue;
    EXPECT_TRUE(names.contains(std::string(setting.name))) << setting.name;
  }
}

TEST(ShippedConfigTest, MarksWhatCanBeChangedLive) {
  std::istringstream in(ReadShippedFile());
  bool live = false;
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) live = false;
    if (line.starts_with("# (live)")) live = true;
    const size_t end = line.find(' ', 2);
    const Setting* setting = end == std::string::npos ? nullptr : FindSetting(line.substr(2, end - 2));
    std::vector<std::string> words;
    if (setting == nullptr || !SplitWords(line.substr(2), &words) || setting->name != words[0]) continue;
    Config probe;
    if (!ApplySetting(*setting, std::span(words).subspan(1), &probe).empty()) continue;
    EXPECT_EQ(live, !setting->has(Setting::kImmutable) && !setting->has(Setting::kProtected)) << line;
  }
}

TEST(ShippedConfigTest, DocumentationListsEverySetting) {
  std::ostringstream text;
  text << std::ifstream(ORRERY_SOURCE_DIR "/docs/configuration.md").rdbuf();
  for (const Setting& setting : AllSettings()) {
    EXPECT_NE(text.str().find("`" + std::string(setting.name) + "`"), std::string::npos) << setting.name;
  }
}

TEST(MemoryValueTest, FormatsTheShortestExactForm) {
  EXPECT_EQ(FormatMemory(0), "0");
  EXPECT_EQ(FormatMemory(1000), "1000");
  EXPECT_EQ(FormatMemory(1024), "1kb");
  EXPECT_EQ(FormatMemory(64 << 20), "64mb");
  EXPECT_EQ(FormatMemory(uint64_t{3} << 30), "3gb");
}

}  // namespace
}  // namespace orrery::server
