#include "orrery/membership/failure_detector.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace orrery::membership {
namespace {

constexpr double kForget = 0.05;  // weight of the newest gap

uint64_t SilenceOf(uint64_t heard_us, uint64_t now_us) {
  return now_us - std::min(now_us, heard_us);
}

}  // namespace

void FailureDetector::OnConnected(NodeId peer, uint64_t now_us) {
  Peer& p = peers_[peer];
  p.connected = true;
  p.alive = true;
  p.heard_us = now_us;
  p.mean_us = static_cast<double>(options_.heartbeat_interval_us);
  p.variance = 0;
}

void FailureDetector::OnHeard(NodeId peer, uint64_t now_us) {
  const auto it = peers_.find(peer);
  if (it == peers_.end() || !it->second.connected) return;
  Peer& p = it->second;
  // A long absence counts as one long gap; in full it would hide shorter ones for a long time.
  const auto gap = static_cast<double>(std::min(SilenceOf(p.heard_us, now_us), options_.silence_max_us));
  // Requests come between heartbeats; their short gaps say nothing about how late a heartbeat may be.
  if (gap >= static_cast<double>(options_.heartbeat_interval_us) / 2) {
    const double difference = gap - p.mean_us;
    p.mean_us += kForget * difference;
    p.variance = (1 - kForget) * (p.variance + kForget * difference * difference);
  }
  p.heard_us = now_us;
  p.alive = true;
}

void FailureDetector::OnDisconnected(NodeId peer) {
  const auto it = peers_.find(peer);
  if (it == peers_.end()) return;
  it->second.connected = false;
  it->second.alive = false;
}

double FailureDetector::Suspicion(const Peer& peer, uint64_t now_us) const {
  if (!peer.connected) return std::numeric_limits<double>::infinity();
  const auto silence = static_cast<double>(SilenceOf(peer.heard_us, now_us));
  const double deviation = std::max(std::sqrt(peer.variance), static_cast<double>(options_.deviation_min_us));
  const double late = 0.5 * std::erfc((silence - peer.mean_us) / (deviation * std::sqrt(2.0)));
  return late <= 0 ? std::numeric_limits<double>::infinity() : -std::log10(late);
}

double FailureDetector::Phi(NodeId peer, uint64_t now_us) const {
  const auto it = peers_.find(peer);
  return it == peers_.end() ? std::numeric_limits<double>::infinity() : Suspicion(it->second, now_us);
}

bool FailureDetector::IsAlive(NodeId peer) const {
  const auto it = peers_.find(peer);
  return it != peers_.end() && it->second.alive;
}

bool FailureDetector::Silent(const Peer& peer, uint64_t now_us) const {
  return SilenceOf(peer.heard_us, now_us) > options_.silence_max_us ||
         Suspicion(peer, now_us) >= options_.phi_threshold;
}

std::vector<FailureDetector::Change> FailureDetector::Evaluate(uint64_t now_us) {
  const bool we_paused = evaluated_us_ != 0 && SilenceOf(evaluated_us_, now_us) > options_.own_pause_us;
  evaluated_us_ = now_us;
  std::vector<Change> changes;
  for (auto& [id, peer] : peers_) {
    if (we_paused && peer.alive) peer.heard_us = now_us;
    if (peer.connected) peer.alive = !Silent(peer, now_us);
    if (std::exchange(peer.reported, peer.alive) != peer.alive) changes.push_back({id, peer.alive});
  }
  return changes;
}

}  // namespace orrery::membership
