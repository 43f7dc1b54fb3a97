#include "orrery/types/causal_context.h"

#include <gtest/gtest.h>

namespace orrery::types {
namespace {

using causality::Actor;
using causality::Causality;
using causality::Dot;

constexpr Actor kA{NodeId{0xa}, 1};
constexpr Actor kB{NodeId{0xb}, 2};

CausalContext Context(const std::vector<Dot>& clock, std::optional<Dot> beyond = std::nullopt) {
  CausalContext context;
  for (const Dot& dot : clock) context.clock.Raise(dot);
  context.beyond = beyond;
  return context;
}

TEST(CausalContextTest, CoversItsClockAndTheDotBeyond) {
  const CausalContext context = Context({{kA, 3}}, Dot{kA, 7});
  EXPECT_TRUE(context.Covers({kA, 3}));
  EXPECT_TRUE(context.Covers({kA, 7}));
  EXPECT_FALSE(context.Covers({kA, 5}));
  EXPECT_FALSE(context.Covers({kA, 8}));
  EXPECT_FALSE(context.Covers({kB, 1}));
}

TEST(CausalContextTest, ComparesWhatIsCovered) {
  const CausalContext none, three = Context({{kA, 3}}), seven = Context({{kA, 7}});
  const CausalContext gap = Context({{kA, 3}}, Dot{kA, 7}), other_gap = Context({{kA, 3}}, Dot{kA, 5});
  EXPECT_EQ(Causality::kEqual, Compare(gap, gap));
  EXPECT_EQ(Causality::kBefore, Compare(none, gap));
  EXPECT_EQ(Causality::kBefore, Compare(three, gap));
  EXPECT_EQ(Causality::kBefore, Compare(gap, seven));
  EXPECT_EQ(Causality::kAfter, Compare(seven, other_gap));
  EXPECT_EQ(Causality::kConcurrent, Compare(gap, other_gap));
  EXPECT_EQ(Causality::kConcurrent, Compare(gap, Context({{kB, 1}})));
}

TEST(CausalContextTest, ReadsBackForItsKeyOnly) {
  for (const CausalContext& context : {CausalContext(), Context({{kA, 3}, {kB, 9}}),
                                       Context({{kA, 3}}, Dot{kA, 7}), Context({}, Dot{kB, 2})}) {
    const std::string text = FormatContext("cart", context);
    EXPECT_EQ(context, ParseContext("cart", text)) << text;
    EXPECT_EQ(context, ParseContextShape(text)) << text;
    EXPECT_EQ(std::nullopt, ParseContext("card", text)) << text;
    EXPECT_EQ(text.npos, text.find_first_of(" \t\r\n\"'\\$`")) << "safe to paste into a shell";
  }
  EXPECT_EQ(CausalContext(), ParseContext("cart", ""));
}

TEST(CausalContextTest, EveryMangledCharacterIsRefused) {
  const std::string text = FormatContext("cart", Context({{kA, 3}}, Dot{kA, 7}));
  for (size_t i = 0; i < text.size(); ++i) {
    std::string mangled = text;
    mangled[i] = mangled[i] == '1' ? '2' : '1';
    EXPECT_EQ(std::nullopt, ParseContext("cart", mangled)) << mangled;
  }
}

TEST(CausalContextTest, RefusesOtherSpellingsOfTheSameContext) {
  const std::string clock = FormatContext("cart", Context({{kA, 3}}));
  const std::string covered = FormatContext("cart", Context({{kA, 2}}));
  const std::string two = FormatContext("cart", Context({{kA, 5}, {kB, 1}}));
  const std::string none = FormatContext("cart", CausalContext());
  for (const std::string& text : {clock + "+", "+" + clock, clock + "+" + clock, clock + "+" + covered,
                                  clock + "+" + two, clock + "+" + none, std::string("+")}) {
    EXPECT_EQ(std::nullopt, ParseContext("cart", text)) << text;
    EXPECT_EQ(std::nullopt, ParseContextShape(text)) << text;
  }
}

}  // namespace
}  // namespace orrery::types
