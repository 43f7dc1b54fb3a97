#include "orrery/types/key_summary.h"

#include <algorithm>

#include "orrery/base/codec.h"

namespace orrery::types {

using storage::Table;

namespace {

constexpr uint8_t kStringFlag = 1;
constexpr uint8_t kHeadFlag = 2;

}  // namespace

uint64_t KeySummary::elements() const {
  uint64_t sum = 0;
  for (const TagSummary& tag : tags) sum += tag.elements;
  return sum;
}

bool KeySummary::empty() const {
  return !has_head &&
         std::all_of(tags.begin(), tags.end(), [](const TagSummary& tag) { return tag.rows == 0; });
}

// flags | for each tag with rows: tag, elements, rows, digest, newest, whether it is exact.
std::string KeySummary::Encode() const {
  std::string bytes;
  Encoder out(&bytes);
  out.PutU8(static_cast<uint8_t>((has_string ? kStringFlag : 0) | (has_head ? kHeadFlag : 0)));
  for (size_t i = 0; i < tags.size(); ++i) {
    const TagSummary& tag = tags[i];
    if (tag.rows == 0) continue;
    out.PutU8(static_cast<uint8_t>(i));
    out.PutVarint(tag.elements);
    out.PutVarint(tag.rows);
    out.PutU64(tag.digest);
    out.PutU64(tag.newest);
    out.PutU8(tag.newest_is_exact ? 1 : 0);
  }
  return bytes;
}

Result<KeySummary> KeySummary::Decode(std::string_view bytes) {
  KeySummary summary;
  Decoder in(bytes);
  const uint8_t flags = in.GetU8();
  summary.has_string = (flags & kStringFlag) != 0;
  summary.has_head = (flags & kHeadFlag) != 0;
  while (in.ok() && in.remaining() > 0) {
    const uint8_t index = in.GetU8();
    if (index >= summary.tags.size()) return Status::Corruption("key summary of an unknown type");
    TagSummary& tag = summary.tags[index];
    tag.elements = in.GetVarint();
    tag.rows = in.GetVarint();
    tag.digest = in.GetU64();
    tag.newest = in.GetU64();
    tag.newest_is_exact = in.GetU8() != 0;
  }
  if (!in.ok()) return Status::Corruption("key summary does not decode");
  return summary;
}

Result<KeySummary> ReadSummary(SlotId slot, std::string_view key_prefix, const storage::RowStore& store) {
  const auto bytes = store.View(Table::kIndex, storage::WithSlot(slot, key_prefix));
  if (!bytes.ok()) return bytes.status();
  return *bytes ? KeySummary::Decode(**bytes) : KeySummary();
}

void WriteSummary(SlotId slot, std::string_view key_prefix, const KeySummary& summary,
                  storage::RowStore* store) {
  const std::string key = storage::WithSlot(slot, key_prefix);
  if (summary.empty()) return store->Delete(Table::kIndex, key);
  store->Put(Table::kIndex, key, summary.Encode());
}

}  // namespace orrery::types
