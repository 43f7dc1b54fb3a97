#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "orrery/base/status.h"
#include "orrery/runtime/uv/loop.h"

namespace orrery::runtime {

/// What a connection tells its owner, on the loop's thread. Every call may close or destroy the connection.
class TcpHandler {
 public:
  virtual ~TcpHandler() = default;
  /// Where to put what arrives next: a region of the handler's own buffer, not empty, valid until OnRead() or
  /// the next PrepareRead(). hint: a size that makes good use of a system call.
  virtual std::span<char> PrepareRead(size_t hint) = 0;
  /// n bytes arrived at the start of the region.
  virtual void OnRead(size_t n) = 0;
  /// A connection made with Connect() stands.
  virtual void OnConnected() {}
  /// Output had to wait for the other side to read, and has all left now.
  virtual void OnDrained() {}
  /// The other side sends no more. True keeps the connection for what is still to be said, until Close() or
  /// CloseWhenFlushed(); false closes it, with OnClosed(Ok).
  virtual bool OnEnd() { return false; }
  /// The connection ended, by no Close() of the owner's: Ok when the other side closed it in an orderly way
  /// or CloseWhenFlushed() is done, else an error. It is closed already.
  virtual void OnClosed(const Status& reason) = 0;
};

/// One TCP connection on one loop. Belongs to its owner, who may destroy it at any time, in its callbacks
/// too. Used on the loop's thread only. Nagle's algorithm is off: output is batched by turns.
class TcpConnection {
 public:
  /// Takes over a connected socket, from whatever loop it comes, and starts reading.
  static std::unique_ptr<TcpConnection> Adopt(UvLoop& loop, int fd, TcpHandler& handler);
  /// Connects; the host may be an address or a name, whose addresses are tried in order. Always answers
  /// later, with OnConnected() or OnClosed(). What is written meanwhile is sent once connected.
  static std::unique_ptr<TcpConnection> Connect(UvLoop& loop, const std::string& host, uint16_t port,
                                                TcpHandler& handler);
  /// Close().
  ~TcpConnection();
  TcpConnection(const TcpConnection&) = delete;
  TcpConnection& operator=(const TcpConnection&) = delete;

  /// Backpressure: while paused nothing is read, so the other side's end is not noticed either.
  void PauseRead();
  void ResumeRead();

  /// Queues bytes; they leave at the end of the turn. Dropped when the connection is closed.
  void Write(std::string bytes);
  /// The buffer at the end of the queue, for appending without a copy. Valid until the next call on this
  /// connection or the end of the turn.
  std::string& Buffer();
  /// Bytes written and not yet taken by the kernel.
  size_t queued_bytes() const;

  /// Sends at once what the kernel takes, instead of at the end of the turn. May call OnClosed().
  void Flush();
  /// As Flush(), but calls nobody, a connection that is lost says so in a later turn; and asks the socket even if it took
  /// no more before.
  void PushOutput();

  /// From now on little output may wait for that of the next turns, as long as the loop finds more to do
  /// without a sleep: one packet, and one wake-up of the other side, instead of several.
  void LetOutputWait();

  /// Ends the connection now; what is queued is lost. No callback comes after this. Harmless twice.
  void Close();
  /// Reads no more, and closes when the queue is empty; then OnClosed(Ok).
  void CloseWhenFlushed();
  bool closed() const;

  /// Gives the socket away, to be adopted by another loop: sends what is queued and lets go of the file
  /// descriptor; the connection is closed for this owner. -1, and nothing changes, when the output cannot be
  /// sent at once or the connection is closed or not yet connected.
  int Detach();

  /// Probes an idle connection after so many seconds, and gives up after three probes a third of that apart
  /// (tcp-keepalive of Redis). 0: off.
  void SetKeepAlive(uint32_t seconds);
  /// How long sent bytes may stay unacknowledged before the connection counts as broken.
  void SetUserTimeout(uint32_t timeout_ms);

  /// "127.0.0.1:7001" or "[::1]:7001"; "?:0" when closed or not connected.
  std::string PeerAddress() const;
  std::string LocalAddress() const;
  /// Of the other side, without the port.
  std::string PeerHost() const;

  struct Impl;

 private:
  explicit TcpConnection(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

/// A listening socket on one loop. Belongs to its owner; used on the loop's thread only.
class TcpListener {
 public:
  struct Options {
    std::string host = "127.0.0.1";  ///< an address, a name, or "0.0.0.0" / "::" for any
    uint16_t port = 0;               ///< 0: the system chooses
    int backlog = 511;
  };
  /// Gets each accepted socket, non-blocking, and owns it: TcpConnection::Adopt() on this or on any other
  /// loop.
  using OnAccept = std::function<void(int fd)>;

  /// kUnavailable when the machine lacks the address; kIoError with the reason when it cannot be bound, for example
  /// because it is in use.
  static Result<std::unique_ptr<TcpListener>> Listen(UvLoop& loop, const Options& options,
                                                     OnAccept on_accept);
  ~TcpListener();
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;

  uint16_t port() const;
  /// Accepts no more. Connections wait in the backlog until it is full, or until Close().
  void Pause();
  void Resume();
  /// How often accepting failed for want of file descriptors or memory; each time the listener rests for 100
  /// ms.
  uint64_t exhausted_count() const;

  struct Impl;

 private:
  explicit TcpListener(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

/// Closes a socket that nobody adopted.
void CloseSocket(int fd);

}  // namespace orrery::runtime
