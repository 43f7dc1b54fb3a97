#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <iostream>
#include <random>
#include <set>

#include "commands/fake_cluster.h"
#include "commands/scan_cursor.h"
#include "orrery/resp/value_parser.h"

namespace orrery::commands {
namespace {

struct Page {
  std::string cursor;
  std::vector<std::string> keys;
};

Page ParsePage(const std::string& reply) {
  const auto value = resp::ParseValue(reply);
  EXPECT_TRUE(value.ok() && value->is_aggregate() && value->elements().size() == 2) << reply;
  Page page;
  page.cursor = value->elements()[0].text();
  for (const auto& key : value->elements()[1].elements()) page.keys.emplace_back(key.text());
  return page;
}

struct Walk {
  std::multiset<std::string> keys;
  size_t calls = 0;
  size_t largest_page = 0;
};

/// A whole SCAN with these options; between() is called between any two calls.
Walk ScanAll(FakeCluster* cluster, const std::vector<std::string_view>& options,
             const std::function<void()>& between = nullptr) {
  Walk walk;
  std::string cursor = "0";
  do {
    std::vector<std::string_view> args = {"scan", cursor};
    args.insert(args.end(), options.begin(), options.end());
    const Page page = ParsePage(cluster->Run(args));
    walk.keys.insert(page.keys.begin(), page.keys.end());
    walk.largest_page = std::max(walk.largest_page, page.keys.size());
    cursor = page.cursor;
    ++walk.calls;
    if (between) between();
  } while (cursor != "0" && walk.calls < 100'000);
  EXPECT_EQ(cursor, "0");
  return walk;
}

TEST(ScanCursorTest, RoundTripsWithin62Bits) {
  const uint64_t last_order = (uint64_t{1} << 48) - 1;
  for (const ScanPosition& position :
       {ScanPosition{0, 1}, ScanPosition{1, 0}, ScanPosition{16383, last_order}}) {
    const uint64_t cursor = CursorOf(position);
    EXPECT_NE(cursor, 0u);
    EXPECT_LT(cursor, uint64_t{1} << 62);
    EXPECT_EQ(ParseCursor(std::to_string(cursor)), position);
  }
  EXPECT_EQ(CursorOf({kSlotCount, 0}), 0u);
  EXPECT_EQ(ParseCursor("0"), (ScanPosition{0, 0}));
}

TEST(ScanCursorTest, RefusesWhatItNeverGave) {
  for (const char* text : {"x", "1x", " 1", "--1", "+", "0x10", "99999999999999999999"}) {
    EXPECT_EQ(ParseCursor(text), std::nullopt) << text;
  }
  // What Redis takes for a number shows nothing more.
  for (const char* text : {"-1", "4611686018427387904"}) EXPECT_EQ(ParseCursor(text), (ScanPosition{kSlotCount, 0}));
  for (const char* text : {"", "+0", "-0"}) EXPECT_EQ(ParseCursor(text), (ScanPosition{0, 0}));
}

TEST(ScanTest, OptionErrorsHaveTheWordsOfRedis) {
  FakeCluster cluster;
  EXPECT_EQ(cluster.Run({"scan", "x"}), "-ERR invalid cursor\r\n");
  EXPECT_EQ(cluster.Run({"scan", "0", "count"}), "-ERR syntax error\r\n");
  EXPECT_EQ(cluster.Run({"scan", "0", "count", "0"}), "-ERR syntax error\r\n");
  EXPECT_EQ(cluster.Run({"scan", "0", "count", "a"}), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(cluster.Run({"scan", "0", "bogus", "a"}), "-ERR syntax error\r\n");
}

TEST(ScanTest, EmptyKeyspaceTakesOneCall) {
  FakeCluster cluster;
  EXPECT_EQ(cluster.Run({"scan", "0"}), "*2\r\n$1\r\n0\r\n*0\r\n");
  EXPECT_EQ(cluster.surveys(), 1u);
}

TEST(ScanTest, SparseKeyspaceTakesFewCallsAndVisitsFewSlots) {
  FakeCluster cluster;
  for (const std::string& key : KeysOfDistinctSlots("k", 5)) cluster.Run({"set", key, "v"});
  cluster.ClearLog();
  const Walk walk = ScanAll(&cluster, {});
  EXPECT_EQ(walk.keys.size(), 5u);
  EXPECT_EQ(walk.calls, 1u);
  EXPECT_LT(cluster.log().size(), 20u);
}

TEST(ScanTest, SparseKeyspaceInDoubtTakesFewCalls) {
  FakeCluster cluster;
  cluster.in_doubt = true;
  for (const std::string& key : KeysOfDistinctSlots("k", 5)) cluster.Run({"set", key, "v"});
  const Walk walk = ScanAll(&cluster, {});
  EXPECT_EQ(walk.keys.size(), 5u);
  EXPECT_LE(walk.calls, 5u);
  EXPECT_LE(cluster.under_way_max(), 256u);
}

TEST(ScanTest, PagesAreAboutAsLongAsCountSays) {
  FakeCluster cluster;
  for (int i = 0; i < 3000; ++i) cluster.Run({"set", "key" + std::to_string(i), "v"});
  for (const auto& [count, longest] : {std::pair<const char*, size_t>{"1", 8}, {"10", 40}, {"200", 420}}) {
    SCOPED_TRACE(count);
    const Walk walk = ScanAll(&cluster, {"COUNT", count});
    EXPECT_EQ(walk.keys.size(), 3000u);
    EXPECT_EQ(std::set<std::string>(walk.keys.begin(), walk.keys.end()).size(), 3000u);
    EXPECT_LE(walk.largest_page, longest);
    EXPECT_LE(walk.calls, 2 * 3000 / static_cast<size_t>(std::stoi(count)) + 2);
  }
}

TEST(ScanTest, LargeSlotsAreCutIntoPages) {
  FakeCluster cluster;
  for (int i = 0; i < 500; ++i) cluster.Run({"set", "{big}" + std::to_string(i), "v"});
  const Walk walk = ScanAll(&cluster, {"COUNT", "20"});
  EXPECT_EQ(walk.keys.size(), 500u);
  EXPECT_LE(walk.largest_page, 40u);
  EXPECT_GE(walk.calls, 12u);
}

TEST(ScanTest, FiltersByPatternAndType) {
  FakeCluster cluster;
  for (int i = 0; i < 300; ++i) cluster.Run({"set", "key" + std::to_string(i), "v"});
  const Walk some = ScanAll(&cluster, {"MATCH", "key12*", "TYPE", "string"});
  EXPECT_EQ(some.keys.size(), 11u);
  EXPECT_TRUE(
      std::all_of(some.keys.begin(), some.keys.end(), [](const auto& k) { return k.starts_with("key12"); }));
  EXPECT_TRUE(ScanAll(&cluster, {"TYPE", "hash"}).keys.empty());
  EXPECT_EQ(ScanAll(&cluster, {"MATCH", "*"}).keys.size(), 300u);
  EXPECT_TRUE(ScanAll(&cluster, {"TYPE", ""}).keys.empty());
  EXPECT_TRUE(ScanAll(&cluster, {"MATCH", ""}).keys.empty());
}

TEST(ScanTest, HidesOtherDatabasesAndExpiredKeys) {
  FakeCluster cluster;
  cluster.Run({"set", "stays", "v"});
  cluster.Run({"set", "ends", "v", "PX", "10"});
  cluster.session.db = 1;
  cluster.Run({"set", "other", "v"});
  cluster.session.db = 0;
  cluster.Advance(20);
  EXPECT_EQ(ScanAll(&cluster, {}).keys, (std::multiset<std::string>{"stays"}));
}

TEST(ScanTest, FirstErrorInSlotOrderIsTheReply) {
  FakeCluster cluster;
  const auto keys = KeysOfDistinctSlots("k", 20);
  for (const std::string& key : keys) cluster.Run({"set", key, "v"});
  const auto last = std::max_element(keys.begin(), keys.end(),
                                     [](const auto& a, const auto& b) { return SlotOf(a) < SlotOf(b); });
  cluster.Fail(SlotOf(*last), replication::Response{replication::Outcome::kClusterDown, "away"});
  EXPECT_EQ(cluster.Run({"scan", "0", "count", "100"}), "-CLUSTERDOWN away\r\n");
}

/// Keys come and go all the time; those that are there throughout must be shown.
void ScanUnderChange(uint64_t seed, bool in_doubt) {
  std::cout << "seed " << seed << (in_doubt ? " in doubt" : "") << "\n";
  std::mt19937_64 random(seed);
  std::deque<std::optional<std::string>> replies;  // of changes; they stay where they are
  FakeCluster cluster(seed);
  cluster.in_doubt = in_doubt;
  const size_t stable_count = 1 + random() % 400;
  const auto name = [&](const char* kind, uint64_t i) {
    // Some keys share a slot, so that pages end within slots.
    return (i % 4 == 0 ? "{" + std::to_string(i % 24) + "}" : std::string()) + kind + std::to_string(i);
  };
  std::set<std::string> stable;
  for (size_t i = 0; i < stable_count; ++i) stable.insert(name("stable", i));
  for (const std::string& key : stable) cluster.Run({"set", key, "v"});
  std::set<std::string> ever = stable;
  const auto change_one = [&] {
    const std::string key = name("passing", random() % 200);
    ever.insert(key);
    std::optional<std::string>* reply = &replies.emplace_back();
    random() % 2 == 0 ? cluster.Start({"set", key, "v"}, reply) : cluster.Start({"del", key}, reply);
  };
  cluster.on_run = [&](const replication::Request& request) {
    if (request.args[0] == "orrery.scan" && random() % 8 == 0) change_one();
  };
  const std::string count = std::to_string(1 + random() % 30);
  const Walk walk = ScanAll(&cluster, {"COUNT", count}, [&] {
    for (uint64_t i = random() % 10; i > 0; --i) change_one();
  });
  for (const std::string& key : stable) EXPECT_TRUE(walk.keys.contains(key)) << key << " was not shown";
  for (const std::string& key : walk.keys) EXPECT_TRUE(ever.contains(key)) << key << " never was";
  for (const std::string& key : stable) EXPECT_EQ(walk.keys.count(key), 1u) << key;
}

TEST(ScanTest, ShowsEveryKeyThatStaysWhileOthersComeAndGo) {
  for (uint64_t seed = 1; seed <= 40; ++seed) ScanUnderChange(seed, false);
}

TEST(ScanTest, ShowsEveryKeyThatStaysEvenInDoubt) {
  for (uint64_t seed = 101; seed <= 102; ++seed) ScanUnderChange(seed, true);
}

}  // namespace
}  // namespace orrery::commands
