#include "orrery/runtime/uv/peer_listener.h"

#include <array>
#include <atomic>
#include <unordered_map>
#include <utility>

#include "orrery/base/check.h"
#include "orrery/runtime/uv/tcp.h"
#include "runtime/greeting.h"
#include "runtime/note_filter.h"
#include "runtime/uv/peer_transport_impl.h"

namespace orrery::runtime {

struct PeerListener::Impl {
  class Visitor;

  Impl(UvLoop& l, const PeerListenerOptions& o, std::function<void(const std::string&)> on_note)
      : loop(l), options(o), notes(std::move(on_note)) {}

  Status ListenOn(const ListenAddress& address);
  void OnAccept(int fd);
  void Forget(const Visitor* visitor) { visitors.erase(visitor); }
  void Refuse(const Visitor& visitor, const std::string& host, const std::string& why);
  void HandOver(Visitor& visitor, uint16_t loop_index);

  UvLoop& loop;
  PeerListenerOptions options;
  NoteFilter notes;
  std::vector<std::shared_ptr<PeerTransport::Intake>> intakes;
  /// Shared with the tickets, which may outlive the listener.
  std::shared_ptr<std::atomic<int>> unproven = std::make_shared<std::atomic<int>>(0);
  uint64_t refused = 0;
  std::unordered_map<const Visitor*, std::shared_ptr<Visitor>> visitors;
  std::vector<std::unique_ptr<TcpListener>> listeners;
};

/// Someone who has connected and not yet said who it is.
class PeerListener::Impl::Visitor final : private TcpHandler, public std::enable_shared_from_this<Visitor> {
 public:
  Visitor(Impl& owner, std::shared_ptr<void> ticket) : owner_(owner), ticket_(std::move(ticket)) {}
  ~Visitor() override { owner_.loop.Cancel(timeout_); }

  void Start(int fd) {
    connection_ = TcpConnection::Adopt(owner_.loop, fd, *this);
    const uint32_t timeout_ms = owner_.options.greeting_timeout_ms;
    timeout_ = owner_.loop.After(uint64_t{timeout_ms} * 1000, [this, timeout_ms] {
      owner_.Refuse(*this, connection_->PeerHost(),
                    "no greeting within " + std::to_string(timeout_ms) + " ms");
    });
  }

  /// Gives up the socket with what was read from it; the visitor is done.
  int Detach() { return connection_->Detach(); }
  std::string received() const { return std::string(room_.data(), received_); }
  std::shared_ptr<void> ticket() const { return ticket_; }

 private:
  std::span<char> PrepareRead(size_t) override { return std::span<char>(room_).subspan(received_); }

  void OnRead(size_t n) override {
    const std::shared_ptr<Visitor> keep = shared_from_this();
    received_ += n;
    const HelloPeek peek = PeekHello({room_.data(), received_});
    switch (peek.state) {
      case HelloPeek::State::kNeedMore:
        return;
      case HelloPeek::State::kHello:
        return owner_.HandOver(*this, peek.loop_index);
      case HelloPeek::State::kStranger:
        return owner_.Refuse(*this, connection_->PeerHost(), "not an Orrery node but " + peek.stranger);
    }
  }

  void OnClosed(const Status&) override { owner_.Forget(this); }

  Impl& owner_;
  std::shared_ptr<void> ticket_;
  std::unique_ptr<TcpConnection> connection_;
  TimerId timeout_ = kNoTimer;
  size_t received_ = 0;
  std::array<char, kGreetingMaxBytes> room_;
};

Status PeerListener::Impl::ListenOn(const ListenAddress& address) {
  // If the system chose the port, it chose it for all addresses.
  const uint16_t port = listeners.empty() ? options.port : listeners.front()->port();
  auto listener =
      TcpListener::Listen(loop, {.host = address.host, .port = port}, [this](int fd) { OnAccept(fd); });
  if (listener.ok()) {
    listeners.push_back(std::move(*listener));
    return Status::Ok();
  }
  const bool may_lack = address.optional && listener.status().code() == StatusCode::kUnavailable;
  return may_lack ? Status::Ok() : listener.status();
}

void PeerListener::Impl::OnAccept(int fd) {
  if (unproven->load(std::memory_order_relaxed) >= options.unproven_max) {
    ++refused;
    notes.Note(loop.MonotonicUs(), "refused a peer: " + std::to_string(options.unproven_max) +
                                       " connections have not proven themselves yet");
    return CloseSocket(fd);
  }
  unproven->fetch_add(1, std::memory_order_relaxed);
  std::shared_ptr<void> ticket(nullptr,
                               [count = unproven](void*) { count->fetch_sub(1, std::memory_order_relaxed); });
  auto visitor = std::make_shared<Visitor>(*this, std::move(ticket));
  visitors.emplace(visitor.get(), visitor);
  visitor->Start(fd);
}

void PeerListener::Impl::Refuse(const Visitor& visitor, const std::string& host, const std::string& why) {
  ++refused;
  notes.Note(loop.MonotonicUs(), "refused a peer at " + host + ": " + why);
  Forget(&visitor);
}

void PeerListener::Impl::HandOver(Visitor& visitor, uint16_t loop_index) {
  const int fd = visitor.Detach();
  const auto& intake = intakes[loop_index % intakes.size()];
  PeerTransport::Intake::Deliver(intake, fd, visitor.received(), visitor.ticket());
  Forget(&visitor);
}

Result<std::unique_ptr<PeerListener>> PeerListener::Listen(UvLoop& loop, const PeerListenerOptions& options,
                                                           const std::vector<PeerTransport*>& transports,
                                                           std::function<void(const std::string&)> on_note) {
  ORRERY_CHECK(!transports.empty());
  auto impl = std::make_unique<Impl>(loop, options, std::move(on_note));
  for (const PeerTransport* transport : transports) impl->intakes.push_back(transport->intake());
  for (const ListenAddress& address : options.addresses) {
    if (Status s = impl->ListenOn(address); !s.ok()) return s;
  }
  if (impl->listeners.empty()) return Status::Unavailable("no address for peers to connect to");
  return std::unique_ptr<PeerListener>(new PeerListener(std::move(impl)));
}

PeerListener::PeerListener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PeerListener::~PeerListener() = default;

uint16_t PeerListener::port() const {
  return impl_->listeners.front()->port();
}
uint64_t PeerListener::refused_count() const {
  return impl_->refused;
}
int PeerListener::unproven_count() const {
  return impl_->unproven->load(std::memory_order_relaxed);
}

}  // namespace orrery::runtime
