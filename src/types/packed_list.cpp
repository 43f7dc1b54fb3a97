#include "types/packed_list.h"

#include "orrery/base/codec.h"
#include "orrery/base/numbers.h"

namespace orrery::types {
namespace {

constexpr uint8_t kEnd = 0xff;

/// A two's complement number of that many bytes, little-endian.
int64_t GetInteger(Decoder* in, size_t width) {
  const std::string_view bytes = in->GetRaw(width);
  if (!in->ok()) return 0;
  uint64_t value = 0;
  for (size_t i = width; i-- > 0;) value = (value << 8) | static_cast<uint8_t>(bytes[i]);
  const size_t unused = 64 - 8 * width;
  return static_cast<int64_t>(value << unused) >> unused;
}

uint32_t BigEndian32(Decoder* in) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = (value << 8) | in->GetU8();
  return value;
}

void AddInteger(int64_t value, Entries* entries) {
  AppendInteger(value, &entries->emplace_back());
}
void AddText(Decoder* in, size_t size, Entries* entries) {
  entries->emplace_back(in->GetRaw(size));
}

// ---- listpack ----

/// Bytes of the number that stands behind an entry of that size.
size_t BackLengthSize(size_t entry) {
  if (entry <= 127) return 1;
  if (entry < 16383) return 2;
  if (entry < 2097151) return 3;
  return entry < 268435455 ? 4 : 5;
}

/// Seven bits a byte, the highest first, each but the first marked.
bool SkipBackLength(Decoder* in, size_t entry) {
  const size_t size = BackLengthSize(entry);
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) {
    const uint8_t byte = in->GetU8();
    if (((byte & 0x80) != 0) != (i > 0)) return false;
    value = (value << 7) | (byte & 0x7f);
  }
  return in->ok() && value == entry;
}

// The first byte says what follows; false: nothing that a listpack holds.
bool GetListpackEntry(uint8_t head, Decoder* in, Entries* entries) {
  if (head < 0x80) {
    AddInteger(head, entries);
  } else if (head < 0xc0) {
    AddText(in, head & 0x3f, entries);
  } else if (head < 0xe0) {
    const int value = (head & 0x1f) << 8 | in->GetU8();
    AddInteger(value >= 1 << 12 ? value - (1 << 13) : value, entries);
  } else if (head < 0xf0) {
    AddText(in, (head & size_t{0x0f}) << 8 | in->GetU8(), entries);
  } else if (head == 0xf0) {
    AddText(in, in->GetU32(), entries);
  } else if (head <= 0xf4) {
    constexpr size_t kWidths[] = {2, 3, 4, 8};
    AddInteger(GetInteger(in, kWidths[head - 0xf1]), entries);
  } else {
    return false;
  }
  return in->ok();
}

// ---- ziplist ----

/// The length of the entry before, which is none for the first one.
bool SkipLengthBefore(Decoder* in, size_t before) {
  constexpr uint8_t kLong = 0xfe;
  const uint8_t head = in->GetU8();
  if (head == kEnd) return false;
  return (head == kLong ? in->GetU32() : head) == before && in->ok();
}

bool GetZiplistEntry(Decoder* in, Entries* entries) {
  const uint8_t head = in->GetU8();
  if (head < 0x40) {
    AddText(in, head, entries);
  } else if (head < 0x80) {
    AddText(in, (head & size_t{0x3f}) << 8 | in->GetU8(), entries);
  } else if (head == 0x80) {
    AddText(in, BigEndian32(in), entries);
  } else if (head == 0xc0 || head == 0xd0 || head == 0xe0 || head == 0xf0 || head == 0xfe) {
    const size_t width = head == 0xc0 ? 2 : head == 0xd0 ? 4 : head == 0xe0 ? 8 : head == 0xf0 ? 3 : 1;
    AddInteger(GetInteger(in, width), entries);
  } else if (head > 0xf0 && head < 0xfe) {
    AddInteger((head & 0x0f) - 1, entries);
  } else {
    return false;
  }
  return in->ok();
}

/// A count of 65535 stands for any number.
bool CountFits(uint16_t stated, size_t counted) {
  return stated == counted || stated == 0xffff;
}

}  // namespace

std::optional<Entries> ReadListpack(std::string_view bytes) {
  Decoder in(bytes);
  const uint32_t total = in.GetU32();
  const uint16_t stated = in.GetU16();
  if (!in.ok() || total != bytes.size()) return std::nullopt;
  Entries entries;
  for (;;) {
    const size_t start = in.remaining();
    const uint8_t head = in.GetU8();
    if (!in.ok()) return std::nullopt;
    if (head == kEnd) break;
    if (!GetListpackEntry(head, &in, &entries)) return std::nullopt;
    if (!SkipBackLength(&in, start - in.remaining())) return std::nullopt;
  }
  if (!in.done() || !CountFits(stated, entries.size())) return std::nullopt;
  return entries;
}

std::optional<Entries> ReadZiplist(std::string_view bytes) {
  Decoder in(bytes);
  const uint32_t total = in.GetU32();
  const uint32_t last = in.GetU32();
  const uint16_t stated = in.GetU16();
  if (!in.ok() || total != bytes.size()) return std::nullopt;
  Entries entries;
  size_t before = 0;
  size_t place = bytes.size() - in.remaining();
  while (in.remaining() > 1) {
    place = bytes.size() - in.remaining();
    if (!SkipLengthBefore(&in, before) || !GetZiplistEntry(&in, &entries)) return std::nullopt;
    before = bytes.size() - in.remaining() - place;
  }
  if (in.GetU8() != kEnd || !in.done() || last != place || !CountFits(stated, entries.size()))
    return std::nullopt;
  return entries;
}

std::optional<Entries> ReadZipmap(std::string_view bytes) {
  constexpr uint8_t kLong = 254;
  Decoder in(bytes);
  in.GetU8();  // the number of fields, if it is small enough
  Entries entries;
  for (;;) {
    const uint8_t head = in.GetU8();
    if (!in.ok()) return std::nullopt;
    if (head == kEnd) break;
    const bool is_value = entries.size() % 2 == 1;
    const size_t size = head == kLong ? in.GetU32() : head;
    const size_t unused = is_value ? in.GetU8() : 0;
    AddText(&in, size, &entries);
    in.GetRaw(unused);
    if (!in.ok()) return std::nullopt;
  }
  if (!in.done() || entries.size() % 2 != 0) return std::nullopt;
  return entries;
}

std::optional<Entries> ReadIntset(std::string_view bytes) {
  Decoder in(bytes);
  const uint32_t width = in.GetU32();
  const uint32_t count = in.GetU32();
  if (!in.ok() || (width != 2 && width != 4 && width != 8)) return std::nullopt;
  if (in.remaining() != uint64_t{width} * count) return std::nullopt;
  Entries entries;
  entries.reserve(count);
  int64_t before = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const int64_t value = GetInteger(&in, width);
    if (i > 0 && value <= before) return std::nullopt;
    before = value;
    AddInteger(value, &entries);
  }
  return entries;
}

}  // namespace orrery::types
