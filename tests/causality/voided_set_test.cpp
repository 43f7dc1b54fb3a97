#include "orrery/causality/voided_set.h"

#include <gtest/gtest.h>

#include "causality/builders.h"
#include "orrery/causality/merge.h"

namespace orrery::causality {
namespace {

TEST(VoidedSetTest, RowAndKindBelongToTheEntry) {
  VoidedSet voided;
  voided.Add("row", CellId{D(1, 2), CellKind::kValue});
  EXPECT_TRUE(voided.Contains("row", {D(1, 2), CellKind::kValue}));
  EXPECT_FALSE(voided.Contains("other", {D(1, 2), CellKind::kValue}));
  EXPECT_FALSE(voided.Contains("row", {D(1, 2), CellKind::kExpiry}));
}

TEST(VoidedSetTest, ScopesVoidWhatTheirClockCoversUnderTheirPrefix) {
  VoidedSet voided;
  voided.Add(ScopeRemoval{"key/", Clock({D(1, 5)})});
  EXPECT_TRUE(voided.Contains("key/field", {D(1, 5), CellKind::kValue}));
  EXPECT_FALSE(voided.Contains("key/field", {D(1, 6), CellKind::kValue}));
  EXPECT_FALSE(voided.Contains("kez/field", {D(1, 5), CellKind::kValue}));
}

TEST(VoidedSetTest, EntriesLeaveOnceTheClockCoversThem) {
  VoidedSet voided;
  voided.Add("row", CellId{D(1, 2), CellKind::kValue});
  voided.Add(ScopeRemoval{"key/", Clock({D(1, 5), D(2, 1)})});
  voided.Prune(Clock({D(1, 2)}));
  EXPECT_EQ(voided.size(), 1u);
  voided.Prune(Clock({D(1, 5), D(2, 1)}));
  EXPECT_TRUE(voided.empty());
}

TEST(VoidedSetTest, ReadsBackInACanonicalOrder) {
  VoidedSet a, b;
  const ScopeRemoval x{"x", Clock({D(1, 1)})}, y{"y", Clock({D(1, 1)})};
  a.Add(x), a.Add(y), b.Add(y), b.Add(x), b.Add(x);
  EXPECT_EQ(a, b);
  a.Add("row", CellId{D(1, 2), CellKind::kExpiry});
  std::string bytes;
  Encoder out(&bytes);
  a.Encode(&out);
  Decoder in(bytes);
  EXPECT_EQ(VoidedSet::Decode(&in), a);
  EXPECT_TRUE(in.done());
}

TEST(VoidedSetTest, KeepsOnlyRemovalsOfWhatTheClockHasNotSeen) {
  Event event;
  event.dot = D(2, 1);
  event.changes.push_back({"row", {{D(1, 1), CellKind::kValue}, {D(1, 2), CellKind::kValue}}, {}});
  VoidedSet voided;
  VoidUnseen(event, Clock({D(1, 1)}), &voided);
  EXPECT_FALSE(voided.Contains("row", {D(1, 1), CellKind::kValue}));
  EXPECT_TRUE(voided.Contains("row", {D(1, 2), CellKind::kValue}));
}

}  // namespace
}  // namespace orrery::causality
