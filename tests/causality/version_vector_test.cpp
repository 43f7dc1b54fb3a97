#include "orrery/causality/version_vector.h"

#include <gtest/gtest.h>

#include "causality/builders.h"

namespace orrery::causality {
namespace {

VersionVector Vector(std::initializer_list<Dot> dots) {
  VersionVector vector;
  for (const Dot& dot : dots) vector.Raise(dot);
  return vector;
}

TEST(VersionVectorTest, ComparesAsThePaperDoes) {
  const VersionVector empty;
  const VersionVector a1 = Vector({D(1, 1)});
  const VersionVector a1b1 = Vector({D(1, 1), D(2, 1)});
  const VersionVector a2 = Vector({D(1, 2)});
  EXPECT_EQ(a1.Compare(a1), Causality::kEqual);
  EXPECT_EQ(empty.Compare(a1), Causality::kBefore);
  EXPECT_EQ(a1b1.Compare(a1), Causality::kAfter);
  EXPECT_EQ(a1b1.Compare(a2), Causality::kConcurrent);
}

TEST(VersionVectorTest, JoinCoversBothAndMeetIsCoveredByBoth) {
  VersionVector join = Vector({D(1, 5), D(2, 1)});
  const VersionVector other = Vector({D(1, 3), D(3, 7)});
  VersionVector meet = join;
  join.Join(other);
  meet.Meet(other);
  EXPECT_EQ(join, Vector({D(1, 5), D(2, 1), D(3, 7)}));
  EXPECT_EQ(meet, Vector({D(1, 3)}));
}

TEST(VersionVectorTest, LivesOfOneNodeAreDifferentActors) {
  VersionVector vector;
  vector.Raise(A(1, 1), 4);
  vector.Raise(A(1, 2), 1);
  EXPECT_TRUE(vector.Covers({A(1, 1), 4}));
  EXPECT_FALSE(vector.Covers({A(1, 2), 2}));
}

TEST(VersionVectorTest, RefusesUnorderedAndZeroEntries) {
  const auto decodes = [](std::initializer_list<Dot> dots) {
    std::string bytes;
    Encoder out(&bytes);
    out.PutVarint(dots.size());
    for (const Dot& dot : dots) Encode(dot, &out);
    Decoder in(bytes);
    VersionVector::Decode(&in);
    return in.done();
  };
  EXPECT_TRUE(decodes({D(1, 1), D(2, 9)}));
  EXPECT_FALSE(decodes({D(2, 1), D(1, 9)}));
  EXPECT_FALSE(decodes({D(1, 1), D(1, 2)}));
  EXPECT_FALSE(decodes({D(1, 0)}));
}

}  // namespace
}  // namespace orrery::causality
