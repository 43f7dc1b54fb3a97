#include "server/config/setting.h"
#include "server/config/setting_kinds.h"

namespace orrery::server {
namespace {

enum class Kind : uint8_t { kText, kYesNo, kInteger, kMemory, kMemoryOrPercent, kWords, kSavePoints, kNever };

/// A setting of redis.conf that people have in their files and that has nothing to set here.
struct Inert {
  std::string_view name;
  Kind kind;
  std::string_view value;  ///< redis.conf's default, shown by CONFIG GET until set
  std::string_view reason;
  std::string_view alias = {};
};

constexpr std::string_view kNoSnapshots = "every write goes to the write-ahead log, there are no RDB files";
constexpr std::string_view kNoAof = "the write-ahead log is always on; appendfsync says when it is synced";
constexpr std::string_view kNoEviction =
    "rows live on disk and are never evicted; block-cache-size bounds memory";
constexpr std::string_view kNoEncodings = "rows on disk have one encoding";
constexpr std::string_view kNoReplicaOf = "all nodes are equal; replication-factor says how many hold a key";
constexpr std::string_view kAlwaysCluster = "every node is a member of a cluster that needs no set-up";
constexpr std::string_view kNoLazyFree = "deleting never walks memory";
constexpr std::string_view kNoTimer = "there is no periodic task whose pace it could set";
constexpr std::string_view kSystem = "it is left to the operating system";
constexpr std::string_view kNoScripts = "there are no scripts to interrupt";

constexpr Inert kInert[] = {
    {"save", Kind::kSavePoints, "", kNoSnapshots},
    {"dbfilename", Kind::kText, "dump.rdb", kNoSnapshots},
    {"rdbcompression", Kind::kYesNo, "yes", kNoSnapshots},
    {"rdbchecksum", Kind::kYesNo, "yes", kNoSnapshots},
    {"rdb-del-sync-files", Kind::kYesNo, "no", kNoSnapshots},
    {"rdb-save-incremental-fsync", Kind::kYesNo, "yes", kNoSnapshots},
    {"stop-writes-on-bgsave-error", Kind::kYesNo, "yes", kNoSnapshots},
    {"appendonly", Kind::kYesNo, "yes", kNoAof},
    {"appendfilename", Kind::kText, "appendonly.aof", kNoAof},
    {"appenddirname", Kind::kText, "appendonlydir", kNoAof},
    {"no-appendfsync-on-rewrite", Kind::kYesNo, "no", kNoAof},
    {"auto-aof-rewrite-percentage", Kind::kInteger, "100", kNoAof},
    {"auto-aof-rewrite-min-size", Kind::kMemory, "67108864", kNoAof},
    {"aof-load-truncated", Kind::kYesNo, "yes", kNoAof},
    {"aof-use-rdb-preamble", Kind::kYesNo, "yes", kNoAof},
    {"aof-timestamp-enabled", Kind::kYesNo, "no", kNoAof},
    {"aof-rewrite-incremental-fsync", Kind::kYesNo, "yes", kNoAof},
    {"maxmemory", Kind::kMemory, "0", kNoEviction},
    {"maxmemory-policy", Kind::kText, "noeviction", kNoEviction},
    {"maxmemory-samples", Kind::kInteger, "5", kNoEviction},
    {"maxmemory-clients", Kind::kMemoryOrPercent, "0",
     "client-output-buffer-limit and client-query-buffer-limit bound clients"},
    {"lfu-log-factor", Kind::kInteger, "10", kNoEviction},
    {"lfu-decay-time", Kind::kInteger, "1", kNoEviction},
    {"active-expire-effort", Kind::kInteger, "1",
     "expired keys are hidden at once and purged in the background"},
    {"activerehashing", Kind::kYesNo, "yes", kNoTimer},
    {"activedefrag", Kind::kYesNo, "no", kNoTimer},
    {"jemalloc-bg-thread", Kind::kYesNo, "yes", kNoTimer},
    {"hz", Kind::kInteger, "10", kNoTimer},
    {"dynamic-hz", Kind::kYesNo, "yes", kNoTimer},
    {"io-threads", Kind::kInteger, "1", "threads sets the number of loops, each with its own clients"},
    {"io-threads-do-reads", Kind::kYesNo, "no",
     "threads sets the number of loops, each with its own clients"},
    {"lazyfree-lazy-eviction", Kind::kYesNo, "no", kNoLazyFree},
    {"lazyfree-lazy-expire", Kind::kYesNo, "no", kNoLazyFree},
    {"lazyfree-lazy-server-del", Kind::kYesNo, "no", kNoLazyFree},
    {"lazyfree-lazy-user-del", Kind::kYesNo, "no", kNoLazyFree},
    {"lazyfree-lazy-user-flush", Kind::kYesNo, "no", kNoLazyFree},
    {"list-max-listpack-size", Kind::kInteger, "-2", kNoEncodings},
    {"list-max-ziplist-size", Kind::kInteger, "-2", kNoEncodings},
    {"list-compress-depth", Kind::kInteger, "0", kNoEncodings},
    {"hll-sparse-max-bytes", Kind::kMemory, "3000", kNoEncodings},
    {"stream-node-max-bytes", Kind::kMemory, "4096", kNoEncodings},
    {"stream-node-max-entries", Kind::kInteger, "100", kNoEncodings},
    {"replicaof", Kind::kNever, "", kNoReplicaOf, "slaveof"},
    {"replica-serve-stale-data", Kind::kYesNo, "yes", kNoReplicaOf},
    {"replica-read-only", Kind::kYesNo, "yes", kNoReplicaOf},
    {"replica-priority", Kind::kInteger, "100", kNoReplicaOf},
    {"replica-lazy-flush", Kind::kYesNo, "no", kNoReplicaOf},
    {"repl-diskless-sync", Kind::kYesNo, "yes", kNoReplicaOf},
    {"repl-diskless-sync-delay", Kind::kInteger, "5", kNoReplicaOf},
    {"repl-diskless-sync-max-replicas", Kind::kInteger, "0", kNoReplicaOf},
    {"repl-diskless-load", Kind::kText, "disabled", kNoReplicaOf},
    {"repl-disable-tcp-nodelay", Kind::kYesNo, "no", kNoReplicaOf},
    {"repl-backlog-size", Kind::kMemory, "1048576", "backlog-size is the setting here"},
    {"repl-backlog-ttl", Kind::kInteger, "3600", kNoReplicaOf},
    {"repl-timeout", Kind::kInteger, "60", kNoReplicaOf},
    {"min-replicas-to-write", Kind::kInteger, "0", "write-quorum is the setting here"},
    {"min-replicas-max-lag", Kind::kInteger, "10", "write-quorum is the setting here"},
    {"cluster-enabled", Kind::kYesNo, "yes", kAlwaysCluster},
    {"cluster-config-file", Kind::kText, "nodes.conf", kAlwaysCluster},
    {"cluster-node-timeout", Kind::kInteger, "1000", "failure-detection-timeout is the setting here"},
    {"cluster-require-full-coverage", Kind::kYesNo, "no", kAlwaysCluster},
    {"cluster-migration-barrier", Kind::kInteger, "1", kAlwaysCluster},
    {"cluster-allow-reads-when-down", Kind::kYesNo, "no", "read-quorum 1 is the setting here"},
    {"cluster-replica-validity-factor", Kind::kInteger, "10", kAlwaysCluster},
    {"cluster-replica-no-failover", Kind::kYesNo, "no", kAlwaysCluster},
    {"acllog-max-len", Kind::kInteger, "128", "there are no access control lists"},
    {"notify-keyspace-events", Kind::kText, "", "there are no keyspace notifications"},
    {"tracking-table-max-keys", Kind::kInteger, "1000000", "there is no client-side caching"},
    {"lua-time-limit", Kind::kInteger, "5000", kNoScripts},
    {"busy-reply-threshold", Kind::kInteger, "5000", kNoScripts},
    {"always-show-logo", Kind::kYesNo, "no", "there is no logo"},
    {"set-proc-title", Kind::kYesNo, "yes", kSystem},
    {"proc-title-template", Kind::kText, "{title} {listen-addr} {server-mode}", kSystem},
    {"oom-score-adj", Kind::kText, "no", kSystem},
    {"oom-score-adj-values", Kind::kWords, "0 200 800", kSystem},
    {"disable-thp", Kind::kYesNo, "yes", kSystem},
    {"crash-log-enabled", Kind::kYesNo, "yes", kSystem},
};

std::string CheckSavePoints(std::span<const std::string> words) {
  if (words.size() == 1 && words[0].empty()) return {};
  if (words.size() % 2 != 0) return "Invalid save parameters";
  for (const std::string& word : words) {
    const auto value = resp::ParseInteger(word);
    if (!value || *value < 0) return "Invalid save parameters";
  }
  return {};
}

/// Of "70%"; nullopt if it is nothing of the kind.
std::optional<int64_t> PercentOf(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  const auto number = resp::ParseInteger(text.substr(0, text.size() - 1));
  return number && *number >= 0 ? number : std::nullopt;
}

std::string CheckValue(Kind kind, std::span<const std::string> words) {
  uint64_t bytes = 0;
  bool yes = false;
  switch (kind) {
    case Kind::kText:
    case Kind::kWords:
      return {};
    case Kind::kSavePoints:
      return CheckSavePoints(words);
    case Kind::kNever:
      return "a node cannot be the replica of another server";
    case Kind::kYesNo:
      return ParseYesNo(words[0], &yes) ? "" : "argument must be 'yes' or 'no'";
    case Kind::kInteger:
      return resp::ParseInteger(words[0]) ? "" : "argument couldn't be parsed into an integer";
    case Kind::kMemoryOrPercent:
      if (const auto percent = PercentOf(words[0])) {
        return *percent <= 100 ? "" : "percentage argument must be less or equal to 100";
      }
      return ParseMemory(words[0], &bytes) ? "" : "argument must be a memory or percent value";
    case Kind::kMemory:
      return ParseMemory(words[0], &bytes) ? "" : "argument must be a memory value";
  }
  return {};
}

std::string ValueText(const Inert& inert, std::span<const std::string> words, std::string_view before) {
  if (inert.kind == Kind::kMemory || (inert.kind == Kind::kMemoryOrPercent && !PercentOf(words[0]))) {
    uint64_t bytes = 0;
    ORRERY_CHECK(ParseMemory(words[0], &bytes));
    return std::to_string(bytes);
  }
  if (inert.kind != Kind::kSavePoints && inert.kind != Kind::kWords) return words[0];
  if (words[0].empty()) return {};
  std::string joined(inert.kind == Kind::kSavePoints ? before : "");  // several lines of save points add up
  for (const std::string& word : words) joined += (joined.empty() ? "" : " ") + word;
  return joined;
}

Setting MakeInert(const Inert& inert) {
  Setting setting{inert.name, inert.alias, Setting::kInert, {}, {}};
  setting.reason = inert.reason;
  if (inert.kind == Kind::kNever) setting.flags |= Setting::kManyWords | Setting::kImmutable;
  if (inert.kind == Kind::kSavePoints || inert.kind == Kind::kWords) setting.flags |= Setting::kManyWords;
  setting.parse = [&inert](std::span<const std::string> words, Config* config) -> std::string {
    if (std::string error = CheckValue(inert.kind, words); !error.empty()) return error;
    const auto before = config->inert.find(inert.name);
    const std::string text = ValueText(inert, words, before == config->inert.end() ? "" : before->second);
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
