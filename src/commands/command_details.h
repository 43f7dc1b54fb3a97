#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "orrery/commands/command.h"

namespace orrery::commands {

/// What COMMAND INFO and COMMAND DOCS tell of a command and nobody else needs. A command without a row here
/// has what follows from its spec. Static data; any thread.
struct CommandDetails {
  std::string_view full_name;  ///< "get" or "client|kill"
  /// ACL categories that do not follow from flags, separated by blanks, "-" for none; empty: the group's own.
  std::string_view categories;
  std::string_view tips;  ///< separated by blanks (https://redis.io/docs/reference/command-tips/)
  /// What becomes of the keys, "RO access"; a second list after a '/' is for the keys after the first one.
  std::string_view key_flags;
  std::string_view syntax;  ///< the arguments, in the language of argument_syntax.h
};

/// A row of empty fields for a command that has none.
const CommandDetails& DetailsOf(std::string_view full_name);

/// The ACL categories with their '@', in the order in which Redis lists them.
std::vector<std::string_view> CategoriesOf(const CommandSpec& spec, const CommandDetails& details);
/// Whether Redis has a category of that name (without '@').
bool IsCategory(std::string_view name);
/// The flags' names, in the order in which Redis lists them.
std::vector<std::string_view> FlagNames(uint32_t flags);
/// Cuts at blanks.
std::vector<std::string_view> Words(std::string_view text);

}  // namespace orrery::commands
