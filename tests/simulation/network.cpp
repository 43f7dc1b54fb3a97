#include "simulation/network.h"

#include <algorithm>
#include <utility>

namespace orrery::simulation {
namespace {

constexpr uint64_t kStallUs = 4'000'000;     // a blocked link breaks within this, or never
constexpr uint64_t kBreakNoticeUs = 20'000;  // both ends of a broken link know within this
constexpr uint64_t kReconnectUs = 200'000;

}  // namespace

Network::Network(size_t nodes, size_t loops_max, Scheduler* scheduler, runtime::Random* random,
                 NetworkUser* user, Delays delays)
    : nodes_(nodes),
      loops_(loops_max),
      ports_(nodes * loops_max),
      scheduler_(*scheduler),
      random_(*random),
      user_(*user),
      delays_(delays),
      links_(ports_ * ports_),
      directions_(ports_ * ports_),
      obstacles_(nodes * nodes) {}

uint64_t Network::Delay(size_t from, size_t to) {
  return delays_.base_us + random_.Below(delays_.jitter_us + 1) + obstacles_[from * nodes_ + to].extra_us;
}

// ---- frames ----

void Network::Send(Port from, Port to, std::string frame, bool quiet) {
  Link& link = LinkOf(from, to);
  const uint64_t epoch = EndOf(from, to).epoch;
  if (epoch == 0 || epoch != link.epoch || !link.whole) return;
  Direction& direction = DirectionOf(from, to);
  direction.last_arrival_us =
      std::max(direction.last_arrival_us, scheduler_.now_us() + Delay(from.node, to.node));
  scheduler_.At(
      direction.last_arrival_us,
      [this, from, to, f = Frame{epoch, std::move(frame), quiet}]() mutable {
        Arrive(from, to, std::move(f));
      },
      quiet);
}

void Network::Arrive(Port from, Port to, Frame frame) {
  Direction& direction = DirectionOf(from, to);
  if (IsBlocked(from.node, to.node) || !direction.held.empty()) {
    direction.held.push_back(std::move(frame));
    return;
  }
  Hand(from, to, std::move(frame));
}

void Network::Hand(Port from, Port to, Frame frame) {
  const bool quiet = frame.quiet;
  user_.RunOn(to, quiet, [this, from, to, f = std::move(frame)] {
    if (EndOf(to, from).epoch != f.epoch) return;
    ++frames_delivered_;
    user_.Deliver(to, from, f.bytes);
  });
}

void Network::Pump(Port from, Port to) {
  if (IsBlocked(from.node, to.node)) return;
  for (Frame& frame : std::exchange(DirectionOf(from, to).held, {})) Hand(from, to, std::move(frame));
}

// ---- links ----

void Network::PlanConnect(size_t a, size_t b) {
  ForEachLink(a, b, [this](Port p, Port q) {
    if (user_.Dials(p, q) || user_.Dials(q, p)) PlanConnect(p, q);
  });
}

void Network::PlanConnect(Port a, Port b) {
  Link& link = LinkOf(a, b);
  if (link.whole || std::exchange(link.connect_planned, true)) return;
  scheduler_.After(1 + random_.Below(kReconnectUs), [this, a, b] {
    LinkOf(a, b).connect_planned = false;
    Connect(a, b);
  });
}

// Fails silently if something is in the way: whoever takes it away plans the next attempt.
void Network::Connect(Port a, Port b) {
  Link& link = LinkOf(a, b);
  if (link.whole || IsBlocked(a.node, b.node) || IsBlocked(b.node, a.node)) return;
  if (!user_.IsResponsive(a) || !user_.IsResponsive(b)) return;
  if (!user_.Dials(a, b) && !user_.Dials(b, a)) return;
  bool clean = true;
  for (const auto& [port, peer] : {std::pair(a, b), std::pair(b, a)}) {
    const uint64_t epoch = EndOf(port, peer).epoch;
    if (epoch == 0) continue;
    clean = false;  // this end learns from the new attempt that the old link is dead
    DropEnd(port, peer, epoch, 1000);
  }
  if (!clean) return PlanConnect(a, b);
  ++link.epoch;
  link.whole = true;
  RaiseEnd(a, b, link.epoch);
  RaiseEnd(b, a, link.epoch);
}

void Network::RaiseEnd(Port port, Port peer, uint64_t epoch) {
  EndOf(port, peer).own = user_.IsOwnLink(port, peer);
  Direction& in = DirectionOf(peer, port);
  in.last_arrival_us = scheduler_.now_us() + Delay(peer.node, port.node);
  in.held.clear();
  scheduler_.At(in.last_arrival_us, [this, port, peer, epoch] {
    user_.RunOn(port, false, [this, port, peer, epoch] {
      Link& link = LinkOf(port, peer);
      if (link.epoch != epoch || !link.whole) return;
      if (EndOf(port, peer).own) DropOwnLinks(port, peer.node);
      EndOf(port, peer).epoch = epoch;
      if (EndOf(port, peer).own) user_.LinkUp(port, peer);
    });
  });
}

// A loop has one link of its own to a peer: one to another loop of the peer's earlier life ends now, if it
// has not yet.
void Network::DropOwnLinks(Port port, size_t peer) {
  for (size_t loop = 0; loop < loops_; ++loop) {
    End& end = EndOf(port, {peer, loop});
    if (end.epoch == 0 || !end.own) continue;
    end.epoch = 0;
    user_.LinkDown(port, {peer, loop});
  }
}

void Network::DropEnd(Port port, Port peer, uint64_t epoch, uint64_t within_us) {
  scheduler_.After(random_.Below(within_us + 1), [this, port, peer, epoch] {
    user_.RunOn(port, false, [this, port, peer, epoch] {
      End& end = EndOf(port, peer);
      if (end.epoch != epoch) return;
      end.epoch = 0;
      if (end.own) user_.LinkDown(port, peer);
    });
  });
}

void Network::BreakLink(Port a, Port b) {
  Link& link = LinkOf(a, b);
  if (!std::exchange(link.whole, false)) return;
  DropEnd(a, b, link.epoch, kBreakNoticeUs);
  DropEnd(b, a, link.epoch, kBreakNoticeUs);
  PlanConnect(a, b);
}

void Network::Close(Port port, Port peer, uint64_t noticed_within_us) {
  LinkOf(port, peer).whole = false;
  EndOf(port, peer).epoch = 0;
  const uint64_t epoch = EndOf(peer, port).epoch;
  if (epoch != 0) DropEnd(peer, port, epoch, noticed_within_us);
}

// ---- faults ----

void Network::Break(size_t a, size_t b) {
  ForEachLink(a, b, [this](Port p, Port q) { BreakLink(p, q); });
}

void Network::BreakOne(size_t a, size_t b) {
  BreakLink({a, random_.Below(loops_)}, {b, random_.Below(loops_)});
}

void Network::SetBlocked(size_t from, size_t to, bool blocked) {
  if (std::exchange(obstacles_[from * nodes_ + to].blocked, blocked) == blocked) return;
  if (!blocked) {
    ForEachLink(from, to, [this](Port p, Port q) {
      if (DirectionOf(p, q).held.empty()) return;
      scheduler_.After(Delay(p.node, q.node), [this, p, q] { Pump(p, q); });
    });
    return PlanConnect(from, to);
  }
  ForEachLink(from, to, [this](Port p, Port q) {
    if (!LinkOf(p, q).whole || random_.Below(4) == 0) return;  // a stall that ends before anybody gives up
    scheduler_.After(random_.Below(kStallUs), [this, p, q, epoch = LinkOf(p, q).epoch] {
      if (IsBlocked(p.node, q.node) && LinkOf(p, q).epoch == epoch) BreakLink(p, q);
    });
  });
}

void Network::Heal() {
  for (size_t from = 0; from < nodes_; ++from) {
    for (size_t to = 0; to < nodes_; ++to) {
      if (from == to) continue;
      obstacles_[from * nodes_ + to].extra_us = 0;
      SetBlocked(from, to, false);
      if (from < to) PlanConnect(from, to);
    }
  }
}

void Network::NodeGone(size_t node, uint64_t noticed_within_us) {
  for (size_t peer = 0; peer < nodes_; ++peer) {
    if (peer == node) continue;
    ForEachLink(node, peer, [&](Port p, Port q) { Close(p, q, noticed_within_us); });
  }
}

void Network::PortGone(Port port) {
  for (size_t peer = 0; peer < nodes_; ++peer) {
    if (peer == port.node) continue;
    for (size_t loop = 0; loop < loops_; ++loop) Close(port, {peer, loop}, kBreakNoticeUs);
  }
}

void Network::NodeStarted(size_t node) {
  for (size_t peer = 0; peer < nodes_; ++peer) {
    if (peer != node) PlanConnect(node, peer);
  }
}

}  // namespace orrery::simulation
