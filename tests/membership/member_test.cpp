#include "orrery/membership/member.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sample_members.h"

namespace orrery::membership {
namespace {

std::string Encoded(const Member& member) {
  std::string bytes;
  Encoder out(&bytes);
  EncodeMember(member, &out);
  return bytes;
}

std::string Encoded(const MembershipMap& map) {
  std::string bytes;
  Encoder out(&bytes);
  map.Encode(&out);
  return bytes;
}

bool Decodes(std::string_view bytes) {
  Decoder in(bytes);
  DecodeMember(&in);
  return in.done();
}

TEST(MemberTest, ReadsBackWhatItWrote) {
  Member member = SampleMember(7, 9);
  member.weight = 0xffffffff;
  member.token_seed = 12345;
  member.state = MemberState::kLeaving;
  member.incarnation = ~uint64_t{0};
  member.has_data = true;
  member.protocol_max = 3;
  const std::string bytes = Encoded(member);
  Decoder in(bytes);
  EXPECT_EQ(DecodeMember(&in), member);
  EXPECT_TRUE(in.done());
}

TEST(MemberTest, EveryTruncationFails) {
  const std::string bytes = Encoded(SampleMember(7));
  for (size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(Decodes(bytes.substr(0, n))) << n;
}

TEST(MemberTest, RefusesWhatCannotHaveBeenWritten) {
  const auto refused = [](auto spoil) {
    Member member = SampleMember(7);
    spoil(&member);
    return !Decodes(Encoded(member));
  };
  EXPECT_FALSE(refused([](Member*) {}));
  EXPECT_TRUE(refused([](Member* m) { m->id = NodeId{}; }));
  EXPECT_TRUE(refused([](Member* m) { m->host = std::string(kHostBytesMax + 1, 'h'); }));
  EXPECT_TRUE(refused([](Member* m) { m->zone = std::string(kZoneBytesMax + 1, 'z'); }));
  EXPECT_TRUE(refused([](Member* m) { m->state = static_cast<MemberState>(0); }));
  EXPECT_TRUE(refused([](Member* m) { m->state = static_cast<MemberState>(5); }));
  EXPECT_TRUE(refused([](Member* m) { m->version = kVersionEnd; }));
}

// Every byte string either fails or is the only encoding of what it decodes to.
TEST(MemberTest, MangledBytesFailOrMeanWhatTheySay) {
  const uint64_t seed = runtime::SystemSeed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  runtime::SeededRandom random(seed);
  const std::string bytes = Encoded(SampleMember(7));
  for (int i = 0; i < 20000; ++i) {
    std::string mangled = bytes;
    mangled[random.Below(mangled.size())] = static_cast<char>(random.Below(256));
    mangled[random.Below(mangled.size())] = static_cast<char>(random.Below(256));
    Decoder in(mangled);
    const Member member = DecodeMember(&in);
    if (in.done()) {
      ASSERT_EQ(Encoded(member), mangled);
    }
  }
}

TEST(MemberTest, TheGreaterVersionCounts) {
  MembershipMap map;
  Member member = SampleMember(1, 5);
  EXPECT_TRUE(map.Merge(member));
  EXPECT_FALSE(map.Merge(member));
  member.version = 4;
  member.host = "elsewhere";
  EXPECT_FALSE(map.Merge(member));
  member.version = 6;
  EXPECT_TRUE(map.Merge(member));
  EXPECT_EQ(map.Find(NodeId{1})->host, "elsewhere");
  EXPECT_EQ(map.Find(NodeId{2}), nullptr);
}

TEST(MemberTest, ARemovalIsFinal) {
  MembershipMap map;
  map.Merge(SampleMember(1, 5));
  EXPECT_TRUE(map.Merge(RemovalOf(*map.Find(NodeId{1}))));
  EXPECT_FALSE(map.Merge(SampleMember(1, 100)));
  EXPECT_EQ(map.Find(NodeId{1})->state, MemberState::kRemoved);
  EXPECT_EQ(map.List().size(), 1u);
  EXPECT_TRUE(map.Present().empty());

  MembershipMap other;
  other.Merge(SampleMember(1, 100));
  EXPECT_TRUE(other.Merge(*map.Find(NodeId{1})));
  EXPECT_EQ(other.Hash(), map.Hash());
}

TEST(MembershipMapTest, MergeCommutesAssociatesAndRepeatsHarmlessly) {
  const uint64_t seed = runtime::SystemSeed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  runtime::SeededRandom random(seed);
  for (int round = 0; round < 500; ++round) {
    std::vector<Member> entries;
    for (uint64_t n = random.Below(12); n > 0; --n) entries.push_back(RandomMember(&random));
    MembershipMap in_order;
    for (const Member& entry : entries) in_order.Merge(entry);
    for (int again = 0; again < 3; ++again) {
      // Any order and grouping, with repetitions: two halves merged apart, then together.
      std::vector<Member> mixed = entries;
      if (!entries.empty()) mixed.push_back(entries[random.Below(entries.size())]);
      for (size_t i = mixed.size(); i > 1; --i) std::swap(mixed[i - 1], mixed[random.Below(i)]);
      MembershipMap left, right;
      for (size_t i = 0; i < mixed.size(); ++i) (i % 2 == 0 ? left : right).Merge(mixed[i]);
      for (const Member& entry : right.List()) left.Merge(entry);
      ASSERT_EQ(left.entries(), in_order.entries());
      ASSERT_EQ(left.Hash(), in_order.Hash());
      for (const Member& entry : right.List()) ASSERT_FALSE(left.Merge(entry));
    }
  }
}

TEST(MembershipMapTest, SupersedesIsATotalOrder) {
  const uint64_t seed = runtime::SystemSeed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  runtime::SeededRandom random(seed);
  const auto entry = [&] {
    Member member = RandomMember(&random);
    member.id = NodeId{1};
    return member;
  };
  for (int i = 0; i < 5000; ++i) {
    const Member a = entry(), b = entry(), c = entry();
    ASSERT_EQ(Supersedes(a, b) || Supersedes(b, a), !(a == b));
    ASSERT_FALSE(Supersedes(a, b) && Supersedes(b, a));
    if (Supersedes(a, b) && Supersedes(b, c)) {
      ASSERT_TRUE(Supersedes(a, c));
    }
  }
}

TEST(MembershipMapTest, HashTellsMapsApart) {
  MembershipMap a, b;
  EXPECT_EQ(a.Hash(), b.Hash());
  a.Merge(SampleMember(1));
  EXPECT_NE(a.Hash(), b.Hash());
  b.Merge(SampleMember(1, 2));
  EXPECT_NE(a.Hash(), b.Hash());
  a.Merge(SampleMember(1, 2));
  EXPECT_EQ(a.Hash(), b.Hash());
}

TEST(MembershipMapTest, ReadsBackWhatItWroteAndNothingLess) {
  MembershipMap map;
  for (uint64_t id : {5, 1, 9}) map.Merge(SampleMember(id));
  const std::string bytes = Encoded(map);
  Decoder in(bytes);
  const MembershipMap read = MembershipMap::Decode(&in);
  EXPECT_TRUE(in.done());
  EXPECT_EQ(read.entries(), map.entries());
  EXPECT_EQ(read.Hash(), map.Hash());
  for (size_t n = 0; n < bytes.size(); ++n) {
    Decoder cut(std::string_view(bytes).substr(0, n));
    EXPECT_EQ(MembershipMap::Decode(&cut).size(), 0u);
    EXPECT_FALSE(cut.ok()) << n;
  }
}

TEST(MembershipMapTest, RefusesEntriesOutOfOrderAndHostileCounts) {
  std::string bytes;
  Encoder out(&bytes);
  out.PutVarint(2);
  EncodeMember(SampleMember(2), &out);
  EncodeMember(SampleMember(2), &out);
  Decoder twice(bytes);
  MembershipMap::Decode(&twice);
  EXPECT_FALSE(twice.ok());

  bytes.clear();
  out.PutVarint(uint64_t{1} << 60);
  Decoder many(bytes);
  MembershipMap::Decode(&many);
  EXPECT_FALSE(many.ok());
}

}  // namespace
}  // namespace orrery::membership
