#include "server/config/inert_value.h"
#include "server/config/setting.h"

namespace orrery::server {
namespace {

using Kind = InertValue::Kind;

/// A setting of redis.conf that people have in their files and that has nothing to set here.
struct Inert {
  std::string_view name;
  InertValue allowed;
  std::string_view value;  ///< redis.conf's default, shown by CONFIG GET until set
  std::string_view reason;
  std::string_view alias = {};
  uint32_t flags = 0;  ///< whether Redis lets it be set while it runs: Setting::kImmutable, kProtected
};

constexpr int64_t kIntMax = INT32_MAX;

constexpr InertValue Of(Kind kind) {
  InertValue value;
  value.kind = kind;
  return value;
}
constexpr InertValue kText = Of(Kind::kText);
constexpr InertValue kYesNo = Of(Kind::kYesNo);
constexpr InertValue Integer(int64_t min, int64_t max, int64_t used_min = INT64_MIN,
                             int64_t used_max = INT64_MAX) {
  return {Kind::kInteger, min, max, used_min, used_max};
}
constexpr InertValue Memory(int64_t min = 0, int64_t used_min = INT64_MIN) {
  return {Kind::kMemory, min, INT64_MAX, used_min};
}
constexpr InertValue Choice(std::span<const InertChoice> choices) {
  InertValue value;
  value.kind = Kind::kChoice;
  value.choices = choices;
  return value;
}

constexpr InertChoice kPolicies[] = {{"volatile-lru"},   {"volatile-lfu"}, {"volatile-random"},
                                     {"volatile-ttl"},   {"allkeys-lru"},  {"allkeys-lfu"},
                                     {"allkeys-random"}, {"noeviction"}};
constexpr InertChoice kPropagationErrors[] = {{"ignore"}, {"panic"}, {"panic-on-replicas"}};
constexpr InertChoice kSanitizing[] = {{"no"}, {"yes"}, {"clients"}};
constexpr InertChoice kDisklessLoads[] = {{"disabled"}, {"on-empty-db"}, {"swapdb"}};
constexpr InertChoice kOomScoreKinds[] = {{"no"}, {"yes"}, {"relative", "yes"}, {"absolute"}};

constexpr std::string_view kNoSnapshots = "every write goes to the write-ahead log, there are no RDB files";
constexpr std::string_view kNoAof = "the write-ahead log is always on; appendfsync says when it is synced";
constexpr std::string_view kNoEviction =
    "rows live on disk and are never evicted; block-cache-size bounds memory";
constexpr std::string_view kNoEncodings = "rows on disk have one encoding";
constexpr std::string_view kNoReplicaOf = "all nodes are equal; replication-factor says how many hold a key";
constexpr std::string_view kAlwaysCluster = "every node is a member of a cluster that needs no set-up";
constexpr std::string_view kNoLazyFree = "deleting never walks memory";
constexpr std::string_view kNoDefrag = "jemalloc gives memory back by itself";
constexpr std::string_view kNoTimer = "there is no periodic task whose pace it could set";
constexpr std::string_view kSystem = "it is left to the operating system";
constexpr std::string_view kNoScripts = "there are no scripts to interrupt";

constexpr Inert kInert[] = {
    {"save", Of(Kind::kSavePoints), "", kNoSnapshots},
    {"dbfilename", Of(Kind::kFileOrEmpty), "dump.rdb", kNoSnapshots, {}, Setting::kProtected},
    {"rdbcompression", kYesNo, "yes", kNoSnapshots},
    {"rdbchecksum", kYesNo, "yes", kNoSnapshots, {}, Setting::kImmutable},
    {"rdb-del-sync-files", kYesNo, "no", kNoSnapshots},
    {"rdb-save-incremental-fsync", kYesNo, "yes", kNoSnapshots},
    {"stop-writes-on-bgsave-error", kYesNo, "yes", kNoSnapshots},
    {"appendonly", kYesNo, "yes", kNoAof},
    {"appendfilename", Of(Kind::kFileName), "appendonly.aof", kNoAof, {}, Setting::kImmutable},
    {"appenddirname", Of(Kind::kDirectoryName), "appendonlydir", kNoAof, {}, Setting::kImmutable},
    {"no-appendfsync-on-rewrite", kYesNo, "no", kNoAof},
    {"auto-aof-rewrite-percentage", Integer(0, kIntMax), "100", kNoAof},
    {"auto-aof-rewrite-min-size", Memory(), "67108864", kNoAof},
    {"aof-load-truncated", kYesNo, "yes", kNoAof},
    {"aof-use-rdb-preamble", kYesNo, "yes", kNoAof},
    {"aof-timestamp-enabled", kYesNo, "no", kNoAof},
    {"aof-rewrite-incremental-fsync", kYesNo, "yes", kNoAof},
    {"maxmemory", Memory(), "0", kNoEviction},
    {"maxmemory-policy", Choice(kPolicies), "noeviction", kNoEviction},
    {"maxmemory-samples", Integer(1, kIntMax), "5", kNoEviction},
    {"maxmemory-eviction-tenacity", Integer(0, 100), "10", kNoEviction},
    {"maxmemory-clients", Of(Kind::kMemoryOrPercent), "0",
     "client-output-buffer-limit and client-query-buffer-limit bound clients"},
    {"lfu-log-factor", Integer(0, kIntMax), "10", kNoEviction},
    {"lfu-decay-time", Integer(0, kIntMax), "1", kNoEviction},
    {"active-expire-effort", Integer(1, 10), "1",
     "expired keys are hidden at once and purged in the background"},
    {"activerehashing", kYesNo, "yes", kNoTimer},
    {"activedefrag", kYesNo, "no", kNoDefrag},
    {"active-defrag-ignore-bytes", Memory(1), "104857600", kNoDefrag},
    {"active-defrag-threshold-lower", Integer(0, 1000), "10", kNoDefrag},
    {"active-defrag-threshold-upper", Integer(0, 1000), "100", kNoDefrag},
    {"active-defrag-cycle-min", Integer(1, 99), "1", kNoDefrag},
    {"active-defrag-cycle-max", Integer(1, 99), "25", kNoDefrag},
    {"active-defrag-max-scan-fields", Integer(1, INT64_MAX), "1000", kNoDefrag},
    {"jemalloc-bg-thread", kYesNo, "yes", kNoTimer},
    {"hz", Integer(0, kIntMax, 1, 500), "10", kNoTimer},
    {"dynamic-hz", kYesNo, "yes", kNoTimer},
    {"io-threads",
     Integer(1, 128),
     "1",
     "threads sets the number of loops, each with its own clients",
     {},
     Setting::kImmutable},
    {"io-threads-do-reads",
     kYesNo,
     "no",
     "threads sets the number of loops, each with its own clients",
     {},
     Setting::kImmutable},
    {"lazyfree-lazy-eviction", kYesNo, "no", kNoLazyFree},
    {"lazyfree-lazy-expire", kYesNo, "no", kNoLazyFree},
    {"lazyfree-lazy-server-del", kYesNo, "no", kNoLazyFree},
    {"lazyfree-lazy-user-del", kYesNo, "no", kNoLazyFree},
    {"lazyfree-lazy-user-flush", kYesNo, "no", kNoLazyFree},
    {"list-max-listpack-size", Integer(INT32_MIN, kIntMax), "-2", kNoEncodings, "list-max-ziplist-size"},
    {"list-compress-depth", Integer(0, kIntMax), "0", kNoEncodings},
    {"hll-sparse-max-bytes", Memory(), "3000", kNoEncodings},
    {"stream-node-max-bytes", Memory(), "4096", kNoEncodings},
    {"stream-node-max-entries", Integer(0, INT64_MAX), "100", kNoEncodings},
    {"replicaof", Of(Kind::kNoReplica), "", kNoReplicaOf, "slaveof", Setting::kImmutable},
    {"replica-serve-stale-data", kYesNo, "yes", kNoReplicaOf, "slave-serve-stale-data"},
    {"replica-read-only", kYesNo, "yes", kNoReplicaOf, "slave-read-only"},
    {"replica-priority", Integer(0, kIntMax), "100", kNoReplicaOf, "slave-priority"},
    {"replica-lazy-flush", kYesNo, "no", kNoReplicaOf, "slave-lazy-flush"},
    {"replica-announced", kYesNo, "yes", kNoReplicaOf},
    {"replica-announce-ip", kText, "", "cluster-announce-ip is the setting here", "slave-announce-ip"},
    {"replica-announce-port", Integer(0, 65535), "0", "cluster-announce-port is the setting here",
     "slave-announce-port"},
    {"replica-ignore-maxmemory", kYesNo, "yes", kNoReplicaOf, "slave-ignore-maxmemory"},
    {"replica-ignore-disk-write-errors", kYesNo, "no", kNoReplicaOf},
    {"propagation-error-behavior", Choice(kPropagationErrors), "ignore", kNoReplicaOf},
    {"repl-ping-replica-period", Integer(1, kIntMax), "10", kNoReplicaOf, "repl-ping-slave-period"},
    {"repl-diskless-sync", kYesNo, "yes", kNoReplicaOf},
    {"repl-diskless-sync-delay", Integer(0, kIntMax), "5", kNoReplicaOf},
    {"repl-diskless-sync-max-replicas", Integer(0, kIntMax), "0", kNoReplicaOf},
    {"repl-diskless-load", Choice(kDisklessLoads), "disabled", kNoReplicaOf},
    {"repl-disable-tcp-nodelay", kYesNo, "no", kNoReplicaOf},
    {"repl-backlog-size", Memory(1, 16384), "1048576", "backlog-size is the setting here"},
    {"repl-backlog-ttl", Integer(0, INT64_MAX), "3600", kNoReplicaOf},
    {"repl-timeout", Integer(1, kIntMax), "60", kNoReplicaOf},
    {"min-replicas-to-write", Integer(0, kIntMax), "0", "write-quorum is the setting here",
     "min-slaves-to-write"},
    {"min-replicas-max-lag", Integer(0, kIntMax), "10", "write-quorum is the setting here",
     "min-slaves-max-lag"},
    {"cluster-enabled", kYesNo, "yes", kAlwaysCluster, {}, Setting::kImmutable},
    {"cluster-config-file", kText, "nodes.conf", kAlwaysCluster, {}, Setting::kImmutable},
    {"cluster-node-timeout", Integer(0, INT64_MAX), "1000", "failure-detection-timeout is the setting here"},
    {"cluster-require-full-coverage", kYesNo, "no", kAlwaysCluster},
    {"cluster-migration-barrier", Integer(0, kIntMax), "1", kAlwaysCluster},
    {"cluster-allow-reads-when-down", kYesNo, "no", "read-quorum 1 is the setting here"},
    {"cluster-replica-validity-factor", Integer(0, kIntMax), "10", kAlwaysCluster,
     "cluster-slave-validity-factor"},
    {"cluster-replica-no-failover", kYesNo, "no", kAlwaysCluster, "cluster-slave-no-failover"},
    {"cluster-allow-replica-migration", kYesNo, "yes", kAlwaysCluster},
    {"cluster-link-sendbuf-limit", Memory(), "0", kAlwaysCluster},
    {"acllog-max-len", Integer(0, INT64_MAX), "128", "there are no access control lists"},
    {"notify-keyspace-events", Of(Kind::kEventClasses), "", "there are no keyspace notifications"},
    {"tracking-table-max-keys", Integer(0, INT64_MAX), "1000000", "there is no client-side caching"},
    {"busy-reply-threshold", Integer(0, INT64_MAX), "5000", kNoScripts, "lua-time-limit"},
    {"always-show-logo", kYesNo, "no", "there is no logo", {}, Setting::kImmutable},
    {"set-proc-title", kYesNo, "yes", kSystem, {}, Setting::kImmutable},
    {"proc-title-template", Of(Kind::kTitleTemplate), "{title} {listen-addr} {server-mode}", kSystem},
    {"oom-score-adj", Choice(kOomScoreKinds), "no", kSystem},
    {"oom-score-adj-values", Of(Kind::kOomScores), "0 200 800", kSystem},
    {"disable-thp", kYesNo, "yes", kSystem, {}, Setting::kImmutable},
    {"crash-log-enabled", kYesNo, "yes", kSystem},
    {"crash-memcheck-enabled", kYesNo, "yes", kSystem},
    {"sanitize-dump-payload", Choice(kSanitizing), "no", "RESTORE checks all of what it is given"},
};

Setting MakeInert(const Inert& inert) {
  Setting setting{inert.name, inert.alias, Setting::kInert | inert.flags, {}, {}};
  setting.reason = inert.reason;
  if (inert.allowed.takes_many_words()) setting.flags |= Setting::kManyWords;
  setting.parse = [&inert](std::span<const std::string> words, Config* config) -> std::string {
    if (std::string error = CheckInert(inert.allowed, inert.name, words); !error.empty()) return error;
    const auto before = config->inert.find(inert.name);
    const std::string text =
        ShowInert(inert.allowed, words, before == config->inert.end() ? "" : before->second);
    config->inert.insert_or_assign(std::string(inert.name), text);
    return {};
  };
  setting.format = [&inert](const Config& config) {
    const auto found = config.inert.find(inert.name);
    return found == config.inert.end() ? std::string(inert.value) : found->second;
  };
  return setting;
}

}  // namespace

std::vector<Setting> InertSettings() {
  std::vector<Setting> settings;
  for (const Inert& inert : kInert) settings.push_back(MakeInert(inert));
  return settings;
}

}  // namespace orrery::server
