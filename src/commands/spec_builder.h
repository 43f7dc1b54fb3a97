#pragma once

#include <span>
#include <string_view>

#include "orrery/commands/command.h"

namespace orrery::commands {

/// What most administrative commands share: they run while data is loading and while the node lags behind.
inline constexpr uint32_t kAnytime = kLoading | kStale;
inline constexpr uint32_t kOperator = kAdmin | kNoscript | kLoading | kStale;

/// A command that the node itself answers.
constexpr CommandSpec NodeCommand(std::string_view name, int arity, uint32_t flags, std::string_view group,
                                  std::string_view since, std::string_view complexity,
                                  std::string_view summary) {
  CommandSpec spec;
  spec.name = name;
  spec.arity = arity;
  spec.flags = flags;
  spec.group = group;
  spec.since = since;
  spec.complexity = complexity;
  spec.summary = summary;
  return spec;
}

/// A command that only has subcommands.
constexpr CommandSpec Container(std::string_view name, std::string_view group, std::string_view since,
                                std::string_view summary, std::span<const CommandSpec> subcommands) {
  CommandSpec spec = NodeCommand(name, -2, 0, group, since, "Depends on the subcommand.", summary);
  spec.subcommands = subcommands;
  return spec;
}

/// The same command, answered by asking slots or nodes.
constexpr CommandSpec AskingCluster(CommandSpec spec) {
  spec.spread = Spread::kCluster;
  return spec;
}

}  // namespace orrery::commands
