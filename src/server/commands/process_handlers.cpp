#include <string>
#include <utility>

#include "orrery/commands/command_command.h"
#include "server/commands/handler_tools.h"

namespace orrery::server {
namespace {

void Time(ServerCall& call) {
  const uint64_t now_us = call.worker.loop().WallUs();
  call.reply.Array(2);
  call.reply.BulkString(std::to_string(now_us / 1'000'000));
  call.reply.BulkString(std::to_string(now_us % 1'000'000));
}

void Command(ServerCall& call) {
  commands::RunCommandCommand(call.args, &call.reply);
}

/// False if another one is running.
bool BeginCheckpoint(Worker& worker) {
  CheckpointState& state = worker.state().checkpoint;
  const std::lock_guard lock(state.mutex);
  if (state.in_progress) return false;
  state.in_progress = true;
  state.started_us = worker.loop().MonotonicUs();
  return true;
}

void EndCheckpoint(Worker& worker, const Status& status) {
  CheckpointState& state = worker.state().checkpoint;
  const std::lock_guard lock(state.mutex);
  const uint64_t took_us = worker.loop().MonotonicUs() - state.started_us;
  const uint64_t now_s = worker.loop().WallMs() / 1000;
  state.in_progress = false;
  state.last_ok = status.ok();
  state.last_duration_s = static_cast<int64_t>(took_us / 1'000'000);
  const uint64_t threshold_ms = worker.config().latency_monitor_threshold_ms;
  if (threshold_ms != 0 && took_us >= threshold_ms * 1000)
    worker.state().latency.Add("checkpoint", now_s, took_us / 1000);
  if (!status.ok()) return worker.log().Warning("The checkpoint failed: {}", status.message());
  state.last_save_s = now_s;
  ++state.saves;
  worker.log().Notice("Checkpoint made in {} ms", took_us / 1000);
}

/// Makes a checkpoint, keeps the books, and calls done(). REQUIRES: BeginCheckpoint().
void RunCheckpoint(Worker& worker, std::function<void(const Status&)> done) {
  worker.node().Checkpoint([&worker, done = std::move(done)](const Status& status) {
    EndCheckpoint(worker, status);
    if (done) done(status);
  });
}

constexpr std::string_view kSaveRunning = "ERR Background save already in progress";

void Save(ServerCall& call) {
  if (!BeginCheckpoint(call.worker)) return call.reply.Error(kSaveRunning);
  const ReplyTicket ticket = call.Defer();
  RunCheckpoint(call.worker, [ticket](const Status& status) {
    ticket.Answer(MakeReply(resp::Protocol::kResp2, [&](resp::ReplyWriter& reply) {
      status.ok() ? reply.Ok() : reply.Error("ERR " + status.message());
    }));
  });
}

void BgSave(ServerCall& call) {
  if (call.argc() > 2 || (call.argc() == 2 && !call.ArgIs(1, "schedule"))) return SyntaxError(call);
  if (!BeginCheckpoint(call.worker)) return call.reply.Error(kSaveRunning);
  RunCheckpoint(call.worker, nullptr);
  call.reply.SimpleString("Background saving started");
}

void LastSave(ServerCall& call) {
  CheckpointState& state = call.worker.state().checkpoint;
  const std::lock_guard lock(state.mutex);
  call.reply.Integer(static_cast<int64_t>(state.last_save_s));
}

struct ShutdownOptions {
  bool save = false;
  bool nosave = false;
  bool now = false;
  bool force = false;
  bool abort = false;
};

bool ParseShutdown(ServerCall& call, ShutdownOptions* options) {
  for (size_t i = 1; i < call.argc(); ++i) {
    if (call.ArgIs(i, "save")) {
      options->save = true;
    } else if (call.ArgIs(i, "nosave")) {
      options->nosave = true;
    } else if (call.ArgIs(i, "now")) {
      options->now = true;
    } else if (call.ArgIs(i, "force")) {
      options->force = true;
    } else if (call.ArgIs(i, "abort")) {
      options->abort = true;
    } else {
      return false;
    }
  }
  return !(options->abort && call.argc() > 2) && !(options->save && options->nosave);
}

constexpr std::string_view kShutdownFailed = "-ERR Errors trying to SHUTDOWN. Check logs.\r\n";

/// Ends the wait of a SHUTDOWN SAVE. False if there is none, or not any more.
bool TakeShutdown(ServerState& state) {
  const std::lock_guard lock(state.checkpoint.mutex);
  return std::exchange(state.checkpoint.shutdown_follows, false);
}

void AbortShutdown(ServerCall& call) {
  if (!TakeShutdown(call.worker.state())) return call.reply.Error("ERR No shutdown in progress.");
  call.worker.log().Notice("Shutdown manually aborted");
  call.reply.Ok();
}

/// The write-ahead log is synced in any case; SAVE makes a checkpoint before. While it is being made, any client may
/// abort; afterwards the connections are closed, and nobody is left who could.
void Shutdown(ServerCall& call) {
  ShutdownOptions options;
  if (!ParseShutdown(call, &options)) return SyntaxError(call);
  if (options.abort) return AbortShutdown(call);
  ServerState& state = call.worker.state();
  const auto how = options.now ? ServerState::Shutdown::kNow : ServerState::Shutdown::kGraceful;
  if (!options.save) {
    call.SuppressReply();
    return state.begin_shutdown(how);
  }
  if (!BeginCheckpoint(call.worker)) return call.reply.Error(kSaveRunning);
  {
    const std::lock_guard lock(state.checkpoint.mutex);
    state.checkpoint.shutdown_follows = true;
  }
  const ReplyTicket ticket = call.Defer();
  RunCheckpoint(call.worker, [ticket, how, &state, force = options.force](const Status& status) {
    const bool goes_on = TakeShutdown(state) && (status.ok() || force);
    ticket.Answer(goes_on ? std::string() : std::string(kShutdownFailed));
    if (goes_on) state.begin_shutdown(how);
  });
}

constexpr ServerCommand kHandlers[] = {
    {"time", Time},
    {"save", Save, true},
    {"bgsave", BgSave},
    {"lastsave", LastSave},
    {"shutdown", Shutdown},
    {"wait", Wait, true},
    {"debug", Debug, true},
    {"lolwut", Lolwut},
    {"command", Command},
    {"command|count", Command},
    {"command|docs", Command},
    {"command|getkeys", Command},
    {"command|getkeysandflags", Command},
    {"command|help", Command},
    {"command|info", Command},
    {"command|list", Command},
};

}  // namespace

std::span<const ServerCommand> ProcessHandlers() {
  return kHandlers;
}

}  // namespace orrery::server
