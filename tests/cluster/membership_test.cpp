// A cluster that grows and shrinks while clients work, and none of their requests fails.
// ORRERY_LONG_TESTS=1: with more data, for longer, and told second by second.

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <set>
#include <string>

#include "cluster/processes.h"
#include "cluster/strict_clients.h"
#include "orrery/base/slot.h"

namespace orrery::cluster {
namespace {

constexpr size_t kCopies = 3;

class MembershipTest : public testing::Test {
 protected:
  static constexpr size_t kMost = 8;

  static bool IsLong() { return std::getenv("ORRERY_LONG_TESTS") != nullptr; }
  static StrictClients::Options Clients() {
    if (IsLong()) return {.clients = 8, .keys = 2000, .value_bytes = 500, .ground_keys = 60'000};
    return {.clients = 3, .keys = 150, .value_bytes = 100, .ground_keys = 1'500, .ground_bytes = 300};
  }
  int64_t CalmRequests() const { return IsLong() ? 20'000 : 300; }

  /// Every seat is where the ring wants it, and nobody keeps rows that it has given away. Each slot has as
  /// many copies as are wanted, or as there are nodes.
  void WaitUntilSettled() {
    EXPECT_TRUE(Eventually(
        [this] {
          return nodes_.AllServe() && nodes_.AllSettled() &&
                 HomesOfAllSlots() == kSlotCount * std::min(kCopies, nodes_.running().size());
        },
        120))
        << nodes_.Run(0, {"RING", "STATUS"});
  }
  /// As node 0 sees it: the sum of "home-of=" over the members.
  uint64_t HomesOfAllSlots() {
    const std::string status = nodes_.Run(0, {"RING", "STATUS"});
    const std::string name = "home-of=";
    uint64_t sum = 0;
    for (size_t at = status.find(name); at != std::string::npos; at = status.find(name, at + 1)) {
      sum += std::strtoull(status.c_str() + at + name.size(), nullptr, 10);
    }
    return sum;
  }
  void GrowTo(size_t count) {
    for (size_t node = nodes_.running().size(); node < count; ++node) nodes_.Start(node);
    WaitUntilSettled();
    clients_->Use(nodes_.running());
    Tell(std::to_string(count) + " nodes");
  }
  /// One node after the other, or all of them at once. Clients use a node until they hear that it has left.
  void ShrinkTo(size_t count) {
    for (size_t node = kMost - 1; node >= count; --node) {
      ASSERT_EQ(nodes_.Run(node, {"RING", "LEAVE"}), "OK");
      if (IsLong()) SeeOff(node);
    }
    for (size_t node = kMost - 1; node >= count && !IsLong(); --node) SeeOff(node);
    WaitUntilSettled();
    Tell(std::to_string(count) + " nodes again");
  }
  void SeeOff(size_t node) {
    EXPECT_TRUE(Eventually([&] { return HasLeft(node); }, 120)) << nodes_.Run(node, {"RING", "STATUS"});
    std::set<size_t> staying = nodes_.running();
    staying.erase(node);
    clients_->Use(staying);
    nodes_.Kill(node, SIGTERM);
    EXPECT_EQ(nodes_.Reap(node), 0);
  }
  bool HasLeft(size_t node) {
    return nodes_.Run(node, {"GET", "anything"}) == "-CLUSTERDOWN this node was removed from the cluster";
  }
  void Tell(const std::string& what) {
    clients_->WaitForMore(CalmRequests());
    Print(what, clients_->Drain());
  }
  static void Print(const std::string& what, const StrictClients::Span& span) {
    std::printf(
        "%-15s from %5.1f s: %6zu requests, %6.0f a second, 99%% within %6.1f ms, all within %6.1f ms\n",
        what.c_str(), span.begin_s, span.requests, span.PerSecond(), span.p99_ms, span.longest_ms);
  }

  // A busy machine stops a process for a second now and then, which is no reason to fail here.
  Processes nodes_{
      kMost,
      {"--slot-transfer", "yes", "--failure-detection-timeout", "5000", "--request-timeout", "20000"},
      {.started = 1}};
  std::unique_ptr<StrictClients> clients_;
};

TEST_F(MembershipTest, AClusterGrowsAndShrinksUnderLoadAndNoRequestFails) {
  ASSERT_TRUE(nodes_.WaitUntilServing());
  clients_ = std::make_unique<StrictClients>(nodes_, nodes_.running(), Clients());
  Tell("1 node");
  for (size_t count : {2u, 3u, 5u, 8u}) GrowTo(count);
  ShrinkTo(3);
  EXPECT_EQ(nodes_.Run(2, {"RING", "LEAVE"}),
            "-ERR the other members are fewer than the copies of each slot; add a node first");
  clients_->Stop();
  if (IsLong()) {
    for (const StrictClients::Span& second : clients_->Seconds()) Print("", second);
  }
  clients_->ExpectNoFailure();
  clients_->ExpectAllThere(nodes_.running());
  EXPECT_TRUE(Eventually([this] { return nodes_.HaveConverged(clients_->Keys()); })) << "replicas differ";
}

}  // namespace
}  // namespace orrery::cluster
