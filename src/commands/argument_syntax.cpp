#include "commands/argument_syntax.h"

#include <algorithm>
#include <string>

#include "orrery/base/check.h"

namespace orrery::commands {
namespace {

bool IsCapital(char c) {
  return c >= 'A' && c <= 'Z';
}

std::string_view TypeName(char letter) {
  switch (letter) {
    case 'k':
      return "key";
    case 'i':
      return "integer";
    case 'd':
      return "double";
    case 'p':
      return "pattern";
    case 'u':
      return "unix-time";
    case 's':
      return "string";
    default:
      break;
  }
  ORRERY_CHECK(false);
  return {};
}

/// "name", "name:i" or "name:k1"; a pattern may have a number, too.
Argument ParseWord(std::string_view word) {
  Argument argument;
  size_t colon = word.rfind(':');
  // "ip:port" is a name.
  if (colon != std::string_view::npos && word.size() - colon > 3) colon = std::string_view::npos;
  argument.name = word.substr(0, colon);
  argument.type = argument.name == "key" ? "key" : "string";
  if (colon != std::string_view::npos) argument.type = TypeName(word[colon + 1]);
  const bool numbered = colon != std::string_view::npos && word.size() - colon == 3;
  if (argument.type == "key") argument.key_spec = 0;
  if (numbered) argument.key_spec = word.back() - '0';
  return argument;
}

class SyntaxParser {
 public:
  explicit SyntaxParser(std::string_view text) : rest_(text) {}

  std::vector<Argument> Parse() {
    std::vector<Argument> arguments = ParseSequence();
    ORRERY_CHECK(rest_.empty());
    return arguments;
  }

 private:
  std::vector<Argument> ParseSequence() {
    std::vector<Argument> arguments;
    while (SkipBlanks() && rest_[0] != '|' && rest_[0] != ')' && rest_[0] != ']')
      arguments.push_back(ParseOne());
    return arguments;
  }

  Argument ParseOne() {
    Argument argument;
    if (rest_[0] == '[' || rest_[0] == '(') {
      argument = ParseGroup();
    } else if (const std::string_view word = TakeWord(); IsCapital(word[0])) {
      argument = ParseAfterToken(word);
    } else {
      argument = ParseWord(word);
    }
    if (Take("....")) argument.multiple = argument.multiple_token = true;
    if (Take("...")) argument.multiple = true;
    return argument;
  }

  Argument ParseAfterToken(std::string_view token) {
    Argument argument;
    const bool alone = !SkipBlanks() || (rest_[0] != '(' && !IsLowerCase(rest_[0]));
    if (alone) {
      argument.type = "pure-token";
    } else {
      argument = rest_[0] == '(' ? ParseGroup() : ParseWord(TakeWord());
    }
    argument.token = token;
    return argument;
  }

  /// "[...]" or "(...)": one argument, or with a name in front several alternatives or a block.
  Argument ParseGroup() {
    const bool optional = rest_[0] == '[';
    rest_.remove_prefix(1);
    const std::string_view name = TakeGroupName();
    std::vector<Argument> alternatives;
    do {
      alternatives.push_back(ParseAlternative(name));
    } while (Take("|"));
    ORRERY_CHECK(Take(optional ? "]" : ")"));
    Argument argument;
    if (alternatives.size() == 1 && (name.empty() || alternatives[0].type == "block")) {
      argument = std::move(alternatives[0]);
    } else {
      argument.type = alternatives.size() == 1 ? "block" : "oneof";
      argument.name = name;
      argument.children = std::move(alternatives);
    }
    argument.optional |= optional;
    return argument;
  }

  Argument ParseAlternative(std::string_view name) {
    std::vector<Argument> sequence = ParseSequence();
    ORRERY_CHECK(!sequence.empty());
    if (sequence.size() == 1) return std::move(sequence[0]);
    Argument block;
    block.type = "block";
    block.name = name;
    block.children = std::move(sequence);
    return block;
  }

  std::string_view TakeGroupName() {
    const size_t end = rest_.find_first_of("=[]()| ");
    if (end == std::string_view::npos || rest_[end] != '=') return {};
    const std::string_view name = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return name;
  }

  std::string_view TakeWord() {
    const size_t end = std::min({rest_.find_first_of("=[]()| "), rest_.find("..."), rest_.size()});
    ORRERY_CHECK(end > 0);
    const std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return word;
  }

  bool Take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  bool SkipBlanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size()));
    return !rest_.empty();
  }

  static bool IsLowerCase(char c) { return c >= 'a' && c <= 'z'; }

  std::string_view rest_;
};

std::string NameOf(const Argument& argument) {
  if (!argument.name.empty()) return std::string(argument.name);
  std::string name(argument.token);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return IsCapital(c) ? static_cast<char>(c + ('a' - 'A')) : c; });
  return name;
}

void WriteFlags(const Argument& argument, resp::ReplyWriter* reply) {
  reply->BulkString("flags");
  reply->Set(size_t{argument.optional} + size_t{argument.multiple} + size_t{argument.multiple_token});
  if (argument.optional) reply->SimpleString("optional");
  if (argument.multiple) reply->SimpleString("multiple");
  if (argument.multiple_token) reply->SimpleString("multiple_token");
}

void WriteArgument(const Argument& argument, resp::ReplyWriter* reply) {
  const bool has_flags = argument.optional || argument.multiple || argument.multiple_token;
  reply->Map(size_t{2} + size_t{argument.key_spec >= 0} + size_t{!argument.token.empty()} +
             size_t{has_flags} + size_t{!argument.children.empty()});
  reply->BulkString("name");
  reply->BulkString(NameOf(argument));
  reply->BulkString("type");
  reply->BulkString(argument.type);
  if (argument.key_spec >= 0) {
    reply->BulkString("key_spec_index");
    reply->Integer(argument.key_spec);
  }
  if (!argument.token.empty()) {
    reply->BulkString("token");
    reply->BulkString(argument.token);
  }
  if (has_flags) WriteFlags(argument, reply);
  if (!argument.children.empty()) {
    reply->BulkString("arguments");
    WriteArguments(argument.children, reply);
  }
}

}  // namespace

std::vector<Argument> ParseArgumentSyntax(std::string_view text) {
  return SyntaxParser(text).Parse();
}

void WriteArguments(const std::vector<Argument>& arguments, resp::ReplyWriter* reply) {
  reply->Array(arguments.size());
  for (const Argument& argument : arguments) WriteArgument(argument, reply);
}

}  // namespace orrery::commands
