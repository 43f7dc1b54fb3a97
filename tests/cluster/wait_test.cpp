// WAIT through each node, whichever of them runs the client's writes.

#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <vector>

#include "cluster/processes.h"

namespace orrery::cluster {
namespace {

const std::vector<std::string>& Keys() {
  static const std::vector<std::string> keys = {"a", "b", "c", "d", "e", "f"};
  return keys;
}

TEST(WaitTest, CountsTheCopiesThroughAnyNode) {
  Processes nodes{3, {}};
  ASSERT_TRUE(nodes.WaitUntilServing());
  for (size_t node : {0u, 1u, 2u}) {
    Client client = nodes.ClientOf(node);
    for (const std::string& key : Keys()) {
      ASSERT_EQ(client.Run({"SET", key, "v"}), "OK");
      EXPECT_EQ(client.Run({"WAIT", "2", "0"}), "2") << key << " through node " << node;
    }
  }
  nodes.Kill(2, SIGSTOP);
  // Both: one that does not know yet would pass on a write to the node that sleeps.
  for (size_t node : {0u, 1u}) {
    ASSERT_TRUE(Eventually([&] { return FieldOf(nodes.Run(node, {"INFO", "dynamo"}), "members_alive") == "2"; }));
  }
  for (size_t node : {0u, 1u}) {
    Client client = nodes.ClientOf(node);
    for (const std::string& key : Keys()) {
      ASSERT_EQ(client.Run({"SET", key, "w"}), "OK");
      EXPECT_EQ(client.Run({"WAIT", "2", "50"}), "1") << key << " through node " << node;
    }
  }
  Client waiting = nodes.ClientOf(0);
  ASSERT_EQ(waiting.Run({"SET", "a", "x"}), "OK");
  ASSERT_TRUE(waiting.Send({"WAIT", "2", "0"}));
  nodes.Kill(2, SIGCONT);
  EXPECT_EQ(waiting.Receive(), "2");
}

}  // namespace
}  // namespace orrery::cluster
