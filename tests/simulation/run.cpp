#include "simulation/run.h"

#include <algorithm>

#include "simulation/checkers.h"
#include "simulation/cluster.h"
#include "simulation/nemesis.h"
#include "simulation/survey_check.h"
#include "simulation/workload.h"

namespace orrery::simulation {
namespace {

constexpr uint64_t kRestWithinUs = 60'000'000;
constexpr uint64_t kDeepCheckSteps = 2'000;
constexpr uint64_t kMeetWithinUs = 30'000'000;
constexpr uint64_t kLookUs = 50'000;
constexpr uint64_t kFoundingUs = 3'000'000;

void RunFor(Cluster* cluster, uint64_t duration_us) {
  const uint64_t until_us = cluster->scheduler().now_us() + duration_us;
  while (cluster->scheduler().now_us() < until_us && cluster->Step()) continue;
}

// Nothing fails, though members may come and go.
bool IsCalm(const std::set<std::string>& faults) {
  return std::all_of(faults.begin(), faults.end(), [](const std::string& fault) {
    return fault == "join" || fault == "leave" || fault == "weight";
  });
}

// While a cluster grows to N nodes, quorums of one do not have to meet.
bool ReadsAreFresh(const Options& options) {
  const bool meet_while_growing = options.nodes >= options.n || (options.r > 1 && options.w > 1);
  return IsCalm(options.faults) && options.r + options.w > options.n && meet_while_growing;
}

// Clients come when the cluster is whole: it takes no member once it holds data.
void Found(Cluster* cluster, Nemesis* nemesis) {
  cluster->Start();
  if (cluster->options().faulty_founding) {
    nemesis->Start(cluster->options().faults);
    RunFor(cluster, kFoundingUs);
    nemesis->Stop();
    cluster->Heal();
  }
  LetEverybodyMeet(cluster);
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

void LetEverybodyMeet(Cluster* cluster) {
  const uint64_t until_us = cluster->scheduler().now_us() + kMeetWithinUs;
  std::string not_met = "nobody was looked at";
  while (!not_met.empty() && cluster->scheduler().now_us() < until_us && cluster->failure().empty()) {
    RunFor(cluster, kLookUs);
    not_met = cluster->NotMet();
  }
  if (not_met.empty()) cluster->SetFounded();
  if (!not_met.empty()) cluster->Fail("meet: half a minute after all nodes have started, " + not_met);
}

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
  Found(&cluster, &nemesis);
  if (IsCalm(options.faults)) checkers.ExpectAnswers();
  if (ReadsAreFresh(options)) checkers.ExpectFresh();
  workload.Start();
  nemesis.Start(options.faults);
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
  result.destroyed = cluster.finished();
  result.trace = cluster.trace();
  return result;
}

}  // namespace orrery::simulation
