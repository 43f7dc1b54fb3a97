// Stored bytes that cannot be read any more: the slot leaves service and comes back from the other homes.

#include <algorithm>

#include "orrery/storage/row_key.h"
#include "simulation/scenarios/scenario.h"

namespace orrery::simulation {
namespace {

constexpr uint64_t kNoticedUs = 6'000'000;

// Makes the rows of one key unreadable on one node.
void Damage(Scenario* s, size_t node, char key) {
  const std::string prefix = storage::WithSlot(s->slot(), storage::KeyPrefix(0, s->Key(key)));
  SimNode& victim = s->cluster().node(node);
  std::vector<std::string> rows;
  auto cursor = victim.StoreOf(s->slot()).Scan(storage::Table::kRows, prefix);
  for (; cursor->Valid(); cursor->Next()) rows.emplace_back(cursor->key());
  ASSERT_FALSE(rows.empty());
  for (const std::string& row : rows) victim.disk().CorruptValue(storage::Table::kRows, row);
}

// A write waited for its third copy when its coordinator found the slot damaged and emptied it. The
// coordinator then went on to count itself.
TEST(DamageScenario, EmptiedCoordinatorIsNoCopyOfWhatItMadeBefore) {
  Options options = Scenario::Sizes();
  options.w = 3;
  options.r = 1;
  Scenario s(options);
  EXPECT_EQ(s.Do(s.home(0), 'd', "ESET", {"p", "v"}), "+OK\r\n");
  s.cluster().PauseNode(s.home(2));
  const Call* incr = s.Send(s.home(0), 'b', "INCR");
  s.RunFor(5'000);
  Damage(&s, s.home(0), 'd');
  const Call* get = s.Send(s.home(0), 'd', "EGET", {"p"});
  s.RunFor(5'000);
  EXPECT_EQ(Scenario::Seen(*get).substr(0, 12), "-CLUSTERDOWN");
  EXPECT_EQ(Scenario::Seen(*incr).substr(0, 8), "-UNKNOWN");
  s.cluster().ResumeNode(s.home(2));
  s.RunFor(kNoticedUs);
  EXPECT_EQ(s.Do(s.home(0), 'd', "EGET", {"p"}), "$1\r\nv\r\n");
  EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":2\r\n");
  s.Settle();
}

// The order of a list knows of an element whose row cannot be read: moving it to another slot asked for that
// row.
TEST(DamageScenario, OutermostElementThatCannotBeReadIsNotMoved) {
  Options options = Scenario::Sizes();
  options.slots = 2;
  Scenario s(options);
  const auto elsewhere = s.cluster().KeysOf(s.cluster().slots()[1]);
  const auto list =
      std::find_if(elsewhere.begin(), elsewhere.end(), [](const auto& key) { return key[0] == 'l'; });
  ASSERT_NE(list, elsewhere.end());
  EXPECT_EQ(s.Do(s.home(0), 'l', "RPUSH", {"v"}), ":1\r\n");
  s.RunFor(3'000'000);
  Damage(&s, s.home(0), 'l');
  const Call* move = s.Send(s.home(0), 'l', "LMOVE", {*list, "LEFT", "RIGHT"});
  s.RunFor(kNoticedUs);
  EXPECT_NE(Scenario::Seen(*move), "$-1\r\n");
  EXPECT_EQ(s.Do(s.home(0), 'l', "LLEN"), Scenario::Seen(*move) == "$1\r\nv\r\n" ? ":0\r\n" : ":1\r\n");
  s.Settle();
}

// Another row is damaged on each home. Emptied at once, they would have had nothing left to merge.
TEST(DamageScenario, DifferentRowsDamagedOnAllHomesAreAllReadAgain) {
  Scenario s;
  EXPECT_EQ(s.Do(s.home(0), 'a', "INCRBY", {"5"}), ":5\r\n");
  EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":1\r\n");
  EXPECT_EQ(s.Do(s.home(0), 'c', "SET", {"kept"}), "+OK\r\n");
  EXPECT_EQ(s.Do(s.home(0), 'd', "SET", {"v"}), "+OK\r\n");
  s.RunFor(3'000'000);
  Damage(&s, s.home(0), 'a');
  Damage(&s, s.home(1), 'b');
  Damage(&s, s.home(2), 'd');
  // Each home finds its own damage when it applies a change of the row.
  s.Send(s.home(0), 'a', "INCR");
  s.Send(s.home(0), 'b', "INCR");
  s.Send(s.home(0), 'd', "SET", {"w"});
  s.RunFor(kNoticedUs);
  EXPECT_EQ(s.Do(s.home(1), 'c', "GET"), "$4\r\nkept\r\n");
  EXPECT_NE(s.Do(s.home(1), 'a', "GET"), "$-1\r\n");
  EXPECT_NE(s.Do(s.home(1), 'b', "GET"), "$-1\r\n");
  EXPECT_NE(s.Do(s.home(1), 'd', "GET"), "$-1\r\n");
  s.Settle();
  for (size_t home = 0; home < 3; ++home) {
    EXPECT_FALSE(s.cluster().node(s.home(home)).ShardOf(s.slot()).slots().Find(s.slot())->is_aside());
  }
}

// The row that home(0) acknowledged last is nowhere but there and in a hint of a fallback when its disk loses
// it, home(1) misses another row, and home(2) is behind, so that no choice of images is whole. The row was
// given up, though the clock spoke of it, and then the hint was dropped.
TEST(DamageScenario, RowThatNoHomeCanReadIsMadeAnewFromAHint) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Scenario s(Scenario::Sizes(), seed);
    const std::vector<size_t> homes = {s.home(0), s.home(1), s.home(2)};
    const std::vector<size_t> keepers = {s.away(0), s.away(1)};
    EXPECT_EQ(s.Do(homes[0], 'a', "INCRBY", {"5"}), ":5\r\n");
    s.RunFor(3'000'000);
    s.cluster().CrashNode(homes[2], SIZE_MAX, 1000);
    s.RunFor(kNoticedUs);
    EXPECT_EQ(s.Do(homes[0], 'a', "INCR"), ":6\r\n");
    s.Isolate({homes[0], keepers[0]});
    s.RunFor(kNoticedUs);
    EXPECT_EQ(s.Do(homes[0], 'b', "INCR"), ":1\r\n");
    s.RunFor(3'000'000);
    for (const size_t home : {homes[0], homes[1]}) {
      s.cluster().CrashNode(home, SIZE_MAX, 1000);  // so that no backlog has what a disk loses
      s.cluster().StartNode(home);
    }
    Damage(&s, homes[0], 'b');
    Damage(&s, homes[1], 'a');
    s.Isolate({homes[0], keepers[0]}, false);
    for (const size_t keeper : keepers) {
      for (const size_t home : {homes[1], homes[2]}) {
        s.cluster().SetBlocked(keeper, home, true);
        s.cluster().SetBlocked(home, keeper, true);
      }
    }
    s.cluster().StartNode(homes[2]);
    s.RunFor(60'000'000);
    s.Settle();
    EXPECT_EQ(s.Do(homes[1], 'b', "GET"), "$1\r\n1\r\n");
    EXPECT_EQ(s.Do(homes[2], 'a', "GET"), "$1\r\n6\r\n");
  }
}

