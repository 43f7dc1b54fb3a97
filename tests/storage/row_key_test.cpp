#include "orrery/storage/row_key.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "storage/test_random.h"

namespace orrery::storage {
namespace {

using std::string_literals::operator""s;

constexpr RowTag kAllTags[] = {RowTag::kHead, RowTag::kString, RowTag::kHash,  RowTag::kSet,
                               RowTag::kZset, RowTag::kList,   RowTag::kStream};

// Few distinct bytes, those that matter to the escaping among them, so that prefixes and near misses are
// common.
std::string RandomBytes(TestRandom* random, size_t longest) {
  static const std::string kAlphabet = "\x00\x00\x01\xfe\xff"s + "ab";
  return random->Bytes(longest, kAlphabet);
}

RowTag RandomTag(TestRandom* random) {
  return kAllTags[random->Below(std::size(kAllTags))];
}

TEST(RowKeyTest, HasTheDocumentedBytes) {
  const std::string encoded = EncodeRowKey({3, "a\0b"s, RowTag::kHash, "field"});
  const std::string order = OrderPrefix(3, KeyOrder("a\0b"s));
  EXPECT_EQ(order.size(), 7u);
  EXPECT_EQ(encoded, order + "a\0\xff"s + "b\0\x01\x02"s + "field");
  EXPECT_EQ(EncodeRowKey(0x1234, {3, "a\0b"s, RowTag::kHash, "field"}), "\x12\x34" + encoded);
  EXPECT_EQ(WithSlot(0x1234, encoded), SlotPrefix(0x1234) + encoded);
}

TEST(RowKeyTest, OrdersByDatabaseThenHashThenKeyThenTagThenElement) {
  EXPECT_LT(EncodeRowKey({0, "x", RowTag::kStream, "z"}), EncodeRowKey({1, "a", RowTag::kHead, ""}));
  EXPECT_LT(EncodeRowKey({0, "x", RowTag::kHash, "z"}), EncodeRowKey({0, "x", RowTag::kSet, "a"}));
  EXPECT_LT(EncodeRowKey({0, "x", RowTag::kHash, "a"}), EncodeRowKey({0, "x", RowTag::kHash, "ab"}));
  EXPECT_LT(EncodeRowKey({0, "x", RowTag::kHash, "a"}), EncodeRowKey({0, "x", RowTag::kHash, "b\0"s}));
  for (int i = 0; i < 100; ++i) {
    const std::string a = "key" + std::to_string(i), b = "key" + std::to_string(i + 1);
    EXPECT_EQ(KeyPrefix(0, a) < KeyPrefix(0, b), KeyOrder(a) < KeyOrder(b));
    EXPECT_LE(OrderPrefix(0, KeyOrder(a)), KeyPrefix(0, a));
    EXPECT_GT(OrderPrefix(0, KeyOrder(a) + 1), EncodeRowKey({0, a, RowTag::kStream, "\xff\xff"}));
  }
}

TEST(RowKeyTest, EscapingKeepsTheOrderOfKeysWithEqualHashes) {
  // Keys with equal hashes cannot be had cheaply; compare what follows the hash.
  const auto tail = [](std::string_view key) { return KeyPrefix(0, key).substr(7); };
  const std::vector<std::string> ascending = {"",     "\0"s, "\0\0"s, "\0\x01"s, "\0\xff"s,
                                              "\x01", "a",   "a\0"s,  "a\x01",   "b"};
  for (size_t i = 0; i + 1 < ascending.size(); ++i)
    EXPECT_LT(tail(ascending[i]), tail(ascending[i + 1])) << i;
}

TEST(RowKeyTest, ParsesWhatItEncoded) {
  TestRandom random;
  for (int i = 0; i < 20000; ++i) {
    const std::string key = RandomBytes(&random, 12), element = RandomBytes(&random, 12);
    const RowKey row_key{static_cast<uint8_t>(random.Below(256)), key, RandomTag(&random), element};
    const auto parsed = ParseRowKey(EncodeRowKey(row_key));
    ASSERT_TRUE(parsed.has_value());
    ASSERT_EQ(parsed->db, row_key.db);
    ASSERT_EQ(parsed->order, KeyOrder(key));
    ASSERT_EQ(parsed->key, key);
    ASSERT_EQ(parsed->tag, row_key.tag);
    ASSERT_EQ(parsed->element, element);
  }
}

TEST(RowKeyTest, KeyPrefixStandsBeforeExactlyTheRowsOfItsKey) {
  TestRandom random;
  for (int i = 0; i < 20000; ++i) {
    const std::string a = RandomBytes(&random, 4), b = RandomBytes(&random, 4);
    const auto db = static_cast<uint8_t>(random.Below(2)), other_db = static_cast<uint8_t>(random.Below(2));
    const RowTag tag = RandomTag(&random), other_tag = RandomTag(&random);
    const std::string row = EncodeRowKey({other_db, b, other_tag, RandomBytes(&random, 4)});
    const bool same_key = db == other_db && a == b;
    ASSERT_EQ(row.starts_with(KeyPrefix(db, a)), same_key);
    ASSERT_EQ(row.starts_with(TagPrefix(db, a, tag)), same_key && tag == other_tag);
    ASSERT_EQ(row.starts_with(DbPrefix(db)), db == other_db);
    ASSERT_EQ(row.starts_with(OrderPrefix(db, KeyOrder(a))), db == other_db && KeyOrder(a) == KeyOrder(b));
  }
}

TEST(RowKeyTest, DistinctRowsHaveDistinctBytes) {
  TestRandom random;
  std::map<std::string, std::tuple<std::string, RowTag, std::string>> seen;
  for (int i = 0; i < 20000; ++i) {
    const std::string key = RandomBytes(&random, 3), element = RandomBytes(&random, 3);
    const RowTag tag = RandomTag(&random);
    const auto row = std::make_tuple(key, tag, element);
    const auto [it, added] = seen.emplace(EncodeRowKey({0, key, tag, element}), row);
    ASSERT_EQ(it->second, row);
  }
}

TEST(RowKeyTest, RefusesBytesThatItNeverWrites) {
  const std::string good = EncodeRowKey({0, "a\0b"s, RowTag::kHash, ""});
  for (size_t n = 0; n < good.size(); ++n) EXPECT_FALSE(ParseRowKey(good.substr(0, n))) << n;

  std::string wrong_hash = good;
  wrong_hash[3] = static_cast<char>(wrong_hash[3] ^ 1);
  EXPECT_FALSE(ParseRowKey(wrong_hash));

  std::string unknown_tag = good;
  unknown_tag.back() = 7;
  EXPECT_FALSE(ParseRowKey(unknown_tag));

  EXPECT_FALSE(ParseRowKey(OrderPrefix(0, KeyOrder("a\0b"s)) + "a\0b\0\x01\x02"s));
}

TEST(RowKeyTest, ChangedBytesNeitherParseNorEncodeDifferently) {
  TestRandom random;
  int accepted = 0;
  for (int i = 0; i < 50000; ++i) {
    std::string bytes =
        EncodeRowKey({0, RandomBytes(&random, 4), RandomTag(&random), RandomBytes(&random, 4)});
    bytes[random.Below(bytes.size())] = static_cast<char>(random.OneIn(4) ? 0xff : random.Below(3));
    const auto parsed = ParseRowKey(bytes);
    if (!parsed) continue;
    ++accepted;
    ASSERT_EQ(EncodeRowKey({parsed->db, parsed->key, parsed->tag, parsed->element}), bytes);
  }
  EXPECT_GT(accepted, 0);
}

}  // namespace
}  // namespace orrery::storage
