#include <algorithm>
#include <utility>

#include "orrery/base/check.h"
#include "runtime/link_rule.h"
#include "runtime/uv/peer_transport_impl.h"

namespace orrery::runtime {

using Impl = PeerTransport::Impl;

void Impl::AcceptSocket(int fd, std::string_view received, std::shared_ptr<void> ticket) {
  PayOwed();
  const ConnectionPtr connection = NewConnection();
  connection->role = PeerConnection::Role::kIncoming;
  incoming.insert(connection);
  connection->Accept(self, fd, received, std::move(ticket), options.greeting_timeout_ms);
}

void Impl::OnChallenged(PeerConnection& connection) {
  PayOwed();
  const ConnectionPtr keep = connection.shared_from_this();
  const NodeId id = connection.peer().id;
  if (id == self.id)
    return RejectAnswer(connection, {.text = "it says that it is us", .refused = Refusal::kSelf});
  if (!connection.expected && !ClaimSeed(connection)) return;
  if (connection.expected != id) {
    return RejectAnswer(connection, {.text = "node " + id.ToHex() + " listens there instead"});
  }
  connection.Prove(KnownIncarnation(id), FindOrAdd(id).dead_link);
}

void Impl::RejectAnswer(PeerConnection& connection, const PeerConnectionEnd& end) {
  connection.Close();
  OnEnded(connection, end);
}

/// A seed has said who it is: from now on its connection is our attempt to reach that peer. False when that
/// is not needed and the connection is closed.
bool Impl::ClaimSeed(PeerConnection& connection) {
  const auto seed = FindSeed(connection);
  const NodeId id = connection.peer().id;
  Peer* peer = Find(id);
  if (peer != nullptr && peer->link != nullptr) {
    connection.Close();
    seeds.erase(seed);
    return false;
  }
  if (IsBlocked(id) || (peer != nullptr && peer->dial != nullptr && peer->dial->proven())) {
    connection.Close();
    seed->dial = nullptr;
    DialSeedLater(*seed);
    return false;
  }
  Peer& claimed = FindOrAdd(id);
  StopDial(claimed);
  claimed.dial = connection.shared_from_this();
  connection.expected = id;
  return true;
}

void Impl::OnWelcomed(PeerConnection& connection) {
  PayOwed();
  Peer& peer = *Find(connection.expected);
  const ConnectionPtr link = std::exchange(peer.dial, nullptr);
  if (const auto seed = FindSeed(connection); seed != seeds.end()) {
    if (!peer.listed) {
      peer.host = seed->host;
      peer.port = seed->port;
    }
    seeds.erase(seed);
  }
  LinkUp(peer, link);
}

void Impl::OnHello(PeerConnection& connection) {
  PayOwed();
  const GreetedPeer& who = connection.peer();
  const bool blocked_peer = IsBlocked(who.id);
  if (!blocked_peer && who.loop_index % options.loop_count == options.loop_index)
    return connection.Challenge();
  const ConnectionPtr keep = connection.shared_from_this();
  incoming.erase(keep);
  connection.Refuse(blocked_peer ? Refusal::kBlocked : Refusal::kMalformed);
}

void Impl::OnProven(PeerConnection& connection) {
  PayOwed();
  const ConnectionPtr keep = connection.shared_from_this();
  const NodeId id = connection.peer().id;
  if (connection.ended()) return;
  const bool guest = connection.peer().loop_index != options.loop_index;
  const std::optional<uint64_t> standing = guest ? std::nullopt : DuplicateOfProven(connection);
  if (standing) {
    incoming.erase(keep);
    return connection.Refuse(Refusal::kDuplicate, *standing);
  }
  if (!guest) {
    DropLink(FindOrAdd(id));
    PayOwed();
  }
  // The owner has heard of the old link's end and may have blocked the peer or begun a new life.
  incoming.erase(keep);
  if (connection.ended()) return ForgetIfIdle(id);
  if (guest) return AcceptGuest(keep);
  Peer& peer = FindOrAdd(id);
  StopDial(peer);
  connection.Welcome(KnownIncarnation(id));
  LinkUp(peer, keep);
}

void Impl::AcceptGuest(const ConnectionPtr& connection) {
  const GreetedPeer& who = connection->peer();
  ConnectionPtr& place = FindOrAdd(who.id).guests[who.loop_index];
  if (place != nullptr) place->Close();
  place = connection;
  connection->role = PeerConnection::Role::kGuest;
  connection->Welcome(KnownIncarnation(who.id));
}

std::optional<uint64_t> Impl::DuplicateOfProven(const PeerConnection& connection) const {
  const GreetedPeer& who = connection.peer();
  LinkSituation situation;
  situation.we_are_smaller = self.id < who.id;
  situation.their_incarnation = who.incarnation;
  situation.their_dead_link = who.dead_link;
  if (const Peer* peer = Find(who.id)) {
    if (peer->link != nullptr) {
      situation.link_up = true;
      situation.link_id = peer->link->link_id();
      situation.link_incarnation = peer->link->peer().incarnation;
    }
    if (peer->dial != nullptr && peer->dial->proven()) {
      situation.dial_proven = true;
      situation.dial_id = peer->dial->link_id();
    }
  }
  return DuplicateOf(situation);
}

void Impl::LinkUp(Peer& peer, const ConnectionPtr& connection) {
  ORRERY_CHECK(peer.link == nullptr && peer.dial == nullptr);
  peer.link = connection;
  peer.dead_link = 0;
  peer.trouble.clear();
  loop.Cancel(std::exchange(peer.retry, kNoTimer));
  connection->role = PeerConnection::Role::kLink;
  connection->up_since_us = loop.MonotonicUs();
  connection->SetUserTimeout(options.unacknowledged_max_ms);
  const GreetedPeer who = connection->peer();
  if (hooks.on_greeted) {
    hooks.on_greeted({who.id, who.incarnation, who.loop_count, who.known_incarnation, connection->dialled(),
                      PeerAddress{who.id, connection->dialled_host, connection->dialled_port}});
  }
  if (!connection->up()) return;  // the owner has thought better of it
  connection->reported_up = true;
  events.OnPeerUp(who.id, who.incarnation);
}

void Impl::OnLinkFrame(PeerConnection& connection, std::string_view frame) {
  PayOwed();
  if (!connection.up()) return;
  ++stats.frames_received;
  stats.bytes_received += frame.size() + kFrameHeaderBytes;
  events.OnFrame(connection.peer().id, frame);
}

void Impl::OnLinkBytes(PeerConnection& connection) {
  PayOwed();
  if (connection.up()) events.OnPartOfFrame(connection.peer().id);
}

void Impl::OnEnded(PeerConnection& connection, const PeerConnectionEnd& end) {
  PayOwed();
  const ConnectionPtr keep = connection.shared_from_this();
  if (end.corrupt) ++stats.corrupt_links;
  switch (connection.role) {
    case PeerConnection::Role::kIncoming:
      incoming.erase(keep);
      if (!end.suspicious) return;
      ++stats.refused;
      return Note("refused a peer at " + end.host + ": " + end.text);
    case PeerConnection::Role::kDial: {
      if (Peer* peer = Find(connection.expected)) return OnDialEnded(*peer, end);
      return OnSeedEnded(*FindSeed(connection), end);
    }
    case PeerConnection::Role::kLink:
      return OnLinkEnded(*Find(connection.peer().id), end);
    case PeerConnection::Role::kGuest: {
      const NodeId id = connection.peer().id;
      Find(id)->guests.erase(connection.peer().loop_index);
      if (end.corrupt) Note("broke a link from node " + id.ToHex() + " at " + end.host + ": " + end.text);
      return ForgetIfIdle(id);
    }
  }
}

void Impl::OnDialEnded(Peer& peer, const PeerConnectionEnd& end) {
  const ConnectionPtr dial = std::exchange(peer.dial, nullptr);
  const auto seed = FindSeed(*dial);
  const bool told = seed != seeds.end();
  if (told) OnSeedEnded(*seed, end);
  if (end.refused == Refusal::kDuplicate) return AfterDuplicate(peer, end.detail);
  if (!told && std::exchange(peer.trouble, end.text) != end.text) {
    Note("no link to node " + peer.id.ToHex() + " at " + peer.host + ":" + std::to_string(peer.port) + ": " +
         end.text);
  }
  DialLater(peer);
  ForgetIfIdle(peer.id);
}

/// The peer keeps another link. If it is one that we have, or are being greeted on, all is well; else the
/// peer has not noticed its end, and is told so at once.
void Impl::AfterDuplicate(Peer& peer, uint64_t standing_link) {
  if (peer.link != nullptr) return;
  const bool expected_soon =
      std::any_of(incoming.begin(), incoming.end(),
                  [&](const ConnectionPtr& connection) { return connection->link_id() == standing_link; });
  if (expected_soon || std::exchange(peer.dead_link, standing_link) == standing_link) return DialLater(peer);
  if (MayDial(peer)) DialNow(peer);
}

void Impl::OnSeedEnded(Seed& seed, const PeerConnectionEnd& end) {
  seed.dial = nullptr;
  if (end.refused == Refusal::kSelf) {
    const std::string host = seed.host;
    const uint16_t port = seed.port;
    seeds.remove_if([&](const Seed& entry) { return &entry == &seed; });
    if (hooks.on_self) hooks.on_self(host, port);
    return;
  }
  if (end.refused != Refusal::kDuplicate && std::exchange(seed.trouble, end.text) != end.text) {
    Note("no link to the node at " + seed.host + ":" + std::to_string(seed.port) + ": " + end.text);
  }
  DialSeedLater(seed);
}

void Impl::OnLinkEnded(Peer& peer, const PeerConnectionEnd& end) {
  const uint64_t lived_us = loop.MonotonicUs() - peer.link->up_since_us;
  if (lived_us >= uint64_t{options.reconnect_max_ms} * 1000) peer.backoff.Reset();
  Note("lost the link to node " + peer.id.ToHex() + " at " + end.host + ": " + end.text);
  DropLink(peer);
  DialLater(peer);
  ForgetIfIdle(peer.id);
  PayOwed();
}

}  // namespace orrery::runtime
