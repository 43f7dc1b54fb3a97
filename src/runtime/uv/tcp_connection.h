#pragma once

#include <uv.h>

#include <memory>
#include <string>
#include <vector>

#include "orrery/runtime/uv/tcp.h"
#include "runtime/uv/loop_impl.h"
#include "runtime/uv/output_queue.h"
#include "runtime/uv/socket.h"

namespace orrery::runtime {

/// The socket behind a TcpConnection. Lives until both the owner and the loop have let go of it, so callbacks
/// may destroy the owner's side.
struct TcpConnection::Impl final : Flushable, std::enable_shared_from_this<TcpConnection::Impl> {
  enum class State { kResolving, kConnecting, kOpen, kClosed };
  /// More is worth a packet of its own.
  static constexpr size_t kWaitingBytesMax = 2048;

  Impl(UvLoop& l, TcpHandler& h) : loop(l.impl()), handler(&h), out(loop.chunks) {}

  void Resolve(const std::string& host, uint16_t port);
  void OnResolved(int status, const addrinfo* found);
  void ConnectNext();
  void OnConnectable();
  void Open(int socket);

  void WatchSocket();
  void UnwatchSocket();
  void UpdateInterest();
  void OnReady(int status, int events);
  void Read();
  void End();
  void Flush() override;
  bool MayWait() const override { return may_wait && out.bytes() <= kWaitingBytesMax; }
  /// False when the socket takes no more for now; on an error the connection fails.
  bool SendSome();
  struct Sent {
    bool all = false;  ///< of what was offered, which may not be all that is queued
    int error = 0;     ///< the connection is lost
  };
  /// Offers some of the queue to the socket; blocked is set if it does not take all of that.
  Sent SendOnce();

  void Close();
  void Fail(const Status& reason);
  /// As Fail(), but in a later turn, for calls from the owner.
  void FailLater(const Status& reason);
  void Release();

  UvLoop::Impl& loop;
  TcpHandler* handler;
  State state = State::kOpen;
  int fd = -1;
  uv_poll_t poll{};
  int interest = 0;
  bool reading = true;
  bool ended = false;    ///< the other side sends no more
  bool blocked = false;  ///< output waits for the socket to become writable
  bool close_when_flushed = false;
  bool may_wait = false;  ///< LetOutputWait
  OutputQueue out;

  uv_getaddrinfo_t lookup{};
  std::vector<SocketAddress> candidates;  ///< addresses not tried yet, last one first
  std::string target;                     ///< what is being connected to, for error texts

  std::shared_ptr<Impl> held_by_poll;    ///< itself, while libuv knows the poll handle
  std::shared_ptr<Impl> held_by_lookup;  ///< itself, while the resolver runs
};

}  // namespace orrery::runtime
