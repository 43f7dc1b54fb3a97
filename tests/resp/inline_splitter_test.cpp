#include "resp/inline_splitter.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace orrery::resp {
namespace {

using Words = std::vector<std::string>;
using std::string_literals::operator""s;

std::optional<Words> Split(std::string line) {
  std::vector<std::string_view> args;
  if (!SplitInline(line, &args)) return std::nullopt;
  return Words(args.begin(), args.end());
}

TEST(InlineSplitterTest, BlanksSeparate) {
  EXPECT_EQ(Split(""), Words{});
  EXPECT_EQ(Split(" \t \v\f\r"), Words{});
  EXPECT_EQ(Split("  a  b\tc "), (Words{"a", "b", "c"}));
  EXPECT_EQ(Split("a\rb"), (Words{"a", "b"}));
  EXPECT_EQ(Split("a\vb"), Words{"a\vb"}) << "a vertical tab does not end an unquoted argument";
  EXPECT_EQ(Split("\va \vb"), (Words{"a", "b"}));
}

TEST(InlineSplitterTest, DoubleQuotesKnowEscapes) {
  EXPECT_EQ(Split(R"("a b" c)"), (Words{"a b", "c"}));
  EXPECT_EQ(Split(R"("")"), Words{""});
  EXPECT_EQ(Split(R"("\n\r\t\b\a\\\"\q")"), Words{"\n\r\t\b\a\\\"q"});
  EXPECT_EQ(Split(R"("\x41\xff\x0a\x00z")"), Words{"A\xff\n\0z"s});
  EXPECT_EQ(Split(R"("\x4")"), Words{"x4"});
  EXPECT_EQ(Split(R"("\xg1")"), Words{"xg1"});
  EXPECT_EQ(Split(R"("it's")"), Words{"it's"});
}

TEST(InlineSplitterTest, SingleQuotesKnowOnlyTheirOwn) {
  EXPECT_EQ(Split(R"('a b' c)"), (Words{"a b", "c"}));
  EXPECT_EQ(Split(R"('it\'s')"), Words{"it's"});
  EXPECT_EQ(Split(R"('\n\x41"')"), Words{R"(\n\x41")"});
}

TEST(InlineSplitterTest, AQuoteMayOpenInsideAWordButMustEndIt) {
  EXPECT_EQ(Split(R"(foo"b r")"), Words{"foob r"});
  EXPECT_EQ(Split(R"(foo'b r' x)"), (Words{"foob r", "x"}));
  EXPECT_EQ(Split("\"a\"\v'b'"), (Words{"a", "b"}));
  EXPECT_EQ(Split(R"("a"b)"), std::nullopt);
  EXPECT_EQ(Split(R"('a''b')"), std::nullopt);
}

TEST(InlineSplitterTest, UnbalancedQuotesFail) {
  for (const char* line :
       {"\"", "'", "a \"b", "a 'b", "\"a\\\"", "'a\\'", "\"a\\", "'a\\", "\"\\x4", "a\""}) {
    EXPECT_EQ(Split(line), std::nullopt) << line;
  }
}

TEST(InlineSplitterTest, ABackslashOutsideQuotesIsPlain) {
  EXPECT_EQ(Split(R"(a\nb \ \")"), std::nullopt);
  EXPECT_EQ(Split(R"(a\nb \)"), (Words{R"(a\nb)", R"(\)"}));
}

}  // namespace
}  // namespace orrery::resp
