// Values that take long to copy and to send, while small commands go on.

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "cluster/large_values.h"
#include "cluster/processes.h"

namespace orrery::cluster {
namespace {

// From 30 MB on nodes called each other down, and clients of any key got UNKNOWN, NOREPLICAS and CLUSTERDOWN.
TEST(LargeValuesTest, FourClientsWriteAndReadThemWhileSmallCommandsGoOn) {
  Processes nodes(3, {});
  ASSERT_TRUE(nodes.WaitUntilServing());
  size_t downs_before = 0;
  for (size_t node = 0; node < 3; ++node) downs_before += CountDowns(nodes, node);
  Errors errors;
  SmallCommands small(nodes, &errors);
  std::vector<std::thread> clients;
  std::vector<std::string> keys;
  for (int c = 0; c < 4; ++c) keys.push_back("large:" + std::to_string(c));
  for (int c = 0; c < 4; ++c) {
    clients.emplace_back([&, c] {
      Client writer = nodes.ClientOf(static_cast<size_t>(c % 3), kPatienceSeconds);
      Client reader = nodes.ClientOf(static_cast<size_t>((c + 1) % 3), kPatienceSeconds);
      for (int round = 0; round < 2; ++round) {
        std::string value = LargeValue(c, round);
        std::string reply = writer.Run({"SET", keys[c], value});
        errors.Expect(reply == "OK", "SET of a large value: " + reply);
        reply = reader.Run({"APPEND", keys[c], "tail"});
        value += "tail";
        errors.Expect(reply == std::to_string(value.size()), "APPEND: " + reply);
        reply = reader.Run({"SETRANGE", keys[c], "1000", "range"});
        value.replace(1000, 5, "range");
        errors.Expect(reply == std::to_string(value.size()), "SETRANGE: " + reply);
        errors.Expect(writer.Run({"GET", keys[c]}) == value, "GET of a large value shows another");
      }
    });
  }
  for (std::thread& client : clients) client.join();
  small.Stop();
  EXPECT_EQ(errors.texts(), std::vector<std::string>());
  EXPECT_GT(small.done(), 0u);
  size_t downs = 0;
  for (size_t node = 0; node < 3; ++node) downs += CountDowns(nodes, node);
  EXPECT_EQ(downs, downs_before);
  EXPECT_TRUE(Eventually([&] { return nodes.HaveConverged(keys); }));
}

// The coordinator ended, and the next one as soon as the client tried again: a frame could be little longer than the
// largest argument that the node took.
TEST(LargeValuesTest, ManyOfThemInOneCommandAreTakenByAllNodes) {
  Processes nodes(3, {"--proto-max-bulk-len", "1mb"});
  ASSERT_TRUE(nodes.WaitUntilServing());
  std::vector<std::string> words = {"MSET"};
  for (int i = 0; i < 80; ++i) {
    words.push_back("{tag}" + std::to_string(i));
    words.push_back(std::string(1'000'000, 'm'));
  }
  Client client = nodes.ClientOf(0, kPatienceSeconds);
  EXPECT_EQ(client.Run(words), "OK");
  for (size_t node = 0; node < 3; ++node) EXPECT_EQ(nodes.Run(node, {"STRLEN", "{tag}79"}), "1000000");
  EXPECT_TRUE(Eventually([&] { return nodes.HaveConverged({"{tag}0"}); }));
}

// Bytes on their way are a sign of life only as long as they come.
TEST(LargeValuesTest, ANodeThatStopsInTheMiddleOfOneIsStillMissed) {
  Processes nodes(3, {});
  ASSERT_TRUE(nodes.WaitUntilServing());
  std::atomic<bool> stop = false;
  std::vector<std::thread> clients;
  for (size_t c = 0; c < 2; ++c) {
    clients.emplace_back([&, c] {
      Client client = nodes.ClientOf(c, kPatienceSeconds);
      const std::string value = LargeValue(static_cast<int>(c), 0);
      for (int i = 0; !stop; ++i)
        client.Run({"SET", "k" + std::to_string(c) + std::to_string(i % 20), value});
    });
  }
  std::vector<size_t> before;
  for (size_t node : {0u, 1u}) before.push_back(CountDowns(nodes, node));
  const std::string busy = nodes.Run(2, {"SET", "while", "busy"});
  EXPECT_EQ(busy, "OK");
  nodes.Kill(2, SIGSTOP);
  EXPECT_TRUE(
      Eventually([&] { return CountDowns(nodes, 0) > before[0] && CountDowns(nodes, 1) > before[1]; }, 20));
  stop = true;
  for (std::thread& client : clients) client.join();
  Client client = nodes.ClientOf(0, kPatienceSeconds);
  EXPECT_EQ(client.Run({"SET", "k", "v"}), "OK");
  EXPECT_EQ(client.Run({"INCR", "n"}), "1");
  nodes.Kill(2, SIGCONT);
  EXPECT_TRUE(nodes.WaitUntilServing());
  EXPECT_TRUE(Eventually([&] { return nodes.HaveConverged({"k", "n", "k00", "k10"}); }, 60));
}

}  // namespace
}  // namespace orrery::cluster
