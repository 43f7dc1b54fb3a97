#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "simulation/options.h"

namespace orrery::simulation {

/// What came of one run.
struct RunResult {
  std::string failure;  ///< empty: every promise was kept
  uint64_t digest = 0;  ///< of everything that happened
  uint64_t unseed = 0;  ///< the next draw of the run's random numbers
  uint64_t steps = 0;
  uint64_t virtual_us = 0;
  uint64_t operations = 0;
  uint64_t acknowledged = 0;
  uint64_t events = 0;
  bool destroyed = false;  ///< ended early: rows were gone from every disk
  uint64_t lost_excused = 0;
  std::deque<std::string> trace;

  bool ok() const { return failure.empty(); }
};

/// Clients and faults for options.steps steps, then everything heals and must come to rest; all checkers run.
RunResult RunSeed(const Options& options);

class Cluster;
class Checkers;
class Nemesis;
class Workload;

/// Starts the nodes and steps until all of them know each other; fails the cluster if they do not.
void LetEverybodyMeet(Cluster* cluster);

/// Steps until all homes agree and nothing is under way, then runs the checkers of a cluster at rest. Fails
/// the cluster if that takes more than a virtual minute.
void RunToRest(Cluster* cluster, Checkers* checkers, Workload* workload);

}  // namespace orrery::simulation
