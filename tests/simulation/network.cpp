#include "simulation/network.h"

#include <algorithm>
#include <utility>

namespace orrery::simulation {
namespace {

constexpr uint64_t kStallUs = 4'000'000;     // a blocked link breaks within this, or never
constexpr uint64_t kBreakNoticeUs = 20'000;  // both ends of a broken link know within this
constexpr uint64_t kReconnectUs = 200'000;

}  // namespace

Network::Network(size_t nodes, Scheduler* scheduler, runtime::Random* random, NetworkUser* user,
                 Delays delays)
    : nodes_(nodes),
      scheduler_(*scheduler),
      random_(*random),
      user_(*user),
      delays_(delays),
      links_(nodes * nodes),
      directions_(nodes * nodes) {}

uint64_t Network::Delay(const Direction& direction) {
  return delays_.base_us + random_.Below(delays_.jitter_us + 1) + direction.extra_us;
}

// ---- frames ----

void Network::Send(size_t from, size_t to, std::string frame) {
  Link& link = LinkOf(from, to);
  const uint64_t epoch = link.end_epoch[Side(from, to)];
  if (epoch == 0 || epoch != link.epoch || !link.whole) return;
  Direction& direction = DirectionOf(from, to);
  direction.last_arrival_us = std::max(direction.last_arrival_us, scheduler_.now_us() + Delay(direction));
  scheduler_.At(direction.last_arrival_us, [this, from, to, f = Frame{epoch, std::move(frame)}]() mutable {
    Arrive(from, to, std::move(f));
  });
}

void Network::Arrive(size_t from, size_t to, Frame frame) {
  Direction& direction = DirectionOf(from, to);
  if (direction.blocked || !direction.held.empty()) {
    direction.held.push_back(std::move(frame));
    return;
  }
  Hand(from, to, std::move(frame));
}

void Network::Hand(size_t from, size_t to, Frame frame) {
  user_.RunOn(to, [this, from, to, f = std::move(frame)] {
    if (LinkOf(from, to).end_epoch[Side(to, from)] != f.epoch) return;
    ++frames_delivered_;
    user_.Deliver(to, from, f.bytes);
  });
}

void Network::Pump(size_t from, size_t to) {
  Direction& direction = DirectionOf(from, to);
  while (!direction.blocked && !direction.held.empty()) {
    Frame frame = std::move(direction.held.front());
    direction.held.pop_front();
    Hand(from, to, std::move(frame));
  }
}

// ---- links ----

void Network::PlanConnect(size_t a, size_t b) {
  Link& link = LinkOf(a, b);
  if (std::exchange(link.connect_planned, true)) return;
  scheduler_.After(1 + random_.Below(kReconnectUs), [this, a, b] {
    LinkOf(a, b).connect_planned = false;
    Connect(a, b);
  });
}

// Fails silently if something is in the way: whoever takes it away plans the next attempt.
void Network::Connect(size_t a, size_t b) {
  Link& link = LinkOf(a, b);
  if (link.whole || IsBlocked(a, b) || IsBlocked(b, a)) return;
  if (!user_.IsResponsive(a) || !user_.IsResponsive(b)) return;
  bool clean = true;
  for (const auto& [node, peer] : {std::pair(a, b), std::pair(b, a)}) {
    const uint64_t epoch = link.end_epoch[Side(node, peer)];
    if (epoch == 0) continue;
    clean = false;  // this end learns from the new attempt that the old link is dead
    DropEnd(node, peer, epoch, 1000);
  }
  if (!clean) return PlanConnect(a, b);
  ++link.epoch;
  link.whole = true;
  RaiseEnd(a, b, link.epoch);
  RaiseEnd(b, a, link.epoch);
}

void Network::RaiseEnd(size_t node, size_t peer, uint64_t epoch) {
  Direction& in = DirectionOf(peer, node);
  in.last_arrival_us = scheduler_.now_us() + Delay(in);
  in.held.clear();
  scheduler_.At(in.last_arrival_us, [this, node, peer, epoch] {
    user_.RunOn(node, [this, node, peer, epoch] {
      Link& link = LinkOf(node, peer);
      if (link.epoch != epoch || !link.whole) return;
      link.end_epoch[Side(node, peer)] = epoch;
      user_.LinkUp(node, peer);
    });
  });
}

void Network::DropEnd(size_t node, size_t peer, uint64_t epoch, uint64_t within_us) {
  scheduler_.After(random_.Below(within_us + 1), [this, node, peer, epoch] {
    user_.RunOn(node, [this, node, peer, epoch] {
      uint64_t& end = LinkOf(node, peer).end_epoch[Side(node, peer)];
      if (end != epoch) return;
      end = 0;
      user_.LinkDown(node, peer);
    });
  });
}

// ---- faults ----

void Network::Break(size_t a, size_t b) {
  Link& link = LinkOf(a, b);
  if (!std::exchange(link.whole, false)) return;
  DropEnd(a, b, link.epoch, kBreakNoticeUs);
  DropEnd(b, a, link.epoch, kBreakNoticeUs);
  PlanConnect(a, b);
}

void Network::SetBlocked(size_t from, size_t to, bool blocked) {
  Direction& direction = DirectionOf(from, to);
  if (std::exchange(direction.blocked, blocked) == blocked) return;
  if (!blocked) {
    scheduler_.After(Delay(direction), [this, from, to] { Pump(from, to); });
    PlanConnect(from, to);
    return;
  }
  const uint64_t epoch = LinkOf(from, to).epoch;
  if (random_.Below(4) == 0) return;  // a stall that ends before anybody gives up
  scheduler_.After(random_.Below(kStallUs), [this, from, to, epoch] {
    if (IsBlocked(from, to) && LinkOf(from, to).epoch == epoch) Break(from, to);
  });
}

void Network::Heal() {
  for (size_t from = 0; from < nodes_; ++from) {
    for (size_t to = 0; to < nodes_; ++to) {
      if (from == to) continue;
      DirectionOf(from, to).extra_us = 0;
      SetBlocked(from, to, false);
      if (from < to) PlanConnect(from, to);
    }
  }
}

void Network::NodeGone(size_t node, uint64_t noticed_within_us) {
  for (size_t peer = 0; peer < nodes_; ++peer) {
    if (peer == node) continue;
    Link& link = LinkOf(node, peer);
    link.whole = false;
    link.end_epoch[Side(node, peer)] = 0;
    const uint64_t epoch = link.end_epoch[Side(peer, node)];
    if (epoch != 0) DropEnd(peer, node, epoch, noticed_within_us);
  }
}

void Network::NodeStarted(size_t node) {
  for (size_t peer = 0; peer < nodes_; ++peer) {
    if (peer != node) PlanConnect(node, peer);
  }
}

}  // namespace orrery::simulation
