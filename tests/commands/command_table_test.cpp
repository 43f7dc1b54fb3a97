#include "orrery/commands/command_table.h"

#include <gtest/gtest.h>

#include <set>

#include "commands/argument_syntax.h"
#include "commands/command_details.h"
#include "commands/command_details_table.h"
#include "orrery/commands/command_keys.h"

namespace orrery::commands {
namespace {

std::string ErrorOf(std::vector<std::string_view> args) {
  return CommandTable::Get().Resolve(args).error;
}

/// Every command and subcommand with its full name.
template <typename Visit>
void ForEachSpec(const Visit& visit) {
  for (const CommandSpec* spec : CommandTable::Get().commands()) {
    visit(*spec, FullName(*spec, nullptr));
    for (const CommandSpec& sub : spec->subcommands) visit(sub, FullName(sub, spec));
  }
}

TEST(CommandTableTest, FindsNamesWithoutRegardToCase) {
  const CommandTable& table = CommandTable::Get();
  ASSERT_NE(table.Find("get"), nullptr);
  EXPECT_EQ(table.Find("GeT"), table.Find("get"));
  EXPECT_EQ(table.Find("get")->name, "get");
  EXPECT_EQ(table.Find("ge"), nullptr);
  EXPECT_EQ(table.Find("gett"), nullptr);
  EXPECT_EQ(table.Find(""), nullptr);
  EXPECT_EQ(table.Find(std::string(10'000, 'x')), nullptr);
}

TEST(CommandTableTest, FindsEveryCommandItHolds) {
  const CommandTable& table = CommandTable::Get();
  EXPECT_GT(table.commands().size(), 80u);
  for (const CommandSpec* spec : table.commands()) {
    EXPECT_EQ(table.Find(spec->name), spec);
    for (const CommandSpec& sub : spec->subcommands) {
      EXPECT_EQ(CommandTable::FindSubcommand(*spec, sub.name), &sub);
    }
  }
}

TEST(CommandTableTest, ResolvesSubcommands) {
  const Resolved found =
      CommandTable::Get().Resolve(std::vector<std::string_view>{"CLIENT", "Kill", "1.2.3.4:5"});
  ASSERT_TRUE(found);
  EXPECT_EQ(found.command->name, "kill");
  ASSERT_NE(found.parent, nullptr);
  EXPECT_EQ(FullName(*found.command, found.parent), "client|kill");
  EXPECT_TRUE(found.error.empty());
}

TEST(CommandTableTest, ContainerThatRunsByItselfResolvesWithoutSubcommand) {
  const Resolved found = CommandTable::Get().Resolve(std::vector<std::string_view>{"command"});
  ASSERT_TRUE(found);
  EXPECT_EQ(found.command->name, "command");
  EXPECT_EQ(found.parent, nullptr);
}

TEST(CommandTableTest, FindsFullNames) {
  const CommandTable& table = CommandTable::Get();
  const CommandSpec* parent = nullptr;
  EXPECT_EQ(table.FindFull("GET", &parent), table.Find("get"));
  EXPECT_EQ(parent, nullptr);
  ASSERT_NE(table.FindFull("Client|ID", &parent), nullptr);
  EXPECT_EQ(parent, table.Find("client"));
  EXPECT_EQ(table.FindFull("client|", &parent), nullptr);
  EXPECT_EQ(table.FindFull("get|x", &parent), nullptr);
  EXPECT_EQ(table.FindFull("nothing|x", &parent), nullptr);
}

TEST(CommandTableTest, ErrorsHaveTheWordsOfRedis) {
  EXPECT_EQ(ErrorOf({"foo", "a", "b"}), "ERR unknown command 'foo', with args beginning with: 'a' 'b' ");
  EXPECT_EQ(ErrorOf({"foo"}), "ERR unknown command 'foo', with args beginning with: ");
  EXPECT_EQ(ErrorOf({"GET"}), "ERR wrong number of arguments for 'get' command");
  EXPECT_EQ(ErrorOf({"get", "a", "b"}), "ERR wrong number of arguments for 'get' command");
  EXPECT_EQ(ErrorOf({"client"}), "ERR wrong number of arguments for 'client' command");
  EXPECT_EQ(ErrorOf({"client", "kill"}), "ERR wrong number of arguments for 'client|kill' command");
  EXPECT_EQ(ErrorOf({"client", "xX"}), "ERR unknown subcommand 'xX'. Try CLIENT HELP.");
  EXPECT_EQ(ErrorOf({"client|kill", "x"}),
            "ERR unknown command 'client|kill', with args beginning with: 'x' ");
}

TEST(CommandTableTest, ErrorsQuoteLittleOfWhatWasSent) {
  const std::string name(300, 'n');
  EXPECT_EQ(ErrorOf({name}),
            "ERR unknown command '" + std::string(128, 'n') + "', with args beginning with: ");
  // Of the second argument only what is left of 128 bytes; of a third nothing.
  const std::string first(100, 'a');
  const std::string second(100, 'b');
  EXPECT_EQ(ErrorOf({"x", first, second, "c"}), "ERR unknown command 'x', with args beginning with: '" +
                                                    first + "' '" + std::string(25, 'b') + "' ");
  EXPECT_EQ(ErrorOf({"x", std::string_view("a\0b", 3)}),
            "ERR unknown command 'x', with args beginning with: 'a' ");
}

TEST(CommandTableTest, EverySpecIsConsistent) {
  std::set<std::string> names;
  ForEachSpec([&](const CommandSpec& spec, const std::string& name) {
    SCOPED_TRACE(name);
    EXPECT_TRUE(names.insert(name).second);
    EXPECT_FALSE(spec.group.empty() || spec.since.empty() || spec.summary.empty() || spec.complexity.empty());
    EXPECT_NE(spec.arity, 0);
    const bool runs_at_slot = spec.spread != Spread::kServer && spec.spread != Spread::kCluster;
    EXPECT_EQ(spec.handler != nullptr, runs_at_slot);
    EXPECT_EQ(spec.keys.step > 0 || spec.key_count_arg > 0, runs_at_slot);
    if (!runs_at_slot) return;
    // The first key is always there, so that every call has a slot.
    EXPECT_GT(std::abs(spec.arity), spec.key_count_arg > 0 ? spec.key_count_arg + 1 : spec.keys.first);
    EXPECT_EQ(spec.traits.writes, (spec.flags & kWrite) != 0);
    EXPECT_TRUE(spec.traits.writes || spec.traits.idempotent);
  });
}

TEST(CommandTableTest, CommandsThatAreSplitEndWithTheirKeys) {
  ForEachSpec([&](const CommandSpec& spec, const std::string& name) {
    SCOPED_TRACE(name);
    const bool split =
        spec.spread == Spread::kSum || spec.spread == Spread::kEach || spec.spread == Spread::kAllOk;
    if (!split) return;
    EXPECT_EQ(spec.keys.first, 1);
    EXPECT_EQ(spec.keys.last, -1);
  });
}

TEST(CommandTableTest, EveryRowOfDetailsBelongsToACommandAndParses) {
  std::set<std::string_view> seen;
  const auto check = [&](const CommandDetails& row) {
    SCOPED_TRACE(row.full_name);
    EXPECT_TRUE(seen.insert(row.full_name).second);
    const CommandSpec* parent = nullptr;
    EXPECT_NE(CommandTable::Get().FindFull(row.full_name, &parent), nullptr);
    EXPECT_EQ(ParseArgumentSyntax(row.syntax).empty(), row.syntax.empty());
    for (std::string_view category : Words(row.categories))
      EXPECT_TRUE(category == "-" || IsCategory(category));
  };
  for (const auto& family : AllCommandDetails()) {
    for (const CommandDetails& row : family) check(row);
  }
}

TEST(CommandTableTest, KeySpecsCoverTheKeyRange) {
  ForEachSpec([&](const CommandSpec& spec, const std::string& name) {
    SCOPED_TRACE(name);
    const std::vector<std::string> words(8, "x");
    const std::vector<std::string_view> args(words.begin(), words.end());
    size_t wanted = 0;
    for (CallKeyWalk walk(spec, args); walk.valid(); walk.Next()) ++wanted;
    EXPECT_EQ(KeysOfCall(spec, name, args).size(), wanted);
  });
}

}  // namespace
}  // namespace orrery::commands
