#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace orrery::server {

/// One of the words that a setting may be, and the word that CONFIG GET shows for it: a synonym's is another.
struct InertChoice {
  std::string_view text;
  std::string_view shown = text;
};

/// What redis.conf allows for a setting that is accepted without effect. Static data.
struct InertValue {
  enum class Kind : uint8_t {
    kText,
    kFileName,       ///< no path, not empty
    kFileOrEmpty,    ///< no path
    kDirectoryName,  ///< no path, not empty
    kYesNo,
    kInteger,
    kMemory,
    kMemoryOrPercent,
    kChoice,
    kEventClasses,   ///< of notify-keyspace-events
    kTitleTemplate,  ///< of proc-title-template
    kOomScores,      ///< three numbers
    kSavePoints,     ///< pairs of numbers; several lines add up
    kNoReplica,      ///< "no one"
  };
  Kind kind = Kind::kText;
  int64_t min = 0;
  int64_t max = INT64_MAX;
  /// Redis takes the number and uses the nearest one between these.
  int64_t used_min = INT64_MIN;
  int64_t used_max = INT64_MAX;
  std::span<const InertChoice> choices = {};

  bool takes_many_words() const {
    return kind == Kind::kOomScores || kind == Kind::kSavePoints || kind == Kind::kNoReplica;
  }
};

/// What is wrong with the words, in Redis's wording; empty if nothing is. name: the setting's. REQUIRES:
/// words.
std::string CheckInert(const InertValue& value, std::string_view name, std::span<const std::string> words);
/// As CONFIG GET shows them. before: the value so far. REQUIRES: CheckInert found nothing.
std::string ShowInert(const InertValue& value, std::span<const std::string> words, std::string_view before);

}  // namespace orrery::server
