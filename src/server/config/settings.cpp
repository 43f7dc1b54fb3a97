#include <algorithm>
#include <cctype>
#include <limits>
#include <unordered_map>

#include "server/config/setting.h"
#include "server/config/setting_kinds.h"

namespace orrery::server {
namespace {

constexpr int64_t kInt32Max = std::numeric_limits<int32_t>::max();
constexpr int64_t kUint32Max = std::numeric_limits<uint32_t>::max();
constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();
constexpr uint32_t kImmutable = Setting::kImmutable;
constexpr std::string_view kClassNames[] = {"normal", "slave", "pubsub"};

std::string Join(const std::vector<std::string>& words) {
  std::string joined;
  for (const std::string& word : words) joined += (joined.empty() ? "" : " ") + word;
  return joined;
}

Setting Bind() {
  Setting setting{"bind", {}, Setting::kManyWords | kImmutable, {}, {}};
  setting.parse = [](std::span<const std::string> words, Config* config) -> std::string {
    if (words.size() > 16) return "wrong number of arguments";
    if (words.size() == 1 && words[0].empty()) return "bind needs an address; * stands for all";
    config->bind.assign(words.begin(), words.end());
    return {};
  };
  setting.format = [](const Config& config) { return Join(config.bind); };
  setting.lines = [](const Config& config) { return std::vector<std::string>{Join(config.bind)}; };
  return setting;
}

Setting Seeds() {
  Setting setting{"seeds", {}, Setting::kManyWords | kImmutable, {}, {}};
  setting.parse = [](std::span<const std::string> words, Config* config) -> std::string {
    std::vector<SeedAddress> seeds;
    for (const std::string& word : words) {
      if (word.empty()) continue;
      auto seed = ParseSeedAddress(word);
      if (!seed.ok()) return seed.status().message();
      seeds.push_back(std::move(*seed));
    }
    config->seeds = std::move(seeds);
    return {};
  };
  setting.format = [](const Config& config) {
    std::string text;
    for (const SeedAddress& seed : config.seeds) text += (text.empty() ? "" : " ") + ToText(seed);
    return text;
  };
  return setting;
}

std::optional<size_t> ClassIndex(std::string_view name) {
  if (name == "replica") return 1;
  for (size_t i = 0; i < std::size(kClassNames); ++i) {
    if (name == kClassNames[i]) return i;
  }
  return std::nullopt;
}

std::string ParseOutputLimits(std::span<const std::string> words, Config* config) {
  if (words.empty() || words.size() % 4 != 0)
    return "Wrong number of arguments in buffer limit configuration.";
  for (size_t i = 0; i < words.size(); i += 4) {
    const auto index = ClassIndex(words[i]);
    if (!index) return "Invalid client class specified in buffer limit configuration.";
    OutputLimit limit;
    const auto seconds = resp::ParseInteger(words[i + 3]);
    if (!ParseMemory(words[i + 1], &limit.hard_bytes) || !ParseMemory(words[i + 2], &limit.soft_bytes) ||
        !seconds || *seconds < 0 || *seconds > kInt32Max) {
      return "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
    }
    limit.soft_seconds = static_cast<uint32_t>(*seconds);
    config->output_limits[*index] = limit;
  }
  return {};
}

Setting OutputLimits() {
  Setting setting{"client-output-buffer-limit", {}, Setting::kManyWords, ParseOutputLimits, {}};
  setting.format = [](const Config& config) {
    std::vector<std::string> words;
    for (size_t i = 0; i < config.output_limits.size(); ++i) {
      const OutputLimit& limit = config.output_limits[i];
      words.insert(words.end(), {std::string(kClassNames[i]), std::to_string(limit.hard_bytes),
                                 std::to_string(limit.soft_bytes), std::to_string(limit.soft_seconds)});
    }
    return Join(words);
  };
  setting.lines = [](const Config& config) {
    std::vector<std::string> lines;
    for (size_t i = 0; i < config.output_limits.size(); ++i) {
      const OutputLimit& limit = config.output_limits[i];
      lines.push_back((i == 1 ? "replica" : std::string(kClassNames[i])) + " " +
                      FormatMemory(limit.hard_bytes) + " " + FormatMemory(limit.soft_bytes) + " " +
                      std::to_string(limit.soft_seconds));
    }
    return lines;
  };
  return setting;
}

Setting Percentiles() {
  Setting setting{"latency-tracking-info-percentiles", {}, Setting::kManyWords, {}, {}};
  setting.parse = [](std::span<const std::string> words, Config* config) -> std::string {
    std::vector<double> percentiles;
    for (const std::string& word : words) {
      if (word.empty() && words.size() == 1) break;
      const auto value = resp::ParseDouble(word);
      if (!value) return "Invalid latency percentile";
      if (*value < 0 || *value > 100) return "latency percentiles must be between 0.0 and 100.0";
      percentiles.push_back(*value);
    }
    config->latency_percentiles = std::move(percentiles);
    return {};
  };
  setting.format = [](const Config& config) {
    std::vector<std::string> words;
    for (double value : config.latency_percentiles) {
      char text[32];
      std::snprintf(text, sizeof(text), "%.10g", value);
      words.emplace_back(text);
    }
    return Join(words);
  };
  return setting;
}

/// One word without blanks, for what travels between nodes.
Setting Name(std::string_view name, std::string Config::*member, size_t length_max, bool may_be_empty) {
  Setting setting = Text(name, member, kImmutable);
  setting.parse = [=](std::span<const std::string> words, Config* config) -> std::string {
    const std::string& word = words[0];
    const bool plain =
        std::all_of(word.begin(), word.end(), [](char c) { return c > ' ' && c <= '~' && c != ','; });
    if (!plain) return "argument must be printable, without blanks and commas";
    if (word.size() > length_max) return "argument must not be longer than " + std::to_string(length_max);
    if (word.empty() && !may_be_empty) return "argument must not be empty";
    config->*member = word;
    return {};
  };
  return setting;
}

std::vector<Setting> NetworkSettings() {
  return {
      Bind(),
      YesNo("protected-mode", &Config::protected_mode),
      Number("port", &Config::port, 0, 65535, kImmutable),
      Number("peer-port", &Config::peer_port, 0, 65535, kImmutable, "cluster-port"),
      Text("cluster-announce-ip", &Config::announce_ip, kImmutable),
      Number("cluster-announce-port", &Config::announce_port, 0, 65535, kImmutable),
      Number("cluster-announce-bus-port", &Config::announce_peer_port, 0, 65535, kImmutable),
      Number("tcp-backlog", &Config::tcp_backlog, 0, kInt32Max, kImmutable),
      Number("tcp-keepalive", &Config::tcp_keepalive_s, 0, kInt32Max),
      Number("timeout", &Config::timeout_s, 0, kInt32Max),
  };
}

std::vector<Setting> ProcessSettings() {
  return {
      Text("dir", &Config::dir, Setting::kProtected),
      Number("threads", &Config::threads, 0, 128, kImmutable),
      YesNo("daemonize", &Config::daemonize, kImmutable),
      Text("pidfile", &Config::pidfile, kImmutable),
      OneOf<Supervised>("supervised", &Config::supervised,
                        {{"no", Supervised::kNo},
                         {"auto", Supervised::kAuto},
                         {"systemd", Supervised::kSystemd},
                         {"upstart", Supervised::kUpstart}},
                        kImmutable),
      OneOf<LogLevel>("loglevel", &Config::loglevel,
                      {{"debug", LogLevel::kDebug},
                       {"verbose", LogLevel::kVerbose},
                       {"notice", LogLevel::kNotice},
                       {"warning", LogLevel::kWarning}}),
      Text("logfile", &Config::logfile, kImmutable),
      Number("shutdown-timeout", &Config::shutdown_timeout_s, 0, kInt32Max),
  };
}

std::vector<Setting> ClientSettings() {
  return {
      Number("maxclients", &Config::maxclients, 1, kUint32Max),
      Memory("proto-max-bulk-len", &Config::proto_max_bulk_len, uint64_t{1} << 20),
      Memory("client-query-buffer-limit", &Config::client_query_buffer_limit, uint64_t{1} << 20),
      OutputLimits(),
      Text("requirepass", &Config::requirepass, Setting::kSecret),
      Number("databases", &Config::databases, 1, 256, kImmutable),
  };
}

std::vector<Setting> ObservationSettings() {
  return {
      Number("slowlog-log-slower-than", &Config::slowlog_log_slower_than_us, -1, kInt64Max),
      Number("slowlog-max-len", &Config::slowlog_max_len, 0, kInt64Max),
      Number("latency-monitor-threshold", &Config::latency_monitor_threshold_ms, 0, kInt64Max),
      YesNo("latency-tracking", &Config::latency_tracking),
      Percentiles(),
      OneOf<DebugCommand>(
          "enable-debug-command", &Config::enable_debug_command,
          {{"no", DebugCommand::kNo}, {"yes", DebugCommand::kYes}, {"local", DebugCommand::kLocal}},
          kImmutable),
  };
}

std::vector<Setting> EncodingSettings() {
  return {
      Number("hash-max-listpack-entries", &Config::hash_max_listpack_entries, 0, kInt64Max, 0,
             "hash-max-ziplist-entries"),
      Memory("hash-max-listpack-value", &Config::hash_max_listpack_value, 0, 0, "hash-max-ziplist-value"),
      Number("set-max-intset-entries", &Config::set_max_intset_entries, 0, kInt64Max),
      Number("zset-max-listpack-entries", &Config::zset_max_listpack_entries, 0, kInt64Max, 0,
             "zset-max-ziplist-entries"),
      Memory("zset-max-listpack-value", &Config::zset_max_listpack_value, 0, 0, "zset-max-ziplist-value"),
  };
}

std::vector<Setting> ClusterSettings() {
  return {
      Name("cluster-name", &Config::cluster_name, 64, false),
      Text("peer-secret", &Config::peer_secret, kImmutable | Setting::kSecret),
      Seeds(),
      Name("zone", &Config::zone, 64, true),
      Number("weight", &Config::weight, 0, 10000, kImmutable),
      YesNo("slot-transfer", &Config::slot_transfer, kImmutable),
      Number("transfer-latency-target", &Config::transfer_latency_target_ms, 0, 3'600'000),
      Number("replication-factor", &Config::replication_factor, 1, 16, kImmutable),
      Number("read-quorum", &Config::read_quorum, 1, 16),
      Number("write-quorum", &Config::write_quorum, 1, 16),
      Number("request-timeout", &Config::request_timeout_ms, 1, 3'600'000),
      Number("failure-detection-timeout", &Config::failure_detection_timeout_ms, 100, 60'000, kImmutable),
      Number("max-clock-drift", &Config::max_clock_drift_ms, 1, kInt64Max, kImmutable),
      Number("anti-entropy-interval", &Config::anti_entropy_interval_ms, 100, kInt64Max),
  };
}

std::vector<Setting> StorageSettings() {
  return {
      OneOf<AppendFsync>("appendfsync", &Config::appendfsync,
                         {{"everysec", AppendFsync::kEverySecond},
                          {"always", AppendFsync::kAlways},
                          {"no", AppendFsync::kNo}}),
      Memory("backlog-size", &Config::backlog_bytes, uint64_t{1} << 20, kImmutable),
      Memory("hint-store-size", &Config::hint_store_bytes, uint64_t{1} << 20, kImmutable),
      Memory("block-cache-size", &Config::block_cache_bytes, 0, kImmutable),
      Memory("write-buffer-size", &Config::write_buffer_bytes, uint64_t{1} << 20, kImmutable),
      Memory("row-cache-size", &Config::row_cache_bytes, 0, kImmutable),
      Number("scrub-interval", &Config::scrub_interval_s, 0, kInt32Max),
      Memory("scrub-rate", &Config::scrub_bytes_per_s, uint64_t{64} << 10),
  };
}

std::string LowerCase(std::string_view text) {
  std::string lower;
  for (char c : text) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::unordered_map<std::string, const Setting*> IndexSettings() {
  std::unordered_map<std::string, const Setting*> index;
  for (const Setting& setting : AllSettings()) {
    index.emplace(setting.name, &setting);
    if (!setting.alias.empty()) index.emplace(setting.alias, &setting);
  }
  return index;
}

}  // namespace

const std::vector<Setting>& AllSettings() {
  static const std::vector<Setting> settings = [] {
    std::vector<Setting> all;
    for (auto* part : {&NetworkSettings, &ProcessSettings, &ClientSettings, &ObservationSettings,
                       &EncodingSettings, &ClusterSettings, &StorageSettings, &InertSettings}) {
      for (Setting& setting : (*part)()) all.push_back(std::move(setting));
    }
    return all;
  }();
  return settings;
}

const Setting* FindSetting(std::string_view name) {
  static const std::unordered_map<std::string, const Setting*> index = IndexSettings();
  const auto found = index.find(LowerCase(name));
  return found == index.end() ? nullptr : found->second;
}

std::string ApplySetting(const Setting& setting, std::span<const std::string> words, Config* config) {
  if (words.empty() || (words.size() != 1 && !setting.has(Setting::kManyWords)))
    return "wrong number of arguments";
  if (words.size() > 1 || words[0].empty() || !setting.has(Setting::kManyWords))
    return setting.parse(words, config);
  std::vector<std::string> split;  // `--save "900 1"` and CONFIG SET give all words in one
  if (!SplitWords(words[0], &split)) return "Unbalanced quotes in configuration line";
  if (split.empty()) split.emplace_back();
  return setting.parse(split, config);
}

}  // namespace orrery::server
