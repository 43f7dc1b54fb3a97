#include "orrery/runtime/uv/loop.h"

#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "orrery/runtime/uv/loop_thread.h"
#include "runtime/loop_driver.h"
#include "runtime/uv/loop_impl.h"

namespace orrery::runtime {
namespace {

TEST(UvLoopTest, RunsPostedTasksInOrderAndNotInsidePost) {
  UvLoop loop;
  std::string order;
  loop.Post([&] {
    loop.Post([&] { order += 'c'; });
    order += 'a';
  });
  loop.Post([&] { order += 'b'; });
  EXPECT_EQ(order, "");
  ASSERT_REACHED(loop, order.size() == 3);
  EXPECT_EQ(order, "abc");
}

TEST(UvLoopTest, KeepsTheOrderOfEachPostingThread) {
  constexpr int kThreads = 4;
  constexpr int kTasks = 5000;
  UvLoop loop;
  std::vector<int> next(kThreads);
  int disorder = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kTasks; ++i) {
        loop.Post([&, t, i] { disorder += next[t]++ != i; });
      }
    });
  }
  EXPECT_TRUE(RunUntil(loop, [&] { return next == std::vector<int>(kThreads, kTasks); }));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(disorder, 0);
}

TEST(UvLoopTest, StopsFromAnotherThreadAndRunsAgain) {
  UvLoop loop;
  for (int round = 0; round < 3; ++round) {
    std::thread stopper([&] { loop.Stop(); });
    loop.Run();
    stopper.join();
  }
  int ran = 0;
  loop.Post([&] {
    ++ran;
    loop.Stop();
  });
  loop.Run();
  EXPECT_EQ(ran, 1);
}

