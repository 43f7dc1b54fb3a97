#include "orrery/storage/row_key.h"

#include <algorithm>
#include <array>

#include "orrery/base/hash.h"

namespace orrery::storage {
namespace {

constexpr char kNul = '\0';
constexpr char kEscapedNul = '\xff';  // after kNul: the key goes on
constexpr char kEndOfKey = '\x01';    // after kNul: the key ends; sorts before every longer key
constexpr int kOrderBits = 48;
constexpr size_t kOrderBytes = kOrderBits / 8;

void AppendBigEndian(uint64_t value, size_t bytes, std::string* out) {
  std::array<char, sizeof(value)> digits;
  for (size_t i = 0; i < bytes; ++i) digits[i] = static_cast<char>(value >> (8 * (bytes - 1 - i)));
  out->append(digits.data(), bytes);
}

void AppendEscaped(std::string_view key, std::string* out) {
  while (true) {
    const size_t nul = key.find(kNul);
    out->append(key.substr(0, nul));
    if (nul == std::string_view::npos) break;
    out->append({kNul, kEscapedNul});
    key.remove_prefix(nul + 1);
  }
  out->append({kNul, kEndOfKey});
}

void AppendKeyPrefix(uint8_t db, std::string_view key, std::string* out) {
  out->push_back(static_cast<char>(db));
  AppendBigEndian(KeyOrder(key), kOrderBytes, out);
  AppendEscaped(key, out);
}

void AppendRowKey(const RowKey& row_key, std::string* out) {
  AppendKeyPrefix(row_key.db, row_key.key, out);
  out->push_back(static_cast<char>(row_key.tag));
  out->append(row_key.element);
}

size_t EncodedSizeHint(const RowKey& row_key) {
  const auto nuls = static_cast<size_t>(std::count(row_key.key.begin(), row_key.key.end(), kNul));
  return 1 + kOrderBytes + row_key.key.size() + nuls + 2 + 1 + row_key.element.size();
}

// Takes an escaped key and its end off the front of `in`; false if it is not what AppendEscaped writes.
bool TakeEscaped(std::string_view* in, std::string* key) {
  while (true) {
    const size_t nul = in->find(kNul);
    if (nul == std::string_view::npos || nul + 1 == in->size()) return false;
    const char mark = (*in)[nul + 1];
    key->append(in->substr(0, nul));
    in->remove_prefix(nul + 2);
    if (mark == kEndOfKey) return true;
    if (mark != kEscapedNul) return false;
    key->push_back(kNul);
  }
}

bool IsKnownTag(uint8_t tag) {
  return tag <= static_cast<uint8_t>(RowTag::kStream);
}

}  // namespace

std::string EncodeRowKey(const RowKey& row_key) {
  std::string out;
  out.reserve(EncodedSizeHint(row_key));
  AppendRowKey(row_key, &out);
  return out;
}

std::string EncodeRowKey(SlotId slot, const RowKey& row_key) {
  std::string out;
  out.reserve(kSlotPrefixBytes + EncodedSizeHint(row_key));
  AppendBigEndian(slot, kSlotPrefixBytes, &out);
  AppendRowKey(row_key, &out);
  return out;
}

void EncodeStringKey(SlotId slot, uint8_t db, std::string_view key, std::string* out) {
  out->clear();
  AppendBigEndian(slot, kSlotPrefixBytes, out);
  AppendRowKey({db, key, RowTag::kString, {}}, out);
}

std::string KeyPrefix(uint8_t db, std::string_view key) {
  std::string out;
  out.reserve(1 + kOrderBytes + key.size() + 2);
  AppendKeyPrefix(db, key, &out);
  return out;
}

std::string TagPrefix(uint8_t db, std::string_view key, RowTag tag) {
  return EncodeRowKey({db, key, tag, {}});
}

std::string DbPrefix(uint8_t db) {
  return std::string(1, static_cast<char>(db));
}

std::string SlotPrefix(SlotId slot) {
  std::string out;
  AppendBigEndian(slot, kSlotPrefixBytes, &out);
  return out;
}

std::string WithSlot(SlotId slot, std::string_view row_key) {
  std::string out;
  out.reserve(kSlotPrefixBytes + row_key.size());
  AppendBigEndian(slot, kSlotPrefixBytes, &out);
  out.append(row_key);
  return out;
}

uint64_t KeyOrder(std::string_view key) {
  return Hash64(key) >> (64 - kOrderBits);
}

std::string OrderPrefix(uint8_t db, uint64_t order) {
  std::string out = DbPrefix(db);
  AppendBigEndian(order, kOrderBytes, &out);
  return out;
}

std::optional<ParsedRowKey> ParseRowKey(std::string_view bytes) {
  if (bytes.size() < 1 + kOrderBytes) return std::nullopt;
  ParsedRowKey parsed;
  parsed.db = static_cast<uint8_t>(bytes[0]);
  for (size_t i = 0; i < kOrderBytes; ++i) {
    parsed.order = (parsed.order << 8) | static_cast<uint8_t>(bytes[1 + i]);
  }
  bytes.remove_prefix(1 + kOrderBytes);
  if (!TakeEscaped(&bytes, &parsed.key) || parsed.order != KeyOrder(parsed.key)) return std::nullopt;
  if (bytes.empty() || !IsKnownTag(static_cast<uint8_t>(bytes[0]))) return std::nullopt;
  parsed.tag = static_cast<RowTag>(bytes[0]);
  parsed.element = bytes.substr(1);
  return parsed;
}

size_t KeyPrefixSize(std::string_view bytes) {
  for (size_t at = 1 + kOrderBytes; at < bytes.size();) {
    const size_t nul = bytes.find(kNul, at);
    if (nul == std::string_view::npos || nul + 1 == bytes.size()) return 0;
    if (bytes[nul + 1] == kEndOfKey) return nul + 2;
    at = nul + 2;
  }
  return 0;
}

std::optional<RowKeyParts> SplitRowKey(std::string_view row_key) {
  const size_t end = KeyPrefixSize(row_key);
  if (end == 0 || end == row_key.size() || !IsKnownTag(static_cast<uint8_t>(row_key[end]))) return std::nullopt;
  return RowKeyParts{row_key.substr(0, end), static_cast<RowTag>(row_key[end]), row_key.substr(end + 1)};
}

bool IsCollectionRow(std::string_view row_key) {
  const size_t end = KeyPrefixSize(row_key);
  return end != 0 && end < row_key.size() && row_key[end] != static_cast<char>(RowTag::kString);
}

std::string AfterKey(std::string_view key_prefix) {
  std::string after(key_prefix);
  after.back() = static_cast<char>(kEndOfKey + 1);
  return after;
}

std::string ExpiryKey(SlotId slot, uint64_t deadline_ms, std::string_view row_key) {
  std::string key = SlotPrefix(slot);
  for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>(deadline_ms >> shift));
  key.append(row_key);
  return key;
}

std::optional<ParsedExpiryKey> ParseExpiryKey(std::string_view key) {
  constexpr size_t kDeadlineBytes = 8;
  if (key.size() < kSlotPrefixBytes + kDeadlineBytes) return std::nullopt;
  ParsedExpiryKey parsed;
  for (char c : key.substr(kSlotPrefixBytes, kDeadlineBytes)) {
    parsed.deadline_ms = (parsed.deadline_ms << 8) | static_cast<uint8_t>(c);
  }
  parsed.row_key = key.substr(kSlotPrefixBytes + kDeadlineBytes);
  return parsed;
}

}  // namespace orrery::storage
