#include <set>

#include "orrery/commands/glob.h"
#include "orrery/resp/numbers.h"
#include "orrery/server/config.h"
#include "server/config/config_file.h"
#include "server/config/setting.h"

namespace orrery::server {
namespace {

Status SetError(std::string_view name, std::string_view reason) {
  return Status::Invalid("ERR CONFIG SET failed (possibly related to argument '" + std::string(name) +
                         "') - " + std::string(reason));
}

std::optional<uint16_t> ParsePort(std::string_view text) {
  const auto port = resp::ParseInteger(text);
  if (!port || *port < 1 || *port > 65535) return std::nullopt;
  return static_cast<uint16_t>(*port);
}

/// Whether the words mean what is in force already.
bool IsInForce(const Setting& setting, const std::string& value, const Config& config) {
  Config changed = config;
  return ApplySetting(setting, {&value, 1}, &changed).empty() &&
         setting.format(changed) == setting.format(config);
}

}  // namespace

uint16_t Config::PeerPort() const {
  if (peer_port != 0 || port == 0) return peer_port;
  return static_cast<uint16_t>(port + kPeerPortOffset);
}

Result<SeedAddress> ParseSeedAddress(std::string_view text) {
  const std::string bad =
      "'" + std::string(text) + "' is not an address of the form host:port or host:port@peer-port";
  const size_t at = text.rfind('@');
  const std::string_view address = text.substr(0, at);
  const size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return Status::Invalid(bad);
  const auto port = ParsePort(address.substr(colon + 1));
  if (!port) return Status::Invalid(bad);
  SeedAddress seed{std::string(address.substr(0, colon)), *port, 0};
  if (seed.host.starts_with('[') && seed.host.ends_with(']'))
    seed.host = seed.host.substr(1, seed.host.size() - 2);
  if (at != std::string_view::npos) {
    const auto peer_port = ParsePort(text.substr(at + 1));
    if (!peer_port) return Status::Invalid(bad);
    seed.peer_port = *peer_port;
  } else if (*port + kPeerPortOffset > 65535) {
    return Status::Invalid("'" + std::string(text) + "' needs a peer port: host:port@peer-port");
  } else {
    seed.peer_port = static_cast<uint16_t>(*port + kPeerPortOffset);
  }
  return seed;
}

std::string ToText(const SeedAddress& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port) + "@" +
         std::to_string(address.peer_port);
}

ConfigStore::ConfigStore(Config initial, std::string file)
    : config_(std::make_shared<const Config>(std::move(initial))), file_(std::move(file)) {}

ConfigPtr ConfigStore::Get() const {
  const std::lock_guard lock(mutex_);
  return config_;
}

Status ConfigStore::Set(std::span<const std::pair<std::string, std::string>> changes) {
  const std::lock_guard lock(mutex_);
  Config next = *config_;
  std::set<const Setting*> seen;
  for (const auto& [name, value] : changes) {
    const Setting* setting = FindSetting(name);
    if (setting == nullptr) {
      return Status::Invalid("ERR Unknown option or number of arguments for CONFIG SET - '" + name + "'");
    }
    if (setting->has(Setting::kImmutable) && !IsInForce(*setting, value, *config_))
      return SetError(name, "can't set immutable config");
    if (setting->has(Setting::kProtected)) return SetError(name, "can't set protected config");
    if (!seen.insert(setting).second) return SetError(name, "duplicate parameter");
  }
  for (const auto& [name, value] : changes) {
    const Setting* setting = FindSetting(name);
    if (setting->has(Setting::kInert)) next.inert.erase(std::string(setting->name));
    if (const std::string error = ApplySetting(*setting, {&value, 1}, &next); !error.empty())
      return SetError(name, error);
  }
  if (check_) {
    if (const auto refusal = check_(*config_, next)) return SetError(refusal->setting, refusal->reason);
  }
  config_ = std::make_shared<const Config>(std::move(next));
  return Status::Ok();
}

Status ConfigStore::Rewrite() const {
  if (file_.empty()) return Status::Invalid("ERR The server is running without a config file");
  const std::lock_guard lock(mutex_);
  const Result<std::string> old = ReadWholeFile(file_);
  if (!old.ok()) return Status::IoError("ERR Rewriting config file: " + old.status().message());
  const Result<std::string> text = RewriteConfigText(*old, *config_);
  if (!text.ok()) return Status::IoError("ERR Rewriting config file: " + text.status().message());
  if (Status s = ReplaceFile(file_, *text); !s.ok()) {
    return Status::IoError("ERR Rewriting config file: " + s.message());
  }
  return Status::Ok();
}

std::vector<std::pair<std::string, std::string>> MatchSettings(const Config& config,
                                                               std::span<const std::string_view> patterns) {
  std::vector<std::pair<std::string, std::string>> found;
  const auto matches = [&](std::string_view name) {
    for (std::string_view pattern : patterns) {
      if (commands::GlobMatchesIgnoringCase(pattern, name)) return true;
    }
    return false;
  };
  for (const Setting& setting : AllSettings()) {
    if (matches(setting.name)) found.emplace_back(setting.name, setting.format(config));
    if (!setting.alias.empty() && matches(setting.alias))
      found.emplace_back(setting.alias, setting.format(config));
  }
  return found;
}

}  // namespace orrery::server
