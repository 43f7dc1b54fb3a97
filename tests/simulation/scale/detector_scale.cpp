#include "simulation/scale/detector_scale.h"

#include <algorithm>
#include <vector>

#include "orrery/membership/failure_detector.h"
#include "orrery/runtime/random.h"
#include "simulation/scheduler.h"

namespace orrery::simulation {
namespace {

using membership::FailureDetector;
using membership::FailureDetectorOptions;

constexpr uint64_t kWatchUs = 60'000'000;
constexpr uint64_t kDieUs = 5'000'000;  // long enough for every death to be noticed
constexpr uint64_t kRetransmitUs = 200'000;
constexpr uint64_t kDelayUs = 500, kJitterUs = 2'000;
constexpr size_t kObserversMax = 20;
constexpr size_t kOneInDies = 20;

class Watch {
 public:
  Watch(size_t nodes, double loss, LossKind kind, uint64_t seed)
      : random_(seed), loss_(loss), kind_(kind), observers_(std::min(nodes, kObserversMax)) {
    start_us_ = scheduler_.now_us();
    for (size_t i = 0; i < observers_; ++i) {
      detectors_.emplace_back(options_);
      PlanLook(i, random_.Below(options_.heartbeat_interval_us));
    }
    arrivals_us_.resize(observers_ * nodes);
    died_us_.resize(nodes);
    for (size_t peer = 0; peer < nodes; ++peer) {
      for (FailureDetector& detector : detectors_) detector.OnConnected({peer + 1}, scheduler_.now_us());
      PlanHeartbeat(peer, random_.Below(options_.heartbeat_interval_us));
    }
  }

  DetectorScale Run() {
    const size_t nodes = died_us_.size();
    RunUntil(start_us_ + kWatchUs);
    const size_t deaths = (nodes + kOneInDies - 1) / kOneInDies;
    for (size_t i = 0; i < deaths; ++i) died_us_[nodes - 1 - i] = scheduler_.now_us();
    RunUntil(start_us_ + kWatchUs + kDieUs);
    result_.observers = observers_;
    result_.heartbeats_per_s =
        static_cast<double>(nodes - 1) * 1e6 / static_cast<double>(options_.heartbeat_interval_us);
    result_.pair_hours =
        static_cast<double>(observers_ * (nodes - 1)) * static_cast<double>(kWatchUs) / 3.6e9;
    if (noticed_ > 0) result_.noticed_ms = noticed_sum_ms_ / static_cast<double>(noticed_);
    return result_;
  }

 private:
  void RunUntil(uint64_t time_us) {
    while (scheduler_.now_us() < time_us && scheduler_.Step()) continue;
  }

  // One task per peer and interval, and none per observer: the arrivals are told to the detectors in order of
  // time at their next look, which is all that they can tell apart.
  void PlanHeartbeat(size_t peer, uint64_t delay_us) {
    scheduler_.After(delay_us, [this, peer] {
      if (died_us_[peer] != 0) return;
      for (size_t observer = 0; observer < observers_; ++observer) {
        if (observer != peer) Beat(observer, peer);
      }
      PlanHeartbeat(peer, options_.heartbeat_interval_us);
    });
  }

  void Beat(size_t observer, size_t peer) {
    uint64_t arrival_us = scheduler_.now_us() + kDelayUs + random_.Below(kJitterUs);
    if (random_.Unit() < loss_) {
      if (kind_ == LossKind::kLost) return;
      arrival_us += kRetransmitUs;
      for (uint64_t wait_us = 2 * kRetransmitUs; random_.Unit() < loss_; wait_us *= 2) arrival_us += wait_us;
    }
    uint64_t& last_us = arrivals_us_[observer * died_us_.size() + peer];
    last_us = std::max(last_us, arrival_us);
    scheduler_.At(last_us,
                  [this, observer, peer] { detectors_[observer].OnHeard({peer + 1}, scheduler_.now_us()); });
  }

  void PlanLook(size_t observer, uint64_t delay_us) {
    scheduler_.After(delay_us, [this, observer] {
      for (const auto& change : detectors_[observer].Evaluate(scheduler_.now_us())) {
        if (change.peer.value != observer + 1 && !change.alive) OnDown(change.peer.value - 1);
      }
      PlanLook(observer, options_.heartbeat_interval_us);
    });
  }

  void OnDown(size_t peer) {
    if (died_us_[peer] == 0) {
      ++result_.false_suspicions;
      return;
    }
    const double ms = static_cast<double>(scheduler_.now_us() - died_us_[peer]) / 1e3;
    ++noticed_;
    noticed_sum_ms_ += ms;
    result_.noticed_ms_most = std::max(result_.noticed_ms_most, ms);
  }

  Scheduler scheduler_;
  runtime::SeededRandom random_;
  const double loss_;
  const LossKind kind_;
  const size_t observers_;
  FailureDetectorOptions options_;
  uint64_t start_us_ = 0;
  std::vector<FailureDetector> detectors_;
  std::vector<uint64_t> arrivals_us_;  ///< by observer and peer: the last one, as links keep their order
  std::vector<uint64_t> died_us_;      ///< by peer; 0: lives
  DetectorScale result_;
  uint64_t noticed_ = 0;
  double noticed_sum_ms_ = 0;
};

}  // namespace

DetectorScale MeasureDetector(size_t nodes, double loss, LossKind kind, uint64_t seed) {
  return Watch(nodes, loss, kind, seed).Run();
}

}  // namespace orrery::simulation
