#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "orrery/runtime/uv/tcp.h"
#include "runtime/frame_codec.h"
#include "runtime/greeting.h"

namespace orrery::runtime {

class PeerConnection;

/// Why a connection between nodes ended other than by its owner's Close().
struct PeerConnectionEnd {
  std::string text;
  std::string host = {};                          ///< of the other side
  std::optional<Refusal> refused = std::nullopt;  ///< the other side refused our greeting
  uint64_t detail = 0;                            ///< of that refusal
  bool suspicious = false;                        ///< the other side did what no peer does
  bool corrupt = false;                           ///< a frame failed its check
};

/// What a connection asks of its owner. Each call may close the connection and let go of it.
class PeerConnectionOwner {
 public:
  /// Dialler: the other side has introduced itself. Prove(), or Close().
  virtual void OnChallenged(PeerConnection& connection) = 0;
  /// Dialler: the link is up.
  virtual void OnWelcomed(PeerConnection& connection) = 0;
  /// Acceptor: the other side has introduced itself. Challenge(), or Refuse().
  virtual void OnHello(PeerConnection& connection) = 0;
  /// Acceptor: the other side is who it says. Welcome(), and the link is up, or Refuse().
  virtual void OnProven(PeerConnection& connection) = 0;
  virtual void OnLinkFrame(PeerConnection& connection, std::string_view frame) = 0;
  /// Bytes came, and no frame is whole yet.
  virtual void OnLinkBytes(PeerConnection& connection) = 0;
  virtual void OnEnded(PeerConnection& connection, const PeerConnectionEnd& end) = 0;

 protected:
  ~PeerConnectionOwner() = default;
};

/// One socket between two nodes: greeting first, then frames. Shared by its transport and, during its own
/// callbacks, by itself. Loop's thread only.
class PeerConnection final : private TcpHandler, public std::enable_shared_from_this<PeerConnection> {
 public:
  /// Which place the connection has with its transport.
  enum class Role { kIncoming, kDial, kLink, kGuest };

  PeerConnection(UvLoop& loop, PeerConnectionOwner& owner, size_t frame_max_bytes);
  ~PeerConnection() override;

  void Dial(const GreetingIdentity& self, const std::string& host, uint16_t port, uint32_t timeout_ms);
  /// received: what was read from the socket before. ticket: released when the other side is authenticated.
  void Accept(const GreetingIdentity& self, int fd, std::string_view received, std::shared_ptr<void> ticket,
              uint32_t timeout_ms);

  void Prove(uint64_t known_incarnation, uint64_t dead_link);
  void Challenge();
  void Welcome(uint64_t known_incarnation);
  /// Says why, and closes.
  void Refuse(Refusal reason, uint64_t detail = 0);
  /// REQUIRES: up.
  void Send(std::string frame);
  /// Hands over to the system what it takes now; if the connection has failed, that is found out later.
  void PushOutput();
  /// Ends it without OnEnded().
  void Close();

  bool ended() const { return phase_ == Phase::kEnded; }
  bool up() const { return phase_ == Phase::kUp; }
  /// Dialler: the proof is sent, the verdict is not here.
  bool proven() const { return proven_; }
  bool dialled() const { return dial_.has_value(); }
  const GreetedPeer& peer() const { return dial_ ? dial_->peer() : accept_->peer(); }
  uint64_t link_id() const { return dial_ ? dial_->link_id() : accept_->link_id(); }
  size_t queued_bytes() const { return tcp_ ? tcp_->queued_bytes() : 0; }
  /// Of the other side: with the port, and without.
  std::string address() const { return tcp_ ? tcp_->PeerAddress() : "?:0"; }
  const std::string& host() const { return host_; }
  void SetUserTimeout(uint32_t timeout_ms) { tcp_->SetUserTimeout(timeout_ms); }

  // For the transport that owns the connection.
  Role role = Role::kIncoming;
  NodeId expected;           ///< the peer a dial is meant for; nobody for a seed until it says who it is
  std::string dialled_host;  ///< with its port, when dialled
  uint16_t dialled_port = 0;
  bool reported_up = false;  ///< OnPeerUp was called for it
  uint64_t up_since_us = 0;

 private:
  enum class Phase { kGreeting, kUp, kEnded };

  std::span<char> PrepareRead(size_t hint) override;
  void OnRead(size_t n) override;
  void OnClosed(const Status& reason) override;

  void StartTimeout(uint32_t timeout_ms);
  void StopTimeout();
  void AdvanceDial(std::string_view bytes);
  void AdvanceAccept(std::string_view bytes);
  void BecomeUp();
  void DeliverFrames();
  void End(PeerConnectionEnd end);

  UvLoop& loop_;
  PeerConnectionOwner& owner_;
  Phase phase_ = Phase::kGreeting;
  bool proven_ = false;
  std::unique_ptr<TcpConnection> tcp_;
  std::string host_;
  TimerId timeout_ = kNoTimer;
  std::shared_ptr<void> ticket_;
  std::optional<DialGreeting> dial_;
  std::optional<AcceptGreeting> accept_;
  std::array<char, kGreetingMaxBytes> greeting_room_;
  FrameDecoder decoder_;
  uint64_t frames_sent_ = 0;
};

}  // namespace orrery::runtime
