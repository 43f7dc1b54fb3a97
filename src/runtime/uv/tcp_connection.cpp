#include "runtime/uv/tcp_connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "orrery/base/check.h"

namespace orrery::runtime {
namespace {

constexpr size_t kReadHintBytes = 64 * 1024;
/// A connection that always has more to read lets the others have their turn after so many reads.
constexpr int kReadsPerTurnMax = 8;
constexpr size_t kPiecesMax = 64;

}  // namespace

void TcpConnection::Impl::Resolve(const std::string& host, uint16_t port) {
  target = host + ":" + std::to_string(port);
  if (const auto address = ParseAddress(host, port)) {
    candidates = {*address};
    state = State::kConnecting;
    return ConnectNext();
  }
  state = State::kResolving;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  lookup.data = this;
  const auto done = [](uv_getaddrinfo_t* request, int status, addrinfo* found) {
    auto* impl = static_cast<Impl*>(request->data);
    const std::shared_ptr<Impl> keep = std::exchange(impl->held_by_lookup, nullptr);
    impl->OnResolved(status, found);
    uv_freeaddrinfo(found);
  };
  const int error =
      uv_getaddrinfo(&loop.uv, &lookup, done, host.c_str(), std::to_string(port).c_str(), &hints);
  if (error != 0) return FailLater(Status::IoError("cannot resolve " + host + ": " + uv_strerror(error)));
  held_by_lookup = shared_from_this();
}

void TcpConnection::Impl::OnResolved(int status, const addrinfo* found) {
  if (state == State::kClosed) return;
  loop.NoteActivity();
  if (status != 0) return Fail(Status::IoError("cannot resolve " + target + ": " + uv_strerror(status)));
  for (; found != nullptr; found = found->ai_next) {
    candidates.insert(candidates.begin(), FromSockaddr(found->ai_addr, found->ai_addrlen));
  }
  state = State::kConnecting;
  ConnectNext();
}

void TcpConnection::Impl::ConnectNext() {
  Status reason = Status::IoError("cannot connect to " + target + ": no address");
  while (!candidates.empty()) {
    const SocketAddress address = candidates.back();
    candidates.pop_back();
    Result<int> socket = OpenSocket(address.storage.ss_family);
    if (!socket.ok()) {
      reason = socket.status();
      continue;
    }
    if (connect(*socket, address.get(), address.length) == 0 || errno == EINPROGRESS) {
      fd = *socket;
      SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
      WatchSocket();
      return;
    }
    reason = SystemError("cannot connect to " + address.Text(), errno);
    close(*socket);
  }
  FailLater(reason);
}

void TcpConnection::Impl::OnConnectable() {
  int error = 0;
  socklen_t length = sizeof(error);
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) {
    UnwatchSocket();
    if (!candidates.empty()) return ConnectNext();
    return Fail(SystemError("cannot connect to " + target, error));
  }
  state = State::kOpen;
  UpdateInterest();
  if (!out.empty() || close_when_flushed) loop.FlushLater(*this);
  handler->OnConnected();
}

void TcpConnection::Impl::Open(int socket) {
  fd = socket;
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  WatchSocket();
}

void TcpConnection::Impl::WatchSocket() {
  // After a failed address the handle of the last one is still closing and owns this object's poll; a
  // connection with several addresses therefore waits for it in Release().
  if (held_by_poll != nullptr) return;
  const int error = uv_poll_init(&loop.uv, &poll, fd);
  if (error != 0)
    return FailLater(Status::IoError(std::string("cannot watch a socket: ") + uv_strerror(error)));
  poll.data = this;
  held_by_poll = shared_from_this();
  interest = 0;
  UpdateInterest();
}

void TcpConnection::Impl::UnwatchSocket() {
  if (held_by_poll != nullptr && uv_is_closing(reinterpret_cast<uv_handle_t*>(&poll)) == 0) {
    uv_close(reinterpret_cast<uv_handle_t*>(&poll),
             [](uv_handle_t* handle) { static_cast<Impl*>(handle->data)->Release(); });
  }
  CloseSocket(std::exchange(fd, -1));
}

void TcpConnection::Impl::Release() {
  const std::shared_ptr<Impl> keep = std::exchange(held_by_poll, nullptr);
  if (state == State::kConnecting && fd >= 0) WatchSocket();
}

