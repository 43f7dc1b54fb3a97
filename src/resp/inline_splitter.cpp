#include "resp/inline_splitter.h"

namespace orrery::resp {
namespace {

bool IsBlank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/// Vertical tab and form feed separate arguments but do not end an unquoted one: Redis is like that.
bool EndsUnquoted(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char Escaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

/// Reads at `in_` and writes at `out_`, which never gets ahead, since no escape is shorter than what it
/// stands for.
class Splitter {
 public:
  explicit Splitter(std::span<char> line) : line_(line) {}

  bool Split(std::vector<std::string_view>* args) {
    while (SkipBlanks()) {
      const size_t start = out_ = in_;
      if (!ReadArgument()) return false;
      args->emplace_back(line_.data() + start, out_ - start);
    }
    return true;
  }

 private:
  bool SkipBlanks() {
    while (!AtEnd() && IsBlank(line_[in_])) ++in_;
    return !AtEnd();
  }

  bool ReadArgument() {
    while (!AtEnd() && !EndsUnquoted(line_[in_])) {
      const char c = line_[in_++];
      if (c == '"' || c == '\'') return ReadQuoted(c);
      Put(c);
    }
    return true;
  }

  /// After the opening quote. The closing one ends the argument.
  bool ReadQuoted(char quote) {
    while (!AtEnd()) {
      const char c = line_[in_++];
      if (c == quote) return AtEnd() || IsBlank(line_[in_]);
      if (c == '\\' && !AtEnd()) {
        Put(quote == '"' ? ReadEscape() : ReadSingleQuotedEscape());
      } else {
        Put(c);
      }
    }
    return false;
  }

  char ReadEscape() {
    if (line_[in_] == 'x' && line_.size() - in_ > 2) {
      const int high = HexDigit(line_[in_ + 1]);
      const int low = HexDigit(line_[in_ + 2]);
      if (high >= 0 && low >= 0) {
        in_ += 3;
        return static_cast<char>(high * 16 + low);
      }
    }
    return Escaped(line_[in_++]);
  }

  char ReadSingleQuotedEscape() {
    if (line_[in_] != '\'') return '\\';
    ++in_;
    return '\'';
  }

  void Put(char c) { line_[out_++] = c; }
  bool AtEnd() const { return in_ == line_.size(); }

  std::span<char> line_;
  size_t in_ = 0;
  size_t out_ = 0;
};

}  // namespace

bool SplitInline(std::span<char> line, std::vector<std::string_view>* args) {
  return Splitter(line).Split(args);
}

}  // namespace orrery::resp
