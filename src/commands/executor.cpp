#include "orrery/commands/executor.h"

#include "commands/internal_commands.h"
#include "commands/request_builder.h"
#include "commands/sort_arguments.h"
#include "commands/string_commands.h"
#include "orrery/commands/command_table.h"
#include "orrery/storage/row_key.h"

namespace orrery::commands {
namespace {

// An internal command's name holds a dot, which no client's command does.
constexpr std::string_view kInternalPrefix = "orrery.";

struct Runnable {
  Handler handler = nullptr;
  bool counts_lookups = false;
};

Runnable Find(const replication::Request& request) {
  if (request.args[0].starts_with(kInternalPrefix)) return {FindInternal(request.args[0]), false};
  const std::string_view names[2] = {request.args[0], request.args.size() > 1 ? request.args[1] : std::string_view()};
  const CommandSpec* parent = nullptr;
  const CommandSpec* spec = CommandTable::Get().Lookup(Args(names, request.args.size() > 1 ? 2 : 1), &parent);
  if (spec == nullptr) return {};
  return {spec->handler, (spec->flags & kReadonly) != 0 || spec->looks_up};
}

}  // namespace

void Executor::Execute(const replication::Request& request, storage::Transaction* transaction, std::string* reply) {
  resp::ReplyWriter writer(reply, static_cast<resp::Protocol>(request.resp));
  const Runnable command = Find(request);
  // Only a newer node can have sent what this one does not know.
  if (command.handler == nullptr) return writer.Error("ERR this node does not know the command");
  CommandContext context{request, *transaction, writer, command.counts_lookups ? &counts_ : nullptr};
  command.handler(context);
  counts_.expired += transaction->ended_keys();
}

// As if it were about a string under its first argument, which most are.
uint64_t Executor::Prefetch(const replication::Request& request, const storage::RowStore& store) const {
  if (request.args.size() < 2) return 0;
  static thread_local std::string key;
  storage::EncodeStringKey(request.slot, request.db, request.args[1], &key);
  return store.PrefetchKey(key);
}

replication::Traits TraitsOf(const CommandSpec& spec, const replication::Arguments& args) {
  replication::Traits traits = spec.traits;
  if (traits.blind && spec.name == "set" && SetDependsOnValue(args)) return {true, true, false, false};
  if (spec.spread == Spread::kPatterns && traits.writes) {
    std::vector<std::string_view> views;
    for (size_t i = 0; i < args.size(); ++i) views.push_back(args[i]);
    if (ParseSort(views, true).store_arg == 0) return {true, false, false, true};
  }
  return traits;
}

replication::Traits TraitsOfRequest(const CommandSpec& spec, const replication::Request& request) {
  return TraitsOf(spec, request.args);
}

}  // namespace orrery::commands
