#pragma once

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "cluster/namespaces.h"
#include "cluster/processes.h"
#include "cluster/small_disk.h"

namespace orrery::cluster {

/// Breaks things, several at a time, and mends them: as one seed says, except for how long everything takes.
/// All calls come from one thread.
class Nemesis {
 public:
  struct Parts {
    Processes* nodes = nullptr;
    Namespaces* network = nullptr;    // null: no faults of the network
    const SmallDisk* disk = nullptr;  // over the last node's directory; null: it never fills
    bool skewable_clocks = false;
  };
  Nemesis(const Parts& parts, uint64_t seed);

  /// The kinds of faults that these parts allow; `only` leaves no others (empty: all).
  std::vector<std::string> Kinds() const;
  void Restrict(const std::set<std::string>& only) { only_ = only; }

  /// One fault, or one of each of several groups (processes, network, clocks), for some seconds; then all of
  /// it is mended, though what it has left behind may not be.
  void Strike();
  /// Everything runs and reaches everything.
  void MendAll();
  /// An old disk image is put back at most once in a round: what it lacks must be there again before the
  /// next.
  void BeginRound() { image_was_put_back_ = false; }

  /// How often each kind was done.
  const std::map<std::string, int>& done() const { return done_; }

 private:
  struct Fault {
    std::string name;
    std::function<void()> begin;
  };
  enum class Group { kProcess, kNetwork, kClock };

  std::vector<Fault> FaultsOf(Group group);
  std::vector<Fault> ProcessFaults();
  std::vector<Fault> NetworkFaults();
  std::vector<Fault> ClockFaults();
  void StrikeWith(Group group);

  void KillSome(size_t count);
  void StopSome(size_t count);
  void PutOldImageBack();
  void Isolate(size_t count);
  void Ring();
  void OneWay();
  void Worsen(const LinkQuality& quality);

  std::set<size_t> Pick(size_t count);
  size_t Random(size_t below) { return static_cast<size_t>(random_() % below); }
  size_t count() const { return parts_.nodes->size(); }

  Parts parts_;
  std::mt19937_64 random_;
  std::set<std::string> only_;
  std::set<size_t> killed_, stopped_;
  bool disk_is_full_ = false;
  bool image_was_put_back_ = false;
  std::map<std::string, int> done_;
};

}  // namespace orrery::cluster
