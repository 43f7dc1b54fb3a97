#include "server/connection.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/worker.h"

namespace orrery::server {
namespace {

/// Replies owed at most while their sizes are unknown; with small ones it doubles each time that it was full.
constexpr size_t kFirstWindow = 16;
/// After so long without a command, what is known of sizes is forgotten.
constexpr uint64_t kSizesKnownUs = 100'000;

std::string_view EventsOf(bool reading, bool writing) {
  if (reading) return writing ? "rw" : "r";
  return writing ? "w" : "";
}

}  // namespace

ClientConnection::ClientConnection(Worker& worker, uint64_t id, int fd)
    : worker_(worker),
      id_(id),
      fd_(fd),
      tcp_(runtime::TcpConnection::Adopt(worker.loop(), fd, *this)),
      address_(tcp_->PeerAddress()),
      local_address_(tcp_->LocalAddress()),
      connected_us_(worker.loop().MonotonicUs()),
      last_active_us_(connected_us_),
      parser_(&worker.request_limits()),
      window_(kFirstWindow) {
  tcp_->SetKeepAlive(worker.config().tcp_keepalive_s);
  SetAuthenticated(!asks_for_password());
}

ClientConnection::~ClientConnection() = default;

bool ClientConnection::IsLocal() const {
  return address_.starts_with("127.") || address_.starts_with("[::1]") ||
         address_.starts_with("[::ffff:127.");
}

uint64_t ClientConnection::AgeSeconds() const {
  return (worker_.loop().MonotonicUs() - connected_us_) / 1'000'000;
}

void ClientConnection::SetAuthenticated(bool authenticated) {
  session_.authenticated = authenticated;
  parser_.set_authenticated(may_run_commands());
}

bool ClientConnection::asks_for_password() const {
  return !worker_.config().requirepass.empty();
}

void ClientConnection::OnConfig() {
  parser_.set_authenticated(may_run_commands());
}

void ClientConnection::ResetSession() {
  Session fresh;
  // Redis keeps these through RESET.
  fresh.no_evict = session_.no_evict;
  fresh.lib_name = std::move(session_.lib_name);
  fresh.lib_version = std::move(session_.lib_version);
  fresh.written = std::move(session_.written);
  session_ = std::move(fresh);
  SetAuthenticated(!asks_for_password());
}

bool ClientConnection::is_paused() const {
  return is_postponed() && worker_.pause().holds_back(worker_.loop().MonotonicUs());
}

std::string ClientConnection::Describe() const {
  const uint64_t now_us = worker_.loop().MonotonicUs();
  const size_t output = output_bytes();
  std::string flags;
  if (closing_) flags += 'c';
  if (is_blocked()) flags += 'b';
  if (session_.readonly) flags += 'r';
  if (session_.no_evict) flags += 'e';
  if (session_.no_touch) flags += 'T';
  return fmt::format(
      "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub=0 psub=0 ssub=0 multi=-1 "
      "qbuf={} "
      "qbuf-free={} argv-mem={} multi-mem=0 rbs={} rbp={} obl={} oll={} omem={} tot-mem={} events={} cmd={} "
      "user=default redir=-1 resp={} lib-name={} lib-ver={}",
      id_, address_, local_address_, fd_, session_.name, AgeSeconds(), (now_us - last_active_us_) / 1'000'000,
      flags.empty() ? "N" : flags, session_.db, input_.size() + under_way_bytes_ + running_bytes_,
      input_.capacity() - std::min(input_.capacity(), input_.size()), parser_.memory_bytes(),
      replies_.capacity() * sizeof(ReplyQueue::Place), typical_reply_bytes_, tcp_->queued_bytes(),
      replies_.ReadyCount(), output,
      sizeof(*this) + input_.capacity() + parser_.memory_bytes() + output +
          replies_.capacity() * sizeof(ReplyQueue::Place),
      EventsOf(reading_, tcp_->queued_bytes() > 0),
      last_command_ == nullptr ? "NULL" : last_command_->full_name, static_cast<int>(session_.protocol),
      session_.lib_name, session_.lib_version);
}

size_t ClientConnection::output_bytes() const {
  return tcp_->queued_bytes() + held_bytes_;
}

void ClientConnection::Close() {
  if (closed_) return;
  closed_ = closing_ = true;
  AbandonBlocked();
  tcp_->Close();
  worker_.OnClientClosed(*this);
}

void ClientConnection::AbandonBlocked() {
  if (blocked_ != nullptr) blocked_->Abandon();
}

void ClientConnection::CloseAfterReplies() {
  closing_ = true;
  postponed_.clear();
  UpdateReading();
  FinishIfDone();
}

void ClientConnection::FinishIfDone() {
  if (closing_ && !closed_ && replies_.empty()) tcp_->CloseWhenFlushed();
}

void ClientConnection::Refuse(std::string_view error) {
  Send("-" + std::string(error) + "\r\n");
  CloseAfterReplies();
}

void ClientConnection::OnDrained() {
  soft_limit_since_us_ = 0;
  last_active_us_ = worker_.loop().MonotonicUs();
  Process();
}

bool ClientConnection::OnEnd() {
  // What it has sent before is still answered, as far as it reads; but nobody waits on for ever.
  ended_ = true;
  StopWaiting();
  Process();
  return !closed_;
}

/// After the client's end: WAIT says what it has, and who would wait for a key gets no reply, as in Redis.
void ClientConnection::StopWaiting() {
  if (blocked_ == nullptr) return;
  const bool is_wait = replies_.At(*alone_).command->handler != nullptr;
  is_wait ? void(blocked_->Unblock(commands::BlockedCall::End::kTimeout)) : blocked_->StopWaiting();
}

void ClientConnection::OnClosed(const Status& reason) {
  if (closed_) return;
  closed_ = closing_ = true;
  AbandonBlocked();
  if (!reason.ok()) worker_.log().Verbose("Client {} at {}: {}", id_, address_, reason.message());
  worker_.OnClientClosed(*this);
}

/// The client does something again.
void ClientConnection::WakeUp() {
  const uint64_t now_us = worker_.loop().MonotonicUs();
  if (replies_.empty() && now_us - last_active_us_ > kSizesKnownUs) {
    window_ = kFirstWindow;
    typical_reply_bytes_ = 0;
  }
  last_active_us_ = now_us;
}

void ClientConnection::OnTick(uint64_t now_us) {
  if (closed_) return;
  const uint64_t timeout_us = uint64_t{worker_.config().timeout_s} * 1'000'000;
  if (timeout_us != 0 && under_way_ == 0 && !is_postponed() && now_us - last_active_us_ > timeout_us) {
    worker_.log().Verbose("Closing idle client {} at {}", id_, address_);
    ++worker_.metrics().timed_out;
    return Close();
  }
  if (!CheckOutputLimit(now_us)) return;
  if (processing_) return;
  input_.ShrinkIfIdle(parser_.bytes_wanted());
  if (input_.empty()) parser_.ShrinkIfIdle();
  if (replies_.empty() && replies_.capacity() > 0 && now_us - last_active_us_ > 1'000'000) replies_.Shrink();
}

}  // namespace orrery::server
