#include "orrery/commands/command_keys.h"
#include "server/connection.h"
#include "server/worker.h"

namespace orrery::server {
namespace {

/// While so much output waits, no more commands are taken.
constexpr size_t kOutputPauseBytes = size_t{1} << 20;
/// What is read ahead of a command that waits.
constexpr size_t kReadAheadBytes = size_t{64} << 10;
/// Requests under way are copies: no more of them are taken beyond this, but always one.
constexpr size_t kUnderWayPauseBytes = size_t{8} << 20;
/// The log names strangers who speak HTTP at most once in this time.
constexpr uint64_t kForeignWarningUs = 60'000'000;

/// The request line of an HTTP POST, or HTTP's header of the host: a web page, or a server that is made to
/// fetch an address, speaks to this port, and what follows could be commands of an attacker's.
bool IsForeignProtocol(std::string_view command) {
  return commands::EqualsIgnoringCase(command, "post") || commands::EqualsIgnoringCase(command, "host:");
}

}  // namespace

std::span<char> ClientConnection::PrepareRead(size_t) {
  return input_.Prepare(parser_.bytes_wanted());
}

void ClientConnection::OnRead(size_t n) {
  input_.Commit(n);
  LoopMetrics& metrics = worker_.metrics();
  metrics.net_input_bytes += n;
  ++metrics.reads;
  WakeUp();
  Process();
}

void ClientConnection::Process() {
  if (processing_ || closed_) return;
  processing_ = stalled_ = true;
  batch_us_ = worker_.loop().MonotonicUs();  // once for all of them: reading the clock is not free
  while (MayTakeCommand() && TakeNext()) {
  }
  processing_ = false;
  if (closed_) return;
  UpdateReading();
  FinishIfDone();
}

bool ClientConnection::MayTakeCommand() {
  if (closing_ || alone_ || replies_.size() >= window_) return false;
  if (under_way_ > 0 && under_way_bytes_ >= kUnderWayPauseBytes) return false;
  if (output_bytes() < kOutputPauseBytes) return true;
  tcp_->Flush();  // what the kernel does not take now makes OnDrained() come
  return !closing_ && output_bytes() < kOutputPauseBytes;
}

/// False when there is nothing more to do for now.
bool ClientConnection::TakeNext() {
  if (is_postponed()) return RunPostponed();
  resp::Command command;
  switch (parser_.Next(&input_, &command)) {
    case resp::RequestParser::Outcome::kCommand:
      Take(command.args, command.raw.size());
      return true;
    case resp::RequestParser::Outcome::kIncomplete:
      stalled_ = false;
      if (ended_) CloseAfterReplies();
      return false;
    case resp::RequestParser::Outcome::kError:
      RejectProtocol();
      return false;
    case resp::RequestParser::Outcome::kTooLarge:
      ++worker_.metrics().query_limit_closed;
      worker_.log().Warning("Closing client that reached max query buffer length: {} ({})", Describe(),
                            parser_.error());
      Close();
      return false;
  }
  return false;
}

void ClientConnection::RejectProtocol() {
  worker_.log().Verbose("Protocol error ({}) from client: {}", parser_.error(), Describe());
  const std::string reply = "-ERR " + parser_.error() + "\r\n";
  worker_.metrics().CountError(reply);
  ReplyNow(reply, false);
  CloseAfterReplies();
}

void ClientConnection::Take(commands::Args args, size_t request_bytes) {
  std::string error;
  const CommandEntry* entry = CommandIndex::Get().Find(args, &error);
  if (!error.empty()) {
    if (entry == nullptr && IsForeignProtocol(args[0])) return CloseForeign();
    return Reject(entry, error);
  }
  if (!may_run_commands() && (entry->spec->flags & commands::kNoAuth) == 0) {
    return Reject(entry, "NOAUTH Authentication required.");
  }
  if (MustWait(*entry)) {
    postponed_bytes_ = request_bytes;
    return Postpone(args);
  }
  Run(*entry, args, request_bytes, batch_us_);
}

void ClientConnection::CloseForeign() {
  const uint64_t now_us = worker_.loop().MonotonicUs();
  uint64_t next_us = worker_.state().next_foreign_warning_us.load();
  if (now_us >= next_us &&
      worker_.state().next_foreign_warning_us.compare_exchange_strong(next_us, now_us + kForeignWarningUs)) {
    worker_.log().Warning(
        "Closed the connection from {}: it speaks HTTP (POST or Host:). Perhaps somebody uses a browser or "
        "another server to send commands to this node. More of the kind are closed without a word for a "
        "minute.",
        address_);
  }
  Close();
}

bool ClientConnection::MustWait(const CommandEntry& entry) const {
  if (entry.alone && !replies_.empty()) return true;
  const PauseState& pause = worker_.pause();
  if (!pause.active()) return false;
  return pause.holds_back(worker_.loop().MonotonicUs(), entry.may_write);
}

void ClientConnection::Postpone(commands::Args args) {
  postponed_.assign(args.begin(), args.end());
  UpdateReading();
}

bool ClientConnection::RunPostponed() {
  const std::vector<std::string> words = postponed_;
  const std::vector<std::string_view> args(words.begin(), words.end());
  std::string error;
  const CommandEntry* entry = CommandIndex::Get().Find(args, &error);
  if (MustWait(*entry)) return false;
  postponed_.clear();
  Run(*entry, args, postponed_bytes_, batch_us_);
  return true;
}

void ClientConnection::OnUnpaused() {
  if (is_postponed()) Process();
}

void ClientConnection::Run(const CommandEntry& entry, commands::Args args, size_t request_bytes,
                           uint64_t started_us) {
  ++worker_.metrics().commands;
  last_command_ = &entry;
  const bool silent = std::exchange(session_.skip_next, false) || session_.replies_off;
  if (entry.handler != nullptr) return RunHere(entry, args, request_bytes, started_us, silent);
  Hand(entry, args, request_bytes, started_us, silent);
}

void ClientConnection::RunHere(const CommandEntry& entry, commands::Args args, size_t request_bytes,
                               uint64_t started_us, bool silent) {
  std::string bytes;
  resp::ReplyWriter writer(&bytes, session_.protocol);
  ServerCall call{*this, worker_, entry, args, request_bytes, writer, started_us};
  call.silent = silent;
  running_bytes_ = request_bytes;
  entry.handler(call);
  running_bytes_ = 0;
  if (call.deferred) {
    if (ended_) StopWaiting();
    return;
  }
  Account(entry, bytes, started_us, nullptr, args);
  ReplyNow(bytes, call.silent);
}

ReplyTicket ServerCall::Defer() {
  deferred = true;
  const uint64_t number = client.AddPlace(entry, args, request_bytes, started_us, silent);
  if (entry.alone) client.alone_ = number;
  return {&client, number};
}

const std::shared_ptr<commands::BlockedCall>& ServerCall::Unblockable() {
  client.blocked_ = std::make_shared<commands::BlockedCall>();
  return client.blocked_;
}

void ClientConnection::Hand(const CommandEntry& entry, commands::Args args, size_t request_bytes,
                            uint64_t started_us, bool silent) {
  if ((entry.spec->flags & commands::kWrite) != 0) NoteWrites(entry, args);
  const uint64_t number = AddPlace(entry, args, request_bytes, started_us, silent);
  if (entry.alone) alone_ = number;
  Caller caller{session_.db, static_cast<uint8_t>(session_.protocol), session_.read_quorum,
                session_.write_quorum};
  if ((entry.spec->flags & commands::kBlocking) != 0) {
    caller.blocked = blocked_ = std::make_shared<commands::BlockedCall>();
  }
  if (ended_) StopWaiting();
  // Two words, so that no memory is taken for the callback.
  worker_.runner().Run(*entry.spec, args, caller,
                       [this, number](std::string reply) { Answer(number, std::move(reply)); });
}

/// WAIT asks about the slots that the connection has written to.
void ClientConnection::NoteWrites(const CommandEntry& entry, commands::Args args) {
  commands::CallKeyWalk walk(*entry.spec, args);
  if (!walk.valid()) return;
  if (session_.written == nullptr) session_.written = std::make_unique<std::bitset<kSlotCount>>();
  for (; walk.valid(); walk.Next()) session_.written->set(SlotOf(args[walk.position()]));
}

void ClientConnection::Reject(const CommandEntry* entry, std::string_view error) {
  ++worker_.metrics().commands;
  if (entry != nullptr) ++worker_.metrics().stats(entry->id).rejected;
  std::string bytes;
  resp::ReplyWriter(&bytes).Error(error);
  worker_.metrics().CountError(bytes);
  const bool silent = std::exchange(session_.skip_next, false) || session_.replies_off;
  ReplyNow(bytes, silent);
}

void ClientConnection::UpdateReading() {
  if (closed_) return;
  const bool room = replies_.size() < window_ && output_bytes() < kOutputPauseBytes &&
                    (under_way_ == 0 || under_way_bytes_ < kUnderWayPauseBytes);
  // While a command waits, reading goes on for a while, for else the client's end would not be noticed.
  const bool waits = is_postponed() || alone_.has_value();
  const bool wanted = !closing_ && !ended_ && (waits ? input_.size() < kReadAheadBytes : room);
  if (wanted == reading_) return;
  reading_ = wanted;
  wanted ? tcp_->ResumeRead() : tcp_->PauseRead();
}

}  // namespace orrery::server
