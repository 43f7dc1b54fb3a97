#include "simulation/scale/scale.h"

#include <cmath>
#include <cstdio>
#include <functional>

namespace orrery::simulation {
namespace {

constexpr size_t kTrials = 8;

// Far more than it takes; so that what never ends is seen.
double RoundsMax(size_t nodes) {
  return 10 + 8 * std::log2(static_cast<double>(nodes));
}

void Measure(const std::vector<size_t>& sizes, uint64_t seed,
             const std::function<void(const ScaleRow&)>& done) {
  GrowingRing ring(seed);
  for (size_t nodes : sizes) {
    ScaleRow row;
    row.nodes = nodes;
    row.gossip = MeasureGossip(nodes, kScaleLoss, RoundsMax(nodes), seed);
    row.lost = MeasureDetector(nodes, kScaleLoss, LossKind::kLost, seed);
    row.late = MeasureDetector(nodes, kScaleLoss, LossKind::kLate, seed);
    ring.GrowTo(nodes);
    row.ring = ring.Measure(kTrials);
    done(row);
  }
}

}  // namespace

std::vector<ScaleRow> MeasureScale(const std::vector<size_t>& sizes, uint64_t seed) {
  std::vector<ScaleRow> rows;
  Measure(sizes, seed, [&](const ScaleRow& row) { rows.push_back(row); });
  return rows;
}

std::vector<size_t> SizesUpTo(size_t nodes) {
  std::vector<size_t> sizes;
  for (size_t size : {10, 30, 100, 300, 1000}) {
    if (size < nodes) sizes.push_back(size);
  }
  sizes.push_back(nodes);
  return sizes;
}

void PrintScale(const std::vector<size_t>& sizes, uint64_t seed) {
  std::printf("seed %llu, %.0f %% loss; rounds are seconds, bytes are those of gossip messages, per node\n",
              static_cast<unsigned long long>(seed), kScaleLoss * 100);
  std::printf("%6s | %6s %9s | %6s %9s %9s | %6s | %9s %10s %5s %5s | %7s %7s | %5s %5s | %5s %5s\n", "",
              "all", "", "one", "", "bytes", "bytes/s", "beats/s", "observed", "false", "", "noticed", "",
              "even", "", "moved", "");
  std::printf("%6s | %6s %9s | %6s %9s %9s | %7s | %9s %10s %5s %5s | %7s %7s | %5s %5s | %5s %5s\n", "nodes",
              "rounds", "bytes", "rounds", "bytes", "at most", "at rest", "per node", "pair hours", "lost",
              "late", "mean ms", "most ms", "homes", "coord", "join", "leave");
  Measure(sizes, seed, [](const ScaleRow& row) {
    const GossipScale& g = row.gossip;
    std::printf(
        "%6zu | %6.2f %9llu | %6.2f %9llu %9llu | %7.1f | %9.0f %10.1f %5llu %5llu | %7.0f %7.0f | %5.3f "
        "%5.3f | "
        "%5.2f %5.2f\n",
        row.nodes, g.rounds_to_meet, static_cast<unsigned long long>(g.bytes_to_meet), g.rounds_to_know,
        static_cast<unsigned long long>(g.bytes_to_know),
        static_cast<unsigned long long>(g.bytes_to_know_most), g.bytes_at_rest, row.lost.heartbeats_per_s,
        row.lost.pair_hours, static_cast<unsigned long long>(row.lost.false_suspicions),
        static_cast<unsigned long long>(row.late.false_suspicions), row.lost.noticed_ms,
        row.lost.noticed_ms_most, row.ring.efficiency_homes, row.ring.efficiency_coordinated,
        row.ring.join_moves, row.ring.leave_moves);
    std::fflush(stdout);
  });
}

}  // namespace orrery::simulation
