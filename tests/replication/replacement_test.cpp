// Events that are replacements: what comes of their bytes is what would come of them taken apart.

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "orrery/causality/replacement.h"
#include "replication/test_replica.h"

namespace orrery::replication {
namespace {

using causality::EventPtr;
using storage::Transaction;

constexpr SlotId kSlot = TestReplica::kSlot;

EventPtr Set(TestReplica* replica, const std::string& value) {
  return replica->Run([&](Transaction* t) {
    t->Clear(StringRow("k"));
    t->AddValue(StringRow("k"), value);
  });
}

class ReplacementTest : public testing::Test {
 protected:
  bool TryReplace(const EventPtr& event) {
    const auto replacement = causality::ReplacementIn(event->bytes);
    return replacement && replica_.slot().TryReplace(*replacement, event);
  }
  /// Refused as bytes, it is taken all the same.
  void ExpectTakenApart(const EventPtr& event) {
    const auto rows = replica_.Rows();
    const uint64_t digest = replica_.slot().digest();
    EXPECT_FALSE(TryReplace(event));
    EXPECT_EQ(replica_.Rows(), rows);
    EXPECT_EQ(replica_.slot().digest(), digest);
    EXPECT_TRUE(replica_.Take(event));
    ExpectAsWriter();
  }
  void ExpectAsWriter() {
    EXPECT_EQ(replica_.Rows(), writer_.Rows());
    EXPECT_EQ(replica_.slot().clock(), writer_.slot().clock());
    EXPECT_EQ(replica_.slot().digest(), writer_.slot().digest());
    EXPECT_EQ(replica_.slot().row_count(), writer_.slot().row_count());
    EXPECT_EQ(replica_.slot().newest(), writer_.slot().newest());
    EXPECT_EQ(replica_.slot().backlog().size(), writer_.slot().backlog().size());
    replica_.CheckDigest();
  }
  /// Makes an event at the writer and gives it to the replica.
  void Both(const TestReplica::Work& work) { ASSERT_TRUE(replica_.Take(writer_.Run(work))); }

