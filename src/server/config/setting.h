#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/server/config.h"

namespace orrery::server {

/// One setting: its name in files and CONFIG, how its words become a value and back. Static data, any thread.
struct Setting {
  enum Flag : uint32_t {
    kImmutable = 1 << 0,  ///< only at start
    kProtected = 1 << 1,  ///< only at start, for it would let a client reach the file system
    kManyWords = 1 << 2,  ///< takes any number of words
    kInert = 1 << 3,      ///< accepted for redis.conf's sake
    kSecret = 1 << 4,     ///< not shown in SLOWLOG
  };
  /// Changes the configuration, or returns what is wrong with the words, in Redis's wording.
  using Parse = std::function<std::string(std::span<const std::string> words, Config* config)>;
  using Format = std::function<std::string(const Config& config)>;
  /// The lines, without the name, that CONFIG REWRITE writes, where they are not the quoted value.
  using Lines = std::function<std::vector<std::string>(const Config& config)>;

  std::string_view name;
  std::string_view alias;
  uint32_t flags = 0;
  Parse parse;
  Format format;
  Lines lines = {};
  /// For inert settings: why they have no effect.
  std::string_view reason = {};

  bool has(Flag flag) const { return (flags & flag) != 0; }
};

/// Every setting, in the order of config/orrery.conf.
const std::vector<Setting>& AllSettings();
/// By name or alias, in any case; nullptr if there is none.
const Setting* FindSetting(std::string_view name);
/// Checks the number of words and applies them.
std::string ApplySetting(const Setting& setting, std::span<const std::string> words, Config* config);

/// The part of AllSettings() that is accepted without effect.
std::vector<Setting> InertSettings();

/// "64mb", "1GB", "100": bytes. False if it is nothing of the kind.
bool ParseMemory(std::string_view text, uint64_t* bytes);
/// The shortest exact form: 67108864 is "64mb".
std::string FormatMemory(uint64_t bytes);

/// Words of one configuration line: blanks separate, "..." with escapes and '...' hold together. False when a
/// quote is not closed or is followed by something.
bool SplitWords(std::string_view line, std::vector<std::string>* words);
/// As one word of a configuration line: quoted where it has to be.
std::string QuoteWord(std::string_view word);

}  // namespace orrery::server
