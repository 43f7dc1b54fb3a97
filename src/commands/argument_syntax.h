#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "orrery/resp/reply_writer.h"

namespace orrery::commands {

/// A command's arguments as a tree, in the terms of COMMAND DOCS
/// (https://redis.io/docs/reference/command-arguments/).
///
/// The tree is written as one line of text:
///
///     key value:i             arguments; the type follows the colon: k key, i integer, d double, p pattern,
///                             u unix time, s string. Without one it is a string, but "key" is a key. A digit
///                             after k is the index of the key specification.
///     EX seconds:i            a token and the argument that it introduces; a word of capitals alone is a
///     pure token [WITHMATCHLEN]          optional (name=NX|XX)            one of several; in brackets
///     instead, [name=NX|XX], optional as well (name=field value)...   a block of several arguments,
///     repeated; "...." repeats its token each time
///
/// Parsed when a client asks for documentation. Pure; any thread.
struct Argument {
  std::string_view name;  ///< empty for a pure token, whose name is the token in lower case
  std::string_view type;
  std::string_view token;
  int key_spec = -1;
  bool optional = false;
  bool multiple = false;
  bool multiple_token = false;
  std::vector<Argument> children;  ///< of "oneof" and "block"
};

/// Aborts on a text that is not of this language: the texts are ours.
std::vector<Argument> ParseArgumentSyntax(std::string_view text);

/// As the value of "arguments" in COMMAND DOCS.
void WriteArguments(const std::vector<Argument>& arguments, resp::ReplyWriter* reply);

}  // namespace orrery::commands
