#include "server/config/inert_value.h"

#include <algorithm>
#include <optional>

#include "orrery/base/check.h"
#include "orrery/commands/command_table.h"
#include "server/config/setting.h"
#include "server/config/setting_kinds.h"

namespace orrery::server {
namespace {

using commands::EqualsIgnoringCase;
using Kind = InertValue::Kind;

// Keyspace and keyevent, and the classes of events, in the order in which Redis shows them; "A" is all but
// the last.
constexpr std::string_view kEventClasses = "g$lshzxetdn";
constexpr std::string_view kAllClasses = kEventClasses.substr(0, kEventClasses.size() - 1);
constexpr std::string_view kEventWays = "KEm";

constexpr std::string_view kTitleVariables[] = {"{title}",    "{listen-addr}", "{server-mode}", "{port}",
                                                "{tls-port}", "{unixsocket}",  "{config-file}"};

std::string CheckSavePoints(std::span<const std::string> words) {
  if (words.size() == 1 && words[0].empty()) return {};
  if (words.size() % 2 != 0) return "Invalid save parameters";
  for (const std::string& word : words) {
    const auto value = resp::ParseInteger(word);
    if (!value || *value < 0) return "Invalid save parameters";
  }
  return {};
}

std::string CheckOomScores(std::span<const std::string> words) {
  constexpr int64_t kMax = 2000;
  if (words.size() != 3) return "wrong number of arguments";
  for (const std::string& word : words) {
    const auto value = resp::ParseInteger(word);
    if (!value || *value < -kMax || *value > kMax)
      return "Invalid oom-score-adj-values, elements must be between -2000 and 2000.";
  }
  return {};
}

std::string CheckNoReplica(std::span<const std::string> words) {
  if (words.size() == 1 && words[0].empty()) return {};
  if (words.size() != 2) return "wrong number of arguments";
  const bool no_one = EqualsIgnoringCase(words[0], "no") && EqualsIgnoringCase(words[1], "one");
  return no_one ? "" : "a node cannot be the replica of another server";
}

std::string CheckInteger(const InertValue& value, const std::string& word) {
  const auto number = resp::ParseInteger(word);
  if (!number) return "argument couldn't be parsed into an integer";
  return *number < value.min || *number > value.max ? OutOfRange(value.min, value.max) : "";
}

/// Of "70%"; nullopt if it is nothing of the kind.
std::optional<int64_t> PercentOf(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  const auto number = resp::ParseInteger(text.substr(0, text.size() - 1));
  return number && *number >= 0 ? number : std::nullopt;
}

std::string CheckMemory(const InertValue& value, const std::string& word) {
  uint64_t bytes = 0;
  if (value.kind == Kind::kMemoryOrPercent) {
    if (const auto percent = PercentOf(word)) {
      return *percent <= 100 ? "" : "percentage argument must be less or equal to 100";
    }
    return ParseMemory(word, &bytes) ? "" : "argument must be a memory or percent value";
  }
  if (!ParseMemory(word, &bytes)) return "argument must be a memory value";
  const bool in_range =
      bytes >= static_cast<uint64_t>(value.min) && bytes <= static_cast<uint64_t>(value.max);
  return in_range ? "" : OutOfRange(value.min, value.max);
}

const InertChoice* Find(std::span<const InertChoice> choices, std::string_view word) {
  const auto found = std::find_if(choices.begin(), choices.end(), [&](const InertChoice& choice) {
    return EqualsIgnoringCase(choice.text, word);
  });
  return found == choices.end() ? nullptr : &*found;
}

std::string CheckChoice(const InertValue& value, std::string_view word) {
  if (Find(value.choices, word) != nullptr) return {};
  std::string names;
  for (const InertChoice& choice : value.choices)
    names += (names.empty() ? "" : ", ") + std::string(choice.text);
  return "argument(s) must be one of the following: " + names;
}

std::string CheckFileName(Kind kind, std::string_view name, std::string_view word) {
  if (word.empty() && kind != Kind::kFileOrEmpty) return std::string(name) + " can't be empty";
  if (word.find('/') == std::string_view::npos) return {};
  return std::string(name) + " can't be a path, just a " +
         (kind == Kind::kDirectoryName ? "dirname" : "filename");
}

bool IsEventClass(char c) {
  return c == 'A' || kEventClasses.find(c) != std::string_view::npos ||
         kEventWays.find(c) != std::string_view::npos;
}

bool IsTitleTemplate(std::string_view text) {
  if (text.empty()) return false;
  for (size_t at = text.find('{'); at != std::string_view::npos; at = text.find('{', at + 1)) {
    const bool known =
        std::any_of(std::begin(kTitleVariables), std::end(kTitleVariables),
                    [&](std::string_view variable) { return text.substr(at).starts_with(variable); });
    if (!known) return false;
  }
  return true;
}

// In Redis's order, each once.
std::string ShowEventClasses(std::string_view word) {
  std::string shown;
  const auto has = [&](char c) { return word.find(c) != std::string_view::npos; };
  const bool all = has('A') || std::all_of(kAllClasses.begin(), kAllClasses.end(), has);
  if (all) shown = "A";
  for (const char c : kEventClasses) {
    if (!all && has(c)) shown += c;
  }
  for (const char c : kEventWays) {
    if (has(c)) shown += c;
  }
  return shown;
}

std::string ShowMemory(const InertValue& value, const std::string& word) {
  if (value.kind == Kind::kMemoryOrPercent && PercentOf(word)) return word;
  uint64_t bytes = 0;
  ORRERY_CHECK(ParseMemory(word, &bytes));
  return std::to_string(value.used_min > 0 ? std::max(bytes, static_cast<uint64_t>(value.used_min)) : bytes);
}

std::string Joined(std::string joined, std::span<const std::string> words) {
  for (const std::string& word : words) joined += (joined.empty() ? "" : " ") + word;
  return joined;
}

}  // namespace

std::string CheckInert(const InertValue& value, std::string_view name, std::span<const std::string> words) {
  const std::string& word = words[0];
  bool yes = false;
  switch (value.kind) {
    case Kind::kText:
      return {};
    case Kind::kFileName:
    case Kind::kFileOrEmpty:
    case Kind::kDirectoryName:
      return CheckFileName(value.kind, name, word);
    case Kind::kYesNo:
      return ParseYesNo(word, &yes) ? "" : "argument must be 'yes' or 'no'";
    case Kind::kInteger:
      return CheckInteger(value, word);
    case Kind::kMemory:
    case Kind::kMemoryOrPercent:
      return CheckMemory(value, word);
    case Kind::kChoice:
      return CheckChoice(value, word);
    case Kind::kEventClasses:
      return std::all_of(word.begin(), word.end(), IsEventClass)
                 ? ""
                 : "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
    case Kind::kTitleTemplate:
      return IsTitleTemplate(word) ? "" : "template format is invalid or contains unknown variables";
    case Kind::kOomScores:
      return CheckOomScores(words);
    case Kind::kSavePoints:
      return CheckSavePoints(words);
    case Kind::kNoReplica:
      return CheckNoReplica(words);
  }
  return {};
}

std::string ShowInert(const InertValue& value, std::span<const std::string> words, std::string_view before) {
  const std::string& word = words[0];
  switch (value.kind) {
    case Kind::kYesNo:
      return EqualsIgnoringCase(word, "yes") ? "yes" : "no";
    case Kind::kInteger:
      return std::to_string(
          std::min(std::max(resp::ParseInteger(word).value_or(0), value.used_min), value.used_max));
    case Kind::kMemory:
    case Kind::kMemoryOrPercent:
      return ShowMemory(value, word);
    case Kind::kChoice:
      return std::string(Find(value.choices, word)->shown);
    case Kind::kEventClasses:
      return ShowEventClasses(word);
    case Kind::kOomScores:
      return Joined({}, words);
    case Kind::kSavePoints:
      return word.empty() ? std::string() : Joined(std::string(before), words);
    case Kind::kNoReplica:
      return {};
    default:
      return word;
  }
}

}  // namespace orrery::server
