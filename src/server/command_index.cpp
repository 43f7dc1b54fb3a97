#include "server/command_index.h"

#include "orrery/commands/dispatcher.h"
#include "server/refused_commands.h"

namespace orrery::server {
namespace {

/// They are few and rare: looked for when the table has nothing.
const commands::CommandSpec* FindRefused(std::string_view name) {
  for (const commands::CommandSpec& spec : RefusedCommands()) {
    if (commands::EqualsIgnoringCase(spec.name, name)) return &spec;
  }
  return nullptr;
}

}  // namespace

const CommandIndex& CommandIndex::Get() {
  static const CommandIndex index;
  return index;
}

CommandIndex::CommandIndex() {
  const commands::CommandTable& table = commands::CommandTable::Get();
  for (const commands::CommandSpec* spec : table.commands()) {
    Add(*spec, nullptr);
    for (const commands::CommandSpec& sub : spec->subcommands) Add(sub, spec);
  }
  for (const commands::CommandSpec& spec : RefusedCommands()) Add(spec, nullptr);
  for (auto* family :
       {&ConnectionHandlers, &ClientHandlers, &ConfigHandlers, &InfoHandlers, &ObservationHandlers,
        &MemoryHandlers, &ProcessHandlers, &ClusterHandlers, &RingHandlers}) {
    for (const ServerCommand& command : (*family)()) {
      auto* entry = const_cast<CommandEntry*>(FindByName(command.full_name));
      ORRERY_CHECK(entry != nullptr);
      entry->handler = command.handler;
      entry->alone = entry->alone || command.alone;
      entry->hide_secrets = command.hide_secrets;
    }
  }
}

void CommandIndex::Add(const commands::CommandSpec& spec, const commands::CommandSpec* parent) {
  CommandEntry entry;
  entry.spec = &spec;
  entry.full_name = commands::FullName(spec, parent);
  entry.id = entries_.size();
  // These take several steps over several slots, which later commands of the same client must not overtake.
  entry.alone = commands::Dispatcher::RunsAlone(spec);
  // PFCOUNT keeps its result in the key in Redis, and so waits for the end of a pause of writes.
  entry.may_write = (spec.flags & commands::kWrite) != 0 || entry.full_name == "pfcount";
  by_spec_.emplace(&spec, entry.id);
  entries_.push_back(std::move(entry));
}

const CommandEntry* CommandIndex::Find(commands::Args args, std::string* error) const {
  const commands::CommandTable& table = commands::CommandTable::Get();
  const commands::CommandSpec* parent = nullptr;
  const commands::CommandSpec* spec = table.Lookup(args, &parent);
  if (spec == nullptr && parent == nullptr) spec = FindRefused(args[0]);
  if (spec == nullptr) {
    *error = table.Resolve(args).error;
    return nullptr;
  }
  const CommandEntry& entry = entries_[by_spec_.at(spec)];
  if (!commands::ArityAllows(*spec, args.size())) *error = commands::WrongArityText(entry.full_name);
  return &entry;
}

const CommandEntry* CommandIndex::FindByName(std::string_view full_name) const {
  for (const CommandEntry& entry : entries_) {
    if (entry.full_name == full_name) return &entry;
  }
  return nullptr;
}

}  // namespace orrery::server
