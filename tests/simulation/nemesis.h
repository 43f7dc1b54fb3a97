#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/storage/memory_row_store.h"
#include "simulation/cluster.h"

namespace orrery::simulation {

/// Does to a cluster, again and again, what the options allow; each fault ends by itself after a while.
class Nemesis {
 public:
  explicit Nemesis(Cluster* cluster);

  /// From now on these, until Stop.
  void Start(const std::set<std::string>& faults);
  void Stop() { stopped_ = true; }
  /// One fault by name, now.
  void Strike(const std::string& fault);

 private:
  void Plan();
  size_t AnyNode() {
    const std::vector<size_t> machines = cluster_.Machines();
    return machines[cluster_.random().Below(machines.size())];
  }
  size_t AnyMember() { return cluster_.members()[cluster_.random().Below(cluster_.members().size())]; }
  size_t AnyOther(size_t node) {
    size_t other = node;
    while (other == node && cluster_.Machines().size() > 1) other = AnyNode();
    return other;
  }
  uint64_t Duration();
  void Later(uint64_t delay_us, std::function<void()> task);
  void Partition();
  void Pair();
  void Asymmetric();
  void Flap();
  void Slow();
  void Crash(bool power);
  void Pause();
  void Skew();
  void Disk();
  void Stall();
  void Suspect();
  void Stranger();
  bool AllKnowOfData();
  size_t Copies();
  void Join();
  void Leave();
  void Replace();
  void Weight();
  void Image();
  void Corrupt();
  void Rot();
  void Damage(size_t victim, SlotId slot, const std::function<bool(std::string_view)>& may_be);

  Cluster& cluster_;
  std::set<std::string> faults_;
  uint64_t interval_us_;
  uint64_t round_ = 0;                                           ///< of Start
  std::shared_ptr<const storage::MemoryDatabase::Image> image_;  ///< of the node that Image() strikes
  bool stopped_ = false;
  size_t replaced_ = 0;  ///< machines lost for good
  bool all_know_of_data_ = false;
};

}  // namespace orrery::simulation
