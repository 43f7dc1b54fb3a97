#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "orrery/base/slot.h"

namespace orrery::storage {

/// What a row is part of. The row key tells the type: a key holds rows of one tag, and of two only while two
/// sides of a partition disagree. Values are part of the stored format; never reuse one.
enum class RowTag : uint8_t {
  kHead = 0,    ///< of a collection: carries only its expiry
  kString = 1,  ///< a whole string, counter or HyperLogLog register set
  kHash = 2,
  kSet = 3,
  kZset = 4,
  kList = 5,
  kStream = 6,
};
inline constexpr RowTag kRowTags[] = {RowTag::kHead, RowTag::kString, RowTag::kHash,  RowTag::kSet,
                                      RowTag::kZset, RowTag::kList,   RowTag::kStream};

/// Where a row lives inside its slot. Byte form, ordered (docs/row-format.md):
///
///     db (1) | hash of the key (6, big-endian) | key, with 0x00 as 0x00 0xff | 0x00 0x01 | tag (1) | element
///
/// The hash in front makes the order of keys uniform, so that a SCAN cursor is (slot, 48 bits) and a hash
/// tree splits evenly; all rows of one key stand together. The byte form never contains the slot: prepend
/// SlotPrefix for Table keys.
struct RowKey {
  uint8_t db = 0;
  std::string_view key;
  RowTag tag = RowTag::kString;
  std::string_view element;
};

/// The row key's bytes, without the slot.
std::string EncodeRowKey(const RowKey& row_key);
/// The key in Table::kRows: WithSlot(slot, EncodeRowKey(row_key)) in one allocation.
std::string EncodeRowKey(SlotId slot, const RowKey& row_key);
/// Bytes that all rows of the key, and no others, start with.
std::string KeyPrefix(uint8_t db, std::string_view key);
/// Bytes that all rows of one tag of the key start with.
std::string TagPrefix(uint8_t db, std::string_view key, RowTag tag);
/// All rows of a database of a slot.
std::string DbPrefix(uint8_t db);
/// Two bytes, big-endian, before every key of kRows, kCounts, kExpiry and kIndex.
std::string SlotPrefix(SlotId slot);
std::string WithSlot(SlotId slot, std::string_view row_key);
/// The key in Table::kRows of a string, in *out, whose memory is used again.
void EncodeStringKey(SlotId slot, uint8_t db, std::string_view key, std::string* out);

inline constexpr size_t kSlotPrefixBytes = 2;

/// A key of Table::kExpiry: slot, deadline in milliseconds (8, big-endian), row key. With an empty row key: before all
/// rows of that deadline.
std::string ExpiryKey(SlotId slot, uint64_t deadline_ms, std::string_view row_key);
/// Its deadline and row key; nullopt for bytes too short. The view points into key.
struct ParsedExpiryKey {
  uint64_t deadline_ms = 0;
  std::string_view row_key;
};
std::optional<ParsedExpiryKey> ParseExpiryKey(std::string_view key);

/// The 48 bits by which keys are ordered inside a slot and database.
uint64_t KeyOrder(std::string_view key);
/// Where a walk over the keys of a database goes on from that order on.
std::string OrderPrefix(uint8_t db, uint64_t order);

/// Owned form of a decoded row key.
struct ParsedRowKey {
  uint8_t db = 0;
  uint64_t order = 0;
  std::string key;
  RowTag tag = RowTag::kString;
  std::string element;
};
/// nullopt for bytes that EncodeRowKey never writes.
std::optional<ParsedRowKey> ParseRowKey(std::string_view bytes);

/// A row key taken apart without copying or checking the key: views into it.
struct RowKeyParts {
  std::string_view key_prefix;  ///< as KeyPrefix makes it
  RowTag tag = RowTag::kString;
  std::string_view element;
};
/// nullopt if the bytes end before a known tag.
std::optional<RowKeyParts> SplitRowKey(std::string_view row_key);
/// Whether the row is an element or the head of a collection: anything but a whole string.
bool IsCollectionRow(std::string_view row_key);
/// Where the KeyPrefix that the bytes start with ends; 0 if they end before.
size_t KeyPrefixSize(std::string_view bytes);
/// The first row key after all rows of the key. REQUIRES: a KeyPrefix.
std::string AfterKey(std::string_view key_prefix);

}  // namespace orrery::storage
