#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "orrery/base/status.h"
#include "orrery/commands/encoding_limits.h"

namespace orrery::server {

enum class LogLevel : uint8_t { kDebug, kVerbose, kNotice, kWarning };
/// When a commit counts as durable, as in redis.conf.
enum class AppendFsync : uint8_t { kAlways, kEverySecond, kNo };
enum class DebugCommand : uint8_t { kNo, kYes, kLocal };
enum class Supervised : uint8_t { kNo, kAuto, kSystemd, kUpstart };

/// A limit on what a client leaves unread: closed beyond `hard`, or beyond `soft` for so many seconds. 0:
/// none.
struct OutputLimit {
  uint64_t hard_bytes = 0;
  uint64_t soft_bytes = 0;
  uint32_t soft_seconds = 0;
  bool operator==(const OutputLimit&) const = default;
};
enum class ClientClass : uint8_t { kNormal, kReplica, kPubsub };

/// A node's peers connect to its client port plus this, unless settings say otherwise; as Redis Cluster's bus port.
inline constexpr uint32_t kPeerPortOffset = 10000;

/// Another node's address, written host:port or host:port@peer-port, as CLUSTER NODES writes addresses.
struct SeedAddress {
  std::string host;
  uint16_t port = 0;
  uint16_t peer_port = 0;
  bool operator==(const SeedAddress&) const = default;
};
/// kInvalid with a reason in one line.
Result<SeedAddress> ParseSeedAddress(std::string_view text);
std::string ToText(const SeedAddress& address);

/// Every setting of a node, with its default. docs/configuration.md and config/orrery.conf say what each one
/// means. A value: once published by ConfigStore it does not change any more.
struct Config {
  // Network.
  std::vector<std::string> bind = {"127.0.0.1", "-::1"};
  bool protected_mode = true;
  uint16_t port = 6379;
  uint16_t peer_port = 0;  ///< 0: port + 10000; see PeerPort()
  std::string announce_ip;
  uint16_t announce_port = 0;
  uint16_t announce_peer_port = 0;
  uint32_t tcp_backlog = 511;
  uint32_t tcp_keepalive_s = 300;
  uint32_t timeout_s = 0;

  // Process.
  std::string dir = "./";
  uint32_t threads = 0;  ///< 0: one per core
  bool daemonize = false;
  std::string pidfile;
  Supervised supervised = Supervised::kNo;
  LogLevel loglevel = LogLevel::kNotice;
  std::string logfile;
  uint32_t shutdown_timeout_s = 10;

  // Clients.
  uint32_t maxclients = 10000;
  uint64_t proto_max_bulk_len = uint64_t{512} << 20;
  uint64_t client_query_buffer_limit = uint64_t{1} << 30;
  std::array<OutputLimit, 3> output_limits = {OutputLimit{},
                                              OutputLimit{uint64_t{256} << 20, uint64_t{64} << 20, 60},
                                              OutputLimit{uint64_t{32} << 20, uint64_t{8} << 20, 60}};
  std::string requirepass;
  uint32_t databases = 16;

  // Observation.
  int64_t slowlog_log_slower_than_us = 10000;
  uint64_t slowlog_max_len = 128;
  uint64_t latency_monitor_threshold_ms = 0;
  bool latency_tracking = true;
  std::vector<double> latency_percentiles = {50, 99, 99.9};
  DebugCommand enable_debug_command = DebugCommand::kNo;

  // What OBJECT ENCODING says.
  uint64_t hash_max_listpack_entries = 512;
  uint64_t hash_max_listpack_value = 64;
  uint64_t set_max_intset_entries = 512;
  uint64_t zset_max_listpack_entries = 128;
  uint64_t zset_max_listpack_value = 64;

