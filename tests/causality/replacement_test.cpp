#include "orrery/causality/replacement.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "causality/builders.h"

namespace orrery::causality {
namespace {

Event ReplacingEvent(std::string payload) {
  Event event;
  event.slot = 5;
  event.dot = D(1, 300);
  event.hlc = 77;
  event.changes.push_back(
      {"row", {{D(2, 9), CellKind::kValue}}, {Value(event.dot, event.hlc, std::move(payload))}});
  return event;
}

TEST(ReplacementTest, OneValueForOneCellIsReadOffTheBytes) {
  for (const size_t length : {0, 3, 127, 128, 70'000}) {
    const Event event = ReplacingEvent(std::string(length, 'p'));
    const std::string bytes = EncodeEvent(event);
    const auto found = ReplacementIn(bytes);
    ASSERT_TRUE(found) << length;
    EXPECT_EQ(found->dot, event.dot);
    EXPECT_EQ(found->hlc, event.hlc);
    EXPECT_EQ(found->row_key, "row");
    EXPECT_EQ(found->removed, event.changes[0].removed[0]);
    EXPECT_EQ(found->row, EncodeRow(MakeRow({event.changes[0].added[0]})));
  }
}

TEST(ReplacementTest, EveryOtherEventIsNone) {
  const auto differing = [](const std::function<void(Event*)>& differ) {
    Event event = ReplacingEvent("v");
    differ(&event);
    return EncodeEvent(event);
  };
  const Cell other = Value(D(1, 299), 77, "v");
  const std::vector<std::string> others = {
      differing([](Event* e) {
        e->scopes.push_back({"p", Clock({D(1, 1)})});
      }),
      differing([](Event* e) { e->changes.clear(); }),
      differing([](Event* e) { e->changes.push_back(e->changes[0]); }),
      differing([](Event* e) { e->changes[0].removed.clear(); }),
      differing([](Event* e) {
        e->changes[0].removed.push_back({D(3, 1), CellKind::kValue});
      }),
      differing([](Event* e) { e->changes[0].added.clear(); }),
      differing([](Event* e) { e->changes[0].added.push_back(e->changes[0].added[0]); }),
      differing([&](Event* e) { e->changes[0].added = {other}; }),
      differing([](Event* e) { e->changes[0].added = {Increment(e->dot, 300, "7")}; }),
      differing([](Event* e) { e->changes[0].added[0].hlc = 78; }),
      differing([](Event* e) { e->changes[0].added[0].past.Raise(D(2, 8)); }),
      differing([](Event* e) { e->slot = kSlotCount; }),
  };
  for (size_t i = 0; i < others.size(); ++i) EXPECT_FALSE(ReplacementIn(others[i])) << i;
}

TEST(ReplacementTest, NoTruncationAndNothingLongerIsOne) {
  const std::string bytes = EncodeEvent(ReplacingEvent("value"));
  for (size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(ReplacementIn(bytes.substr(0, n))) << n;
  EXPECT_FALSE(ReplacementIn(bytes + '\0'));
}

// Whatever is taken for one is what the whole event says.
TEST(ReplacementTest, OfDamagedBytesItSaysWhatTheEventSays) {
  const std::string bytes = EncodeEvent(ReplacingEvent("value"));
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      const auto found = ReplacementIn(damaged);
      if (!found) continue;
      Event event;
      ASSERT_TRUE(DecodeEvent(damaged, &event)) << at << ", " << bit;
      ASSERT_EQ(event.changes.size(), 1u);
      EXPECT_EQ(found->row_key, event.changes[0].row_key);
      EXPECT_EQ(found->removed, event.changes[0].removed.at(0));
      EXPECT_EQ(found->row, EncodeRow(MakeRow({event.changes[0].added.at(0)})));
    }
  }
}

TEST(ReplacementTest, TheNameOfASoleValueIsReadOffItsRow) {
  Cell with_past = Value(D(1, 4), 10, "v");
  with_past.past.Raise(D(2, 8));
  const Cell value = Value(D(1, 4), 10, "v");
  Cell expiry = value;
  expiry.kind = CellKind::kExpiry;
  EXPECT_EQ(SoleValueId(EncodeRow(MakeRow({value}))), value.id());
  for (const Row& row :
       {Row(), MakeRow({with_past}), MakeRow({value, Value(D(2, 1), 11, "w")}),
        MakeRow({Increment(D(1, 4), 4, "1")}), MakeRow({expiry}), MakeRow({value, expiry})}) {
    EXPECT_FALSE(SoleValueId(EncodeRow(row)));
  }
}

}  // namespace
}  // namespace orrery::causality
