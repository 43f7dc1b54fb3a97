// What keyspace_hits, keyspace_misses and expired_keys count: see lookups.txt and commands/keyspace_counts.h.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "commands/command_harness.h"
#include "orrery/commands/command_table.h"

namespace orrery::commands {
namespace {

struct Counted {
  size_t line = 0;
  uint64_t hits = 0;
  uint64_t misses = 0;
  std::string command;
};

struct Lookups {
  std::vector<std::string> setup;
  std::vector<Counted> commands;
};

Lookups ReadLookups() {
  Lookups lookups;
  std::ifstream file(ORRERY_LOOKUPS);
  std::string line;
  for (size_t number = 1; std::getline(file, line); ++number) {
    if (line.starts_with("! ")) lookups.setup.push_back(line.substr(2));
    if (line.empty() || line.starts_with('#') || line.starts_with('!')) continue;
    Counted counted;
    std::string arrow;
    std::istringstream(line) >> counted.hits >> counted.misses >> arrow;
    counted.line = number;
    counted.command = line.substr(line.find("> ") + 2);
    lookups.commands.push_back(std::move(counted));
  }
  return lookups;
}

// Keys of the file stand in several slots, so that splitting and gathering must count each key once, too.
TEST(LookupCountsTest, CountsWhatRedisCounts) {
  const Lookups lookups = ReadLookups();
  ASSERT_GT(lookups.commands.size(), 300u);
  for (const Counted& expected : lookups.commands) {
    CommandHarness harness;
    for (const std::string& command : lookups.setup) harness.Run(command);
    const KeyspaceCounts before = harness.counts();
    const std::string reply = harness.Run(expected.command);
    EXPECT_EQ(expected.hits, harness.counts().hits - before.hits)
        << "lookups.txt:" << expected.line << ": " << expected.command << ": " << reply;
    EXPECT_EQ(expected.misses, harness.counts().misses - before.misses)
        << "lookups.txt:" << expected.line << ": " << expected.command << ": " << reply;
  }
}

void AddKeyed(const CommandSpec& spec, const std::string& name, std::set<std::string>* names) {
  for (const CommandSpec& subcommand : spec.subcommands)
    AddKeyed(subcommand, name + " " + std::string(subcommand.name), names);
  // Commands of ours have no example in Redis.
  const bool in_redis = spec.group != "dynamo" && spec.name != "pfdebug" && !spec.name.starts_with("restore");
  if (spec.handler != nullptr && in_redis) names->insert(name);
}

TEST(LookupCountsTest, EveryCommandWithKeysIsRecorded) {
  std::set<std::string> names;
  for (const CommandSpec* spec : CommandTable::Get().commands())
    AddKeyed(*spec, std::string(spec->name), &names);
  for (const Counted& counted : ReadLookups().commands) {
    std::string lower = counted.command;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    std::erase_if(names, [&](const std::string& name) { return lower.starts_with(name + " "); });
  }
  EXPECT_EQ(std::set<std::string>(), names) << "are not in lookups.txt";
}

// Documented in docs/differences.md: it has to ask first, with EXISTS.
TEST(LookupCountsTest, MsetnxOverSeveralSlotsCountsItsQuestions) {
  CommandHarness harness;
  harness.Run("SET a 1");
  EXPECT_EQ(":0", harness.Run("MSETNX a 2 b 2 c 2"));
  EXPECT_EQ(1u, harness.counts().hits);
  EXPECT_EQ(2u, harness.counts().misses);
}

class ExpiredKeysTest : public testing::Test {
 protected:
  /// A string, a hash and a list that have ended and are still there.
  void MakeEnded() {
    harness_.Run("SET s v PX 100");
    harness_.Run("HSET h f v g w");
    harness_.Run("RPUSH l a b c");
    harness_.Run("PEXPIRE h 100");
    harness_.Run("PEXPIRE l 100");
    harness_.Run("SET stays v EX 100");
    harness_.Advance(200);
  }
  std::string Purge(std::string_view key) {
    replication::Request request;
    request.slot = SlotOf(key);
    request.traits = {true, true, false, true};
    request.args.Append("orrery.purge");
    return harness_.Execute(request);
  }
  uint64_t expired() const { return harness_.counts().expired; }

  CommandHarness harness_;
};

TEST_F(ExpiredKeysTest, ReadingHidesAndDoesNotCount) {
  MakeEnded();
  for (const char* command : {"GET s", "HGET h f", "LLEN l", "TTL s"}) harness_.Run(command);
  EXPECT_EQ(0u, expired());
  EXPECT_EQ(4u, harness_.counts().misses);
}

TEST_F(ExpiredKeysTest, PurgingCountsEachKeyOnce) {
  MakeEnded();
  for (const char* key : {"s", "h", "l", "stays", "s", "h", "l"}) Purge(key);
  EXPECT_EQ(3u, expired());
}

TEST_F(ExpiredKeysTest, AWriteThatReplacesWhatEndedCountsIt) {
  MakeEnded();
  EXPECT_EQ("+OK", harness_.Run("SET s new"));
  EXPECT_EQ(1u, expired());
  EXPECT_EQ(":1", harness_.Run("HSET h x y"));
  EXPECT_EQ(2u, expired());
  EXPECT_EQ(":2", harness_.Run("RPUSH l x y"));
  EXPECT_EQ(3u, expired());
  for (const char* key : {"s", "h", "l"}) Purge(key);
  harness_.Run("SET s newer");
  harness_.Run("HSET h x z g w");
  EXPECT_EQ(3u, expired());
}

TEST_F(ExpiredKeysTest, DeletingWhatEndedCountsIt) {
  MakeEnded();
  EXPECT_EQ(":0", harness_.Run("DEL s h l"));
  EXPECT_EQ(3u, expired());
  EXPECT_EQ(":1", harness_.Run("DEL stays"));
  EXPECT_EQ(3u, expired());
}

TEST_F(ExpiredKeysTest, AnEndInThePastIsADeletion) {
  harness_.Run("SET s v");
  EXPECT_EQ(":1", harness_.Run("EXPIRE s -1"));
  EXPECT_EQ(0u, expired());
}

}  // namespace
}  // namespace orrery::commands
