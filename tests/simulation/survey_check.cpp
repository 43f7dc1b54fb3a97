#include "simulation/survey_check.h"

#include <optional>
#include <string>

#include "orrery/types/derived_index.h"
#include "simulation/cluster.h"

namespace orrery::simulation {
namespace {

constexpr uint64_t kPatienceUs = 5'000'000;
// Links may still be coming up, and ended keys are purged at rest too: what is counted just then may be in
// doubt, or gone when it is compared.
constexpr int kAttempts = 20;
constexpr uint64_t kPauseUs = 500'000;

void Pass(Cluster* cluster, uint64_t us) {
  const uint64_t until_us = cluster->scheduler().now_us() + us;
  while (cluster->scheduler().now_us() < until_us && cluster->Step()) continue;
}

std::optional<replication::KeySurvey> SurveyFrom(Cluster* cluster, size_t node) {
  const size_t loop = cluster->random().Below(cluster->node(node).loops());
  std::optional<replication::KeySurvey> result;
  cluster->node(node).Run(loop, [&] {
    cluster->node(node).loop(loop).shard().survey().Ask({0, 0, 0},
                                                        [&](const auto& survey) { result = survey; });
  });
  const uint64_t until_us = cluster->scheduler().now_us() + kPatienceUs;
  while (!result && cluster->scheduler().now_us() < until_us && cluster->Step()) continue;
  return result;
}

uint64_t KeysOfHome(Cluster* cluster, SlotId slot) {
  SimNode& home = cluster->node(cluster->IndexOf(cluster->Homes(slot).front()));
  return types::CountKeys(slot, 0, home.StoreOf(slot)).keys;
}

bool IsHinted(Cluster* cluster, SlotId slot) {
  for (size_t node : cluster->members()) {
    for (SlotId hinted : cluster->node(node).ShardOf(slot).hints().HintedSlots()) {
      if (hinted == slot) return true;
    }
  }
  return false;
}

std::string Difference(Cluster* cluster, const replication::KeySurvey& survey) {
  uint64_t keys = 0;
  for (SlotId slot : cluster->slots()) {
    const uint64_t held = KeysOfHome(cluster, slot);
    if (!survey.counted[slot] && !IsHinted(cluster, slot)) return "doubts slot " + std::to_string(slot);
    if (held > 0 && !survey.may_have_keys[slot]) return "misses slot " + std::to_string(slot);
    if (survey.counted[slot]) keys += held;
  }
  if (survey.keys == keys) return {};
  return "counts " + std::to_string(survey.keys) + " of " + std::to_string(keys) + " keys";
}

}  // namespace

void CheckSurveys(Cluster* cluster) {
  for (size_t node : cluster->members()) {
    std::string difference = "was not asked";
    for (int attempt = 0; attempt < kAttempts && !difference.empty(); ++attempt) {
      if (attempt > 0) Pass(cluster, kPauseUs);
      const auto survey = SurveyFrom(cluster, node);
      if (!cluster->failure().empty()) return;
      difference = survey ? Difference(cluster, *survey) : "never ends";
    }
    if (!difference.empty()) return cluster->Fail("survey: that of " + NodeName(node) + " " + difference);
  }
}

}  // namespace orrery::simulation
