#include <gtest/gtest.h>

#include <sstream>

#include "server/test_server.h"

namespace orrery::server {
namespace {

const std::set<NodeId> kWithoutThird = {NodeId{1}, NodeId{2}};

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// Slots in the ranges at the end of a line of CLUSTER NODES.
uint32_t SlotsInLine(const std::string& line) {
  std::istringstream in(line);
  std::string word;
  for (int i = 0; i < 8; ++i) in >> word;
  uint32_t count = 0;
  while (in >> word) {
    const size_t dash = word.find('-');
    const int first = std::stoi(word);
    count += static_cast<uint32_t>((dash == std::string::npos ? first : std::stoi(word.substr(dash + 1))) -
                                   first + 1);
  }
  return count;
}

TEST(ClusterNodesTest, ShowsEveryMemberAsAMasterWithItsSlots) {
  TestServer server;
  TestClient client(server.port());
  const auto lines = Lines(client.Ask("cluster nodes"));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(
      lines[0].starts_with(NodeId{1}.ToName() + " 127.0.0.1:7001@17001 myself,master - 0 0 11 connected "));
  EXPECT_TRUE(lines[1].starts_with(NodeId{2}.ToName() + " 127.0.0.1:7002@17002 master - 0 "));
  uint32_t slots = 0;
  for (const std::string& line : lines) {
    EXPECT_GT(SlotsInLine(line), 5000u);
    slots += SlotsInLine(line);
  }
  EXPECT_EQ(slots, kSlotCount);
}

TEST(ClusterNodesTest, GivesTheSlotsOfADeadNodeToWhoCoordinatesThemNow) {
  TestServer server("", 1, kWithoutThird);
  TestClient client(server.port());
  const auto lines = Lines(client.Ask("cluster nodes"));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(Has(lines[2], " master,fail - 0 0 13 disconnected"));
  EXPECT_EQ(SlotsInLine(lines[2]), 0u);
  EXPECT_EQ(SlotsInLine(lines[0]) + SlotsInLine(lines[1]), kSlotCount);
}

TEST(ClusterNodesTest, ShowsWhomOthersFindDown) {
  TestServer server("", 1);
  server.OnEveryLoop([&](size_t i) {
    server.nodes[i]->FindDown(NodeId{2}, NodeId{3});
    server.nodes[i]->FindDown(NodeId{1}, NodeId{2});  // ourselves: not another's opinion
  });
  TestClient client(server.port());
  const auto lines = Lines(client.Ask("cluster nodes"));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(Has(lines[1], " master - ")) << lines[1];
  EXPECT_TRUE(Has(lines[2], " master,fail? - ")) << lines[2];
  const auto status = Lines(client.Ask("ring status"));
  EXPECT_TRUE(std::any_of(status.begin(), status.end(), [](const std::string& line) {
    return Has(line, "127.0.0.1:7003") && Has(line, "alive") && Has(line, " down-for=1");
  }));
}

TEST(ClusterSlotsTest, CoversAllSlotsWithTheirCoordinatorsAlone) {
  TestServer server;
  TestClient client(server.port());
  client.Send(TestClient::Encode("cluster slots"));
  const auto reply = client.ReadReply();
  ASSERT_TRUE(reply.has_value());
  int64_t next = 0;
  std::string previous;
  for (const resp::Value& run : reply->elements()) {
    EXPECT_EQ(run.elements()[0].integer(), next);
    next = run.elements()[1].integer() + 1;
    ASSERT_EQ(run.elements().size(), 3u);
    const auto& node = run.elements()[2].elements();
    ASSERT_EQ(node.size(), 4u);
    EXPECT_EQ(node[0].text(), "127.0.0.1");
    EXPECT_NE(node[2].text(), previous) << "neighbours of one node should be one run";
    previous = node[2].text();
  }
  EXPECT_EQ(next, int64_t{kSlotCount});
}

TEST(ClusterShardsTest, ListsEachCoordinatorAlone) {
  TestServer server;
  TestClient client(server.port());
  client.Ask("hello 3");
  client.Send(TestClient::Encode("cluster shards"));
  const auto reply = client.ReadReply();
  ASSERT_TRUE(reply && reply->elements().size() == 3);
  const auto& shard = reply->elements()[0];
  EXPECT_EQ(shard.type(), resp::Value::Type::kMap);
  EXPECT_EQ(shard.elements()[0].text(), "slots");
  EXPECT_EQ(shard.elements()[2].text(), "nodes");
  const auto& nodes = shard.elements()[3].elements();
  ASSERT_EQ(nodes.size(), 1u);
  EXPECT_EQ(TestClient::ToText(nodes[0]), "[id " + NodeId{1}.ToName() +
                                              " port 7001 ip 127.0.0.1 endpoint 127.0.0.1 role master "
                                              "replication-offset 0 health online]");
}

TEST(ClusterInfoTest, IsOkWhileQuorumsCanBeReached) {
  TestServer server;
  TestClient client(server.port());
  const std::string info = client.Ask("cluster info");
  EXPECT_TRUE(
      info.starts_with("cluster_state:ok\r\ncluster_slots_assigned:16384\r\ncluster_slots_ok:16384\r\n"))
      << info;
  EXPECT_TRUE(
      Has(info,
          "cluster_known_nodes:3\r\ncluster_size:3\r\ncluster_current_epoch:13\r\ncluster_my_epoch:11\r\n"));
  TestServer two("", 1, kWithoutThird);
  TestClient of_two(two.port());
  EXPECT_TRUE(of_two.Ask("cluster info").starts_with("cluster_state:ok"));
  TestServer alone("", 1, {NodeId{1}});
  TestClient of_one(alone.port());
  EXPECT_TRUE(of_one.Ask("cluster info").starts_with("cluster_state:fail"));
}

TEST(ClusterTest, AnswersTheSmallQuestions) {
  TestServer server("", 2);
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("cluster myid"), NodeId{1}.ToName());
  EXPECT_EQ(client.Ask("cluster keyslot foo"), "12182");
  EXPECT_EQ(client.Ask("cluster keyslot a{foo}b"), "12182");
  EXPECT_EQ(client.Ask("cluster foo"), "ERR unknown subcommand 'foo'. Try CLUSTER HELP.");
  const std::string links = client.Ask("cluster links");
  EXPECT_TRUE(
      Has(links, "[direction to node " + NodeId{2}.ToName() +
                     " create-time 1700000000000 events rw send-buffer-allocated 7 send-buffer-used 7]"))
      << links;
}

TEST(ClusterMeetTest, PassesTheAddressOn) {
  TestServer server("", 1);
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("cluster meet 127.0.0.1 7009"), "OK");
  server.threads[0]->Call([&] { EXPECT_EQ(server.nodes[0]->met, "127.0.0.1:7009@17009"); });
  EXPECT_EQ(client.Ask("cluster meet 127.0.0.1 7009 8000"), "OK");
  server.threads[0]->Call([&] { EXPECT_EQ(server.nodes[0]->met, "127.0.0.1:7009@8000"); });
  EXPECT_EQ(client.Ask("cluster meet 1.2.3 99"), "ERR Invalid node address specified: 1.2.3:99");
  EXPECT_EQ(client.Ask("cluster meet 127.0.0.1 70000"),
            "ERR Invalid node address specified: 127.0.0.1:70000");
  EXPECT_EQ(client.Ask("cluster meet 127.0.0.1 x"), "ERR Invalid base port specified: x");
  EXPECT_EQ(client.Ask("cluster meet 127.0.0.1 1 x"), "ERR Invalid bus port specified: x");
  EXPECT_EQ(client.Ask("cluster meet a"), "ERR wrong number of arguments for 'cluster|meet' command");
}

