#include "orrery/commands/command_command.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "commands/argument_syntax.h"
#include "orrery/resp/value_parser.h"

namespace orrery::commands {
namespace {

using resp::Protocol;
using resp::Value;

std::string Reply(const std::vector<std::string_view>& args, Protocol protocol = Protocol::kResp3) {
  std::string reply;
  resp::ReplyWriter writer(&reply, protocol);
  const Resolved found = CommandTable::Get().Resolve(args);
  found ? RunCommandCommand(args, &writer) : writer.Error(found.error);
  return reply;
}

Value Parsed(const std::vector<std::string_view>& args, Protocol protocol = Protocol::kResp3) {
  const auto value = resp::ParseValue(Reply(args, protocol));
  EXPECT_TRUE(value.ok());
  return value.ok() ? *value : Value();
}

std::vector<std::string> Names(const Value& list) {
  std::vector<std::string> names;
  for (const Value& name : list.elements()) names.emplace_back(name.text());
  std::sort(names.begin(), names.end());
  return names;
}

const Value* Field(const Value& map, std::string_view name) {
  const auto& elements = map.elements();
  for (size_t i = 0; i + 1 < elements.size(); i += 2) {
    if (elements[i].text() == name) return &elements[i + 1];
  }
  return nullptr;
}

// The bytes of these replies were compared with those of Redis 7.0.15.

TEST(CommandInfoTest, OneCommandHasTheShapeOfRedis) {
  EXPECT_EQ(
      Reply({"command", "info", "get"}),
      "*1\r\n*10\r\n$3\r\nget\r\n:2\r\n~2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n"
      "~3\r\n+@read\r\n+@string\r\n+@fast\r\n~0\r\n"
      "~1\r\n%3\r\n$5\r\nflags\r\n~2\r\n+RO\r\n+access\r\n"
      "$12\r\nbegin_search\r\n%2\r\n$4\r\ntype\r\n$5\r\nindex\r\n$4\r\nspec\r\n%1\r\n$5\r\nindex\r\n:1\r\n"
      "$9\r\nfind_keys\r\n%2\r\n$4\r\ntype\r\n$5\r\nrange\r\n$4\r\nspec\r\n"
      "%3\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0\r\n~0\r\n");
}

TEST(CommandInfoTest, SubcommandsAndUnknownNames) {
  EXPECT_EQ(Reply({"command", "info", "client|kill", "nosuch"}),
            "*2\r\n*10\r\n$11\r\nclient|kill\r\n:-3\r\n~4\r\n+admin\r\n+noscript\r\n+loading\r\n+stale\r\n:"
            "0\r\n:0\r\n:0\r\n"
            "~4\r\n+@admin\r\n+@slow\r\n+@dangerous\r\n+@connection\r\n~0\r\n~0\r\n~0\r\n_\r\n");
  EXPECT_EQ(Reply({"command", "info", "nosuch"}, Protocol::kResp2), "*1\r\n$-1\r\n");
  EXPECT_EQ(Reply({"command", "info", "nosuch"}, Protocol::kResp3), "*1\r\n_\r\n");
}

TEST(CommandInfoTest, RestoreAskingHasTheFlagOfAClustersNodes) {
  EXPECT_TRUE(
      Reply({"command", "info", "restore-asking"})
          .starts_with(
              "*1\r\n*10\r\n$14\r\nrestore-asking\r\n:-4\r\n~3\r\n+write\r\n+denyoom\r\n+asking\r\n"));
}

TEST(CommandInfoTest, InResp2EverythingIsAnArray) {
  EXPECT_EQ(Reply({"command", "info", "client|kill"}, Protocol::kResp2),
            "*1\r\n*10\r\n$11\r\nclient|kill\r\n:-3\r\n*4\r\n+admin\r\n+noscript\r\n+loading\r\n+stale\r\n:"
            "0\r\n:0\r\n:0\r\n"
            "*4\r\n+@admin\r\n+@slow\r\n+@dangerous\r\n+@connection\r\n*0\r\n*0\r\n*0\r\n");
}

TEST(CommandInfoTest, CommandAloneListsEveryCommandAsCountCounts) {
  for (const Protocol protocol : {Protocol::kResp2, Protocol::kResp3}) {
    const Value all = Parsed({"command"}, protocol);
    ASSERT_TRUE(all.is_aggregate());
    EXPECT_EQ(static_cast<int64_t>(all.elements().size()), Parsed({"command", "count"}).integer());
    for (const Value& command : all.elements()) ASSERT_EQ(command.elements().size(), 10u);
    EXPECT_EQ(all, Parsed({"command", "info"}, protocol));
  }
}

TEST(CommandDocsTest, SubcommandHasTheShapeOfRedis) {
  const std::string reply = Reply({"command", "docs", "client|id", "nosuch"});
  EXPECT_TRUE(reply.starts_with("%1\r\n$9\r\nclient|id\r\n%4\r\n$7\r\nsummary\r\n")) << reply;
  EXPECT_TRUE(
      reply.ends_with("$5\r\nsince\r\n$5\r\n5.0.0\r\n$5\r\ngroup\r\n$10\r\nconnection\r\n"
                      "$10\r\ncomplexity\r\n$4\r\nO(1)\r\n"))
      << reply;
  EXPECT_EQ(Reply({"command", "docs", "nosuch"}), "%0\r\n");
}

TEST(CommandDocsTest, ArgumentsHaveTheShapeOfRedis) {
  const std::string reply = Reply({"command", "docs", "mset"});
  EXPECT_TRUE(reply.ends_with(
      "$9\r\narguments\r\n*1\r\n%4\r\n$4\r\nname\r\n$9\r\nkey_value\r\n$4\r\ntype\r\n$5\r\nblock\r\n"
      "$5\r\nflags\r\n~1\r\n+multiple\r\n$9\r\narguments\r\n*2\r\n"
      "%3\r\n$4\r\nname\r\n$3\r\nkey\r\n$4\r\ntype\r\n$3\r\nkey\r\n$14\r\nkey_spec_index\r\n:0\r\n"
      "%2\r\n$4\r\nname\r\n$5\r\nvalue\r\n$4\r\ntype\r\n$6\r\nstring\r\n"))
      << reply;
}

TEST(CommandDocsTest, ContainersHoldTheirSubcommands) {
  const Value docs = Parsed({"command", "docs", "OBJECT"});
  const Value* object = Field(docs, "object");
  ASSERT_NE(object, nullptr);
  const Value* subcommands = Field(*object, "subcommands");
  ASSERT_NE(subcommands, nullptr);
  const Value* encoding = Field(*subcommands, "object|encoding");
  ASSERT_NE(encoding, nullptr);
  ASSERT_NE(Field(*encoding, "arguments"), nullptr);
}

TEST(CommandDocsTest, DescribesEveryCommandInBothProtocols) {
  const Value maps = Parsed({"command", "docs"}, Protocol::kResp3);
  const Value arrays = Parsed({"command", "docs"}, Protocol::kResp2);
  EXPECT_EQ(maps.type(), Value::Type::kMap);
  EXPECT_EQ(arrays.type(), Value::Type::kArray);
  EXPECT_EQ(maps.elements().size(), 2 * CommandTable::Get().commands().size());
  EXPECT_EQ(maps.elements().size(), arrays.elements().size());
}

TEST(CommandListTest, FiltersByCategoryAndPattern) {
  EXPECT_EQ(Names(Parsed({"command", "list", "filterby", "aclcat", "BITMAP"})),
            (std::vector<std::string>{"bitcount", "bitfield", "bitfield_ro", "bitop", "bitpos", "getbit",
                                      "setbit"}));
  EXPECT_EQ(Names(Parsed({"command", "list", "filterby", "pattern", "CL*K*L"})),
            (std::vector<std::string>{"client|kill"}));
  EXPECT_EQ(Reply({"command", "list", "filterby", "aclcat", "bogus"}), "~0\r\n");
  EXPECT_EQ(Reply({"command", "list", "filterby", "module", "x"}, Protocol::kResp2), "*0\r\n");
}

TEST(CommandListTest, NamesCommandsAndSubcommands) {
  const std::vector<std::string> names = Names(Parsed({"command", "list"}));
  EXPECT_GT(names.size(), CommandTable::Get().commands().size());
  for (const std::string name : {"set", "client", "client|list"})
    EXPECT_EQ(std::count(names.begin(), names.end(), name), 1) << name;
}

TEST(CommandListTest, RefusesOtherOptions) {
  const std::string error = "-ERR syntax error\r\n";
  EXPECT_EQ(Reply({"command", "list", "x"}), error);
  EXPECT_EQ(Reply({"command", "list", "filterby"}), error);
  EXPECT_EQ(Reply({"command", "list", "filterby", "bogus", "x"}), error);
  EXPECT_EQ(Reply({"command", "list", "filterby", "pattern", "a", "b"}), error);
}

TEST(CommandGetKeysTest, NamesTheKeys) {
  EXPECT_EQ(Reply({"command", "getkeys", "mset", "a", "1", "b", "2"}), "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  EXPECT_EQ(Reply({"command", "getkeys", "object", "encoding", "x"}), "*1\r\n$1\r\nx\r\n");
  EXPECT_EQ(Reply({"command", "getkeysandflags", "set", "a", "b"}),
            "*1\r\n*2\r\n$1\r\na\r\n~2\r\n+OW\r\n+update\r\n");
  EXPECT_EQ(Reply({"command", "getkeysandflags", "bitop", "and", "d", "a"}),
            "*2\r\n*2\r\n$1\r\nd\r\n~2\r\n+OW\r\n+update\r\n*2\r\n$1\r\na\r\n~2\r\n+RO\r\n+access\r\n");
}

TEST(CommandGetKeysTest, ErrorsHaveTheWordsOfRedis) {
  EXPECT_EQ(Reply({"command", "getkeys", "xx", "a"}), "-ERR Invalid command specified\r\n");
  EXPECT_EQ(Reply({"command", "getkeys", "client", "xx"}), "-ERR Invalid command specified\r\n");
  EXPECT_EQ(Reply({"command", "getkeys", "ping", "a"}), "-ERR The command has no key arguments\r\n");
  EXPECT_EQ(Reply({"command", "getkeys", "get", "a", "b"}),
            "-ERR Invalid number of arguments specified for command\r\n");
  EXPECT_EQ(Reply({"command", "getkeys", "get"}),
            "-ERR wrong number of arguments for 'command|getkeys' command\r\n");
}

TEST(CommandHelpTest, HasTwoLinesForEachSubcommand) {
  const Value help = Parsed({"command", "help"}, Protocol::kResp2);
  const auto& lines = help.elements();
  ASSERT_EQ(lines.size(), 1 + 2 * CommandTable::Get().Find("command")->subcommands.size());
  EXPECT_EQ(lines[0].text(), "COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  EXPECT_EQ(lines[1].text(), "COUNT");
  EXPECT_EQ(lines[3].text(), "DOCS [<command-name> [<command-name> ...]]");
}

TEST(ArgumentSyntaxTest, ParsesTokensChoicesAndBlocks) {
  const auto arguments =
      ParseArgumentSyntax("key [when=NX|XX] [EX seconds:i] (pair=field value:d)... other:k2");
  ASSERT_EQ(arguments.size(), 5u);
  EXPECT_EQ(arguments[0].type, "key");
  EXPECT_EQ(arguments[0].key_spec, 0);
  EXPECT_EQ(arguments[1].type, "oneof");
  EXPECT_EQ(arguments[1].name, "when");
  EXPECT_TRUE(arguments[1].optional);
  ASSERT_EQ(arguments[1].children.size(), 2u);
  EXPECT_EQ(arguments[1].children[1].token, "XX");
  EXPECT_EQ(arguments[1].children[1].type, "pure-token");
  EXPECT_EQ(arguments[2].token, "EX");
  EXPECT_EQ(arguments[2].type, "integer");
  EXPECT_TRUE(arguments[2].optional);
  EXPECT_EQ(arguments[3].type, "block");
  EXPECT_TRUE(arguments[3].multiple);
  EXPECT_FALSE(arguments[3].optional);
  ASSERT_EQ(arguments[3].children.size(), 2u);
  EXPECT_EQ(arguments[3].children[1].type, "double");
  EXPECT_EQ(arguments[4].key_spec, 2);
}

TEST(ArgumentSyntaxTest, FourDotsRepeatTheToken) {
  const auto arguments = ParseArgumentSyntax("[GET (what=encoding offset:i)]....");
  ASSERT_EQ(arguments.size(), 1u);
  EXPECT_TRUE(arguments[0].multiple_token);
  EXPECT_EQ(arguments[0].token, "GET");
  EXPECT_EQ(arguments[0].name, "what");
  EXPECT_EQ(arguments[0].type, "block");
}

}  // namespace
}  // namespace orrery::commands