void TcpConnection::Impl::UpdateInterest() {
  if (held_by_poll == nullptr || fd < 0 || uv_is_closing(reinterpret_cast<uv_handle_t*>(&poll)) != 0) return;
  int wanted = 0;
  if (state == State::kConnecting || blocked) wanted |= UV_WRITABLE;
  if (state == State::kOpen && reading) wanted |= UV_READABLE;
  if (wanted == interest) return;
  interest = wanted;
  if (wanted == 0) {
    uv_poll_stop(&poll);
    return;
  }
  const auto ready = [](uv_poll_t* handle, int status, int events) {
    static_cast<Impl*>(handle->data)->OnReady(status, events);
  };
  ORRERY_CHECK(uv_poll_start(&poll, wanted, ready) == 0);
}

void TcpConnection::Impl::OnReady(int status, int events) {
  const std::shared_ptr<Impl> keep = shared_from_this();
  loop.NoteActivity();
  if (status < 0) interest = 0;  // libuv stopped watching; the socket's own error tells more
  if (state == State::kConnecting) return OnConnectable();
  if (status < 0 || (events & UV_READABLE) != 0) Read();
  if (state == State::kOpen && (events & UV_WRITABLE) != 0) {
    blocked = false;
    Flush();
    UpdateInterest();
  }
  if (state == State::kOpen && status < 0) Fail(SystemError("connection lost", ECONNRESET));
  loop.EndLongTurn();
}

void TcpConnection::Impl::Read() {
  for (int i = 0; i < kReadsPerTurnMax && state == State::kOpen && reading; ++i) {
    const std::span<char> region = handler->PrepareRead(kReadHintBytes);
    if (state != State::kOpen) return;
    ORRERY_CHECK(!region.empty());
    const ssize_t n = recv(fd, region.data(), region.size(), 0);
    if (n == 0) return End();
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) Fail(SystemError("connection lost", errno));
      return;
    }
    loop.read_bytes += static_cast<size_t>(n);
    handler->OnRead(static_cast<size_t>(n));
    if (static_cast<size_t>(n) < region.size()) return;
  }
}

void TcpConnection::Impl::End() {
  ended = true;
  reading = false;
  const bool keep_open = handler->OnEnd();
  if (state != State::kOpen) return;
  if (!keep_open) return Fail(Status::Ok());
  UpdateInterest();
}

void TcpConnection::Impl::Flush() {
  if (state != State::kOpen || blocked) return;
  const std::shared_ptr<Impl> keep = shared_from_this();
  const bool waited = (interest & UV_WRITABLE) != 0;
  while (!out.empty()) {
    if (!SendSome()) return;
  }
  if (close_when_flushed) return Fail(Status::Ok());
  if (waited) {
    loop.NoteActivity();
    handler->OnDrained();
  }
}

bool TcpConnection::Impl::SendSome() {
  const Sent sent = SendOnce();
  if (sent.error != 0) Fail(SystemError("connection lost", sent.error));
  return sent.all;
}

TcpConnection::Impl::Sent TcpConnection::Impl::SendOnce() {
  iovec pieces[kPiecesMax];
  msghdr message{};
  message.msg_iov = pieces;
  message.msg_iovlen = out.Peek(pieces, kPiecesMax);
  size_t offered = 0;
  for (size_t i = 0; i < message.msg_iovlen; ++i) offered += pieces[i].iov_len;
  const ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
  if (sent < 0 && errno == EINTR) return {.all = true};
  if (sent < 0 && errno != EAGAIN) return {.error = errno};
  if (sent > 0) out.Consume(static_cast<size_t>(sent));
  if (sent == static_cast<ssize_t>(offered)) return {.all = true};
  blocked = true;
  UpdateInterest();
  return {};
}

void TcpConnection::Impl::Close() {
  if (state == State::kClosed) return;
  state = State::kClosed;
  loop.ForgetFlush(*this);
  out.Clear();
  candidates.clear();
  if (held_by_lookup != nullptr) uv_cancel(reinterpret_cast<uv_req_t*>(&lookup));
  UnwatchSocket();
}

