#include "orrery/commands/executor.h"

#include <gtest/gtest.h>

#include "commands/command_harness.h"
#include "commands/internal_requests.h"
#include "orrery/commands/command_table.h"
#include "orrery/storage/row_key.h"

namespace orrery::commands {
namespace {

using replication::Arguments;
using replication::Request;
using replication::Traits;

Traits TraitsOfCall(const std::vector<std::string_view>& args) {
  const CommandSpec* parent = nullptr;
  const CommandSpec* spec = CommandTable::Get().Lookup(args, &parent);
  return spec == nullptr ? Traits() : TraitsOf(*spec, Arguments(args));
}

constexpr Traits kRead{true, false, false, true};
constexpr Traits kReadAndWrite{true, true, false, false};
constexpr Traits kBlindWrite{false, true, true, true};

TEST(TraitsTest, ReadsMayBeRepeated) {
  for (const char* name :
       {"get", "mget", "strlen", "exists", "ttl", "bitcount", "bitfield_ro", "dget", "lcs"}) {
    EXPECT_EQ(kRead, TraitsOfCall({name, "key"})) << name;
  }
}

TEST(TraitsTest, WhatDependsOnTheValueReadsFirstAndIsNotRepeated) {
  for (const char* name : {"incr", "append", "setnx", "getset", "getdel", "setrange", "msetnx", "setbit",
                           "bitop", "del", "expire", "persist", "rename", "copy", "move", "ddel"}) {
    EXPECT_EQ(kReadAndWrite, TraitsOfCall({name, "key"})) << name;
  }
}

TEST(TraitsTest, OverwritingNeedsNoState) {
  for (const char* name : {"mset", "setex", "psetex"})
    EXPECT_EQ(kBlindWrite, TraitsOfCall({name, "key"})) << name;
  EXPECT_EQ(kBlindWrite, TraitsOfCall({"SET", "key", "value"}));
  EXPECT_EQ(kBlindWrite, TraitsOfCall({"set", "key", "value", "EX", "10"}));
}

TEST(TraitsTest, OptionsMakeASetDependOnTheValue) {
  for (const char* option : {"nx", "XX", "Get", "KEEPTTL"}) {
    EXPECT_EQ(kReadAndWrite, TraitsOfCall({"set", "key", "value", option})) << option;
  }
  EXPECT_EQ(kReadAndWrite, TraitsOfCall({"set", "key", "value", "EX", "10", "NX"}));
}

TEST(TraitsTest, ValuesAreNoOptions) {
  EXPECT_EQ(kBlindWrite, TraitsOfCall({"set", "nx", "xx"}));
}

TEST(TraitsTest, APutIsBlindButWouldBeItsOwnSiblingIfRepeated) {
  EXPECT_EQ((Traits{false, true, true, false}), TraitsOfCall({"dput", "key", "", "value"}));
}

TEST(TraitsTest, ComparingContextsNeedsNobody) {
  EXPECT_EQ((Traits{false, false, false, true}), TraitsOfCall({"dcompare", "", ""}));
}

/// Requests as nodes send them to each other.
class ExecutorTest : public testing::Test {
 protected:
  std::string Execute(const std::vector<std::string_view>& args, Traits traits = kReadAndWrite) {
    Request request;
    request.slot = SlotOf("key");
    request.args = Arguments(args);
    request.traits = traits;
    return harness_.Execute(request);
  }
  std::string Execute(Request request) {
    request.slot = SlotOf("key");
    return harness_.Execute(request);
  }
  FetchedRows Fetch(std::string_view key) {
    Request request;
    BuildFetch({key}, &request);
    return ParseFetchReply(Execute(request)).value();
  }
  std::string Drop(const FetchedRows& rows) {
    Request request;
    BuildDrop(rows, &request);
    return Execute(request);
  }

