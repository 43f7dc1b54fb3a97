#include "orrery/resp/reply_scanner.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "orrery/resp/reply_writer.h"

namespace orrery::resp {
namespace {

using Outcome = ReplyScanner::Outcome;

std::vector<std::string> Elements(std::string_view reply) {
  std::vector<std::string> elements;
  ElementWalker walker(reply);
  while (const auto element = walker.Next()) elements.emplace_back(*element);
  EXPECT_EQ(elements.size(), walker.count());
  return elements;
}

TEST(ReplyScannerTest, FindsTheEndAtEverySplit) {
  for (const std::string reply :
       {"+OK\r\n", "$3\r\na\r\n\r\n", "$-1\r\n", "*-1\r\n", "_\r\n", "*0\r\n",
        "*2\r\n*1\r\n:1\r\n%1\r\n+a\r\n$1\r\nb\r\n", "|1\r\n+a\r\n:1\r\n*1\r\n|1\r\n+b\r\n:2\r\n,1.5\r\n",
        "|0\r\n+OK\r\n", "~1\r\n!3\r\nERR\r\n"}) {
    ReplyScanner scanner;
    for (size_t n = 0; n < reply.size(); ++n) {
      ASSERT_EQ(scanner.Scan(std::string(reply, 0, n)), Outcome::kIncomplete) << reply << " at " << n;
    }
    ASSERT_EQ(scanner.Scan(reply + "*junk"), Outcome::kComplete) << reply;
    EXPECT_EQ(scanner.reply_bytes(), reply.size());
  }
}

TEST(ReplyScannerTest, CutsAStreamIntoReplies) {
  std::string_view stream = "+OK\r\n*1\r\n:1\r\n-ERR\r\n$2\r\nx";
  ReplyScanner scanner;
  std::vector<size_t> sizes;
  while (scanner.Scan(stream) == Outcome::kComplete) {
    sizes.push_back(scanner.reply_bytes());
    stream.remove_prefix(scanner.reply_bytes());
  }
  EXPECT_EQ(sizes, (std::vector<size_t>{5, 8, 6}));
  EXPECT_EQ(scanner.bytes_wanted(), 3u);
}

TEST(ReplyScannerTest, RefusesWhatIsNoReplyForGood) {
  for (const char* bytes :
       {"x\r\n", "$x\r\n", "$-2\r\n", "*-2\r\n", "$1\r\nabc", "+OK\rx", "%-1\r\n", "*1\r\n@"}) {
    ReplyScanner scanner;
    EXPECT_EQ(scanner.Scan(bytes), Outcome::kError) << bytes;
    EXPECT_EQ(scanner.Scan("+OK\r\n"), Outcome::kError);
  }
}

TEST(ReplyScannerTest, NeitherDepthNorAnnouncedCountsCostMemory) {
  std::string deep;
  for (int i = 0; i < 200000; ++i) deep += "*1\r\n";
  ReplyScanner scanner;
  EXPECT_EQ(scanner.Scan(deep), Outcome::kIncomplete);
  EXPECT_EQ(scanner.Scan(deep + ":1\r\n"), Outcome::kComplete);
  EXPECT_EQ(ReplyScanner().Scan("*4294967295\r\n%4294967295\r\n"), Outcome::kIncomplete);
}

TEST(ElementWalkerTest, YieldsElementsAsTheyAre) {
  const std::vector<std::string> expected = {"$1\r\na\r\n", "$-1\r\n", "*2\r\n:1\r\n:2\r\n",
                                             "|1\r\n+t\r\n:9\r\n+x\r\n"};
  std::string reply = "*4\r\n";
  for (const std::string& element : expected) reply += element;
  EXPECT_EQ(Elements(reply), expected);
  EXPECT_EQ(Elements("|1\r\n+t\r\n|1\r\n+u\r\n:1\r\n*0\r\n" + reply), expected)
      << "skips attributes of the array";
  EXPECT_EQ(Elements("%1\r\n+k\r\n:1\r\n"), (std::vector<std::string>{"+k\r\n", ":1\r\n"}));
  EXPECT_TRUE(Elements("*0\r\n").empty());
}

TEST(ElementWalkerTest, KnowsWhatIsNoAggregate) {
  for (const char* reply : {"-ERR no\r\n", "$1\r\na\r\n", "*-1\r\n", "_\r\n", "", "junk", "|1\r\n"}) {
    ElementWalker walker(reply);
    EXPECT_FALSE(walker.is_aggregate()) << reply;
    EXPECT_EQ(walker.Next(), std::nullopt) << reply;
  }
  EXPECT_EQ(ElementWalker("-ERR no\r\n").type(), '-');
  EXPECT_EQ(ElementWalker("junk").type(), '\0');
}

TEST(ElementWalkerTest, PartialRepliesAreSplicedWithoutReencoding) {
  const std::string left = "*2\r\n$1\r\na\r\n$-1\r\n";
  const std::string right = "*1\r\n$1\r\nc\r\n";
  std::string out;
  ReplyWriter writer(&out);
  ElementWalker a(left);
  ElementWalker b(right);
  writer.Array(a.count() + b.count());
  writer.Raw(*a.Next());
  writer.Raw(*b.Next());
  writer.Raw(*a.Next());
  EXPECT_EQ(out, "*3\r\n$1\r\na\r\n$1\r\nc\r\n$-1\r\n");
}

}  // namespace
}  // namespace orrery::resp