TEST(UvLoopTest, FiresTimersByDeadlineAndNeverEarly) {
  UvLoop loop;
  std::vector<int> fired;
  const uint64_t start = loop.MonotonicUs();
  uint64_t elapsed = 0;
  loop.After(9'000, [&] {
    fired.push_back(9);
    elapsed = loop.MonotonicUs() - start;
  });
  loop.After(3'500, [&] { fired.push_back(3); });
  loop.After(0, [&] { fired.push_back(0); });
  EXPECT_TRUE(fired.empty());
  ASSERT_REACHED(loop, fired.size() == 3);
  EXPECT_EQ(fired, (std::vector<int>{0, 3, 9}));
  EXPECT_GE(elapsed, 9'000u);
}

TEST(UvLoopTest, ForgetsCancelledTimersEvenOnesThatAreDue) {
  UvLoop loop;
  bool done = false;
  bool wrong = false;
  TimerId second = kNoTimer;
  loop.After(1'000, [&] { loop.Cancel(second); });
  second = loop.After(1'000, [&] { wrong = true; });
  loop.Cancel(loop.After(500, [&] { wrong = true; }));
  loop.After(3'000, [&] { done = true; });
  ASSERT_REACHED(loop, done);
  EXPECT_FALSE(wrong);
}

TEST(UvLoopTest, EndsATurnOnceForAllThatHappenedInIt) {
  UvLoop loop;
  int tasks = 0;
  std::vector<int> tasks_at_end;
  loop.OnTurnEnd([&] { tasks_at_end.push_back(tasks); });
  for (int i = 0; i < 10; ++i) loop.Post([&] { ++tasks; });
  ASSERT_REACHED(loop, tasks == 10 && !tasks_at_end.empty());
  EXPECT_EQ(tasks_at_end, (std::vector<int>{10}));
}

TEST(UvLoopTest, EndsTheTurnInWhichATimerFiredBeforeItSleepsAgain) {
  UvLoop loop;
  int ends = 0;
  bool fired = false;
  loop.OnTurnEnd([&] { ++ends; });
  loop.After(1'000, [&] {
    fired = true;
    loop.Stop();
  });
  loop.Run();
  EXPECT_TRUE(fired);
  EXPECT_EQ(ends, 1);
}

TEST(UvLoopTest, CallsTurnEndsInOrderAndStandsTheirRemovalMeanwhile) {
  UvLoop loop;
  std::string order;
  TurnEndId self = 0;
  TurnEndId last = 0;
  loop.OnTurnEnd([&] { order += 'a'; });
  self = loop.OnTurnEnd([&] {
    order += 'b';
    loop.RemoveTurnEnd(self);
    loop.RemoveTurnEnd(last);
    for (int i = 0; i < 20; ++i) loop.OnTurnEnd([&] { order += 'd'; });
  });
  last = loop.OnTurnEnd([&] { order += 'c'; });
  loop.Post([] {});
  ASSERT_REACHED(loop, order.size() == 22);
  EXPECT_EQ(order, "ab" + std::string(20, 'd'));
  bool again = false;
  loop.Post([&] { again = true; });
  order.clear();
  ASSERT_REACHED(loop, again && order.size() == 21);
  EXPECT_EQ(order, "a" + std::string(20, 'd'));
}

struct CountedOutput final : Flushable {
  explicit CountedOutput(bool waits) : may_wait(waits) {}
  void Flush() override { ++flushes; }
  bool MayWait() const override { return may_wait; }

  const bool may_wait;
  int flushes = 0;
};

TEST(UvLoopTest, OutputThatMayWaitLeavesOnceForAFewTurnsOneAfterTheOther) {
  constexpr int kTurns = 40;
  UvLoop loop;
  CountedOutput patient(true);
  CountedOutput hasty(false);
  int turn = 0;
  std::function<void()> write = [&] {
    loop.impl().FlushLater(patient);
    loop.impl().FlushLater(hasty);
    ++turn < kTurns ? loop.Post(write) : loop.Stop();
  };
  loop.Post(write);
  loop.Run();
  EXPECT_EQ(hasty.flushes, kTurns);
  // A turn's, and what up to three more turns add.
  EXPECT_GE(patient.flushes, kTurns / 4 - 1);
  EXPECT_LE(patient.flushes, kTurns / 4 + 1);
}

TEST(UvLoopTest, NoOutputWaitsWhileTheLoopSleeps) {
  UvLoop loop;
  CountedOutput output(true);
  bool has_slept = false;
  loop.Post([&] { loop.impl().FlushLater(output); });
  loop.After(2'000, [&] { has_slept = true; });
  ASSERT_REACHED(loop, output.flushes == 1);
  EXPECT_FALSE(has_slept);
  ASSERT_REACHED(loop, has_slept);
  EXPECT_EQ(output.flushes, 1);
}

TEST(UvLoopTest, OutputIsForgottenWhileItWaits) {
  UvLoop loop;
  CountedOutput kept(true);
  auto gone = std::make_unique<CountedOutput>(true);
  loop.Post([&] {
    loop.impl().FlushLater(*gone);
    loop.impl().FlushLater(kept);
    loop.Post([&] {
      loop.impl().ForgetFlush(*gone);
      gone.reset();
    });
  });
  ASSERT_REACHED(loop, kept.flushes == 1);
  EXPECT_EQ(gone, nullptr);
}

TEST(UvLoopTest, NothingIsLeftWaitingWhenTheLoopStops) {
  UvLoop loop;
  CountedOutput output(true);
  loop.Post([&] {
    loop.impl().FlushLater(output);
    loop.Stop();
  });
  loop.Run();
  EXPECT_EQ(output.flushes, 1);
}

TEST(UvLoopTest, CallsBackOnSigtermAndOutlivesSigpipe) {
  UvLoop loop;
  int signal_seen = 0;
  loop.OnTerminate([&](int signal) { signal_seen = signal; });
  std::raise(SIGPIPE);
  std::raise(SIGTERM);
  ASSERT_REACHED(loop, signal_seen != 0);
  EXPECT_EQ(signal_seen, SIGTERM);
}

TEST(UvLoopTest, DropsWhatStillWaitsWhenDestroyed) {
  auto held = std::make_shared<int>(0);
  {
    UvLoop loop;
    loop.Post([held] { ++*held; });
    loop.After(0, [held] { ++*held; });
    loop.OnTurnEnd([held] { ++*held; });
  }
  EXPECT_EQ(*held, 0);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(LoopThreadTest, RunsCallsOnItsThread) {
  LoopThread thread;
  thread.Start();
  std::thread::id where;
  thread.Call([&] { where = std::this_thread::get_id(); });
  EXPECT_NE(where, std::this_thread::get_id());
  EXPECT_NE(where, std::thread::id());
  thread.Stop();
  thread.Stop();
}

}  // namespace
}  // namespace orrery::runtime
