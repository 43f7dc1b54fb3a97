#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "orrery/base/status.h"
#include "orrery/server/config.h"

namespace orrery::server {

/// Reads the text of a configuration file into a Config, line by line. Errors (kInvalid) have the form of
/// redis-server's fatal configuration errors. Used once, at start, by one thread.
class ConfigReader {
 public:
  Status ReadText(std::string_view text);
  Status ReadFile(const std::string& path);

  const Config& config() const { return config_; }
  /// Names of the settings seen, for notes about those that have no effect.
  const std::vector<std::string>& seen() const { return seen_; }

 private:
  Status ReadLine(std::string_view line, int number);
  Status ReadIncludes(const std::string& pattern);

  Config config_;
  std::vector<std::string> seen_;
  int depth_ = 0;
};

/// The whole file, or kIoError with the system's reason.
Result<std::string> ReadWholeFile(const std::string& path);
/// Replaces the file atomically and durably.
Status ReplaceFile(const std::string& path, std::string_view text);

/// The text with every setting of `config` that it does not already say: comments, order and unchanged lines
/// stay.
Result<std::string> RewriteConfigText(std::string_view text, const Config& config);

}  // namespace orrery::server