void TcpConnection::Impl::Fail(const Status& reason) {
  if (state == State::kClosed) return;
  const std::shared_ptr<Impl> keep = shared_from_this();
  Close();
  loop.NoteActivity();
  handler->OnClosed(reason);
}

void TcpConnection::Impl::FailLater(const Status& reason) {
  loop.owner.Post([weak = weak_from_this(), reason] {
    if (const std::shared_ptr<Impl> impl = weak.lock()) impl->Fail(reason);
  });
}

TcpConnection::TcpConnection(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
TcpConnection::~TcpConnection() {
  Close();
}

std::unique_ptr<TcpConnection> TcpConnection::Adopt(UvLoop& loop, int fd, TcpHandler& handler) {
  auto impl = std::make_shared<Impl>(loop, handler);
  impl->Open(fd);
  return std::unique_ptr<TcpConnection>(new TcpConnection(std::move(impl)));
}

std::unique_ptr<TcpConnection> TcpConnection::Connect(UvLoop& loop, const std::string& host, uint16_t port,
                                                      TcpHandler& handler) {
  auto impl = std::make_shared<Impl>(loop, handler);
  impl->Resolve(host, port);
  return std::unique_ptr<TcpConnection>(new TcpConnection(std::move(impl)));
}

void TcpConnection::PauseRead() {
  impl_->reading = false;
  impl_->UpdateInterest();
}

void TcpConnection::ResumeRead() {
  if (impl_->close_when_flushed || impl_->ended) return;
  impl_->reading = true;
  impl_->UpdateInterest();
}

void TcpConnection::Write(std::string bytes) {
  if (impl_->state == Impl::State::kClosed) return;
  impl_->loop.FlushLater(*impl_);
  impl_->out.Append(std::move(bytes));
}

std::string& TcpConnection::Buffer() {
  if (impl_->state != Impl::State::kClosed) impl_->loop.FlushLater(*impl_);
  return impl_->out.Tail();
}

size_t TcpConnection::queued_bytes() const {
  return impl_->out.bytes();
}

void TcpConnection::Flush() {
  impl_->Flush();
}

// Whether the socket takes something again, the loop would only learn when the turn has ended.
void TcpConnection::PushOutput() {
  while (impl_->state == Impl::State::kOpen && !impl_->out.empty()) {
    const Impl::Sent sent = impl_->SendOnce();
    if (sent.error != 0) impl_->FailLater(SystemError("connection lost", sent.error));
    if (!sent.all) return;
  }
}

void TcpConnection::LetOutputWait() {
  impl_->may_wait = true;
}

void TcpConnection::Close() {
  impl_->Close();
}

void TcpConnection::CloseWhenFlushed() {
  if (impl_->state == Impl::State::kClosed) return;
  PauseRead();
  impl_->close_when_flushed = true;
  impl_->loop.FlushLater(*impl_);
}

bool TcpConnection::closed() const {
  return impl_->state == Impl::State::kClosed;
}

int TcpConnection::Detach() {
  const std::shared_ptr<Impl> impl = impl_;
  if (impl->state != Impl::State::kOpen || impl->blocked) return -1;
  while (!impl->out.empty()) {
    if (!impl->SendSome()) return -1;
  }
  const int fd = std::exchange(impl->fd, -1);
  impl->Close();
  return fd;
}

void TcpConnection::SetKeepAlive(uint32_t seconds) {
  SetOption(impl_->fd, SOL_SOCKET, SO_KEEPALIVE, seconds > 0 ? 1 : 0);
  if (seconds == 0) return;
  SetOption(impl_->fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(seconds));
  SetOption(impl_->fd, IPPROTO_TCP, TCP_KEEPINTVL, static_cast<int>(std::max<uint32_t>(1, seconds / 3)));
  SetOption(impl_->fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

void TcpConnection::SetUserTimeout(uint32_t timeout_ms) {
  SetOption(impl_->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(timeout_ms));
}

std::string TcpConnection::PeerAddress() const {
  return PeerAddressOf(impl_->fd).Text();
}
std::string TcpConnection::LocalAddress() const {
  return LocalAddressOf(impl_->fd).Text();
}
std::string TcpConnection::PeerHost() const {
  return PeerAddressOf(impl_->fd).Host();
}

}  // namespace orrery::runtime
