#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "orrery/base/status.h"
#include "orrery/runtime/uv/listen_address.h"
#include "orrery/runtime/uv/loop.h"
#include "orrery/runtime/uv/peer_transport.h"

namespace orrery::runtime {

struct PeerListenerOptions {
  /// Those that the machine may lack and lacks are left out.
  std::vector<ListenAddress> addresses = {{"127.0.0.1", false}};
  uint16_t port = 0;  ///< 0: the system chooses
  uint32_t greeting_timeout_ms = 3000;
  /// Connections that have not proven themselves yet, on all loops together; more are closed at once.
  int unproven_max = 128;
};

/// The port on which a node's peers connect. Lives on one loop, reads the first message of each connection,
/// and moves the socket to the loop that the dialler wants, whose transport finishes the greeting. Whoever is
/// not a peer is refused with a line for the log. Belongs to the node and is destroyed before the transports'
/// loops.
class PeerListener {
 public:
  /// transports: those of the node's loops, in the order of their loop indices. kIoError or kUnavailable: an address
  /// that must be there cannot be bound, or none can.
  static Result<std::unique_ptr<PeerListener>> Listen(UvLoop& loop, const PeerListenerOptions& options,
                                                      const std::vector<PeerTransport*>& transports,
                                                      std::function<void(const std::string&)> on_note);
  ~PeerListener();
  PeerListener(const PeerListener&) = delete;
  PeerListener& operator=(const PeerListener&) = delete;

  uint16_t port() const;
  uint64_t refused_count() const;
  /// Any thread.
  int unproven_count() const;

  struct Impl;

 private:
  explicit PeerListener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace orrery::runtime
