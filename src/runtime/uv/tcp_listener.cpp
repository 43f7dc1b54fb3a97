#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <utility>

#include "orrery/base/check.h"
#include "orrery/runtime/uv/tcp.h"
#include "runtime/uv/loop_impl.h"
#include "runtime/uv/socket.h"

namespace orrery::runtime {
namespace {

/// A storm of connections lets established ones have their turn after so many.
constexpr int kAcceptsPerTurnMax = 64;
constexpr uint64_t kRestUs = 100'000;

/// Out of something that may come back.
bool IsExhaustion(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

struct TcpListener::Impl : std::enable_shared_from_this<TcpListener::Impl> {
  Impl(UvLoop& l, int socket, OnAccept callback)
      : loop(l.impl()), fd(socket), port(LocalAddressOf(socket).Port()), on_accept(std::move(callback)) {}

  Status Start();
  void UpdateInterest();
  void AcceptAll();
  void Rest();
  void Close();

  UvLoop::Impl& loop;
  int fd;
  uint16_t port;
  OnAccept on_accept;
  uv_poll_t poll{};
  bool paused = false;
  TimerId rest = kNoTimer;
  uint64_t exhausted = 0;
  std::shared_ptr<Impl> held_by_poll;
};

Status TcpListener::Impl::Start() {
  const int error = uv_poll_init(&loop.uv, &poll, fd);
  if (error != 0) {
    CloseSocket(std::exchange(fd, -1));
    return Status::IoError(std::string("cannot watch a listening socket: ") + uv_strerror(error));
  }
  poll.data = this;
  held_by_poll = shared_from_this();
  UpdateInterest();
  return Status::Ok();
}

void TcpListener::Impl::UpdateInterest() {
  if (fd < 0) return;
  if (paused || rest != kNoTimer) {
    uv_poll_stop(&poll);
    return;
  }
  const auto ready = [](uv_poll_t* handle, int, int) { static_cast<Impl*>(handle->data)->AcceptAll(); };
  ORRERY_CHECK(uv_poll_start(&poll, UV_READABLE, ready) == 0);
}

void TcpListener::Impl::AcceptAll() {
  const std::shared_ptr<Impl> keep = shared_from_this();
  loop.NoteActivity();
  for (int i = 0; i < kAcceptsPerTurnMax && fd >= 0 && !paused; ++i) {
    const int accepted = accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) {
      on_accept(accepted);
    } else if (IsExhaustion(errno)) {
      return Rest();
    } else if (errno == EAGAIN) {
      return;
    }
    // Any other error is that of one connection that ended while it waited.
  }
}

void TcpListener::Impl::Rest() {
  ++exhausted;
  rest = loop.owner.After(kRestUs, [weak = weak_from_this()] {
    const std::shared_ptr<Impl> impl = weak.lock();
    if (impl == nullptr) return;
    impl->rest = kNoTimer;
    impl->UpdateInterest();
  });
  UpdateInterest();
}

void TcpListener::Impl::Close() {
  if (fd < 0) return;
  loop.owner.Cancel(rest);
  uv_close(reinterpret_cast<uv_handle_t*>(&poll), [](uv_handle_t* handle) {
    const std::shared_ptr<Impl> last = std::exchange(static_cast<Impl*>(handle->data)->held_by_poll, nullptr);
  });
  CloseSocket(std::exchange(fd, -1));
}

Result<std::unique_ptr<TcpListener>> TcpListener::Listen(UvLoop& loop, const Options& options,
                                                         OnAccept on_accept) {
  const auto addresses = ResolveBlocking(options.host, options.port);
  if (!addresses.ok()) return addresses.status();
  Result<int> fd = OpenListener(addresses->front(), options.backlog);
  if (!fd.ok()) return fd.status();
  auto impl = std::make_shared<Impl>(loop, *fd, std::move(on_accept));
  if (Status started = impl->Start(); !started.ok()) return started;
  return std::unique_ptr<TcpListener>(new TcpListener(std::move(impl)));
}

TcpListener::TcpListener(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
TcpListener::~TcpListener() {
  impl_->Close();
}

uint16_t TcpListener::port() const {
  return impl_->port;
}

void TcpListener::Pause() {
  impl_->paused = true;
  impl_->UpdateInterest();
}

void TcpListener::Resume() {
  impl_->paused = false;
  impl_->UpdateInterest();
}

uint64_t TcpListener::exhausted_count() const {
  return impl_->exhausted;
}

}  // namespace orrery::runtime