// As above, but nobody has a hint: what no disk can tell is lost, the slot serves all the rest again, and the
// checkers ask for nothing more.
TEST(DamageScenario, RowThatNoDiskHasIsLostAlone) {
  Options options = Scenario::Sizes();
  options.nodes = 3;
  options.r = 1;
  Scenario s(options);
  const std::vector<size_t> homes = {s.home(0), s.home(1), s.home(2)};
  EXPECT_EQ(s.Do(homes[0], 'a', "INCRBY", {"5"}), ":5\r\n");
  s.RunFor(3'000'000);
  s.cluster().CrashNode(homes[2], SIZE_MAX, 1000);
  s.RunFor(kNoticedUs);
  EXPECT_EQ(s.Do(homes[0], 'a', "INCR"), ":6\r\n");
  s.cluster().PauseNode(homes[1]);
  const Call* incr = s.Send(homes[0], 'b', "INCR");
  s.RunFor(3'000'000);
  EXPECT_NE(Scenario::Seen(*incr), ":1\r\n");
  for (const size_t home : {homes[0], homes[1]}) {
    s.cluster().CrashNode(home, SIZE_MAX, 1000);
    s.cluster().StartNode(home);
  }
  Damage(&s, homes[0], 'b');
  Damage(&s, homes[1], 'a');
  s.cluster().StartNode(homes[2]);
  s.RunFor(60'000'000);
  EXPECT_TRUE(s.cluster().finished());
}

}  // namespace
}  // namespace orrery::simulation
