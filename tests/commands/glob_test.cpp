#include "orrery/commands/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace orrery::commands {
namespace {

struct Case {
  std::string_view pattern;
  std::string_view text;
  bool matches;
};

TEST(GlobTest, MatchesAsRedis) {
  const Case cases[] = {
      {"", "", true},
      {"", "a", false},
      {"*", "", true},
      {"*", "abc", true},
      {"a*", "abc", true},
      {"*c", "abc", true},
      {"a*c", "abc", true},
      {"a*d", "abc", false},
      {"a**c", "abc", true},
      {"?", "", false},
      {"?", "a", true},
      {"h?llo", "hello", true},
      {"h[ae]llo", "hallo", true},
      {"h[ae]llo", "hillo", false},
      {"h[^e]llo", "hallo", true},
      {"h[^e]llo", "hello", false},
      {"h[a-b]llo", "hbllo", true},
      {"h[b-a]llo", "hallo", true},
      {"h[a-b]llo", "hcllo", false},
      {"[a-]", "-", false},
      {"[a-]", "^", true},
      {"[\\]]", "]", true},
      {"[", "[", false},
      {"[a", "a", true},
      {"[^", "a", true},
      {"\\*", "*", true},
      {"\\*", "a", false},
      {"\\", "\\", true},
      {"a\\?c", "a?c", true},
      {"*a*b*c*", "xxaxxbxxcxx", true},
      {"*ab", "aab", true},
      {"*aab*", "aaab", true},
      {"A", "a", false},
      {"abc", "ab", false},
      {"ab", "abc", false},
      {"*[0-9]", "key7", true},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(GlobMatches(c.pattern, c.text), c.matches) << c.pattern << " on " << c.text;
  }
}

TEST(GlobTest, MayIgnoreCase) {
  EXPECT_TRUE(GlobMatchesIgnoringCase("CL*[A-K]ILL", "client|kill"));
  EXPECT_TRUE(GlobMatchesIgnoringCase("\\K", "k"));
  EXPECT_FALSE(GlobMatchesIgnoringCase("[^K]", "k"));
}

TEST(GlobTest, ManyStarsTakeNoExponentialTime) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(GlobMatches(pattern + "b", std::string(2000, 'a')));
  EXPECT_TRUE(GlobMatches(pattern, std::string(2000, 'a')));
}

}  // namespace
}  // namespace orrery::commands
