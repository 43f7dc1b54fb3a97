// Invariants of values that RESTORE takes: whatever the bytes are, reading ends and stays in them; what is
// read is written and read back the same; and a HyperLogLog's registers, read from any text, have one text.

#include <string>

#include "fuzz/fuzz_target.h"
#include "orrery/base/check.h"
#include "orrery/types/dump.h"
#include "orrery/types/hyperloglog.h"

namespace orrery::types {
namespace {

using namespace std::string_literals;

bool AreSame(const DumpValue& a, const DumpValue& b) {
  if (a.type != b.type || a.text != b.text || a.elements != b.elements) return false;
  if (a.scored.size() != b.scored.size()) return false;
  for (size_t i = 0; i < a.scored.size(); ++i) {
    if (a.scored[i].member != b.scored[i].member || a.scored[i].score != b.scored[i].score) return false;
  }
  return true;
}

void CheckDump(const std::string& body) {
  const std::string dump = SealDump(body);
  ORRERY_CHECK(DumpIsSound(dump));
  const auto value = ReadDump(dump);
  if (!value) return;
  const std::string written = WriteDump(*value);
  ORRERY_CHECK(DumpIsSound(written));
  const auto again = ReadDump(written);
  ORRERY_CHECK(again && AreSame(*value, *again));
}

void CheckHyperLogLog(std::string_view text) {
  if (!HyperLogLog::LooksLikeOne(text)) return;
  const auto parsed = HyperLogLog::Parse(text);
  if (!parsed) return;
  parsed->Count();
  const std::string written = parsed->Text();
  const auto again = HyperLogLog::Parse(written);
  ORRERY_CHECK(again && again->Text() == written && again->Count() == parsed->Count());
}

std::string BodyOf(const DumpValue& value) {
  const std::string dump = WriteDump(value);
  return dump.substr(0, dump.size() - 10);
}

}  // namespace
}  // namespace orrery::types

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace orrery::types;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  DumpIsSound(bytes);
  CheckDump(bytes);
  CheckHyperLogLog(bytes);
  return 0;
}

orrery::fuzz::Seeds orrery::fuzz::MakeSeeds() {
  using namespace orrery::types;
  Seeds seeds;
  seeds.inputs = {BodyOf({KeyType::kString, "hello", {}, {}}),
                  BodyOf({KeyType::kString, std::string(500, 'x') + "end", {}, {}}),
                  BodyOf({KeyType::kHash, {}, {"f", "1", "g", "a longer value", "h", "70000"}, {}}),
                  BodyOf({KeyType::kList, {}, {"a", "b", "a", "2147483648"}, {}}),
                  BodyOf({KeyType::kZset, {}, {}, {{"a", 1}, {"b", -2.5}}}),
                  // a hash in a listpack, and in a ziplist
                  "\x10\x0e\x0e\x00\x00\x00\x02\x00\x81"s + "f\x02\x82v1\x03\xff",
                  "\x0d\x13\x13\x00\x00\x00\x11\x00\x00\x00\x02\x00\x00\x05"s + "field\x07\xf6\xff"s,
                  // an intset, a list of one plain node and one listpack, a zipmap, scores as text
                  "\x0b\x0c\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\x02\x00"s,
                  "\x12\x02\x01\x05plain\x02\x09\x09\x00\x00\x00\x01\x00\x05\x01\xff"s,
                  "\x09\x0b\x01\x01"s + "f\x02\x03v1???\xff", "\x03\x02\x01"s + "a\x03" + "1.5\x01" + "b\xfe",
                  HyperLogLog().Text()};
  seeds.tokens = {"\x00"s,
                  "\x01"s,
                  "\xff"s,
                  "\xfe"s,
                  "\x80\x00\x00\x00\x05"s,
                  "\x81"s + std::string(8, '\0'),
                  "\xc3\x05"s,
                  "\xc0\x07"s,
                  "\xc2\x00\x00"s,
                  "\x12"s,
                  "\x0e"s,
                  "\x0a"s,
                  "\x7f\xff"s,
                  "\xf0\x01"s,
                  "\x40\x01"s,
                  "HYLL"s};
  return seeds;
}
