#include "simulation/run.h"

#include "simulation/checkers.h"
#include "simulation/cluster.h"
#include "simulation/nemesis.h"
#include "simulation/survey_check.h"
#include "simulation/workload.h"

namespace orrery::simulation {
namespace {

constexpr uint64_t kRestWithinUs = 60'000'000;
constexpr uint64_t kDeepCheckSteps = 2'000;

// Without faults the cluster is whole before the first client comes; with faults, starting is one of them.
void LetEverybodyMeet(Cluster* cluster) {
  const uint64_t until_us = cluster->scheduler().now_us() + 2'000'000;
  while (cluster->scheduler().now_us() < until_us && cluster->Step()) continue;
}

// False if a promise was broken.
bool RunFaulty(Cluster* cluster, Checkers* checkers) {
  for (uint64_t step = 1; step <= cluster->options().steps; ++step) {
    if (!cluster->Step()) return false;
    if (step % kDeepCheckSteps == 0) checkers->CheckRowsDeeply();
  }
  return cluster->failure().empty();
}

}  // namespace

void RunToRest(Cluster* cluster, Checkers* checkers, Workload* workload) {
  const uint64_t start_us = cluster->scheduler().now_us();
  std::string missing = "nothing was looked at";
  uint64_t look_us = start_us;
  while (cluster->scheduler().now_us() < start_us + kRestWithinUs) {
    if (!cluster->Step()) return;
    if (cluster->scheduler().now_us() < look_us) continue;
    look_us = cluster->scheduler().now_us() + 500'000;
    missing = workload->under_way() > 0 ? "operations are under way" : checkers->NotConverged();
    if (!missing.empty()) continue;
    checkers->CheckAtRest();
    return CheckSurveys(cluster);
  }
  cluster->Fail("converge: a minute after everything healed, " + missing);
}

RunResult RunSeed(const Options& options) {
  Cluster cluster(options);
  Checkers checkers(&cluster);
  Workload workload(&cluster, &checkers);
  Nemesis nemesis(&cluster);
  cluster.Start();
  if (options.faults.empty()) LetEverybodyMeet(&cluster);
  if (options.faults.empty()) checkers.ExpectAnswers();
  if (options.faults.empty() && options.r + options.w > options.n) checkers.ExpectFresh();
  workload.Start();
  nemesis.Start();
  if (RunFaulty(&cluster, &checkers)) {
    nemesis.Stop();
    workload.Stop();
    cluster.Heal();
    RunToRest(&cluster, &checkers, &workload);
  }
  RunResult result;
  result.failure = cluster.failure();
  result.digest = cluster.digest();
  result.unseed = cluster.random().Next64();
  result.steps = cluster.scheduler().steps();
  result.virtual_us = cluster.scheduler().now_us();
  result.operations = workload.operations().size();
  result.acknowledged = checkers.acknowledged();
  result.events = checkers.history().events();
  result.lost_excused = checkers.lost_excused();
  result.trace = cluster.trace();
  return result;
}

}  // namespace orrery::simulation