TEST(ClusterResetTest, TakesHardOrSoftOrNothing) {
  TestServer server("", 1);
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("cluster reset foo"), "ERR syntax error");
  EXPECT_EQ(client.Ask("cluster reset hard now"),
            "ERR unknown subcommand or wrong number of arguments for 'reset'. Try CLUSTER HELP.");
  server.threads[0]->Call([&] { EXPECT_FALSE(server.nodes[0]->operated.has_value()); });
  for (const char* command : {"cluster reset", "cluster reset soft", "CLUSTER RESET HARD"}) {
    TestClient resetting(server.port());
    EXPECT_EQ(resetting.Ask(command), "OK");
    server.threads[0]->Call(
        [&] { EXPECT_EQ(server.nodes[0]->operated->operation, NodeAccess::Operation::kReset); });
  }
}

TEST(ClusterResetTest, NothingThatWasSentBehindItIsAnsweredByTheOldNode) {
  TestServer server("", 2);
  TestClient client(server.port());
  client.Send(TestClient::Encode("ping") + TestClient::Encode("cluster reset") +
              TestClient::Encode("cluster myid"));
  EXPECT_EQ(client.ReadToEnd(), "+PONG\r\n+OK\r\n");
}

TEST(ClusterResetTest, ARefusalIsPassedOnAndTheConnectionStays) {
  TestServer server("", 1);
  server.threads[0]->Call([&] { server.nodes[0]->operation_status = Status::Invalid("it has keys"); });
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("cluster reset"), "ERR it has keys");
  EXPECT_EQ(client.Ask("ping"), "PONG");
}

