#include <algorithm>
#include <utility>

#include "server/connection.h"
#include "server/server_state.h"
#include "server/worker.h"

namespace orrery::server {
namespace {

/// Replies owed to one client: few while they are large, so that together they stay near this size.
constexpr size_t kWindowBytes = size_t{4} << 20;
constexpr size_t kWindowMin = 4;
constexpr size_t kWindowMax = 1024;
/// What a client that has not said the password may leave unread.
constexpr size_t kUnauthenticatedOutputMax = size_t{64} << 10;
/// Up to this client-output-buffer-limit counts nothing: in Redis it is the buffer that a connection has in any case.
constexpr size_t kUncountedOutputBytes = size_t{16} << 10;

void PreviewWithoutSecrets(const CommandEntry& entry, commands::Args args, ArgumentPreview* preview) {
  std::vector<std::string_view> shown(args.begin(), args.end());
  entry.hide_secrets(shown);
  preview->Assign(shown);
}

/// The words that SLOWLOG would show.
inline void Preview(const CommandEntry& entry, commands::Args args, ArgumentPreview* preview) {
  if (entry.hide_secrets != nullptr) return PreviewWithoutSecrets(entry, args, preview);
  preview->Assign(args);
}

}  // namespace

uint64_t ClientConnection::AddPlace(const CommandEntry& entry, commands::Args args, size_t request_bytes,
                                    uint64_t started_us, bool silent) {
  const uint64_t number = replies_.Push();
  ReplyQueue::Place& place = replies_.At(number);
  place.command = &entry;
  place.started_us = started_us;
  place.request_bytes = request_bytes;
  place.silent = silent;
  // What the server itself answers may turn the log on.
  if (worker_.config().slowlog_log_slower_than_us >= 0 || entry.handler != nullptr) {
    Preview(entry, args, &place.preview);
  } else {
    place.preview.Clear();
  }
  ++under_way_;
  under_way_bytes_ += request_bytes;
  return number;
}

/// The reply to the command that was read last.
void ClientConnection::ReplyNow(std::string_view reply, bool silent) {
  if (silent || closed_) return;
  if (replies_.empty()) return Send(std::string(reply));
  ReplyQueue::Place& place = replies_.At(replies_.Push());
  place.reply.assign(reply);
  place.done = true;
  held_bytes_ += reply.size();
}

void ClientConnection::Answer(uint64_t number, std::string reply) {
  ReplyQueue::Place& place = replies_.At(number);
  ORRERY_CHECK(!place.done);
  place.done = true;
  --under_way_;
  under_way_bytes_ -= place.request_bytes;
  if (alone_ == number) alone_.reset();
  const auto blocked = std::exchange(blocked_, nullptr);
  if (closed_) return worker_.OnAnswerForClosed(*this);
  if (blocked != nullptr && blocked->was_stopped()) {
    place.silent = true;
    CloseAfterReplies();
  }
  // Waiting for others is no time that the command took.
  if (blocked != nullptr && blocked->has_waited()) place.started_us = worker_.loop().MonotonicUs();
  Account(*place.command, reply, place.started_us, &place.preview, {});
  NarrowWindow(reply.size());
  if (!place.silent) {
    place.reply = std::move(reply);
    held_bytes_ += place.reply.size();
  }
  SendReady();
  if (closed_) return;
  // Not for each single reply: half a window of room makes the next batch worth its while.
  if (stalled_ && replies_.size() <= window_ / 2) Process();
}

void ClientConnection::SendReady() {
  while (!closed_ && !replies_.empty() && replies_.Front().done) {
    ReplyQueue::Place& place = replies_.Front();
    held_bytes_ -= place.reply.size();
    if (!place.reply.empty()) Send(std::move(place.reply));
    if (closed_) return;
    replies_.PopFront();
  }
  if (!processing_) FinishIfDone();
}

void ClientConnection::Send(std::string reply) {
  LoopMetrics& metrics = worker_.metrics();
  metrics.net_output_bytes += reply.size();
  ++metrics.writes;
  tcp_->Write(std::move(reply));
  const OutputLimit& limit = worker_.config().output_limit(ClientClass::kNormal);
  if (limit.hard_bytes != 0 || limit.soft_bytes != 0 || !may_run_commands())
    CheckOutputLimit(worker_.loop().MonotonicUs());
}

/// False when the client was closed.
bool ClientConnection::CheckOutputLimit(uint64_t now_us) {
  const OutputLimit& limit = worker_.config().output_limit(ClientClass::kNormal);
  const size_t unread = output_bytes();
  const size_t bytes = unread > kUncountedOutputBytes ? unread : 0;
  bool beyond = limit.hard_bytes != 0 && bytes > limit.hard_bytes;
  beyond = beyond || (!may_run_commands() && unread > kUnauthenticatedOutputMax);
  if (limit.soft_bytes == 0 || bytes <= limit.soft_bytes) {
    soft_limit_since_us_ = 0;
  } else if (soft_limit_since_us_ == 0) {
    soft_limit_since_us_ = now_us;
  } else {
    beyond = beyond || now_us - soft_limit_since_us_ > uint64_t{limit.soft_seconds} * 1'000'000;
  }
  if (!beyond) return true;
  ++worker_.metrics().output_limit_closed;
  worker_.log().Warning("Client {} closed for overcoming of output buffer limits.", Describe());
  Close();
  return false;
}

void ClientConnection::NarrowWindow(size_t reply_bytes) {
  if (reply_bytes > typical_reply_bytes_) {
    typical_reply_bytes_ = reply_bytes;
  } else {
    typical_reply_bytes_ -= (typical_reply_bytes_ - reply_bytes) / 16;
  }
  const size_t allowed =
      std::clamp(kWindowBytes / std::max<size_t>(typical_reply_bytes_, 1), kWindowMin, kWindowMax);
  window_ = std::min(window_ + 1, allowed);
}

void ClientConnection::Account(const CommandEntry& entry, std::string_view reply, uint64_t started_us,
                               const ArgumentPreview* preview, commands::Args args) {
  const uint64_t now_us = worker_.loop().MonotonicUs();
  const uint64_t usec = now_us - started_us;
  last_active_us_ = now_us;
  LoopMetrics& metrics = worker_.metrics();
  CommandStats& stats = metrics.stats(entry.id);
  ++stats.calls;
  stats.usec += usec;
  if (worker_.config().latency_tracking) stats.latency.Add(usec);
  if (reply.starts_with('-')) {
    ++stats.failed;
    metrics.CountError(reply);
  }
  const Config& config = worker_.config();
  const uint64_t threshold_ms = config.latency_monitor_threshold_ms;
  if (threshold_ms != 0 && usec >= threshold_ms * 1000) {
    const bool fast = (entry.spec->flags & commands::kFast) != 0;
    worker_.state().latency.Add(fast ? "fast-command" : "command", worker_.loop().WallMs() / 1000,
                                usec / 1000);
  }
  if (config.slowlog_log_slower_than_us < 0 ||
      usec < static_cast<uint64_t>(config.slowlog_log_slower_than_us))
    return;
  ArgumentPreview here;
  if (preview == nullptr) {
    Preview(entry, args, &here);
    preview = &here;
  }
  if (preview->empty()) return;  // the log was off when it came
  worker_.state().slowlog.Add(
      {0, worker_.loop().WallMs() / 1000, usec, preview->Words(), address_, session_.name},
      config.slowlog_max_len);
}

}  // namespace orrery::server
