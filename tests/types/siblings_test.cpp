// The Dynamo side of a string: contexts, siblings, and what a context replaces (Dynamo, sections 4.4 and 6).

#include <gtest/gtest.h>

#include "orrery/types/string_type.h"
#include "types/test_slot.h"

namespace orrery::types {
namespace {

using causality::Event;
using storage::Transaction;
using Values = std::vector<std::string>;

StringKey At(Transaction& transaction) {
  return {&transaction, 0, "key"};
}

struct Written {
  CausalContext context;
  Event event;
};

Written Put(TestSlot& slot, std::string_view value, const CausalContext& context = {},
            std::optional<uint64_t> deadline_ms = std::nullopt) {
  Written written;
  auto event = slot.Run(
      [&](Transaction& transaction) { written.context = At(transaction).Put(value, context, deadline_ms); });
  written.event = std::move(*event);
  return written;
}

std::optional<Event> Set(TestSlot& slot, std::string_view value) {
  return slot.Run([&](Transaction& transaction) { At(transaction).Set(value, Lifetime::Forever()); });
}

std::optional<Event> Increment(TestSlot& slot, int64_t delta) {
  return slot.Run([&](Transaction& transaction) { At(transaction).Increment(delta); });
}

struct Read {
  CausalContext context;
  Values values;
};

Read Get(TestSlot& slot) {
  Read read;
  slot.Run([&](Transaction& transaction) { read = {At(transaction).Context(), At(transaction).Siblings()}; });
  return read;
}

size_t RemoveCovered(TestSlot& slot, const CausalContext& context) {
  size_t removed = 0;
  slot.Run([&](Transaction& transaction) { removed = At(transaction).RemoveCovered(context); });
  return removed;
}

TEST(SiblingsTest, TheContextOfAReadCoversAllThatWasRead) {
  TestSlot a(1), b(2);
  a.Apply(*Set(b, "theirs"));
  a.Apply(*Increment(b, 2));
  TestSlot c(3);
  a.Apply(*Set(c, "others"));
  const Read read = Get(a);
  EXPECT_EQ(2u, read.values.size());
  Put(a, "joined", read.context);
  EXPECT_EQ(Values{"joined"}, Get(a).values);
}

TEST(SiblingsTest, AnEmptyContextReplacesNothing) {
  TestSlot slot;
  Put(slot, "one");
  slot.Advance(1);
  Put(slot, "two");
  EXPECT_EQ((Values{"two", "one"}), Get(slot).values);
}

TEST(SiblingsTest, AChainOfWritesLeavesOneValue) {
  TestSlot slot;
  CausalContext context;
  for (int i = 0; i < 5; ++i) context = Put(slot, std::to_string(i), context).context;
  EXPECT_EQ(Values{"4"}, Get(slot).values);
  EXPECT_EQ(context, Get(slot).context);
}

// The paper's Figure 3: D1, D2 by Sx; D3 by Sy and D4 by Sz from the same D2; D5 joins them at Sx.
TEST(SiblingsTest, FollowsTheFigureOfThePaper) {
  TestSlot x(1), y(2), z(3);
  const Written d1 = Put(x, "D1");
  const Written d2 = Put(x, "D2", d1.context);
  for (TestSlot* slot : {&y, &z}) {
    slot->Apply(d1.event);
    slot->Apply(d2.event);
  }
  const Written d3 = Put(y, "D3", d2.context);
  z.Advance(1);
  const Written d4 = Put(z, "D4", d2.context);
  EXPECT_EQ(causality::Causality::kConcurrent, Compare(d3.context, d4.context));
  for (const Event* event : {&d3.event, &d4.event}) {
    for (TestSlot* slot : {&x, &y, &z}) slot->Apply(*event);
  }
  const Read read = Get(x);
  EXPECT_EQ((Values{"D4", "D3"}), read.values);
  EXPECT_EQ(3u, read.context.clock.entries().size());
  const Written d5 = Put(x, "D5", read.context);
  EXPECT_EQ(causality::Causality::kAfter, Compare(d5.context, d3.context));
  EXPECT_EQ(causality::Causality::kAfter, Compare(d5.context, d4.context));
  for (TestSlot* slot : {&y, &z}) slot->Apply(d5.event);
  for (TestSlot* slot : {&x, &y, &z}) EXPECT_EQ(Values{"D5"}, Get(*slot).values);
}

TEST(SiblingsTest, AStaleContextLeavesWhatItsWriterHadNotRead) {
  TestSlot slot;
  const Written first = Put(slot, "first");
  slot.Advance(1);
  Put(slot, "second", first.context);
  slot.Advance(1);
  Put(slot, "from the first", first.context);
  EXPECT_EQ((Values{"from the first", "second"}), Get(slot).values);
}

TEST(SiblingsTest, TheContextOfAWriteCoversTheWriteAndNeverAnUnreadSibling) {
  TestSlot slot;
  Put(slot, "unread");
  CausalContext context;
  for (int i = 0; i < 5; ++i) {
    slot.Advance(1);
    context = Put(slot, "mine " + std::to_string(i), context).context;
    EXPECT_TRUE(context.beyond.has_value());
  }
  EXPECT_EQ((Values{"mine 4", "unread"}), Get(slot).values);
  Put(slot, "joined", Get(slot).context);
  EXPECT_EQ(Values{"joined"}, Get(slot).values);
}

TEST(SiblingsTest, TwoWritersThatTakeTurnsLeaveOneSiblingEach) {
  TestSlot slot;
  const CausalContext start = Put(slot, "start").context;
  CausalContext ours = start, theirs = start;
  for (int i = 0; i < 10; ++i) {
    slot.Advance(1);
    ours = Put(slot, "ours", ours).context;
    slot.Advance(1);
    theirs = Put(slot, "theirs", theirs).context;
  }
  EXPECT_EQ((Values{"theirs", "ours"}), Get(slot).values);
  EXPECT_EQ(causality::Causality::kConcurrent, Compare(ours, theirs));
}

TEST(SiblingsTest, ADotBeyondTheSlotsClockIsIgnored) {
  TestSlot a(1), b(2);
  CausalContext forged;
  forged.beyond = causality::Dot{b.actor(), 1};
  Put(a, "mine", forged);
  a.Apply(*Set(b, "late"));
  EXPECT_EQ(2u, Get(a).values.size());
}

TEST(SiblingsTest, AContextFromTheFutureIsCutToTheSlotsClock) {
  TestSlot a(1), b(2);
  CausalContext forged;
  forged.clock.Raise(b.actor(), 1000);
  forged.clock.Raise(a.actor(), 1000);
  a.Run([&](Transaction& transaction) {
    const CausalContext context = At(transaction).Put("mine", forged, std::nullopt);
    EXPECT_EQ(0u, context.clock.Get(b.actor()));
  });
  a.Apply(*Set(b, "late"));
  EXPECT_EQ(2u, Get(a).values.size());
}

TEST(SiblingsTest, PutsReplaceWhatSetsWrote) {
  TestSlot slot;
  Set(slot, "plain");
  Put(slot, "put", Get(slot).context);
  EXPECT_EQ(Values{"put"}, Get(slot).values);
  Set(slot, "plain again");
  EXPECT_EQ(Values{"plain again"}, Get(slot).values);
}

TEST(SiblingsTest, TheNewestSiblingShowsWithTheIncrements) {
  TestSlot a(1), b(2), c(3);
  const auto older = Set(b, "100");
  c.Advance(1);
  const auto newer = Set(c, "5");
  a.Apply(*older);
  a.Apply(*newer);
  Increment(a, 1);
  EXPECT_EQ((Values{"6", "100"}), Get(a).values);
}

TEST(SiblingsTest, APutReplacesTheCountsThatItsContextCovers) {
  TestSlot slot;
  Set(slot, "10");
  Increment(slot, 5);
  Put(slot, "20", Get(slot).context);
  EXPECT_EQ(Values{"20"}, Get(slot).values);
}

TEST(SiblingsTest, ACountThatGrewSinceTheReadStays) {
  TestSlot slot;
  Increment(slot, 5);
  const CausalContext context = Get(slot).context;
  Increment(slot, 2);
  Put(slot, "100", context);
  EXPECT_EQ(Values{"107"}, Get(slot).values);
}

TEST(SiblingsTest, RemovesWhatTheContextCoversAndNoMore) {
  TestSlot slot;
  const Written one = Put(slot, "one");
  Put(slot, "two");
  EXPECT_EQ(1u, RemoveCovered(slot, one.context));
  EXPECT_EQ(Values{"two"}, Get(slot).values);
  EXPECT_EQ(0u, RemoveCovered(slot, one.context));
  EXPECT_EQ(1u, RemoveCovered(slot, Get(slot).context));
  EXPECT_TRUE(Get(slot).values.empty());
}

TEST(SiblingsTest, APutMayHaveAnEnd) {
  TestSlot slot;
  const uint64_t deadline = slot.now_ms() + 100;
  const Written written = Put(slot, "value", {}, deadline);
  slot.Run([&](Transaction& transaction) { EXPECT_EQ(deadline, At(transaction).deadline()); });
  slot.Advance(1);
  Put(slot, "for ever", written.context);
  slot.Advance(1000);
  EXPECT_EQ(Values{"for ever"}, Get(slot).values);
}

TEST(SiblingsTest, AnExpiredKeyHasNoSiblingsAndLeavesNoneToAPut) {
  TestSlot slot;
  Put(slot, "old", {}, slot.now_ms() + 100);
  slot.Advance(100);
  EXPECT_TRUE(Get(slot).values.empty());
  EXPECT_EQ(CausalContext(), Get(slot).context);
  Put(slot, "new");
  EXPECT_EQ(Values{"new"}, Get(slot).values);
}

TEST(SiblingsTest, ContextsOfLivesThatWereClosedStillCover) {
  TestSlot a(1), b(2);
  a.Apply(*Set(b, "of an old life"));
  const CausalContext context = Get(a).context;
  a.CloseLivesOf(b.actor());
  Put(a, "new", context);
  EXPECT_EQ(Values{"new"}, Get(a).values);
}

}  // namespace
}  // namespace orrery::types
