#include "simulation/options.h"

#include <algorithm>

#include "orrery/runtime/random.h"

namespace orrery::simulation {
namespace {

// What disks lose of themselves is promised to be made good as long as little else is lost: with faults that take nothing.
void DrawRot(runtime::Random* random, Options* options) {
  for (const char* lossy : {"power", "image", "disk"}) options->faults.erase(lossy);
  options->faults.insert(random->Below(2) == 0 ? "rot" : "corrupt");
}

// Each run has a few kinds of faults, so that there are runs in which each of them is alone.
void DrawFaults(runtime::Random* random, Options* options) {
  if (random->Below(12) == 0) return;
  const uint64_t chance = 1 + random->Below(3);
  for (const std::string& fault : AllFaults()) {
    if (random->Below(4) < chance) options->faults.insert(fault);
  }
  // A stranger may have heard of a member that then forgets the cluster, and the two would take each other for all there is.
  if (options->faults.contains("image")) options->faults.erase("stranger");
  if (random->Below(12) == 0) DrawRot(random, options);
}

// One key of each kind, so that clients get in each other's way; or many; or a few kinds alone.
void DrawKeys(runtime::Random* random, Options* options) {
  const uint64_t dice = random->Below(6);
  options->keys_per_slot = dice == 1 ? 10 * options->kinds.size() : options->kinds.size();
  if (dice != 0) return;
  options->kinds = std::string(1, options->kinds[random->Below(options->kinds.size())]);
  options->keys_per_slot = 2;
}

void DrawNodes(runtime::Random* random, Options* options) {
  static constexpr size_t kLoops[] = {1, 1, 2, 2, 3, 2};
  const uint64_t dice = random->Below(6);
  options->loops = kLoops[dice];
  options->loops_vary = dice >= 4;
  if (random->Below(4) == 0) options->zones = 2 + random->Below(2);
  if (random->Below(4) == 0) options->weights = {1, 2, 1, 3};
  options->faulty_founding = random->Below(4) == 0;
}

// As few rows as there are here are compared only if these are tiny.
void DrawTree(runtime::Random* random, replication::ShardOptions* shard) {
  if (random->Below(4) == 0) return;
  shard->merge_whole_bytes = random->Below(2) == 0 ? 0 : random->Below(300);
  shard->merge_leaf_bytes = random->Below(2) == 0 ? 0 : random->Below(200);
  shard->merge_fanout = 2 + random->Below(4);
}

// From a source of their own, so that all else stays as the seed had it.
void DrawOperators(Options* options) {
  runtime::SeededRandom random(options->seed ^ 0x6d656d62657273);
  if (random.Below(3) != 0) return;
  for (const std::string& fault : OperatorFaults()) {
    if (random.Below(2) == 0) options->faults.insert(fault);
  }
}

bool HasOperators(const Options& options) {
  return std::any_of(OperatorFaults().begin(), OperatorFaults().end(),
                     [&](const std::string& fault) { return options.faults.contains(fault); });
}

}  // namespace

void FitToFaults(Options* options) {
  runtime::SeededRandom random(options->seed ^ 0x73697a6573);
  options->transfer = HasOperators(*options);
  if (!options->transfer) return;
  // With members that may come, a stranger is one.
  options->faults.erase("stranger");
  options->spares = 1 + random.Below(5);
  options->whole_ring = random.Below(16) == 0;
  static constexpr size_t kNodes[] = {0, 0, 0, 1, 2, 3};
  const size_t few = kNodes[random.Below(6)];
  if (few != 0) options->nodes = few;
}

Options DrawOptions(uint64_t seed) {
  runtime::SeededRandom random(seed ^ 0x6f7272657279);
  Options options;
  options.seed = seed;
  static constexpr size_t kNodes[] = {5, 5, 3, 4, 6, 7};
  options.nodes = kNodes[random.Below(6)];
  options.clients = 2 + random.Below(5);
  options.slots = 1 + random.Below(3);
  DrawKeys(&random, &options);
  options.think_us = random.Below(3) == 0 ? 2'000 : 40'000;
  options.batching = random.Below(3) == 0 ? 0.8 : 0.2;
  static constexpr uint8_t kQuorums[][2] = {{2, 2}, {2, 2}, {2, 2}, {1, 3}, {3, 1}, {1, 1}, {3, 3}};
  const auto& quorum = kQuorums[random.Below(7)];
  options.r = quorum[0];
  options.w = quorum[1];
  DrawFaults(&random, &options);
  DrawNodes(&random, &options);
  replication::ShardOptions& shard = options.shard;
  shard.sync =
      random.Below(3) == 0 ? replication::SyncPolicy::kAlways : replication::SyncPolicy::kEverySecond;
  shard.request_timeout_us = 500'000 + random.Below(1'500'000);
  shard.anti_entropy_interval_us = 500'000 + random.Below(3'000'000);
  if (random.Below(4) == 0) shard.hint_bytes_max = 100 + random.Below(1'000);
  if (random.Below(4) == 0) shard.max_clock_ahead_ms = 3'000;
  // Small ones make merges common, large ones leave it all to the stream of events.
  shard.backlog_bytes_max = random.Below(2) == 0 ? 200 + random.Below(2'000) : 64 << 20;
  shard.merge_part_bytes = random.Below(2) == 0 ? 1 + random.Below(200) : 256 << 10;
  DrawTree(&random, &shard);
  DrawOperators(&options);
  FitToFaults(&options);
  return options;
}

}  // namespace orrery::simulation
