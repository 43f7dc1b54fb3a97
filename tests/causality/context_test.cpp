#include "orrery/causality/context.h"

#include <gtest/gtest.h>

#include "causality/builders.h"

namespace orrery::causality {
namespace {

VersionVector Sample() {
  VersionVector clock;
  clock.Raise({A(0xabc, 0x18f), 42});
  clock.Raise({A(7, 1), 18446744073709551615u});
  return clock;
}

TEST(ContextTest, ReadsBackForItsKeyOnly) {
  const std::string text = FormatContext("cart", Sample());
  EXPECT_EQ(ParseContext("cart", text), Sample());
  EXPECT_EQ(ParseContext("card", text), std::nullopt);
  EXPECT_EQ(ParseContextShape(text), Sample());
  EXPECT_EQ(text.find_first_of(" \t\r\n\"'\\$`"), std::string::npos) << "safe to paste into a shell";
}

TEST(ContextTest, TheEmptyContextIsTheEmptyClock) {
  EXPECT_EQ(ParseContext("k", ""), VersionVector());
  EXPECT_EQ(ParseContext("k", FormatContext("k", {})), VersionVector());
}

TEST(ContextTest, EveryMangledCharacterIsRefused) {
  const std::string text = FormatContext("cart", Sample());
  for (size_t i = 0; i < text.size(); ++i) {
    std::string mangled = text;
    mangled[i] = mangled[i] == '1' ? '2' : '1';
    EXPECT_EQ(ParseContext("cart", mangled), std::nullopt) << mangled;
    EXPECT_EQ(ParseContext("cart", text.substr(0, i + 1 == text.size() ? 1 : i + 1)), std::nullopt) << i;
  }
}

TEST(ContextTest, RefusesOtherSpellingsOfTheSameClock) {
  for (const char* text : {"~", "x", "~zzzzzzzzz", "0000000000000007.1:1", "0000000000000007.1:01~00000000",
                           "0000000000000007.01:1~00000000", ",~00000000", "0000000000000007.1:1,~00000000"}) {
    EXPECT_EQ(ParseContext("k", text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace orrery::causality
