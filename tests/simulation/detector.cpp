#include "simulation/detector.h"

#include <algorithm>
#include <utility>

namespace orrery::simulation {
namespace {

constexpr uint64_t kNoticeDeathUs = 1'500'000;
constexpr uint64_t kNoticeLifeUs = 300'000;

}  // namespace

Detector::Detector(size_t nodes, Scheduler* scheduler, runtime::Random* random,
                   std::function<bool(size_t, size_t)> truth, std::function<void(size_t)> changed)
    : nodes_(nodes),
      scheduler_(*scheduler),
      random_(*random),
      truth_(std::move(truth)),
      changed_(std::move(changed)),
      opinion_(nodes * nodes, false),
      looking_(nodes * nodes, false),
      suspected_until_us_(nodes * nodes, 0) {}

void Detector::Reconsider() {
  for (size_t node = 0; node < nodes_; ++node) {
    for (size_t peer = 0; peer < nodes_; ++peer) {
      if (node == peer) continue;
      const size_t pair = node * nodes_ + peer;
      const bool truth = truth_(node, peer);
      if (truth == opinion_[pair] || looking_[pair]) continue;
      looking_[pair] = true;
      const uint64_t notice_us = truth ? kNoticeLifeUs : kNoticeDeathUs;
      scheduler_.After(1 + random_.Below(notice_us), [this, node, peer] { Look(node, peer); });
    }
  }
}

void Detector::Look(size_t node, size_t peer) {
  const size_t pair = node * nodes_ + peer;
  looking_[pair] = false;
  if (scheduler_.now_us() < suspected_until_us_[pair]) return;
  const bool truth = truth_(node, peer);
  if (opinion_[pair] == truth) return;
  opinion_[pair] = truth;
  changed_(node);
}

void Detector::Forget(size_t node) {
  for (size_t peer = 0; peer < nodes_; ++peer) opinion_[node * nodes_ + peer] = false;
}

void Detector::Suspect(size_t node, size_t peer, uint64_t duration_us) {
  const size_t pair = node * nodes_ + peer;
  suspected_until_us_[pair] = scheduler_.now_us() + duration_us;
  scheduler_.After(duration_us + 1, [this, node, peer] { Look(node, peer); });
  if (!opinion_[pair]) return;
  opinion_[pair] = false;
  changed_(node);
}

}  // namespace orrery::simulation
