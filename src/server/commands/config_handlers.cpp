#include <string>

#include "server/commands/handler_tools.h"
#include "server/config/setting.h"

namespace orrery::server {
namespace {

void Get(ServerCall& call) {
  const auto found = MatchSettings(call.worker.config(), call.args.subspan(2));
  call.reply.Map(found.size());
  for (const auto& [name, value] : found) {
    call.reply.BulkString(name);
    call.reply.BulkString(value);
  }
}

/// Every loop takes over what is in force; answered when all of them have. They read it when they come to it,
/// so that of two changes from two loops the later one is everywhere the last.
void Publish(ServerCall& call) {
  const ReplyTicket ticket = call.Defer();
  call.worker.state().Gather<bool>(
      call.worker,
      [](Worker& worker) {
        const ConfigPtr config = worker.state().config->Get();
        worker.log().SetLevel(config->loglevel);
        worker.SetConfig(config);
        worker.node().OnConfig(config);
        return true;
      },
      [ticket](const std::vector<bool>&) { ticket.Answer("+OK\r\n"); });
}

void Set(ServerCall& call) {
  if (call.argc() % 2 != 0) return call.reply.Error(commands::WrongArityText("config|set"));
  std::vector<std::pair<std::string, std::string>> changes;
  for (size_t i = 2; i < call.argc(); i += 2) changes.emplace_back(call.arg(i), call.arg(i + 1));
  ConfigStore& store = *call.worker.state().config;
  if (const Status set = store.Set(changes); !set.ok()) return call.reply.Error(set.message());
  Publish(call);
}

/// The values of secret settings, and of those that are none: a misspelt name may stand before a password.
void HideSecretSettings(std::span<std::string_view> args) {
  for (size_t i = 2; i + 1 < args.size(); i += 2) {
    const Setting* setting = FindSetting(args[i]);
    if (setting == nullptr || setting->has(Setting::kSecret)) args[i + 1] = kHiddenArgument;
  }
}

void Rewrite(ServerCall& call) {
  const Status written = call.worker.state().config->Rewrite();
  if (!written.ok()) {
    call.worker.log().Warning("CONFIG REWRITE failed: {}", written.message());
    return call.reply.Error(written.message());
  }
  call.worker.log().Notice("CONFIG REWRITE executed with success.");
  call.reply.Ok();
}

void ResetStat(ServerCall& call) {
  const ReplyTicket ticket = call.Defer();
  call.worker.state().Gather<bool>(
      call.worker,
      [](Worker& worker) {
        worker.metrics().ResetCounts();
        worker.node().ResetCounts();
        return true;
      },
      [ticket](const std::vector<bool>&) { ticket.Answer("+OK\r\n"); });
}

constexpr ServerCommand kHandlers[] = {
    {"config|get", Get},         {"config|set", Set, true, HideSecretSettings},
    {"config|rewrite", Rewrite}, {"config|resetstat", ResetStat, true},
    {"config|help", Help},
};

}  // namespace

std::span<const ServerCommand> ConfigHandlers() {
  return kHandlers;
}

}  // namespace orrery::server
