#include "orrery/runtime/uv/peer_transport.h"

#include <algorithm>
#include <utility>

#include "orrery/base/check.h"
#include "runtime/uv/peer_transport_impl.h"

namespace orrery::runtime {

using Impl = PeerTransport::Impl;

void PeerTransport::Intake::Deliver(const std::shared_ptr<Intake>& intake, int fd, std::string received,
                                    std::shared_ptr<void> ticket) {
  // Closes the socket if the task never runs, because the loop is gone.
  auto socket = std::shared_ptr<int>(new int(fd), [](int* held) {
    CloseSocket(*held);
    delete held;
  });
  intake->loop.Post([intake, socket, received = std::move(received), ticket = std::move(ticket)] {
    if (intake->transport == nullptr) return;
    intake->transport->AcceptSocket(std::exchange(*socket, -1), received, ticket);
  });
}

Impl::Impl(UvLoop& l, Random& r, const PeerTransportOptions& o, PeerEvents& e, PeerTransportHooks h)
    : loop(l),
      random(r),
      options(o),
      self{o.cluster, o.secret, o.id, o.incarnation, o.loop_index, o.loop_count, o.versions},
      events(e),
      hooks(std::move(h)),
      notes(hooks.on_note),
      intake(std::make_shared<Intake>(l, this)) {}

Impl::~Impl() {
  intake->transport = nullptr;
  for (const ConnectionPtr& connection : incoming) connection->Close();
  for (Seed& seed : seeds) {
    loop.Cancel(seed.retry);
    if (seed.dial != nullptr) seed.dial->Close();
  }
  for (auto& [id, peer] : peers) {
    loop.Cancel(peer->retry);
    if (peer->dial != nullptr) peer->dial->Close();
    if (peer->link != nullptr) peer->link->Close();
    for (auto& [index, guest] : peer->guests) guest->Close();
  }
}

void Impl::Send(NodeId id, std::string frame) {
  Peer* peer = Find(id);
  if (peer == nullptr || peer->link == nullptr) {
    ++stats.frames_dropped;
    return;
  }
  if (frame.size() > options.frame_max_bytes) {
    ++stats.frames_dropped;
    return Break(id, "a frame of " + std::to_string(frame.size()) + " bytes would be too long");
  }
  const size_t queued = peer->link->queued_bytes();
  if (queued > 0 && queued + frame.size() + kFrameHeaderBytes > options.output_max_bytes) {
    ++stats.slow_links;
    ++stats.frames_dropped;
    return Break(id, "it reads too slowly: " + std::to_string(queued) + " bytes wait");
  }
  ++stats.frames_sent;
  stats.bytes_sent += frame.size() + kFrameHeaderBytes;
  peer->link->Send(std::move(frame));
}

void Impl::SetPeers(const std::vector<PeerAddress>& addresses) {
  std::set<NodeId> listed;
  for (const PeerAddress& address : addresses) {
    if (address.id == self.id || !listed.insert(address.id).second) continue;
    Peer& peer = FindOrAdd(address.id);
    const bool moved = peer.host != address.host || peer.port != address.port;
    peer.listed = true;
    peer.host = address.host;
    peer.port = address.port;
    if (!moved) continue;
    StopDial(peer);
    if (MayDial(peer)) DialNow(peer);
  }
  std::vector<NodeId> gone;
  for (const auto& [id, peer] : peers) {
    if (peer->listed && !listed.contains(id)) gone.push_back(id);
  }
  for (const NodeId id : gone) {
    Peer& peer = *Find(id);
    peer.listed = false;
    peer.port = 0;
    peer.dead_link = 0;
    DropAll(peer);
    ForgetIfIdle(id);
  }
}

void Impl::StopDialing(const std::string& host, uint16_t port) {
  for (auto seed = seeds.begin(); seed != seeds.end(); ++seed) {
    if (seed->host != host || seed->port != port) continue;
    const ConnectionPtr dial = std::exchange(seed->dial, nullptr);
    loop.Cancel(seed->retry);
    seeds.erase(seed);
    if (dial == nullptr) return;
    dial->Close();
    if (Peer* peer = Find(dial->expected)) {
      peer->dial = nullptr;
      DialLater(*peer);
      ForgetIfIdle(dial->expected);
    }
    return;
  }
}

void Impl::Break(NodeId id, const std::string& reason) {
  Peer* peer = Find(id);
  if (peer == nullptr || peer->link == nullptr) return;
  Note("broke the link to node " + id.ToHex() + " at " + peer->link->host() + ": " + reason);
  DropLink(*peer);
  DialLater(*peer);
  ForgetIfIdle(id);
}

void Impl::RetryNow(NodeId id) {
  Peer* peer = Find(id);
  if (peer == nullptr) return;
  peer->backoff.Reset();
  if (MayDial(*peer)) DialNow(*peer);
}

void Impl::SetBlocked(const std::set<NodeId>& ids) {
  const std::set<NodeId> before = std::exchange(blocked, ids);
  for (const NodeId id : ids) {
    if (before.contains(id)) continue;
    DropIncomingOf(id);
    if (Peer* peer = Find(id)) DropAll(*peer);
    ForgetIfIdle(id);
  }
  for (const NodeId id : before) {
    if (!ids.contains(id)) RetryNow(id);
  }
}

void Impl::SetIncarnation(uint64_t incarnation) {
  if (incarnation == self.incarnation) return;
  self.incarnation = incarnation;
  for (const ConnectionPtr& connection : incoming) connection->Close();
  incoming.clear();
  std::vector<NodeId> ids;
  for (const auto& [id, peer] : peers) ids.push_back(id);
  for (const NodeId id : ids) {
    Peer& peer = *Find(id);
    DropAll(peer);
    if (MayDial(peer)) DialNow(peer);
    ForgetIfIdle(id);
  }
  for (Seed& seed : seeds) {
    if (seed.dial != nullptr) std::exchange(seed.dial, nullptr)->Close();
    DialSeedNow(seed);
  }
}

bool Impl::MayDial(const Peer& peer) const {
  return peer.port != 0 && peer.link == nullptr && peer.dial == nullptr && !IsBlocked(peer.id);
}

ConnectionPtr Impl::NewConnection() {
  return std::make_shared<PeerConnection>(loop, *this, options.frame_max_bytes);
}

ConnectionPtr Impl::NewDial(NodeId expected, const std::string& host, uint16_t port) {
  const ConnectionPtr connection = NewConnection();
  connection->role = PeerConnection::Role::kDial;
  connection->expected = expected;
  connection->dialled_host = host;
  connection->dialled_port = port;
  connection->Dial(self, host, port, options.greeting_timeout_ms);
  return connection;
}

void Impl::DialNow(Peer& peer) {
  loop.Cancel(std::exchange(peer.retry, kNoTimer));
  peer.dial = NewDial(peer.id, peer.host, peer.port);
}

void Impl::DialLater(Peer& peer) {
  if (!MayDial(peer) || peer.retry != kNoTimer) return;
  peer.retry = loop.After(peer.backoff.NextUs(random), [this, id = peer.id] {
    Peer& due = *Find(id);
    due.retry = kNoTimer;
    if (MayDial(due)) DialNow(due);
  });
}

void Impl::DialSeedNow(Seed& seed) {
  loop.Cancel(std::exchange(seed.retry, kNoTimer));
  seed.dial = NewDial(NodeId{}, seed.host, seed.port);
}

void Impl::DialSeedLater(Seed& seed) {
  if (seed.retry != kNoTimer) return;
  seed.retry = loop.After(seed.backoff.NextUs(random), [this, &seed] {
    seed.retry = kNoTimer;
    DialSeedNow(seed);
  });
}

void Impl::StopDial(Peer& peer) {
  loop.Cancel(std::exchange(peer.retry, kNoTimer));
  if (peer.dial == nullptr) return;
  const ConnectionPtr dial = std::exchange(peer.dial, nullptr);
  dial->Close();
  if (const auto seed = FindSeed(*dial); seed != seeds.end()) {
    seed->dial = nullptr;
    DialSeedLater(*seed);
  }
}

void Impl::DropLink(Peer& peer) {
  const ConnectionPtr link = std::exchange(peer.link, nullptr);
  if (link == nullptr) return;
  link->Close();
  if (link->reported_up) OwePeerDown(peer.id);
}

void Impl::DropAll(Peer& peer) {
  StopDial(peer);
  DropLink(peer);
  for (auto& [index, guest] : peer.guests) guest->Close();
  peer.guests.clear();
}

void Impl::DropIncomingOf(NodeId id) {
  std::erase_if(incoming, [&](const ConnectionPtr& connection) {
    if (connection->peer().id != id) return false;
    connection->Close();
    return true;
  });
}

void Impl::OwePeerDown(NodeId id) {
  owed_downs.push_back(id);
  if (owed_downs.size() > 1) return;
  loop.Post([held = intake] {
    if (held->transport != nullptr) held->transport->PayOwed();
  });
}

void Impl::PayOwed() {
  while (!owed_downs.empty()) {
    for (const NodeId id : std::exchange(owed_downs, {})) events.OnPeerDown(id);
  }
}

void Impl::ForgetIfIdle(NodeId id) {
  const auto found = peers.find(id);
  if (found == peers.end()) return;
  const Peer& peer = *found->second;
  const bool idle = peer.link == nullptr && peer.dial == nullptr && peer.guests.empty();
  if (!idle || peer.port != 0 || peer.dead_link != 0 || peer.listed) return;
  loop.Cancel(peer.retry);
  peers.erase(found);
}

Impl::Peer* Impl::Find(NodeId id) const {
  const auto found = peers.find(id);
  return found == peers.end() ? nullptr : found->second.get();
}

Impl::Peer& Impl::FindOrAdd(NodeId id) {
  auto& place = peers[id];
  if (place == nullptr) place = std::make_unique<Peer>(id, NewBackoff());
  return *place;
}

std::list<Impl::Seed>::iterator Impl::FindSeed(const PeerConnection& connection) {
  return std::find_if(seeds.begin(), seeds.end(),
                      [&](const Seed& seed) { return seed.dial.get() == &connection; });
}

Backoff Impl::NewBackoff() const {
  return {uint64_t{options.reconnect_min_ms} * 1000, uint64_t{options.reconnect_max_ms} * 1000};
}

uint64_t Impl::KnownIncarnation(NodeId id) const {
  return hooks.known_incarnation ? hooks.known_incarnation(id) : 0;
}

void Impl::Note(const std::string& line) {
  notes.Note(loop.MonotonicUs(), line);
}

PeerTransport::PeerTransport(UvLoop& loop, Random& random, const PeerTransportOptions& options,
                             PeerEvents& events, PeerTransportHooks hooks)
    : impl_(std::make_unique<Impl>(loop, random, options, events, std::move(hooks))) {}
PeerTransport::~PeerTransport() = default;

void PeerTransport::Send(NodeId peer, std::string frame) {
  impl_->Send(peer, std::move(frame));
}
void PeerTransport::SetPeers(const std::vector<PeerAddress>& peers) {
  impl_->SetPeers(peers);
}

void PeerTransport::Dial(const std::string& host, uint16_t port) {
  for (const Impl::Seed& seed : impl_->seeds) {
    if (seed.host == host && seed.port == port) return;
  }
  impl_->DialSeedNow(impl_->seeds.emplace_back(host, port, impl_->NewBackoff()));
}

void PeerTransport::StopDialing(const std::string& host, uint16_t port) {
  impl_->StopDialing(host, port);
}
void PeerTransport::RetryNow(NodeId peer) {
  impl_->RetryNow(peer);
}
void PeerTransport::Break(NodeId peer, const std::string& reason) {
  impl_->Break(peer, reason);
}
void PeerTransport::SetBlocked(const std::set<NodeId>& peers) {
  impl_->SetBlocked(peers);
}
void PeerTransport::SetIncarnation(uint64_t incarnation) {
  impl_->SetIncarnation(incarnation);
}

void PeerTransport::PushOutput() {
  for (const auto& [id, peer] : impl_->peers) {
    if (peer->link != nullptr) peer->link->PushOutput();
  }
}

bool PeerTransport::IsUp(NodeId peer) const {
  const Impl::Peer* found = impl_->Find(peer);
  return found != nullptr && found->link != nullptr;
}

std::vector<PeerLink> PeerTransport::Links() const {
  std::vector<PeerLink> links;
  for (const auto& [id, peer] : impl_->peers) {
    if (peer->link == nullptr) continue;
    const PeerConnection& link = *peer->link;
    links.push_back({id, link.address(), link.dialled(), link.up_since_us, link.queued_bytes()});
  }
  std::sort(links.begin(), links.end(), [](const PeerLink& a, const PeerLink& b) { return a.peer < b.peer; });
  return links;
}

const PeerTransportStats& PeerTransport::stats() const {
  return impl_->stats;
}
std::shared_ptr<PeerTransport::Intake> PeerTransport::intake() const {
  return impl_->intake;
}

}  // namespace orrery::runtime
