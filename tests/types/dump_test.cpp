// What RESTORE reads of a real Redis is in the commands' transcripts, older forms included. Here: what DUMP
// writes is read as it was, and broken bytes are refused.

#include "orrery/types/dump.h"

#include <gtest/gtest.h>

#include <limits>

#include "orrery/base/codec.h"
#include "types/crc64.h"
#include "types/packed_list.h"

namespace orrery::types {
namespace {

using namespace std::string_literals;

DumpValue Text(std::string text) {
  DumpValue value{KeyType::kString, std::move(text), {}, {}};
  return value;
}

void ExpectReadAsWritten(const DumpValue& value) {
  const std::string dump = WriteDump(value);
  ASSERT_TRUE(DumpIsSound(dump));
  const auto read = ReadDump(dump);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->type, value.type);
  EXPECT_EQ(read->text, value.text);
  EXPECT_EQ(read->elements, value.elements);
  ASSERT_EQ(read->scored.size(), value.scored.size());
  for (size_t i = 0; i < value.scored.size(); ++i) {
    EXPECT_EQ(read->scored[i].member, value.scored[i].member);
    EXPECT_EQ(read->scored[i].score, value.scored[i].score);
  }
}

bool Reads(const std::string& body) {
  return ReadDump(SealDump(body)).has_value();
}

/// A string of less than 64 bytes.
std::string Short(const std::string& text) {
  return static_cast<char>(text.size()) + text;
}

std::string Listpack(const std::string& entries, uint16_t count) {
  std::string bytes;
  Encoder out(&bytes);
  out.PutU32(static_cast<uint32_t>(entries.size() + 7));
  out.PutU16(count);
  return bytes + entries + "\xff";
}

TEST(Crc64Test, HasTheCheckValueOfItsAuthor) {
  EXPECT_EQ(Crc64Jones("123456789"), 0xe9c6d914c4b8d9ca);
  EXPECT_EQ(Crc64Jones(""), 0u);
}

TEST(DumpTest, ATextHasTheBytesOfRedis) {
  // DUMP of "hello", 7 and 300 in Redis 7.0.15, without the checksums.
  EXPECT_EQ(WriteDump(Text("hello")).substr(0, 9), "\x00\x05hello\x0a\x00"s);
  EXPECT_EQ(WriteDump(Text("7")).substr(0, 5), "\x00\xc0\x07\x0a\x00"s);
  EXPECT_EQ(WriteDump(Text("300")).substr(0, 6), "\x00\xc1\x2c\x01\x0a\x00"s);
}

TEST(DumpTest, TextsAreReadAsWritten) {
  std::string pattern;
  for (int i = 0; i < 5'000; ++i) pattern.push_back(static_cast<char>(i * i >> 3));
  for (const std::string& text : {""s,
                                  "0"s,
                                  "-1"s,
                                  "007"s,
                                  "-0"s,
                                  "+1"s,
                                  "127"s,
                                  "-128"s,
                                  "128"s,
                                  "32767"s,
                                  "-32769"s,
                                  "2147483647"s,
                                  "-2147483648"s,
                                  "2147483648"s,
                                  "-9223372036854775808"s,
                                  "99999999999"s,
                                  std::string(20, 'a'),
                                  std::string(21, 'a'),
                                  std::string(63, 'b'),
                                  std::string(64, 'b'),
                                  std::string(16'383, 'c'),
                                  std::string(16'384, 'c'),
                                  std::string(1'000'000, 'd'),
                                  pattern,
                                  pattern.substr(0, 63),
                                  pattern.substr(0, 64)}) {
    ExpectReadAsWritten(Text(text));
  }
}

TEST(DumpTest, LongUniformTextsAreCompressed) {
  EXPECT_LT(WriteDump(Text(std::string(1'000'000, 'x'))).size(), 20'000u);
}

TEST(DumpTest, CollectionsAreReadAsWritten) {
  for (const size_t n : {1u, 5u, 63u, 64u, 20'000u}) {
    DumpValue list{KeyType::kList, {}, {}, {}};
    DumpValue hash{KeyType::kHash, {}, {}, {}};
    DumpValue zset{KeyType::kZset, {}, {}, {}};
    for (size_t i = 0; i < n; ++i) {
      list.elements.push_back(std::to_string(i % 7));
      hash.elements.push_back("field " + std::to_string(i));
      hash.elements.push_back(std::string(i % 100, 'v'));
      zset.scored.push_back({std::to_string(i), static_cast<double>(i) / 3});
    }
    DumpValue set{KeyType::kSet, {}, {}, {}};
    for (size_t i = 0; i < n; ++i) set.elements.push_back(hash.elements[2 * i]);
    for (const DumpValue& value : {list, hash, zset, set}) ExpectReadAsWritten(value);
  }
}

TEST(DumpTest, ExtremeScoresAreKept) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  ExpectReadAsWritten(
      {KeyType::kZset,
       {},
       {},
       {{"a", kInfinity}, {"b", -kInfinity}, {"c", 5e-324}, {"d", 1.7976931348623157e308}, {"e", 0.1}}});
}

TEST(DumpTest, OfAChangedByteTheChecksumTells) {
  const std::string dump = WriteDump({KeyType::kSet, {}, {"a", "b", "c"}, {}});
  for (size_t i = 0; i < dump.size(); ++i) {
    std::string changed = dump;
    changed[i] = static_cast<char>(changed[i] ^ 4);
    EXPECT_FALSE(DumpIsSound(changed)) << i;
  }
  for (size_t size = 0; size < dump.size(); ++size) EXPECT_FALSE(DumpIsSound(dump.substr(0, size)));
}

TEST(DumpTest, OlderVersionsAreReadAndNewerOnesAreNot) {
  EXPECT_TRUE(DumpIsSound(SealDump("\x00\x01x"s, 1)));
  EXPECT_TRUE(DumpIsSound(SealDump("\x00\x01x"s, kDumpVersion)));
  EXPECT_FALSE(DumpIsSound(SealDump("\x00\x01x"s, kDumpVersion + 1)));
}

TEST(DumpTest, WhatIsCutOffIsRefused) {
  for (const DumpValue& value : {Text("hello"), Text(std::string(1'000, 'x')),
                                 DumpValue{KeyType::kHash, {}, {"f", "1", "g", "word"}, {}},
                                 DumpValue{KeyType::kZset, {}, {}, {{"a", 1}, {"b", 2}}}}) {
    const std::string dump = WriteDump(value);
    const std::string body = dump.substr(0, dump.size() - 10);
    ASSERT_TRUE(Reads(body));
    for (size_t size = 0; size < body.size(); ++size) EXPECT_FALSE(Reads(body.substr(0, size))) << size;
    EXPECT_FALSE(Reads(body + "x"));
  }
}

TEST(DumpTest, WhatNoCommandMakesIsRefused) {
  EXPECT_FALSE(Reads("\x02\x00"s));                                // an empty set
  EXPECT_FALSE(Reads("\x01\x00"s));                                // an empty list
  EXPECT_FALSE(Reads("\x02\x02\x01"s + "a\x01" + "a"));            // a member twice
  EXPECT_FALSE(Reads("\x04\x02\x01"s + "f\x01v\x01" + "f\x01w"));  // a field twice
  EXPECT_FALSE(Reads("\x0f"s + Short("x")));                       // a stream
  EXPECT_FALSE(Reads("\x07"s + Short("x")));                       // a module's value
  std::string not_a_number = "\x05\x01\x01"s + "a";
  Encoder(&not_a_number).PutU64(0x7ff8000000000000);
  EXPECT_FALSE(Reads(not_a_number));
}

// Counts and lengths far beyond the input take neither memory nor time.
TEST(DumpTest, HostileLengthsAreRefused) {
  const std::string huge = "\x81\x7f\xff\xff\xff\xff\xff\xff\xff";
  for (const int form : {0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14, 16, 17, 18}) {
    EXPECT_FALSE(Reads(static_cast<char>(form) + huge));
    EXPECT_FALSE(Reads(static_cast<char>(form) + "\x01"s + huge));
  }
  EXPECT_FALSE(Reads("\x00\xc3\x01"s + huge + "x"));
  EXPECT_FALSE(Reads("\x00\xc3\x05\x80\x1f\xff\xff\xff"s + "12345"));
  EXPECT_FALSE(Reads("\x00\xc3"s + huge + huge));
}

TEST(PackedListTest, ListpacksAreCheckedToTheLastByte) {
  EXPECT_EQ(ReadListpack(Listpack("\x81"
                                  "a\x02\x05\x01",
                                  2)),
            (Entries{"a", "5"}));
  EXPECT_EQ(ReadListpack(Listpack("", 0)), Entries());
  EXPECT_EQ(ReadListpack(Listpack("\x05\x01", 65'535)), Entries{"5"});
  EXPECT_EQ(ReadListpack(Listpack("\xdf\xff\x02", 1)), Entries{"-1"});
  EXPECT_FALSE(ReadListpack(Listpack("\x05\x01", 2)));  // another number of entries
  EXPECT_FALSE(ReadListpack(Listpack("\x05\x02", 1)));  // another length behind it
  EXPECT_FALSE(ReadListpack(Listpack("\xf5\x01", 1)));  // no such entry
  EXPECT_FALSE(
      ReadListpack(Listpack("\x8a"
                            "a\x02",
                            1)));  // longer than what is there
  EXPECT_FALSE(ReadListpack(Listpack("\x05\x01", 1) + "x"));
  EXPECT_FALSE(ReadListpack(Listpack("\x05\x01", 1).substr(0, 8)));
  EXPECT_FALSE(ReadListpack(""));
}

TEST(PackedListTest, IntsetsAscend) {
  const auto intset = [](uint32_t width, uint32_t count, const std::string& values) {
    std::string bytes;
    Encoder out(&bytes);
    out.PutU32(width);
    out.PutU32(count);
    return bytes + values;
  };
  EXPECT_EQ(ReadIntset(intset(2, 2, "\xff\xff\x05\x00"s)), (Entries{"-1", "5"}));
  EXPECT_FALSE(ReadIntset(intset(2, 2, "\x05\x00\xff\xff"s)));
  EXPECT_FALSE(ReadIntset(intset(2, 2, "\x05\x00\x05\x00"s)));
  EXPECT_FALSE(ReadIntset(intset(3, 1, "\x05\x00\x00"s)));
  EXPECT_FALSE(ReadIntset(intset(2, 3, "\x05\x00"s)));
  EXPECT_FALSE(ReadIntset(intset(8, 0x20000001, "12345678")));
}

}  // namespace
}  // namespace orrery::types
