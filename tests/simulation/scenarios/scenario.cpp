#include "simulation/scenarios/scenario.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>

#include "orrery/base/check.h"
#include "orrery/base/marks.h"

namespace orrery::simulation {
namespace {

// Says with ORRERY_SIMULATION_MARKS which rare paths of the product no scenario of this run has taken.
class Marks final : public testing::Environment {
  void TearDown() override {
    if (std::getenv("ORRERY_SIMULATION_MARKS") == nullptr) return;
    for (const auto& [name, hits] : Mark::All()) {
      if (hits == 0) std::printf("never reached: %s\n", name.c_str());
    }
  }
};
[[maybe_unused]] const testing::Environment* const kMarks = testing::AddGlobalTestEnvironment(new Marks);

Options WithSeed(Options options, uint64_t seed) {
  // The script that runs the deliberate mistakes names one here.
  if (const char* mutation = std::getenv("ORRERY_SIMULATION_MUTATION")) EnableMutation(mutation);
  options.seed = seed;
  options.trace = true;
  return options;
}

}  // namespace

Options Scenario::Sizes() {
  Options options;
  options.nodes = 5;
  options.clients = 0;
  options.slots = 1;
  options.batching = 0;
  options.shard.request_timeout_us = 1'000'000;
  options.shard.anti_entropy_interval_us = 2'000'000;
  return options;
}

Scenario::Scenario(Options options, uint64_t seed)
    : cluster_(WithSeed(options, seed)), checkers_(&cluster_), workload_(&cluster_, &checkers_) {
  cluster_.Start();
  LetEverybodyMeet(&cluster_);
  RunFor(200'000);
}

// What broke a promise, and the last events before it.
Scenario::~Scenario() {
  if (cluster_.failure().empty()) return;
  const auto& trace = cluster_.trace();
  std::string text;
  const size_t lines = std::min<size_t>(trace.size(), 40);
  for (auto it = std::prev(trace.end(), static_cast<std::ptrdiff_t>(lines)); it != trace.end(); ++it)
    text += *it + "\n";
  ADD_FAILURE() << text << cluster_.failure();
}

std::string Scenario::Key(char name) const {
  const auto keys = cluster_.KeysOf(slot());
  const auto found =
      std::find_if(keys.begin(), keys.end(), [name](const std::string& key) { return key[0] == name; });
  ORRERY_CHECK(found != keys.end());
  return *found;
}

void Scenario::RunFor(uint64_t duration_us) {
  const uint64_t until_us = cluster_.scheduler().now_us() + duration_us;
  while (cluster_.scheduler().now_us() < until_us && cluster_.Step()) continue;
}

void Scenario::Isolate(const std::set<size_t>& nodes, bool cut) {
  for (size_t a = 0; a < cluster_.size(); ++a) {
    for (size_t b = 0; b < cluster_.size(); ++b) {
      if (nodes.contains(a) != nodes.contains(b)) cluster_.SetBlocked(a, b, cut);
    }
  }
}

Call* Scenario::Send(size_t entry, char key, const std::string& command,
                     const std::vector<std::string>& rest) {
  std::vector<std::string> args = {command, Key(key)};
  args.insert(args.end(), rest.begin(), rest.end());
  return workload_.Submit(entry, std::move(args));
}

std::string Scenario::Do(size_t entry, char key, const std::string& command,
                         const std::vector<std::string>& rest) {
  const Call* call = Send(entry, key, command, rest);
  while (!call->reply && !call->given_up && cluster_.Step()) continue;
  return Seen(*call);
}

std::string Scenario::Seen(const Call& call) {
  return call.reply && !call.given_up ? *call.reply : "no answer";
}

void Scenario::Settle() {
  cluster_.Heal();
  RunToRest(&cluster_, &checkers_, &workload_);
}

}  // namespace orrery::simulation
