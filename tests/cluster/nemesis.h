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
    const SmallDisk* disk = nullptr;  // over the directory of disk_node; null: it never fills
    size_t disk_node = 0;             // stays a member
    bool skewable_clocks = false;
    bool members_change = false;  // nodes that do not run at the beginning are spares; slot-transfer is on
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
  /// Nobody is on the way in or out, or about to be replaced, and all seats are where they belong. To be
  /// asked again until it is so: it stops who has left, and tells the others who is gone for good.
  bool MembersAreSettled();
  /// A copy is taken away (an old disk image, a wiped disk, a dead node) at most once in a round: what it had
  /// must be there again before the next.
  void BeginRound() { copy_was_lost_ = false; }

  /// How often each kind was done.
  const std::map<std::string, int>& done() const { return done_; }

 private:
  struct Fault {
    std::string name;
    std::function<void()> begin;
  };
  enum class Group { kProcess, kNetwork, kClock, kMembers };

  std::vector<Fault> FaultsOf(Group group);
  std::vector<Fault> ProcessFaults();
  std::vector<Fault> NetworkFaults();
  std::vector<Fault> ClockFaults();
  std::vector<Fault> MemberFaults();
  void StrikeWith(Group group);

  void KillSome(size_t count);
  void StopSome(size_t count);
  void PutOldImageBack();
  // nemesis_members.cpp
  void Join();
  void Leave();
  void WipeDisk();
  void ReplaceAndReturn();
  bool BeginLoss();
  bool Remove(const std::string& id);
  void ReapWhoLeft();
  void Empty(size_t node);
  std::set<size_t> Spares() const;
  void Isolate(size_t count);
  void Ring();
  void OneWay();
  void Worsen(const LinkQuality& quality);

  /// Members that run or were killed.
  std::set<size_t> Members() const;
  std::set<size_t> Pick(size_t count);
  size_t PickFrom(const std::set<size_t>& nodes);
  size_t Random(size_t below) { return static_cast<size_t>(random_() % below); }
  size_t count() const { return parts_.nodes->size(); }

  Parts parts_;
  std::mt19937_64 random_;
  std::set<std::string> only_;
  std::set<size_t> killed_, stopped_;
  bool disk_is_full_ = false;
  bool copy_was_lost_ = false;
  std::set<size_t> leaving_;
  std::set<std::string>
      lost_;  ///< ids of nodes that never come back, and that the members do not know to be removed
  std::map<std::string, int> done_;
};

}  // namespace orrery::cluster
