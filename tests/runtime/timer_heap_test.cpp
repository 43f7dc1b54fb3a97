#include "runtime/timer_heap.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "orrery/runtime/random.h"

namespace orrery::runtime {
namespace {

std::vector<int> FireAll(TimerHeap& heap, std::vector<int>& fired, uint64_t now) {
  while (auto callback = heap.PopDue(now, heap.added())) callback();
  return fired;
}

TEST(TimerHeapTest, FiresInOrderOfDeadlineThenOfAdding) {
  TimerHeap heap;
  std::vector<int> fired;
  for (int i : {3, 1, 2}) heap.Add(static_cast<uint64_t>(i), [&fired, i] { fired.push_back(i); });
  heap.Add(2, [&fired] { fired.push_back(22); });
  EXPECT_EQ(heap.NextDeadline(), 1u);
  EXPECT_EQ(FireAll(heap, fired, 2), (std::vector<int>{1, 2, 22}));
  EXPECT_EQ(FireAll(heap, fired, 3), (std::vector<int>{1, 2, 22, 3}));
  EXPECT_EQ(heap.NextDeadline(), std::nullopt);
}

TEST(TimerHeapTest, CancelsOnceAndNeverALaterTimerOfTheSameRecord) {
  TimerHeap heap;
  const TimerId first = heap.Add(5, [] {});
  EXPECT_NE(first, kNoTimer);
  EXPECT_TRUE(heap.Cancel(first));
  EXPECT_FALSE(heap.Cancel(first));
  const TimerId second = heap.Add(5, [] {});
  EXPECT_NE(first, second);
  EXPECT_FALSE(heap.Cancel(first));
  EXPECT_FALSE(heap.Cancel(kNoTimer));
  EXPECT_EQ(heap.size(), 1u);
}

TEST(TimerHeapTest, LeavesForLaterWhatCallbacksAdd) {
  TimerHeap heap;
  heap.Add(1, [&heap] { heap.Add(1, [] {}); });
  const uint64_t added_before = heap.added();
  int fired = 0;
  while (auto callback = heap.PopDue(1, added_before)) {
    callback();
    ++fired;
  }
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(heap.size(), 1u);
}

TEST(TimerHeapTest, AgreesWithASortedMapUnderRandomUse) {
  const uint64_t seed = SystemSeed();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  SeededRandom random(seed);
  TimerHeap heap;
  std::map<std::pair<uint64_t, uint64_t>, TimerId> model;
  uint64_t number = 0;
  std::pair<uint64_t, uint64_t> fired;
  for (int step = 0; step < 20000; ++step) {
    const uint64_t dice = random.Below(10);
    if (dice < 5 || model.empty()) {
      const std::pair key(random.Below(1000), number++);
      model[key] = heap.Add(key.first, [&fired, key] { fired = key; });
    } else if (dice < 8) {
      auto victim = model.lower_bound({random.Below(1000), 0});
      if (victim == model.end()) victim = model.begin();
      ASSERT_TRUE(heap.Cancel(victim->second));
      model.erase(victim);
    } else {
      ASSERT_EQ(heap.NextDeadline(), model.begin()->first.first);
      heap.PopDue(UINT64_MAX, UINT64_MAX)();
      ASSERT_EQ(fired, model.begin()->first);
      model.erase(model.begin());
    }
    ASSERT_EQ(heap.size(), model.size());
  }
}

}  // namespace
}  // namespace orrery::runtime
