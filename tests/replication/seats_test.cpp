#include "orrery/replication/seats.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "replication/seeds.h"

namespace orrery::replication {
namespace {

std::shared_ptr<const ring::Ring> RingOf(std::vector<uint64_t> ids, int n) {
  std::vector<ring::RingMember> members;
  for (const uint64_t id : ids)
    members.push_back({.id = NodeId{id}, .weight = 1, .zone = {}, .token_seed = 0});
  return std::make_shared<const ring::Ring>(ring::Ring::Build(std::move(members), n));
}

std::vector<NodeId> OwnersOf(const SeatTable& seats, SlotId slot) {
  const auto owners = seats.Owners(slot);
  return {owners.begin(), owners.end()};
}

/// Any history of seats: gifts, claims of one version by several, and some that never got known to some.
std::vector<SeatRecord> RandomRecords(std::mt19937_64* random) {
  std::vector<SeatRecord> records;
  const auto below = [&](uint64_t n) { return (*random)() % n; };
  for (int i = 0; i < 300; ++i) {
    SeatRecord record{static_cast<SlotId>(below(6) * 100), static_cast<uint8_t>(below(4)), {}};
    record.seat = {1 + below(5), NodeId{1 + below(7)}, below(2) == 0, NodeId{below(7)}};
    records.push_back(record);
  }
  return records;
}

TEST(SeatsTest, WithoutRecordsTheFoundersRingSaysAll) {
  SeatTable seats;
  const auto ring = RingOf({1, 2, 3, 4, 5}, 3);
  seats.SetFounders(ring);
  for (SlotId slot = 0; slot < kSlotCount; ++slot) {
    const auto homes = ring->Homes(slot);
    ASSERT_TRUE(std::ranges::equal(seats.Owners(slot), homes));
    ASSERT_TRUE(seats.InService(slot, homes[2]));
    ASSERT_EQ(seats.ReadSeats(slot), 3u);
  }
  EXPECT_TRUE(seats.empty());
}

TEST(SeatsTest, AnyOrderOfDeliveryGivesEqualOwners) {
  std::mt19937_64 random(TestSeed());
  const auto ring = RingOf({1, 2, 3}, 3);
  for (int round = 0; round < 20; ++round) {
    std::vector<SeatRecord> records = RandomRecords(&random);
    SeatTable one;
    one.SetFounders(ring);
    for (const SeatRecord& record : records) one.Merge(record);
    records.insert(records.end(), records.begin(), records.begin() + 40);
    std::shuffle(records.begin(), records.end(), random);
    SeatTable two;
    for (const SeatRecord& record : records) two.Merge(record);
    two.SetFounders(ring);
    EXPECT_EQ(one.Hash(), two.Hash());
    EXPECT_EQ(one.digests(), two.digests());
    for (SlotId slot = 0; slot < 600; slot = static_cast<SlotId>(slot + 100)) {
      EXPECT_EQ(OwnersOf(one, slot), OwnersOf(two, slot));
      EXPECT_EQ(one.RecordsOf(slot), two.RecordsOf(slot));
      EXPECT_EQ(one.InServiceCount(slot), two.InServiceCount(slot));
    }
  }
}

TEST(SeatsTest, RecordsSurviveTheWireAndNothingElseIsTaken) {
  std::mt19937_64 random(TestSeed());
  for (const SeatRecord& record : RandomRecords(&random)) {
    std::string bytes;
    Encoder out(&bytes);
    EncodeSeatRecord(record, &out);
    Decoder in(bytes);
    EXPECT_EQ(DecodeSeatRecord(&in), record);
    EXPECT_TRUE(in.done());
  }
  for (const SeatRecord& wrong :
       {SeatRecord{3, 0, {0, NodeId{1}, true, {}}}, SeatRecord{3, 0, {1, {}, true, {}}},
        SeatRecord{3, 64, {1, NodeId{1}, true, {}}}}) {
    std::string bytes;
    Encoder out(&bytes);
    EncodeSeatRecord(wrong, &out);
    Decoder in(bytes);
    DecodeSeatRecord(&in);
    EXPECT_FALSE(in.ok());
  }
}

TEST(SeatsTest, ANewcomerTakesTheSeatOfWhoIsNotWantedAnyMore) {
  SeatTable seats;
  const auto founders = RingOf({1, 2, 3}, 3);
  const auto wanted = RingOf({1, 2, 3, 4}, 3);
  seats.SetFounders(founders);
  size_t moved = 0;
  for (SlotId slot = 0; slot < kSlotCount; ++slot) {
    const auto handovers = PlanHandovers(seats, slot, wanted->Homes(slot));
    if (!wanted->IsHome(slot, NodeId{4})) {
      EXPECT_TRUE(handovers.empty());
      continue;
    }
    ++moved;
    ASSERT_EQ(handovers.size(), 1u);
    EXPECT_EQ(handovers[0].taker, NodeId{4});
    EXPECT_FALSE(wanted->IsHome(slot, handovers[0].giver));
    seats.Merge({slot, handovers[0].index, {1, NodeId{4}, true, handovers[0].giver}});
    EXPECT_TRUE(PlanHandovers(seats, slot, wanted->Homes(slot)).empty());
  }
  EXPECT_EQ(moved, wanted->HomeCount(NodeId{4}));
}

TEST(SeatsTest, SeatsAreAddedOneAtATime) {
  SeatTable seats;
  seats.SetFounders(RingOf({1}, 3));
  const auto wanted = RingOf({1, 2, 3}, 3);
  auto handovers = PlanHandovers(seats, 7, wanted->Homes(7));
  ASSERT_EQ(handovers.size(), 1u);
  EXPECT_TRUE(handovers[0].is_new);
  EXPECT_EQ(handovers[0].giver, NodeId{1});
  const NodeId second = handovers[0].taker;
  seats.Merge({7, 1, {1, second, false, NodeId{1}}});
  EXPECT_EQ(seats.SeatCount(7), 2u);
  EXPECT_EQ(seats.ReadSeats(7), 1u);
  EXPECT_TRUE(PlanHandovers(seats, 7, wanted->Homes(7)).empty());
  seats.Merge({7, 1, {1, second, true, NodeId{1}}});
  EXPECT_EQ(seats.ReadSeats(7), 2u);
  handovers = PlanHandovers(seats, 7, wanted->Homes(7));
  ASSERT_EQ(handovers.size(), 1u);
  EXPECT_EQ(handovers[0].index, 2);
}

TEST(SeatsTest, ASecondSeatOfOneOwnerGoesToTheNextWanted) {
  SeatTable seats;
  const auto ring = RingOf({1, 2, 3}, 3);
  seats.SetFounders(ring);
  const auto homes = ring->Homes(9);
  seats.Merge({9, 2, {1, homes[0], true, homes[2]}});
  EXPECT_EQ(seats.SeatCount(9), 2u);
  const auto handovers = PlanHandovers(seats, 9, homes);
  ASSERT_EQ(handovers.size(), 1u);
  EXPECT_EQ(handovers[0].index, 2);
  EXPECT_EQ(handovers[0].taker, homes[2]);
}

}  // namespace
}  // namespace orrery::replication
