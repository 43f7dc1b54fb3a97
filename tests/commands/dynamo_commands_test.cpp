// DGET, DPUT, DDEL, DCOMPARE as clients see them; siblings_test.cpp tests what they do to rows.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "commands/command_harness.h"
#include "orrery/types/string_type.h"

namespace orrery::commands {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using types::TestSlot;

constexpr std::string_view kBadContext = "-ERR invalid context";
constexpr std::string_view kBadQuorum = "-ERR invalid quorum";
constexpr std::string_view kSyntax = "-ERR syntax error";

class DynamoCommandsTest : public testing::Test {
 protected:
  std::string Run(std::string_view line) { return harness_.Run(line); }

  /// What DGET says of the key: its context (quoted), and the rest of the reply.
  std::string ContextOf(std::string_view key) {
    const std::string reply = Run("DGET " + std::string(key));
    return reply.substr(1, reply.find(' ') - 1);
  }
  std::string ValuesOf(std::string_view key) {
    const std::string reply = Run("DGET " + std::string(key));
    const size_t begin = reply.find(' ') + 1;
    return reply.substr(begin, reply.size() - begin - 1);
  }
  /// A write of another node that arrives now, made without having seen anything of this one.
  void ArriveFrom(uint64_t node, std::string_view key, std::string_view value, uint64_t later_ms) {
    TestSlot other(node, SlotOf(key));
    other.set_now_ms(harness_.now_ms() + later_ms);
    const auto event = other.Run([&](storage::Transaction& transaction) {
      types::StringKey(&transaction, 0, key).Set(value, types::Lifetime::Forever());
    });
    harness_.SlotOfKey(key).Apply(*event);
  }

