// Nodes that are restarted one after the other, as for an upgrade, and nodes of different versions side by
// side.

#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <iostream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "cluster/processes.h"
#include "cluster/strict_clients.h"

namespace orrery::cluster {
namespace {

constexpr size_t kNodes = 3;
const std::vector<std::string> kPatient = {"--failure-detection-timeout", "3000", "--request-timeout",
                                           "20000"};

std::string LogOf(const Processes& nodes, size_t node) {
  std::ifstream file(nodes.dir(node) + "/log");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool HintsAreHandedOver(Processes* nodes) {
  for (const size_t node : nodes->running()) {
    if (FieldOf(nodes->Run(node, {"INFO", "dynamo"}), "hints") != "0") return false;
  }
  return true;
}

uint64_t Sum(Processes* nodes, const std::string& field) {
  uint64_t sum = 0;
  for (const size_t node : nodes->running()) {
    sum += std::strtoull(FieldOf(nodes->Run(node, {"INFO", "dynamo"}), field).c_str(), nullptr, 10);
  }
  return sum;
}

// As operations.md says: clients go elsewhere, the node is told to stop, it comes back, hints are handed
// over; then the next. It comes back as a later program, which speaks a version more and sends messages that
// the others do not know.
// A write that its coordinator had when it was told to stop may be of unknown outcome: of each client one at
// a time.
TEST(UpgradeTest, NodesAreUpgradedOneByOneUnderLoadAndNothingIsLost) {
  Processes nodes(kNodes, kPatient);
  ASSERT_TRUE(nodes.WaitUntilServing());
  StrictClients clients(nodes, nodes.running(), {.keys = 100, .may_be_unknown = true});
  clients.WaitForMore(300);
  for (size_t node = 0; node < kNodes; ++node) {
    std::set<size_t> others = nodes.running();
    others.erase(node);
    clients.Use(others);
    nodes.Kill(node, SIGTERM);
    EXPECT_EQ(nodes.Reap(node), 0) << "node " << node << " did not end in order";
    clients.WaitForMore(300);
    nodes.SetEnvironment(node, "ORRERY_TEST_PEER_VERSIONS", "2-3");
    nodes.SetEnvironment(node, "ORRERY_TEST_UNKNOWN_MESSAGES", "1");
    nodes.Start(node);
    ASSERT_TRUE(nodes.WaitUntilServing());
    ASSERT_TRUE(Eventually([&] { return HintsAreHandedOver(&nodes); }));
    clients.Use(nodes.running());
    clients.WaitForMore(300);
  }
  clients.Stop();
  std::cout << clients.unknown() << " writes of unknown outcome" << std::endl;
  EXPECT_LE(clients.unknown(), static_cast<int64_t>(kNodes * StrictClients::Options().clients));
  clients.ExpectNoFailure();
  clients.ExpectAllThere(nodes.running());
  EXPECT_TRUE(Eventually([&] { return nodes.HaveConverged(clients.Keys()); }))
      << "replicas differ, or hints remain";
  EXPECT_GT(Sum(&nodes, "unknown_messages"), 0u);
  EXPECT_EQ(Sum(&nodes, "bad_frames"), 0u);
}

TEST(UpgradeTest, NodesWithoutACommonVersionRefuseEachOtherAndSayWhy) {
  Processes nodes(kNodes, kPatient, {.started = 2});
  ASSERT_TRUE(nodes.WaitUntilServing());
  nodes.SetEnvironment(2, "ORRERY_TEST_PEER_VERSIONS", "3-4");
  nodes.Start(2);
  const std::string says = "it speaks version 2 of the peer protocol, we speak 3 to 4";
  EXPECT_TRUE(Eventually([&] { return LogOf(nodes, 2).find(says) != std::string::npos; }));
  const std::string hears = "it speaks version 3 to 4 of the peer protocol, we speak 2";
  EXPECT_TRUE(Eventually([&] { return LogOf(nodes, 0).find(hears) != std::string::npos; }));
  // The others go on without it, and it takes nobody in by itself.
  EXPECT_EQ(nodes.Run(0, {"SET", "k", "v"}), "OK");
  EXPECT_EQ(FieldOf(nodes.Run(0, {"INFO", "dynamo"}), "members"), "2");
  EXPECT_EQ(FieldOf(nodes.Run(2, {"INFO", "dynamo"}), "members"), "1");
}

TEST(UpgradeTest, NodesUseTheHighestVersionThatBothSpeak) {
  Processes nodes(kNodes, kPatient, {.started = 0});
  const char* versions[kNodes] = {"2-3", "3-4", "2-4"};
  for (size_t node = 0; node < kNodes; ++node) {
    nodes.SetEnvironment(node, "ORRERY_TEST_PEER_VERSIONS", versions[node]);
    nodes.Start(node);
  }
  ASSERT_TRUE(nodes.WaitUntilServing());
  EXPECT_EQ(nodes.Run(0, {"SET", "k", "v"}), "OK");
  for (size_t node = 0; node < kNodes; ++node) EXPECT_EQ(nodes.Run(node, {"GET", "k"}), "v");
}

}  // namespace
}  // namespace orrery::cluster
