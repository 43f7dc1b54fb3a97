#include "orrery/types/dump.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "orrery/base/codec.h"
#include "orrery/base/numbers.h"
#include "types/crc64.h"
#include "types/packed_list.h"
#include "types/rdb_codec.h"

namespace orrery::types {
namespace {

/// The first byte of a value.
enum Form : uint8_t {
  kText = 0,
  kListForm = 1,
  kSetForm = 2,
  kZsetOfTexts = 3,
  kHashForm = 4,
  kZsetForm = 5,
  kHashZipmap = 9,
  kListZiplist = 10,
  kSetIntset = 11,
  kZsetZiplist = 12,
  kHashZiplist = 13,
  kListOfZiplists = 14,
  kHashListpack = 16,
  kZsetListpack = 17,
  kListOfListpacks = 18,
};

constexpr size_t kVersionBytes = 2;
constexpr size_t kFooterBytes = kVersionBytes + 8;
/// How a node of a list of listpacks stands: its one element, or a listpack.
constexpr uint64_t kPlainNode = 1;
constexpr uint64_t kPackedNode = 2;

KeyType TypeOfForm(uint8_t form) {
  switch (form) {
    case kText:
      return KeyType::kString;
    case kListForm:
    case kListZiplist:
    case kListOfZiplists:
    case kListOfListpacks:
      return KeyType::kList;
    case kSetForm:
    case kSetIntset:
      return KeyType::kSet;
    case kZsetOfTexts:
    case kZsetForm:
    case kZsetZiplist:
    case kZsetListpack:
      return KeyType::kZset;
    case kHashForm:
    case kHashZipmap:
    case kHashZiplist:
    case kHashListpack:
      return KeyType::kHash;
    default:
      return KeyType::kNone;
  }
}

void Append(std::optional<Entries> more, Decoder* in, Entries* entries) {
  if (!more || more->empty()) return in->Fail();
  std::move(more->begin(), more->end(), std::back_inserter(*entries));
}

Entries GetStrings(Decoder* in, uint64_t each) {
  Entries strings;
  for (uint64_t left = GetRdbCount(in) * each; left > 0 && in->ok(); --left)
    strings.push_back(GetRdbString(in));
  return strings;
}

Entries GetNodes(uint8_t form, Decoder* in) {
  Entries entries;
  for (uint64_t nodes = GetRdbCount(in); nodes > 0 && in->ok(); --nodes) {
    const uint64_t kind = form == kListOfListpacks ? GetRdbLength(in) : kPackedNode;
    std::string node = GetRdbString(in);
    if (kind == kPlainNode) {
      entries.push_back(std::move(node));
    } else if (kind == kPackedNode) {
      Append(form == kListOfListpacks ? ReadListpack(node) : ReadZiplist(node), in, &entries);
    } else {
      in->Fail();
    }
  }
  return entries;
}

/// What a value that is one packed string holds, or one that is a row of strings.
Entries GetEntries(uint8_t form, Decoder* in) {
  Entries entries;
  switch (form) {
    case kListForm:
    case kSetForm:
      return GetStrings(in, 1);
    case kHashForm:
      return GetStrings(in, 2);
    case kListOfZiplists:
    case kListOfListpacks:
      return GetNodes(form, in);
    case kHashZipmap:
      Append(ReadZipmap(GetRdbString(in)), in, &entries);
      break;
    case kSetIntset:
      Append(ReadIntset(GetRdbString(in)), in, &entries);
      break;
    case kListZiplist:
    case kZsetZiplist:
    case kHashZiplist:
      Append(ReadZiplist(GetRdbString(in)), in, &entries);
      break;
    default:
      Append(ReadListpack(GetRdbString(in)), in, &entries);
      break;
  }
  return entries;
}

std::vector<ScoredMember> GetScored(uint8_t form, Decoder* in) {
  std::vector<ScoredMember> scored;
  if (form == kZsetForm || form == kZsetOfTexts) {
    for (uint64_t left = GetRdbCount(in); left > 0 && in->ok(); --left) {
      std::string member = GetRdbString(in);
      scored.push_back({std::move(member), form == kZsetForm ? GetRdbScore(in) : GetRdbTextScore(in)});
    }
    return scored;
  }
  Entries entries = GetEntries(form, in);
  if (entries.size() % 2 != 0) in->Fail();
  for (size_t i = 0; i + 1 < entries.size() && in->ok(); i += 2) {
    const auto score = ParseDouble(entries[i + 1]);
    if (!score) in->Fail();
    scored.push_back({std::move(entries[i]), score.value_or(0)});
  }
  return scored;
}

bool HasTwice(std::vector<std::string_view> names) {
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

/// A collection has elements; members and fields differ from each other, and scores are numbers.
bool MakesSense(const DumpValue& value) {
  std::vector<std::string_view> names;
  switch (value.type) {
    case KeyType::kString:
      return true;
    case KeyType::kList:
      return !value.elements.empty();
    case KeyType::kZset:
      for (const ScoredMember& scored : value.scored) {
        if (std::isnan(scored.score)) return false;
        names.push_back(scored.member);
      }
      break;
    default:
      const size_t step = value.type == KeyType::kHash ? 2 : 1;
      if (value.elements.size() % step != 0) return false;
      for (size_t i = 0; i < value.elements.size(); i += step) names.push_back(value.elements[i]);
      break;
  }
  return !names.empty() && !HasTwice(std::move(names));
}

}  // namespace

std::string SealDump(std::string body, uint16_t version) {
  Encoder out(&body);
  out.PutU16(version);
  out.PutU64(Crc64Jones(body));
  return body;
}

std::string WriteDump(const DumpValue& value) {
  std::string body;
  Encoder out(&body);
  if (value.type == KeyType::kString) {
    out.PutU8(kText);
    PutRdbString(value.text, &out);
  } else if (value.type == KeyType::kZset) {
    out.PutU8(kZsetForm);
    PutRdbLength(value.scored.size(), &out);
    for (const ScoredMember& scored : value.scored) {
      PutRdbString(scored.member, &out);
      PutRdbScore(scored.score, &out);
    }
  } else {
    const bool is_hash = value.type == KeyType::kHash;
    out.PutU8(is_hash ? kHashForm : value.type == KeyType::kSet ? kSetForm : kListForm);
    PutRdbLength(value.elements.size() / (is_hash ? 2 : 1), &out);
    for (const std::string& element : value.elements) PutRdbString(element, &out);
  }
  return SealDump(std::move(body));
}

bool DumpIsSound(std::string_view dump) {
  if (dump.size() < kFooterBytes) return false;
  Decoder footer(dump.substr(dump.size() - kFooterBytes));
  return footer.GetU16() <= kDumpVersion && footer.GetU64() == Crc64Jones(dump.substr(0, dump.size() - 8));
}

std::optional<DumpValue> ReadDump(std::string_view dump) {
  Decoder in(dump.substr(0, dump.size() - kFooterBytes));
  const uint8_t form = in.GetU8();
  DumpValue value;
  value.type = in.ok() ? TypeOfForm(form) : KeyType::kNone;
  if (value.type == KeyType::kNone) return std::nullopt;
  if (value.type == KeyType::kString) {
    value.text = GetRdbString(&in);
  } else if (value.type == KeyType::kZset) {
    value.scored = GetScored(form, &in);
  } else {
    value.elements = GetEntries(form, &in);
  }
  if (!in.done() || !MakesSense(value)) return std::nullopt;
  return value;
}

}  // namespace orrery::types
