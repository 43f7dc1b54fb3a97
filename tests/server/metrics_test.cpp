#include "orrery/server/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "orrery/runtime/random.h"
#include "server/metrics/latency_monitor.h"
#include "server/metrics/slowlog.h"

namespace orrery::server {
namespace {

TEST(HistogramTest, PercentilesAreAtMostAnEighthTooHigh) {
  const uint64_t seed = runtime::SystemSeed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  runtime::SeededRandom random(seed);
  Histogram histogram;
  std::vector<uint64_t> samples;
  for (int i = 0; i < 10'000; ++i) {
    samples.push_back(random.Below(uint64_t{1} << (1 + random.Below(30))));
    histogram.Add(samples.back());
  }
  std::sort(samples.begin(), samples.end());
  for (const double percent : {1.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    const auto index =
        static_cast<size_t>(std::ceil(static_cast<double>(samples.size()) * percent / 100)) - 1;
    const uint64_t exact = samples[index];
    EXPECT_GE(histogram.Percentile(percent), exact);
    EXPECT_LE(histogram.Percentile(percent), exact + exact / 8 + 1);
  }
}

TEST(HistogramTest, CumulatesByPowersOfTwo) {
  Histogram histogram;
  EXPECT_TRUE(histogram.CumulativePowers().empty());
  for (uint64_t value : {1, 1, 3, 100}) histogram.Add(value);
  using Pairs = std::vector<std::pair<uint64_t, uint64_t>>;
  EXPECT_EQ(histogram.CumulativePowers(), (Pairs{{1, 2}, {4, 3}, {128, 4}}));
}

TEST(HistogramTest, HugeValuesFallIntoTheLastBucket) {
  Histogram histogram;
  histogram.Add(UINT64_MAX);
  EXPECT_EQ(histogram.count(), 1u);
  EXPECT_GT(histogram.Percentile(50), uint64_t{3'600'000'000});
}

TEST(HistogramTest, MergesAsIfAddedTogether) {
  Histogram a;
  Histogram b;
  a.Add(5);
  b.Add(500);
  b.Add(6);
  a.Merge(b);
  a.Merge(Histogram());
  EXPECT_EQ(a.count(), 3u);
  EXPECT_EQ(a.Percentile(1), 5u);
  EXPECT_GE(a.Percentile(100), 500u);
}

TEST(LoopMetricsTest, CountsErrorsByTheirFirstWordWithinLimits) {
  LoopMetrics metrics;
  metrics.CountError("-ERR syntax error\r\n");
  metrics.CountError("-ERR other\r\n");
  metrics.CountError("-LOADING\r\n");
  EXPECT_EQ(metrics.errors.at("ERR"), 2u);
  EXPECT_EQ(metrics.errors.at("LOADING"), 1u);
  for (int i = 0; i < 1000; ++i) metrics.CountError("-E" + std::to_string(i) + " x\r\n");
  EXPECT_LE(metrics.errors.size(), 128u);
}

TEST(LoopMetricsTest, MergeAddsAndResetKeepsThePresent) {
  LoopMetrics a;
  LoopMetrics b;
  a.commands_by_id.resize(2);
  b.commands_by_id.resize(2);
  a.commands = 3;
  b.commands = 4;
  b.connections_now = 5;
  b.input_buffer_max = 9;
  b.stats(1).calls = 7;
  a.Merge(b);
  EXPECT_EQ(a.commands, 7u);
  EXPECT_EQ(a.stats(1).calls, 7u);
  EXPECT_EQ(a.input_buffer_max, 9u);
  a.ResetCounts();
  EXPECT_EQ(a.commands, 0u);
  EXPECT_EQ(a.stats(1).calls, 0u);
  EXPECT_EQ(a.connections_now, 5u);
}

TEST(SlowlogTest, KeepsTheNewestFirst) {
  Slowlog log;
  for (int i = 0; i < 5; ++i) log.Add({0, 0, 0, {std::to_string(i)}, "", ""}, 3);
  const auto entries = log.Newest(2);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].args[0], "4");
  EXPECT_EQ(entries[0].id, 4u);
  EXPECT_EQ(entries[1].args[0], "3");
  EXPECT_EQ(log.size(), 3u);
  log.Reset();
  EXPECT_EQ(log.size(), 0u);
}

TEST(LatencyMonitorTest, KeepsTheWorstOfASecondAndTheLatestSamples) {
  LatencyMonitor monitor;
  monitor.Add("command", 100, 5);
  monitor.Add("command", 100, 9);
  monitor.Add("command", 100, 7);
  ASSERT_EQ(monitor.Of("command").samples.size(), 1u);
  EXPECT_EQ(monitor.Of("command").samples[0].latency_ms, 9u);
  for (uint64_t second = 101; second < 400; ++second) monitor.Add("command", second, 1);
  EXPECT_EQ(monitor.Of("command").samples.size(), LatencySeries::kSamplesMax);
  EXPECT_EQ(monitor.Of("command").samples.back().time_s, 399u);
  EXPECT_EQ(monitor.Of("command").max_ms, 9u);
}

TEST(LatencyMonitorTest, GraphHasAColumnPerSample) {
  LatencySeries series;
  series.Add(100, 1);
  series.Add(160, 8);
  const std::string graph = LatencyGraph("command", series, 161);
  EXPECT_NE(graph.find("high 8 ms, low 1 ms"), std::string::npos);
  EXPECT_NE(graph.find("\n #\n"), std::string::npos);
  EXPECT_NE(graph.find("\n_#\n"), std::string::npos);
  EXPECT_NE(graph.find("\n11\nms\n"), std::string::npos) << graph;
}

}  // namespace
}  // namespace orrery::server
