#include "orrery/causality/row.h"

#include <gtest/gtest.h>

#include "causality/builders.h"

namespace orrery::causality {
namespace {

TEST(RowTest, EqualCellsGiveEqualBytesInWhateverOrderTheyCame) {
  const Cell a = Value(D(1, 1), 10, "a");
  const Cell b = Increment(D(2, 5), 3, "7");
  EXPECT_EQ(EncodeRow(MakeRow({a, b})), EncodeRow(MakeRow({b, a})));
}

TEST(RowTest, ReadsBackAndRefusesEveryTruncation) {
  Cell value = Value(D(1, 4), 10, "payload");
  value.past.Raise(D(2, 8));
  const Row row = MakeRow({value, Increment(D(2, 5), 3, "7")});
  const std::string bytes = EncodeRow(row);
  Row copy;
  ASSERT_TRUE(DecodeRow(bytes, &copy));
  EXPECT_EQ(copy, row);
  for (size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(DecodeRow(bytes.substr(0, n), &copy)) << n;
  EXPECT_FALSE(DecodeRow(bytes + "x", &copy));
}

TEST(RowTest, ASoleShortValueIsReadWithoutTheRest) {
  for (const uint64_t counter : {1ULL, 200ULL, 1ULL << 40}) {
    for (const size_t length : {0, 1, 127}) {
      const std::string payload(length, 'p');
      EXPECT_EQ(SoleValue(EncodeRow(MakeRow({Value(D(1, counter), 10, payload)}))), payload);
    }
  }
}

TEST(RowTest, EveryOtherRowAndEveryTruncationIsNoSoleValue) {
  Cell with_past = Value(D(1, 4), 10, "v");
  with_past.past.Raise(D(2, 8));
  const Cell value = Value(D(1, 4), 10, "v");
  const Cell increment = Increment(D(2, 5), 3, "7");
  for (const Row& row : {Row{}, MakeRow({with_past}), MakeRow({increment}), MakeRow({value, increment}),
                         MakeRow({Value(D(1, 4), 10, std::string(128, 'p'))})}) {
    EXPECT_EQ(SoleValue(EncodeRow(row)), std::nullopt);
  }
  const std::string bytes = EncodeRow(MakeRow({value}));
  for (size_t n = 0; n < bytes.size(); ++n) EXPECT_EQ(SoleValue(bytes.substr(0, n)), std::nullopt) << n;
  EXPECT_EQ(SoleValue(bytes + "x"), std::nullopt);
}

TEST(RowTest, NewestValueIsByTimeThenByActorAlone) {
  const Row row = MakeRow(
      {Value(D(1, 9), 10, "old"), Value(D(2, 1), 11, "tie, lower"), Value(D(3, 1), 11, "tie, higher")});
  EXPECT_EQ(row.NewestValue()->payload, "tie, higher");
  EXPECT_EQ(MakeRow({Increment(D(1, 1), 1, "1")}).NewestValue(), nullptr);
}

TEST(RowTest, ItsClockIsLiveDotsAndPasts) {
  Cell value = Value(D(1, 4), 10, "v");
  value.past.Raise(D(2, 8));
  const VersionVector clock = MakeRow({value, Increment(D(3, 5), 2, "1")}).Clock();
  EXPECT_TRUE(clock.Covers(D(1, 4)));
  EXPECT_TRUE(clock.Covers(D(2, 8)));
  EXPECT_TRUE(clock.Covers(D(3, 5)));
}

}  // namespace
}  // namespace orrery::causality