  // Cluster.
  std::string cluster_name = "orrery";
  std::string peer_secret;
  std::vector<SeedAddress> seeds;
  std::string zone;
  uint32_t weight = 1;
  bool slot_transfer = true;  ///< members come and go while there is data
  uint64_t transfer_latency_target_ms = 50;  ///< 0: slots change hands as fast as they can
  uint8_t replication_factor = 3;
  uint8_t read_quorum = 2;
  uint8_t write_quorum = 2;
  uint32_t request_timeout_ms = 5000;
  uint32_t failure_detection_timeout_ms = 1000;
  uint64_t max_clock_drift_ms = 300'000;
  uint64_t anti_entropy_interval_ms = 10'000;

  // Storage.
  AppendFsync appendfsync = AppendFsync::kEverySecond;
  uint64_t backlog_bytes = uint64_t{64} << 20;
  uint64_t hint_store_bytes = uint64_t{1} << 30;
  uint64_t block_cache_bytes = uint64_t{256} << 20;
  uint64_t write_buffer_bytes = uint64_t{128} << 20;
  uint64_t row_cache_bytes = uint64_t{64} << 20;
  uint64_t scrub_interval_s = 86'400;  ///< 0: off
  uint64_t scrub_bytes_per_s = uint64_t{16} << 20;

  /// Settings of redis.conf that have no effect here, as they were given: name -> value.
  std::map<std::string, std::string, std::less<>> inert;

  uint16_t PeerPort() const;
  commands::EncodingLimits Encodings() const {
    return {hash_max_listpack_entries, hash_max_listpack_value, set_max_intset_entries, zset_max_listpack_entries,
            zset_max_listpack_value};
  }
  const OutputLimit& output_limit(ClientClass c) const { return output_limits[static_cast<size_t>(c)]; }
  bool operator==(const Config&) const = default;
};
using ConfigPtr = std::shared_ptr<const Config>;

/// What the command line asks for.
struct Startup {
  enum class Action : uint8_t { kRun, kHelp, kVersion };
  Action action = Action::kRun;
  Config config;
  std::string file;  ///< absolute path of the configuration file; empty without one
  /// One line for each setting that was given and has no effect here, with the reason.
  std::vector<std::string> notes;
};

/// Reads the command line as redis-server does: [config-file] [--setting value ...] [-], `-` being standard
/// input. kInvalid carries the whole text for the user, in the form of redis-server's fatal configuration
/// errors.
Result<Startup> LoadStartup(std::span<const std::string> args, std::istream& standard_input);
/// The same from a text, for tests and for `config/orrery.conf`'s own check.
Result<Config> ParseConfig(std::string_view text);
std::string UsageText();
std::string VersionText();

/// The settings in force. Get() gives what holds now, as an immutable value; each loop keeps a copy of the
/// pointer and gets the next one by message. Any thread.
class ConfigStore {
 public:
  explicit ConfigStore(Config initial, std::string file = {});
  ConfigStore(const ConfigStore&) = delete;
  ConfigStore& operator=(const ConfigStore&) = delete;

  ConfigPtr Get() const;
  /// What the process must be able to do before settings change: called with those in force and those to come, under
  /// the store's lock, on whatever thread sets. Its error refuses all changes, as one of the named setting. Set
  /// before the loops run; nullptr: nothing.
  struct Refusal {
    std::string_view setting;
    std::string reason;
  };
  using Check = std::function<std::optional<Refusal>(const Config& now, const Config& next)>;
  void SetCheck(Check check) { check_ = std::move(check); }
  /// All changes or none. An error is CONFIG SET's reply line, with its code.
  Status Set(std::span<const std::pair<std::string, std::string>> changes);
  /// Writes what is in force into the configuration file, keeping its comments and order. An error is CONFIG
  /// REWRITE's reply line.
  Status Rewrite() const;
  const std::string& file() const { return file_; }

 private:
  mutable std::mutex mutex_;
  ConfigPtr config_;
  std::string file_;
  Check check_;
};

/// Names and values of the settings that match one of the patterns, for CONFIG GET. Any thread.
std::vector<std::pair<std::string, std::string>> MatchSettings(const Config& config,
                                                               std::span<const std::string_view> patterns);

}  // namespace orrery::server
