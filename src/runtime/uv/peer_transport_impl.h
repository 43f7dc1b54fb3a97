#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "orrery/runtime/uv/peer_transport.h"
#include "runtime/backoff.h"
#include "runtime/note_filter.h"
#include "runtime/uv/peer_connection.h"

namespace orrery::runtime {

/// Carries sockets from the listener's thread to a transport's loop. Outlives the transport while deliveries
/// are under way; they find it gone and close the socket.
struct PeerTransport::Intake {
  explicit Intake(UvLoop& l, PeerTransport::Impl* t) : loop(l), transport(t) {}
  /// Any thread. received: what was read from the socket. ticket: held until the dialler is authenticated.
  static void Deliver(const std::shared_ptr<Intake>& intake, int fd, std::string received,
                      std::shared_ptr<void> ticket);

  UvLoop& loop;
  PeerTransport::Impl* transport;  ///< read and written on the loop's thread only
};

using ConnectionPtr = std::shared_ptr<PeerConnection>;

/// The state of one loop's links. Split over peer_transport.cpp (what the node asks) and peer_links.cpp (what
/// the connections tell).
struct PeerTransport::Impl final : PeerConnectionOwner {
  struct Peer {
    Peer(NodeId i, Backoff b) : id(i), backoff(b) {}
    const NodeId id;
    std::string host;
    uint16_t port = 0;                         ///< 0: the address is not known, so it has to dial in
    bool listed = false;                       ///< by SetPeers
    ConnectionPtr dial;                        ///< our attempt
    ConnectionPtr link;                        ///< up
    std::map<uint16_t, ConnectionPtr> guests;  ///< by the peer's loop index
    uint64_t dead_link = 0;                    ///< a link that the peer has and we have not
    Backoff backoff;
    TimerId retry = kNoTimer;
    std::string trouble;  ///< the last one told, not to tell it at every attempt
  };
  struct Seed {
    Seed(std::string h, uint16_t p, Backoff b) : host(std::move(h)), port(p), backoff(b) {}
    std::string host;
    uint16_t port;
    Backoff backoff;
    ConnectionPtr dial;
    TimerId retry = kNoTimer;
    std::string trouble;
  };

  Impl(UvLoop& l, Random& r, const PeerTransportOptions& o, PeerEvents& e, PeerTransportHooks h);
  ~Impl();

  // What connections tell.
  void OnChallenged(PeerConnection& connection) override;
  void OnWelcomed(PeerConnection& connection) override;
  void OnHello(PeerConnection& connection) override;
  void OnProven(PeerConnection& connection) override;
  void OnLinkFrame(PeerConnection& connection, std::string_view frame) override;
  void OnLinkBytes(PeerConnection& connection) override;
  void OnEnded(PeerConnection& connection, const PeerConnectionEnd& end) override;

  // What is asked of the transport.
  void Send(NodeId id, std::string frame);
  void SetPeers(const std::vector<PeerAddress>& addresses);
  void StopDialing(const std::string& host, uint16_t port);
  void Break(NodeId id, const std::string& reason);
  void RetryNow(NodeId id);
  void SetBlocked(const std::set<NodeId>& ids);
  void SetIncarnation(uint64_t incarnation);
  void AcceptSocket(int fd, std::string_view received, std::shared_ptr<void> ticket);
  void RejectAnswer(PeerConnection& connection, const PeerConnectionEnd& end);
  bool ClaimSeed(PeerConnection& connection);
  void AcceptGuest(const ConnectionPtr& connection);
  std::optional<uint64_t> DuplicateOfProven(const PeerConnection& connection) const;
  void LinkUp(Peer& peer, const ConnectionPtr& connection);
  void OnDialEnded(Peer& peer, const PeerConnectionEnd& end);
  void OnSeedEnded(Seed& seed, const PeerConnectionEnd& end);
  void OnLinkEnded(Peer& peer, const PeerConnectionEnd& end);
  void AfterDuplicate(Peer& peer, uint64_t standing_link);

  // Dialling.
  void DialNow(Peer& peer);
  void DialLater(Peer& peer);
  void DialSeedNow(Seed& seed);
  void DialSeedLater(Seed& seed);
  void StopDial(Peer& peer);
  bool MayDial(const Peer& peer) const;
  ConnectionPtr NewConnection();
  ConnectionPtr NewDial(NodeId expected, const std::string& host, uint16_t port);

  // Taking links away. The news is owed until no function of the transport is on the stack.
  void DropLink(Peer& peer);
  void DropAll(Peer& peer);
  void DropIncomingOf(NodeId id);
  void OwePeerDown(NodeId id);
  void PayOwed();
  /// Forgets a peer about which there is nothing left to know.
  void ForgetIfIdle(NodeId id);

  Peer* Find(NodeId id) const;
  Peer& FindOrAdd(NodeId id);
  std::list<Seed>::iterator FindSeed(const PeerConnection& connection);
  Backoff NewBackoff() const;
  uint64_t KnownIncarnation(NodeId id) const;
  void Note(const std::string& line);
  bool IsBlocked(NodeId id) const { return blocked.contains(id); }

  UvLoop& loop;
  Random& random;
  PeerTransportOptions options;
  GreetingIdentity self;
  PeerEvents& events;
  PeerTransportHooks hooks;
  NoteFilter notes;
  PeerTransportStats stats;
  std::shared_ptr<Intake> intake;

  std::unordered_map<NodeId, std::unique_ptr<Peer>> peers;
  std::list<Seed> seeds;
  std::unordered_set<ConnectionPtr> incoming;  ///< not greeted yet
  std::set<NodeId> blocked;
  std::vector<NodeId> owed_downs;
};

}  // namespace orrery::runtime