  CommandHarness harness_;
};

TEST_F(ExecutorTest, FindsCommandsInAnyCase) {
  EXPECT_EQ("+OK\r\n", Execute({"SeT", "key", "value"}));
  EXPECT_EQ("$5\r\nvalue\r\n", Execute({"gEt", "key"}));
  EXPECT_EQ("$6\r\nembstr\r\n", Execute({"object", "ENCODING", "key"}));
}

TEST_F(ExecutorTest, AnswersAnErrorForWhatItDoesNotKnow) {
  constexpr std::string_view kUnknown = "-ERR this node does not know the command\r\n";
  EXPECT_EQ(kUnknown, Execute({"nonsense", "key"}));
  EXPECT_EQ(kUnknown, Execute({"orrery.nonsense"}));
  EXPECT_EQ(kUnknown, Execute({"ping"}));  // answered by the node that the client talks to, never by a slot
  EXPECT_EQ(kUnknown, Execute({"object", "nonsense", "key"}));
}

TEST_F(ExecutorTest, FetchesTheRowsOfAKeyAndDropsExactlyThose) {
  harness_.Run("SETEX key 100 value");
  const FetchedRows rows = Fetch("key");
  ASSERT_EQ(1u, rows.size());
  EXPECT_EQ(storage::EncodeRowKey({0, "key", storage::RowTag::kString, {}}), rows[0].first);
  EXPECT_EQ("+OK\r\n", Drop(rows));
  EXPECT_EQ("", harness_.SlotOfKey("key").Dump(storage::Table::kRows));
}

TEST_F(ExecutorTest, FetchesNothingOfAnAbsentKey) {
  EXPECT_TRUE(Fetch("key").empty());
}

TEST_F(ExecutorTest, DroppingLeavesWhatWasWrittenSince) {
  harness_.Run("SET key one");
  const FetchedRows rows = Fetch("key");
  harness_.Run("SET key two");
  EXPECT_EQ("+OK\r\n", Drop(rows));
  EXPECT_EQ("\"two\"", harness_.Run("GET key"));
}

TEST_F(ExecutorTest, DroppingLeavesWhatWasCountedSince) {
  harness_.Run("INCRBY key 40");
  const FetchedRows rows = Fetch("key");
  harness_.Run("INCRBY key 2");
  Drop(rows);
  EXPECT_EQ("\"2\"", harness_.Run("GET key"));
  Drop(Fetch("key"));
  EXPECT_EQ("(nil)", harness_.Run("GET key"));
}

TEST_F(ExecutorTest, RefusesToDropMalformedRows) {
  harness_.Run("SET key value");
  EXPECT_EQ("-ERR malformed row\r\n", Execute({"orrery.drop", "row key", "not a row"}));
  EXPECT_EQ("\"value\"", harness_.Run("GET key"));
}

TEST_F(ExecutorTest, FlushesOneDatabaseOrAll) {
  harness_.Run("SET key zero");
  harness_.Run("SELECT 1");
  harness_.Run("SET key one");
  Request request;
  BuildFlush(false, &request);
  EXPECT_EQ("+OK\r\n", Execute(request));
  EXPECT_EQ("\"one\"", harness_.Run("GET key"));
  harness_.Run("SELECT 0");
  EXPECT_EQ("(nil)", harness_.Run("GET key"));
  request = Request();
  BuildFlush(true, &request);
  EXPECT_EQ("+OK\r\n", Execute(request));
  EXPECT_EQ("", harness_.SlotOfKey("key").Dump(storage::Table::kRows));
  EXPECT_TRUE(harness_.DerivedTablesAreTrue());
}

TEST_F(ExecutorTest, FlushingAnEmptySlotIsNoEvent) {
  Request request;
  BuildFlush(true, &request);
  const auto before = harness_.SlotOfKey("key").clock();
  EXPECT_EQ("+OK\r\n", Execute(request));
  EXPECT_EQ(before, harness_.SlotOfKey("key").clock());
}

TEST_F(ExecutorTest, AReplyOfElementsChosenOneByOneHasABound) {
  const std::string too_large = "-ERR the reply would be too large";
  harness_.Run("HSET h f " + std::string(size_t{1} << 20, 'v'));
  harness_.Run("SADD s m");
  harness_.Run("ZADD z 1 m");
  for (const std::string command : {"HRANDFIELD h ", "SRANDMEMBER s ", "ZRANDMEMBER z "}) {
    EXPECT_EQ(too_large, harness_.Run(command + "-1048577"));
    EXPECT_EQ(too_large, harness_.Run(command + "-9223372036854775807"));
    EXPECT_NE(too_large, harness_.Run(command + "-3000"));
    EXPECT_EQ("[]", harness_.Run(command.substr(0, command.size() - 2) + "none -1048577"));
  }
  EXPECT_EQ(too_large, harness_.Run("HRANDFIELD h -600 WITHVALUES"));
}

TEST_F(ExecutorTest, PurgesWhatHasEnded) {
  harness_.Run("SET key value PX 10");
  harness_.Run("SET {key}2 value");
  EXPECT_EQ(":0\r\n", Execute({"orrery.purge"}));
  harness_.Advance(10);
  EXPECT_EQ(":1\r\n", Execute({"orrery.purge"}));
  EXPECT_EQ(1u, types::CountKeys(SlotOf("key"), 0, harness_.SlotOfKey("key").store()).keys);
}

}  // namespace
}  // namespace orrery::commands
