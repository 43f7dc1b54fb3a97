#include <algorithm>
#include <string>
#include <vector>

#include "commands/argument_syntax.h"
#include "commands/command_details.h"
#include "orrery/commands/command_command.h"

namespace orrery::commands {
namespace {

std::string Upper(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; });
  return upper;
}

std::string Join(const std::vector<Argument>& arguments, std::string_view between);

/// As manuals write it: <key>, [WITHMATCHLEN], NX|XX.
std::string Render(const Argument& argument) {
  std::string body;
  if (argument.type == "oneof") {
    body = Join(argument.children, "|");
  } else if (argument.type == "block") {
    body = Join(argument.children, " ");
  } else if (argument.type != "pure-token") {
    body.append("<").append(argument.name).append(">");
  }
  std::string text(argument.token);
  if (!text.empty() && !body.empty()) text += ' ';
  text += body;
  if (argument.multiple) text.append(" [").append(body).append(" ...]");
  return argument.optional ? "[" + text + "]" : text;
}

std::string Join(const std::vector<Argument>& arguments, std::string_view between) {
  std::string text;
  for (const Argument& argument : arguments) {
    if (!text.empty()) text += between;
    text += Render(argument);
  }
  return text;
}

}  // namespace

void WriteHelp(const CommandSpec& container, resp::ReplyWriter* reply) {
  std::vector<std::string> lines;
  lines.push_back(Upper(container.name) + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  for (const CommandSpec& sub : container.subcommands) {
    const auto arguments = ParseArgumentSyntax(DetailsOf(FullName(sub, &container)).syntax);
    const std::string shape = Join(arguments, " ");
    lines.push_back(Upper(sub.name) + (shape.empty() ? "" : " " + shape));
    lines.push_back("    " + std::string(sub.summary) + ".");
  }
  reply->Array(lines.size());
  for (const std::string& line : lines) reply->SimpleString(line);
}

}  // namespace orrery::commands
