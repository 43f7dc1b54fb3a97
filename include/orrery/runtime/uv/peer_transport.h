#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "orrery/base/node_id.h"
#include "orrery/runtime/peer_versions.h"
#include "orrery/runtime/random.h"
#include "orrery/runtime/transport.h"
#include "orrery/runtime/uv/loop.h"

namespace orrery::runtime {

/// Where a peer listens for its peers.
struct PeerAddress {
  NodeId id;
  std::string host;
  uint16_t port = 0;
};

/// What a greeting has told about a peer; authenticated.
struct PeerGreeting {
  NodeId id;
  uint64_t incarnation = 0;
  uint16_t loop_count = 1;
  /// The greatest incarnation of this node that the peer knows of, 0 for none. If it is not below our own, we
  /// came back from an old disk image and need a greater one: SetIncarnation().
  uint64_t known_incarnation = 0;
  bool dialled = false;  ///< by us
  PeerAddress dialled_address;
};

struct PeerTransportOptions {
  std::string cluster;  ///< at most 64 bytes
  std::string secret;
  NodeId id;
  uint64_t incarnation = 0;
  uint16_t loop_index = 0;  ///< of this transport's loop among the node's
  uint16_t loop_count = 1;
  PeerVersions versions;
  uint32_t greeting_timeout_ms = 3000;
  uint32_t reconnect_min_ms = 50;
  uint32_t reconnect_max_ms = 1000;
  /// How long a peer's machine may leave sent bytes unacknowledged. A stopped process does not count: its
  /// kernel acknowledges.
  uint32_t unacknowledged_max_ms = 10'000;
  size_t frame_max_bytes = size_t{64} << 20;
  /// What may wait for a peer that does not read, per link. A frame that is larger waits alone.
  size_t output_max_bytes = size_t{256} << 20;
};

/// Called on the loop's thread; may call the transport, but not destroy it.
struct PeerTransportHooks {
  /// The greatest incarnation of the peer that we know of, 0 for none: the peer is told.
  std::function<uint64_t(NodeId)> known_incarnation;
  /// Just before OnPeerUp.
  std::function<void(const PeerGreeting&)> on_greeted;
  /// An address that we were told to dial is our own; it is not dialled again.
  std::function<void(const std::string& host, uint16_t port)> on_self;
  /// A line for the log: who was refused and why, which link broke. Repetitions are left out.
  std::function<void(const std::string&)> on_note;
};

struct PeerTransportStats {
  uint64_t frames_sent = 0;
  uint64_t frames_received = 0;
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  uint64_t corrupt_links = 0;   ///< broken because of a frame that failed its check
  uint64_t slow_links = 0;      ///< broken because the peer read too slowly
  uint64_t refused = 0;         ///< greetings that failed here
  uint64_t frames_dropped = 0;  ///< sent while no link was up
};

/// A standing link, as CLUSTER LINKS shows it.
struct PeerLink {
  NodeId peer;
  std::string address;
  bool dialled = false;  ///< by us
  uint64_t up_since_us = 0;
  size_t queued_bytes = 0;
};

/// Links of one loop to its peers over TCP, as docs/peer-link.md describes. Belongs to the node; created on
/// the loop's thread or while the loop does not run, destroyed likewise; used on the loop's thread only, but
/// for intake().
///
/// Loop i links to loop i modulo the peer's number of loops, and that link carries both directions; either
/// side may dial, one link stays. If the peer has more loops than this node, its surplus loops dial in as
/// well: their frames arrive here as any other, but answers go through this loop's own link, so a receiver
/// passes frames on to the loop that owns their slot. OnFrame() may then come from a peer that is not up
/// here.
///
/// PeerEvents are never called from inside a function of this class.
class PeerTransport final : public Transport {
 public:
  PeerTransport(UvLoop& loop, Random& random, const PeerTransportOptions& options, PeerEvents& events,
                PeerTransportHooks hooks);
  ~PeerTransport() override;
  PeerTransport(const PeerTransport&) = delete;
  PeerTransport& operator=(const PeerTransport&) = delete;

  /// Frames of one turn leave together at its end. One that is longer than frame_max_bytes ends the link instead.
  void Send(NodeId peer, std::string frame) override;

  /// The peers to keep links to; this node itself is skipped. A peer that was in the last list and is not in
  /// this one loses its link. Peers that were never listed may dial in all the same: the membership decides
  /// about them.
  void SetPeers(const std::vector<PeerAddress>& peers);
  /// Dials an address whose node is unknown until it is greeted, then keeps that link as if the peer were
  /// listed. If the address is this node's own, it is forgotten.
  void Dial(const std::string& host, uint16_t port);
  /// Gives up what Dial() was asked for and has not reached.
  void StopDialing(const std::string& host, uint16_t port);
  /// There is reason to believe that the peer can be reached: dials it now, if it has no link.
  void RetryNow(NodeId peer);
  /// Ends the link, if there is one; it is dialled again. For a peer whose frames make no sense.
  void Break(NodeId peer, const std::string& reason);
  /// Cuts the links to these peers and refuses new ones, until called without them.
  void SetBlocked(const std::set<NodeId>& peers);
  /// This node begins a new life: all links are greeted anew.
  void SetIncarnation(uint64_t incarnation);

  /// Gives to the system now what would leave at the end of the turn, as far as it takes it. For a turn that
  /// lasts long. Calls nobody: a link that turns out to be broken is reported in a later turn.
  void PushOutput();

  bool IsUp(NodeId peer) const;
  std::vector<PeerLink> Links() const;
  const PeerTransportStats& stats() const;

  struct Impl;
  /// Where a PeerListener delivers the sockets that are meant for this loop. Any thread may hold it.
  struct Intake;
  std::shared_ptr<Intake> intake() const;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace orrery::runtime