  CommandHarness harness_;
};

TEST_F(DynamoCommandsTest, AnAbsentKeyHasNoValuesAndStillAContext) {
  EXPECT_EQ("[]", ValuesOf("key"));
  const std::string context = ContextOf("key");
  EXPECT_THAT(context, StartsWith("\"~"));
  EXPECT_THAT(Run("DPUT key " + context + " value"), StartsWith("\""));
  EXPECT_EQ("\"value\"", Run("GET key"));
}

TEST_F(DynamoCommandsTest, SeesWhatOtherCommandsWroteAndTheySeeWhatItWrites) {
  Run("SET key plain");
  EXPECT_EQ("[\"plain\"]", ValuesOf("key"));
  Run("DPUT key " + ContextOf("key") + " put");
  EXPECT_EQ("\"put\"", Run("GET key"));
  EXPECT_EQ(":4", Run("APPEND key s"));
  EXPECT_EQ("[\"puts\"]", ValuesOf("key"));
}

TEST_F(DynamoCommandsTest, TheContextOfAWriteServesTheNextOne) {
  const std::string first = Run("DPUT key \"\" one");
  const std::string second = Run("DPUT key " + first + " two");
  EXPECT_EQ("[\"two\"]", ValuesOf("key"));
  EXPECT_EQ("\"before\"", Run("DCOMPARE " + first + " " + second));
  EXPECT_EQ(second, ContextOf("key"));
}

TEST_F(DynamoCommandsTest, ShowsSiblingsAndReplacesThemByTheirJointContext) {
  Run("SET key ours");
  ArriveFrom(9, "key", "theirs", 5);
  EXPECT_EQ("[\"theirs\" \"ours\"]", ValuesOf("key"));
  EXPECT_EQ("\"theirs\"", Run("GET key"));
  Run("DPUT key " + ContextOf("key") + " joined");
  EXPECT_EQ("[\"joined\"]", ValuesOf("key"));
}

TEST_F(DynamoCommandsTest, AStaleContextMakesASibling) {
  const std::string first = Run("DPUT key \"\" one");
  Run("DPUT key " + first + " two");
  harness_.Advance(1);
  Run("DPUT key " + first + " three");
  EXPECT_EQ("[\"three\" \"two\"]", ValuesOf("key"));
}

TEST_F(DynamoCommandsTest, ARacingWriterGoesOnFromItsOwnContext) {
  Run("DPUT key \"\" unread");
  std::string context = "\"\"";
  for (const char* value : {"one", "two", "three"}) {
    harness_.Advance(1);
    context = Run("DPUT key " + context + " " + value);
  }
  EXPECT_EQ("[\"three\" \"unread\"]", ValuesOf("key"));
  EXPECT_EQ("\"before\"", Run("DCOMPARE " + context + " " + ContextOf("key")));
  EXPECT_EQ(":1", Run("DDEL key " + context));
  EXPECT_EQ("[\"unread\"]", ValuesOf("key"));
}

TEST_F(DynamoCommandsTest, ASetOverwritesAllSiblings) {
  Run("SET key ours");
  ArriveFrom(9, "key", "theirs", 5);
  harness_.Advance(10);
  Run("SET key one");
  EXPECT_EQ("[\"one\"]", ValuesOf("key"));
}

TEST_F(DynamoCommandsTest, CountersShowTheirSum) {
  Run("INCRBY key 5");
  EXPECT_EQ("[\"5\"]", ValuesOf("key"));
  Run("DPUT key " + ContextOf("key") + " 10");
  EXPECT_EQ(":11", Run("INCR key"));
  EXPECT_EQ("[\"11\"]", ValuesOf("key"));
}

TEST_F(DynamoCommandsTest, RemovesWhatTheContextCovers) {
  const std::string first = Run("DPUT key \"\" one");
  harness_.Advance(1);
  ArriveFrom(9, "key", "theirs", 0);
  EXPECT_EQ(":1", Run("DDEL key " + first));
  EXPECT_EQ("[\"theirs\"]", ValuesOf("key"));
  EXPECT_EQ(":0", Run("DDEL key " + first));
  EXPECT_EQ(":1", Run("DDEL key " + ContextOf("key")));
  EXPECT_EQ(":0", Run("EXISTS key"));
  EXPECT_EQ(":0", Run("DDEL key \"\""));
}

TEST_F(DynamoCommandsTest, AContextServesItsOwnKeyAlone) {
  Run("SET key value");
  const std::string context = ContextOf("key");
  EXPECT_EQ(kBadContext, Run("DPUT other " + context + " value"));
  EXPECT_EQ(kBadContext, Run("DDEL other " + context));
  EXPECT_EQ(":0", Run("EXISTS other"));
}

TEST_F(DynamoCommandsTest, RefusesContextsThatAreNone) {
  Run("SET key value");
  std::string mangled = ContextOf("key");
  mangled[3] = mangled[3] == '0' ? '1' : '0';
  for (const std::string& context :
       {mangled, std::string("nonsense"), std::string("~"), std::string("\" \"")}) {
    EXPECT_EQ(kBadContext, Run("DPUT key " + context + " value")) << context;
    EXPECT_EQ(kBadContext, Run("DDEL key " + context)) << context;
  }
  EXPECT_EQ("\"value\"", Run("GET key"));
}

TEST_F(DynamoCommandsTest, APutMayHaveAnEnd) {
  const std::string context = Run("DPUT key \"\" value EX 100");
  EXPECT_EQ(":100", Run("TTL key"));
  Run("DPUT key " + context + " value px 5000");
  EXPECT_EQ(":5000", Run("PTTL key"));
  harness_.Advance(5000);
  EXPECT_EQ("[]", ValuesOf("key"));
}

TEST_F(DynamoCommandsTest, TakesQuorumsAndTimeouts) {
  Run("SET key value");
  EXPECT_THAT(Run("DGET key R 1"), HasSubstr("value"));
  EXPECT_THAT(Run("DGET key timeout 100 r 3"), HasSubstr("value"));
  EXPECT_THAT(Run("DPUT key \"\" value W 2 TIMEOUT 100 EX 10"), StartsWith("\""));
  EXPECT_EQ(":0", Run("DDEL key \"\" W 1 TIMEOUT 5"));
}

TEST_F(DynamoCommandsTest, RefusesOptionsThatAreNone) {
  for (const std::string quorum : {"0", "-1", "x", "1.5", "\"\"", "99999999999999999999"}) {
    EXPECT_EQ(kBadQuorum, Run("DGET key R " + quorum)) << quorum;
    EXPECT_EQ(kBadQuorum, Run("DPUT key \"\" value W " + quorum)) << quorum;
    EXPECT_EQ(kBadQuorum, Run("DDEL key \"\" W " + quorum)) << quorum;
  }
  for (const std::string timeout : {"0", "-1", "x"}) {
    EXPECT_EQ("-ERR timeout is not an integer or out of range", Run("DGET key TIMEOUT " + timeout))
        << timeout;
  }
  for (const std::string line :
       {"DGET key R", "DGET key W 1", "DGET key EX 10", "DGET key x 1", "DPUT key \"\" v W",
        "DPUT key \"\" v R 1", "DPUT key \"\" v EX 1 PX 1", "DPUT key \"\" v EXAT 10", "DPUT key \"\" v x 1",
        "DDEL key \"\" R 1", "DDEL key \"\" EX 10", "DDEL key \"\" W"}) {
    EXPECT_EQ(kSyntax, Run(line)) << line;
  }
  EXPECT_EQ("-ERR invalid expire time in 'dput' command", Run("DPUT key \"\" v EX 0"));
  EXPECT_EQ("-ERR value is not an integer or out of range", Run("DPUT key \"\" v PX x"));
  EXPECT_EQ("-ERR wrong number of arguments for 'dput' command", Run("DPUT key \"\""));
  EXPECT_EQ("-ERR wrong number of arguments for 'dget' command", Run("DGET"));
  EXPECT_EQ(":0", Run("EXISTS key"));
}

TEST_F(DynamoCommandsTest, ComparesContexts) {
  const std::string none = "\"\"";
  const std::string one = Run("DPUT key \"\" one");
  const std::string two = Run("DPUT key " + one + " two");
  ArriveFrom(9, "key", "theirs", 5);
  const std::string both = ContextOf("key");
  TestSlot elsewhere(8, SlotOf("key"));
  EXPECT_EQ("\"equal\"", Run("DCOMPARE " + one + " " + one));
  EXPECT_EQ("\"equal\"", Run("DCOMPARE " + none + " " + none));
  EXPECT_EQ("\"before\"", Run("DCOMPARE " + none + " " + one));
  EXPECT_EQ("\"after\"", Run("DCOMPARE " + both + " " + two));
  EXPECT_EQ("\"concurrent\"", Run("DCOMPARE " + both.substr(0, both.find(',')) + "~00000000\" " + "\"" +
                                  both.substr(both.find(',') + 1)));
  EXPECT_EQ(kBadContext, Run("DCOMPARE " + one + " nonsense"));
  EXPECT_EQ(kBadContext, Run("DCOMPARE nonsense " + one));
}

}  // namespace
}  // namespace orrery::commands
