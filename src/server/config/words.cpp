#include <cctype>
#include <cstdio>

#include "server/config/setting.h"

namespace orrery::server {
namespace {

bool IsSpace(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Reads one word at a time from a line.
class WordReader {
 public:
  explicit WordReader(std::string_view line) : line_(line) {}

  bool AtEnd() {
    while (at_ < line_.size() && IsSpace(line_[at_])) ++at_;
    return at_ == line_.size();
  }

  bool Read(std::string* word) {
    while (at_ < line_.size() && !IsSpace(line_[at_])) {
      const char c = line_[at_++];
      if (c == '"' || c == '\'') {
        if (!ReadQuoted(c, word)) return false;
        return at_ == line_.size() || IsSpace(line_[at_]);
      }
      word->push_back(c);
    }
    return true;
  }

 private:
  bool ReadQuoted(char quote, std::string* word) {
    while (at_ < line_.size()) {
      const char c = line_[at_++];
      if (c == quote) return true;
      if (c == '\\' && at_ < line_.size()) {
        quote == '"' ? ReadEscape(word) : ReadPlainEscape(word);
      } else {
        word->push_back(c);
      }
    }
    return false;
  }

  void ReadPlainEscape(std::string* word) {
    if (line_[at_] == '\'') ++at_;
    word->push_back(line_[at_ - 1]);
  }

  void ReadEscape(std::string* word) {
    const char c = line_[at_++];
    if (c == 'x' && at_ + 1 < line_.size() && HexDigit(line_[at_]) >= 0 && HexDigit(line_[at_ + 1]) >= 0) {
      word->push_back(static_cast<char>(HexDigit(line_[at_]) * 16 + HexDigit(line_[at_ + 1])));
      at_ += 2;
      return;
    }
    switch (c) {
      case 'n':
        return word->push_back('\n');
      case 'r':
        return word->push_back('\r');
      case 't':
        return word->push_back('\t');
      case 'a':
        return word->push_back('\a');
      case 'b':
        return word->push_back('\b');
      default:
        return word->push_back(c);
    }
  }

  std::string_view line_;
  size_t at_ = 0;
};

bool NeedsQuotes(std::string_view word) {
  if (word.empty() || word.front() == '#') return true;
  for (char c : word) {
    if (IsSpace(c) || c == '"' || c == '\'' || c == '\\' || std::isprint(static_cast<unsigned char>(c)) == 0)
      return true;
  }
  return false;
}

}  // namespace

bool SplitWords(std::string_view line, std::vector<std::string>* words) {
  WordReader reader(line);
  while (!reader.AtEnd()) {
    if (!reader.Read(&words->emplace_back())) return false;
  }
  return true;
}

std::string QuoteWord(std::string_view word) {
  if (!NeedsQuotes(word)) return std::string(word);
  std::string out = "\"";
  for (char c : word) {
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (std::isprint(static_cast<unsigned char>(c)) != 0) {
      out += c;
    } else {
      char hex[5];
      std::snprintf(hex, sizeof(hex), "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += hex;
    }
  }
  return out + "\"";
}

bool ParseMemory(std::string_view text, uint64_t* bytes) {
  size_t digits = 0;
  uint64_t value = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    const auto digit = static_cast<uint64_t>(text[digits++] - '0');
    if (__builtin_mul_overflow(value, uint64_t{10}, &value) || __builtin_add_overflow(value, digit, &value))
      return false;
  }
  if (digits == 0) return false;
  std::string unit;
  for (char c : text.substr(digits)) unit += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  static constexpr std::pair<std::string_view, uint64_t> kUnits[] = {{"", 1},
                                                                     {"b", 1},
                                                                     {"k", 1000},
                                                                     {"kb", 1024},
                                                                     {"m", 1000 * 1000},
                                                                     {"mb", 1024 * 1024},
                                                                     {"g", 1000000000},
                                                                     {"gb", 1024 * 1024 * 1024}};
  for (const auto& [name, factor] : kUnits) {
    if (unit == name) return !__builtin_mul_overflow(value, factor, bytes);
  }
  return false;
}

std::string FormatMemory(uint64_t bytes) {
  static constexpr std::pair<std::string_view, uint64_t> kUnits[] = {
      {"gb", uint64_t{1} << 30}, {"mb", uint64_t{1} << 20}, {"kb", uint64_t{1} << 10}};
  for (const auto& [name, factor] : kUnits) {
    if (bytes >= factor && bytes % factor == 0) return std::to_string(bytes / factor) + std::string(name);
  }
  return std::to_string(bytes);
}

}  // namespace orrery::server