  TestReplica writer_{{NodeId{1}, 1}};
  TestReplica replica_{{NodeId{2}, 1}};
};

TEST_F(ReplacementTest, AValueInThePlaceOfTheOneThatItRemoves) {
  ASSERT_TRUE(replica_.Take(Set(&writer_, "first")));
  for (const std::string& value : {std::string("second"), std::string(), std::string(100'000, 'v')}) {
    EXPECT_TRUE(TryReplace(Set(&writer_, value)));
    ExpectAsWriter();
  }
  EXPECT_TRUE(replica_.slot().TakeDirty());
}

TEST_F(ReplacementTest, AFirstValueIsCounted) {
  ExpectTakenApart(Set(&writer_, "v"));
}

TEST_F(ReplacementTest, ARowWithMoreThanTheRemovedValueKeepsTheRest) {
  ASSERT_TRUE(replica_.Take(Set(&writer_, "first")));
  const EventPtr second = Set(&writer_, "second");
  const EventPtr sibling = replica_.Run([](Transaction* t) { t->AddValue(StringRow("k"), "sibling"); });
  ASSERT_TRUE(writer_.Take(sibling));
  ExpectTakenApart(second);
}

TEST_F(ReplacementTest, AnotherValueThanTheRemovedOneStaysBesideIt) {
  ASSERT_TRUE(replica_.Take(Set(&writer_, "first")));
  const EventPtr second = Set(&writer_, "second");
  const EventPtr other = Set(&replica_, "other");
  ASSERT_TRUE(writer_.Take(other));
  ExpectTakenApart(second);
  EXPECT_EQ(replica_.slot().row_count(), 1u);
}

TEST_F(ReplacementTest, AnEndIsToldToWhoeverKeepsEnds) {
  Both([](Transaction* t) {
    t->AddValue(StringRow("k"), "v");
    t->AddExpiry(StringRow("k"), "5");
  });
  // Both cells go, which is no replacement; and one of two, which is one where nothing else stands.
  const EventPtr one = writer_.Run([&](Transaction* t) {
    const causality::CellId value = t->Get(StringRow("k")).NewestValue()->id();
    t->Remove(StringRow("k"), value);
    t->AddValue(StringRow("k"), "w");
  });
  ASSERT_TRUE(causality::ReplacementIn(one->bytes));
  ExpectTakenApart(one);
  ExpectTakenApart(Set(&writer_, "x"));
}

TEST_F(ReplacementTest, WhereThereAreCollectionsAStringMayStandBesideOne) {
  ASSERT_TRUE(replica_.Take(Set(&writer_, "first")));
  Both([](Transaction* t) { t->AddValue(SetRow("s", "a"), ""); });
  ExpectTakenApart(Set(&writer_, "second"));
}

TEST_F(ReplacementTest, ARowOfACollectionIsToldOf) {
  const auto set = [&](const std::string& value) {
    return writer_.Run([&](Transaction* t) {
      t->Clear(SetRow("s", "a"));
      t->AddValue(SetRow("s", "a"), value);
    });
  };
  ASSERT_TRUE(replica_.Take(set("")));
  ExpectTakenApart(set("v"));
}

TEST_F(ReplacementTest, ARemovalAheadOfItsAdditionIsRemembered) {
  TestReplica other({NodeId{3}, 1});
  const EventPtr first = Set(&other, "first");
  ASSERT_TRUE(writer_.Take(first));
  const EventPtr second = Set(&writer_, "second");
  ASSERT_TRUE(causality::ReplacementIn(second->bytes));
  EXPECT_FALSE(TryReplace(second));
  ASSERT_TRUE(replica_.Take(second));
  EXPECT_FALSE(replica_.slot().voided().empty());
  // And while anything is voided, rows are taken apart.
  const EventPtr third = Set(&writer_, "third");
  EXPECT_FALSE(TryReplace(third));
  ASSERT_TRUE(replica_.Take(third));
  ASSERT_TRUE(replica_.Take(first));
  EXPECT_TRUE(replica_.slot().voided().empty());
  ExpectAsWriter();
  EXPECT_TRUE(TryReplace(Set(&writer_, "fourth")));
  ExpectAsWriter();
}

TEST_F(ReplacementTest, WhoeverWatchesTheRowsIsTold) {
  class Watch final : public RowWatch {
   public:
    void OnRowChange(std::string_view, const causality::Row& before) override {
      values += before.cells.size();
    }
    void OnRangeErased(const KeyRange&) override {}
    size_t values = 0;
  };
  ASSERT_TRUE(replica_.Take(Set(&writer_, "first")));
  Watch watch;
  replica_.slot().Watch(&watch);
  ExpectTakenApart(Set(&writer_, "second"));
  EXPECT_EQ(watch.values, 1u);
  replica_.slot().Watch(nullptr);
  EXPECT_TRUE(TryReplace(Set(&writer_, "third")));
}

TEST_F(ReplacementTest, AnUnreadableRowIsCorruption) {
  ASSERT_TRUE(replica_.Take(Set(&writer_, "first")));
  replica_.Commit();
  replica_.database().CorruptValue(storage::Table::kRows, storage::WithSlot(kSlot, StringRow("k")));
  EXPECT_EQ(replica_.slots().Apply(Set(&writer_, "second")).code(), StatusCode::kCorruption);
}

TEST_F(ReplacementTest, MalformedBytesChangeNothing) {
  ASSERT_TRUE(replica_.Take(Set(&writer_, "first")));
  const EventPtr event = Set(&writer_, "second");
  const auto rows = replica_.Rows();
  for (size_t n = 0; n < event->bytes.size(); ++n) {
    const auto cut = std::make_shared<const causality::EncodedEvent>(
        causality::EncodedEvent{event->slot, event->dot, event->bytes.substr(0, n)});
    EXPECT_EQ(replica_.slots().Apply(cut).code(), StatusCode::kInvalid) << n;
  }
  EXPECT_EQ(replica_.Rows(), rows);
  EXPECT_TRUE(replica_.Take(event));
  ExpectAsWriter();
}

}  // namespace
}  // namespace orrery::replication
