#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "orrery/resp/numbers.h"
#include "server/config/setting.h"

namespace orrery::server {

/// Makers of settings, one per kind of value. Error texts are Redis's.

inline std::string OutOfRange(int64_t min, int64_t max) {
  return "argument must be between " + std::to_string(min) + " and " + std::to_string(max) + " inclusive";
}

template <typename T>
Setting Number(std::string_view name, T Config::*member, int64_t min, int64_t max, uint32_t flags = 0,
               std::string_view alias = {}) {
  Setting setting{name, alias, flags, {}, {}};
  setting.parse = [=](std::span<const std::string> words, Config* config) -> std::string {
    const auto value = resp::ParseInteger(words[0]);
    if (!value) return "argument couldn't be parsed into an integer";
    if (*value < min || *value > max) return OutOfRange(min, max);
    config->*member = static_cast<T>(*value);
    return {};
  };
  setting.format = [=](const Config& config) { return std::to_string(config.*member); };
  return setting;
}

inline Setting Memory(std::string_view name, uint64_t Config::*member, uint64_t min, uint32_t flags = 0,
                      std::string_view alias = {}) {
  Setting setting{name, alias, flags, {}, {}};
  setting.parse = [=](std::span<const std::string> words, Config* config) -> std::string {
    uint64_t bytes = 0;
    if (!ParseMemory(words[0], &bytes)) return "argument must be a memory value";
    if (bytes < min || bytes > INT64_MAX) return OutOfRange(static_cast<int64_t>(min), INT64_MAX);
    config->*member = bytes;
    return {};
  };
  setting.format = [=](const Config& config) { return std::to_string(config.*member); };
  setting.lines = [=](const Config& config) {
    return std::vector<std::string>{FormatMemory(config.*member)};
  };
  return setting;
}

inline bool ParseYesNo(std::string_view text, bool* value) {
  std::string lower;
  for (char c : text) lower += static_cast<char>(c | 0x20);
  *value = lower == "yes";
  return lower == "yes" || lower == "no";
}

inline Setting YesNo(std::string_view name, bool Config::*member, uint32_t flags = 0) {
  Setting setting{name, {}, flags, {}, {}};
  setting.parse = [=](std::span<const std::string> words, Config* config) -> std::string {
    return ParseYesNo(words[0], &(config->*member)) ? std::string() : "argument must be 'yes' or 'no'";
  };
  setting.format = [=](const Config& config) { return std::string(config.*member ? "yes" : "no"); };
  return setting;
}

inline Setting Text(std::string_view name, std::string Config::*member, uint32_t flags = 0) {
  Setting setting{name, {}, flags, {}, {}};
  setting.parse = [=](std::span<const std::string> words, Config* config) -> std::string {
    config->*member = words[0];
    return {};
  };
  setting.format = [=](const Config& config) { return config.*member; };
  return setting;
}

template <typename E>
Setting OneOf(std::string_view name, E Config::*member, std::vector<std::pair<std::string_view, E>> choices,
              uint32_t flags = 0) {
  Setting setting{name, {}, flags, {}, {}};
  setting.parse = [=](std::span<const std::string> words, Config* config) -> std::string {
    std::string names;
    for (const auto& [text, value] : choices) {
      bool equal = text.size() == words[0].size();
      for (size_t i = 0; equal && i < text.size(); ++i) equal = (words[0][i] | 0x20) == (text[i] | 0x20);
      if (equal) {
        config->*member = value;
        return {};
      }
      names += (names.empty() ? "" : ", ") + std::string(text);
    }
    return "argument(s) must be one of the following: " + names;
  };
  setting.format = [=](const Config& config) -> std::string {
    for (const auto& [text, value] : choices) {
      if (value == config.*member) return std::string(text);
    }
    return {};
  };
  return setting;
}

}  // namespace orrery::server
