#include "orrery/replication/parked_requests.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace orrery::replication {
namespace {

Request Waiting(std::string place, const std::vector<std::string>& keys, SlotId slot = 7, uint8_t db = 0) {
  Request request;
  request.slot = slot;
  request.db = db;
  request.place = std::move(place);
  request.args.Append("orrery.ready");
  request.args.Append("list");
  for (const std::string& key : keys) request.args.Append(key);
  return request;
}

std::vector<std::string> PlacesOf(const std::vector<const Request*>& requests) {
  std::vector<std::string> places;
  for (const Request* request : requests) places.push_back(request->place);
  return places;
}

const Callback kNobody = [](const Response&) {};

TEST(ParkedRequests, OnlyTheFirstOfEachKeyIsAsked) {
  ParkedRequests parked;
  parked.Park(Waiting("2", {"a", "b"}), kNobody, 100);
  parked.Park(Waiting("1", {"a"}), kNobody, 100);
  parked.Park(Waiting("3", {"a", "b"}), kNobody, 100);
  EXPECT_EQ(PlacesOf(parked.Candidates(7)), (std::vector<std::string>{"1", "2"}));
}

TEST(ParkedRequests, AskedAgainOnlyAfterAChange) {
  ParkedRequests parked;
  parked.Park(Waiting("1", {"a"}), kNobody, 100);
  EXPECT_TRUE(parked.IsTouched(7));
  parked.Candidates(7);
  EXPECT_FALSE(parked.IsTouched(7));
  parked.Touch(7);
  EXPECT_TRUE(parked.IsTouched(7));
  parked.Touch(8);
  EXPECT_FALSE(parked.IsTouched(8));
}

TEST(ParkedRequests, ACalledOneKeepsItsKeysFromThoseBehindIt) {
  ParkedRequests parked;
  parked.Park(Waiting("1", {"a"}), kNobody, 100);
  parked.Park(Waiting("2", {"a"}), kNobody, 100);
  EXPECT_TRUE(parked.Call(7, "1", 0));
  parked.Touch(7);
  EXPECT_TRUE(parked.Candidates(7).empty());
  EXPECT_TRUE(parked.IsHeld(Waiting("2", {}), "a"));
  EXPECT_TRUE(parked.IsHeld(Waiting("3", {}), "a"));
  EXPECT_FALSE(parked.IsHeld(Waiting("1", {}), "a"));
  EXPECT_FALSE(parked.IsHeld(Waiting("0", {}), "a"));
  EXPECT_FALSE(parked.IsHeld(Waiting("3", {}), "b"));
  EXPECT_FALSE(parked.IsHeld(Waiting("3", {}, 7, 1), "a")) << "a key of another database";

  EXPECT_FALSE(parked.Leave(7, "1")) << "it was called already";
  EXPECT_EQ(PlacesOf(parked.Candidates(7)), std::vector<std::string>{"2"});
}

TEST(ParkedRequests, ACalledOneThatNeverComesLosesItsPlace) {
  ParkedRequests parked;
  parked.Park(Waiting("1", {"a"}), kNobody, 100);
  parked.Park(Waiting("2", {"a"}), kNobody, 10'000'000);
  parked.Call(7, "1", 1'000);
  EXPECT_TRUE(parked.TakeLate(1'000 + ParkedRequests::kPatienceUs - 1).empty());
  parked.Candidates(7);
  EXPECT_TRUE(parked.TakeLate(1'000 + ParkedRequests::kPatienceUs).empty()) << "nobody is left to be told";
  EXPECT_TRUE(parked.IsTouched(7));
  EXPECT_EQ(PlacesOf(parked.Candidates(7)), std::vector<std::string>{"2"});
}

TEST(ParkedRequests, LeaveWhenTheirTimeIsOver) {
  ParkedRequests parked;
  parked.Park(Waiting("1", {"a"}), kNobody, 100);
  parked.Park(Waiting("2", {"b"}, 9), kNobody, 200);
  EXPECT_EQ(parked.TakeLate(99).size(), 0u);
  EXPECT_EQ(parked.TakeLate(100).size(), 1u);
  EXPECT_EQ(parked.slots(), std::vector<SlotId>{9});
  EXPECT_EQ(parked.TakeLate(200).size(), 1u);
  EXPECT_TRUE(parked.empty());
}

TEST(ParkedRequests, AKeyNamedTwiceIsOne) {
  ParkedRequests parked;
  parked.Park(Waiting("1", {"a", "a"}), kNobody, 100);
  EXPECT_EQ(PlacesOf(parked.Candidates(7)), std::vector<std::string>{"1"});
  EXPECT_TRUE(parked.Leave(7, "1"));
  EXPECT_TRUE(parked.empty());
  EXPECT_FALSE(parked.IsHeld(Waiting("2", {}), "a"));
}

TEST(ParkedRequests, AllOfASlotAreSentAwayAndNothingIsHeldAfterwards) {
  ParkedRequests parked;
  parked.Park(Waiting("1", {"a"}), kNobody, 100);
  parked.Park(Waiting("2", {"a"}), kNobody, 100);
  parked.Park(Waiting("3", {"x"}, 8), kNobody, 100);
  parked.Call(7, "1", 0);
  EXPECT_EQ(parked.LeaveAll(7).size(), 1u);
  EXPECT_FALSE(parked.IsHeld(Waiting("9", {}), "a"));
  EXPECT_EQ(parked.slots(), std::vector<SlotId>{8});
}

}  // namespace
}  // namespace orrery::replication
