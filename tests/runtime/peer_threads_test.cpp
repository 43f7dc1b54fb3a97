// Nodes of several loops, each on its own thread.
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "orrery/runtime/uv/loop_thread.h"
#include "runtime/peer_node.h"

namespace orrery::runtime {
namespace {

/// Tells the test that something has changed on some loop.
class Bell {
 public:
  void Ring() {
    const std::lock_guard lock(mutex_);
    ++rings_;
    changed_.notify_all();
  }
  /// Checks the condition after each ring. False when it does not hold for so long that something hangs.
  bool WaitUntil(const std::function<bool()>& condition) {
    for (uint64_t seen = 0;;) {
      if (condition()) return true;
      std::unique_lock lock(mutex_);
      if (!changed_.wait_for(lock, std::chrono::seconds(30), [&] { return rings_ != seen; })) return false;
      seen = rings_;
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t rings_ = 0;
};

class ThreadedNode {
 public:
  ThreadedNode(Bell& bell, uint64_t number, uint16_t loops) : id(NodeId{number}), threads_(loops) {
    std::vector<PeerTransport*> transports;
    for (uint16_t i = 0; i < loops; ++i) {
      PeerTransportOptions options = TestOptions(number);
      options.loop_index = i;
      options.loop_count = loops;
      parts_.push_back(std::make_unique<RecordingTransport>(threads_[i].loop(), options));
      parts_.back()->frames_need_up = false;
      parts_.back()->on_change = [&bell] { bell.Ring(); };
      transports.push_back(parts_.back()->transport.get());
    }
    auto made = PeerListener::Listen(threads_[0].loop(), {}, transports, nullptr);
    EXPECT_TRUE(made.ok());
    listener_ = std::move(*made);
    address = {id, "127.0.0.1", listener_->port()};
    for (LoopThread& thread : threads_) thread.Start();
  }

  ~ThreadedNode() {
    threads_[0].Call([&] { listener_.reset(); });
    for (LoopThread& thread : threads_) thread.Stop();
  }

  void OnLoop(size_t i, const std::function<void(RecordingTransport&)>& function) {
    threads_[i].Call([&] { function(*parts_[i]); });
  }
  void OnEachLoop(const std::function<void(RecordingTransport&)>& function) {
    for (size_t i = 0; i < threads_.size(); ++i) OnLoop(i, function);
  }
  /// How many loops have the peer up.
  size_t UpCount(NodeId peer) {
    size_t count = 0;
    OnEachLoop([&](RecordingTransport& part) { count += part.is_up[peer]; });
    return count;
  }
  size_t FrameCount(NodeId peer) {
    size_t count = 0;
    OnEachLoop([&](RecordingTransport& part) { count += part.frames[peer].size(); });
    return count;
  }

  const NodeId id;
  PeerAddress address;

 private:
  std::vector<LoopThread> threads_;
  std::vector<std::unique_ptr<RecordingTransport>> parts_;
  std::unique_ptr<PeerListener> listener_;
};

void Introduce(ThreadedNode& a, ThreadedNode& b) {
  for (ThreadedNode* node : {&a, &b}) {
    node->OnEachLoop([&](RecordingTransport& part) { part.transport->SetPeers({a.address, b.address}); });
  }
}

TEST(PeerThreadsTest, LinksEachLoopToItsTwin) {
  Bell bell;
  for (int round = 0; round < 10; ++round) {
    ThreadedNode a(bell, 1, 2), b(bell, 2, 2);
    Introduce(a, b);
    ASSERT_TRUE(bell.WaitUntil([&] { return a.UpCount(b.id) == 2 && b.UpCount(a.id) == 2; }));
    for (size_t i = 0; i < 2; ++i) {
      a.OnLoop(i, [&](RecordingTransport& part) {
        part.transport->Send(b.id, "loop " + std::to_string(i));
        EXPECT_EQ(part.transport->Links().size(), 1u);
      });
    }
    ASSERT_TRUE(bell.WaitUntil([&] { return b.FrameCount(a.id) == 2; }));
    for (size_t i = 0; i < 2; ++i) {
      b.OnLoop(i, [&](RecordingTransport& part) {
        EXPECT_EQ(part.frames[a.id], std::vector<std::string>{"loop " + std::to_string(i)});
        EXPECT_TRUE(part.downs.empty());
      });
    }
  }
}

TEST(PeerThreadsTest, SurplusLoopsDialInAndAreHeard) {
  Bell bell;
  ThreadedNode big(bell, 1, 3), small(bell, 2, 2);
  Introduce(big, small);
  ASSERT_TRUE(bell.WaitUntil([&] { return big.UpCount(small.id) == 3 && small.UpCount(big.id) == 2; }));
  big.OnLoop(2, [&](RecordingTransport& part) { part.transport->Send(small.id, "from loop 2"); });
  ASSERT_TRUE(bell.WaitUntil([&] { return small.FrameCount(big.id) == 1; }));
  small.OnLoop(0, [&](RecordingTransport& part) {
    EXPECT_EQ(part.frames[big.id], std::vector<std::string>{"from loop 2"});
    EXPECT_EQ(part.ups.size(), 1u);
    part.transport->Send(big.id, "answer");
  });
  ASSERT_TRUE(bell.WaitUntil([&] { return big.FrameCount(small.id) == 1; }));
  big.OnLoop(0, [&](RecordingTransport& part) { EXPECT_EQ(part.frames[small.id].size(), 1u); });
}

TEST(PeerThreadsTest, ASurplusLoopComesBackAfterItsLinkIsBroken) {
  Bell bell;
  ThreadedNode big(bell, 1, 2), small(bell, 2, 1);
  Introduce(big, small);
  ASSERT_TRUE(bell.WaitUntil([&] { return big.UpCount(small.id) == 2; }));
  small.OnLoop(0, [&](RecordingTransport& part) { part.transport->SetBlocked({big.id}); });
  ASSERT_TRUE(bell.WaitUntil([&] { return big.UpCount(small.id) == 0; }));
  small.OnLoop(0, [&](RecordingTransport& part) { part.transport->SetBlocked({}); });
  ASSERT_TRUE(bell.WaitUntil([&] { return big.UpCount(small.id) == 2 && small.UpCount(big.id) == 1; }));
}

}  // namespace
}  // namespace orrery::runtime