TEST(RingTest, ShowsPreferenceLists) {
  TestServer server("", 1, kWithoutThird);
  TestClient client(server.port());
  client.Send(TestClient::Encode("ring preflist foo"));
  const auto reply = client.ReadReply();
  ASSERT_TRUE(reply && reply->elements().size() == 3);
  int coordinators = 0;
  for (const resp::Value& line : reply->elements()) {
    const std::string text(line.text());
    EXPECT_TRUE(text.starts_with("home 127.0.0.1:700")) << text;
    coordinators += Has(text, " alive coordinator") ? 1 : 0;
    EXPECT_EQ(Has(text, "127.0.0.1:7003"), Has(text, " down"));
  }
  EXPECT_EQ(coordinators, 1);
}

TEST(RingTest, DescribesSlots) {
  TestServer server("", 3);
  TestClient client(server.port());
  const std::string slot = client.Ask("ring slot 7");
  EXPECT_TRUE(slot.starts_with("[slot 7 coordinator 127.0.0.1:700")) << slot;
  EXPECT_TRUE(Has(
      slot, "is-home yes in-service yes clock 0000000000000001.42:7 digest 0000000000abcdef rows 4 voided 1"))
      << slot;
  EXPECT_EQ(client.Ask("ring slot 16384"), "ERR Invalid slot");
  EXPECT_EQ(client.Ask("ring slot x"), "ERR Invalid slot");
}

TEST(RingTest, DigestCoversTheSlotsOfAllLoops) {
  TestServer one("", 1);
  TestServer three("", 3);
  TestClient of_one(one.port());
  TestClient of_three(three.port());
  const std::string digest = of_one.Ask("ring digest");
  EXPECT_EQ(digest.size(), 16u);
  EXPECT_EQ(of_three.Ask("ring digest"), digest);
  EXPECT_NE(of_three.Ask("ring digest 0 2"), digest);
  EXPECT_EQ(of_three.Ask("ring digest 0 3"), digest);
  EXPECT_EQ(of_three.Ask("ring digest 1 2 perslot"), "[1 0000000000000065 1 2 0000000000000066 1]");
  EXPECT_EQ(of_three.Ask("ring digest foo"), "ERR syntax error");
}

TEST(RingTest, ShowsHintsAndStatus) {
  TestServer server("", 2);
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("ring hints"),
            "[[home " + NodeId{3}.ToName() + " address 127.0.0.1:7003 events 10 bytes 200]]");
  const std::string status = client.Ask("ring status");
  EXPECT_TRUE(Has(status, "N=3 R=2 W=2  serving\n")) << status;
  EXPECT_TRUE(Has(status, "127.0.0.1:7002        alive weight=1 zone=- coordinates=")) << status;
  EXPECT_TRUE(Has(status, "here: rows=20 slots=16384")) << status;
}

TEST(LolwutTest, DrawsTheRing) {
  TestServer server("", 1, kWithoutThird);
  TestClient client(server.port());
  const std::string picture = client.Ask("lolwut");
  EXPECT_TRUE(Has(picture, "AAAA"));
  EXPECT_TRUE(Has(picture, "BBBB"));
  EXPECT_FALSE(Has(picture, "CC"));
  EXPECT_TRUE(Has(picture, "C 127.0.0.1:7003   0.0% of the slots, down\n")) << picture;
  EXPECT_TRUE(Has(picture, "alive, you are here"));
}

}  // namespace
}  // namespace orrery::server
