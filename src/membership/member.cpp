#include "orrery/membership/member.h"

#include <limits>
#include <string_view>
#include <tuple>
#include <utility>

#include "orrery/base/hash.h"

namespace orrery::membership {
namespace {

// id, two ports, and eleven fields of a byte or more
constexpr size_t kMemberBytesMin = 23;
constexpr size_t kFounderBytesMin = 11;

std::string Bytes(const Member& member) {
  std::string bytes;
  Encoder out(&bytes);
  EncodeMember(member, &out);
  return bytes;
}

uint32_t GetUint32(Decoder* in) {
  const uint64_t value = in->GetVarint();
  if (value > std::numeric_limits<uint32_t>::max()) in->Fail();
  return static_cast<uint32_t>(value);
}

std::string GetText(Decoder* in, size_t bytes_max) {
  const std::string_view text = in->GetBytes();
  if (text.size() > bytes_max) in->Fail();
  return std::string(text);
}

bool GetBool(Decoder* in) {
  const uint8_t value = in->GetU8();
  if (value > 1) in->Fail();
  return value == 1;
}

MemberState GetState(Decoder* in) {
  const auto state = static_cast<MemberState>(in->GetU8());
  if (state < MemberState::kJoining || state > MemberState::kRemoved) in->Fail();
  return state;
}

// By id, each once: a ring can be built of them.
std::vector<ring::RingMember> GetFounders(Decoder* in) {
  std::vector<ring::RingMember> founders;
  const uint64_t count = in->GetCount(kFounderBytesMin);
  for (uint64_t i = 0; i < count && in->ok(); ++i) {
    ring::RingMember founder;
    founder.id.value = in->GetU64();
    founder.weight = GetUint32(in);
    founder.zone = GetText(in, kZoneBytesMax);
    founder.token_seed = GetUint32(in);
    if (!founder.id || (!founders.empty() && founder.id <= founders.back().id)) in->Fail();
    founders.push_back(std::move(founder));
  }
  return founders;
}

}  // namespace

void EncodeMember(const Member& member, Encoder* out) {
  out->PutU64(member.id.value);
  out->PutBytes(member.host);
  out->PutU16(member.client_port);
  out->PutU16(member.peer_port);
  out->PutVarint(member.weight);
  out->PutBytes(member.zone);
  out->PutVarint(member.token_seed);
  out->PutU8(static_cast<uint8_t>(member.state));
  out->PutVarint(member.incarnation);
  out->PutVarint(member.version);
  out->PutU8(member.has_data ? 1 : 0);
  out->PutVarint(member.protocol_min);
  out->PutVarint(member.protocol_max);
  out->PutVarint(member.founders.size());
  for (const ring::RingMember& founder : member.founders) {
    out->PutU64(founder.id.value);
    out->PutVarint(founder.weight);
    out->PutBytes(founder.zone);
    out->PutVarint(founder.token_seed);
  }
}

Member DecodeMember(Decoder* in) {
  Member member;
  member.id.value = in->GetU64();
  member.host = GetText(in, kHostBytesMax);
  member.client_port = in->GetU16();
  member.peer_port = in->GetU16();
  member.weight = GetUint32(in);
  member.zone = GetText(in, kZoneBytesMax);
  member.token_seed = GetUint32(in);
  member.state = GetState(in);
  member.incarnation = in->GetVarint();
  member.version = in->GetVarint();
  member.has_data = GetBool(in);
  member.protocol_min = GetUint32(in);
  member.protocol_max = GetUint32(in);
  member.founders = GetFounders(in);
  if (!member.id || member.version >= kVersionEnd) in->Fail();
  return in->ok() ? member : Member();
}

bool Supersedes(const Member& entry, const Member& known) {
  const bool removes = entry.state == MemberState::kRemoved;
  if (removes != (known.state == MemberState::kRemoved)) return removes;
  if (entry.version != known.version) return entry.version > known.version;
  return Bytes(entry) > Bytes(known);
}

Member RemovalOf(const Member& member) {
  Member removal = member;
  removal.state = MemberState::kRemoved;
  ++removal.version;
  return removal;
}

uint64_t HashOf(const Member& member) {
  return Hash64(Bytes(member));
}

bool MembershipMap::Merge(const Member& entry) {
  const auto [at, inserted] = entries_.try_emplace(entry.id, entry);
  if (!inserted) {
    if (!Supersedes(entry, at->second)) return false;
    hash_ -= HashOf(at->second);
    at->second = entry;
  }
  hash_ += HashOf(entry);
  return true;
}

const Member* MembershipMap::Find(NodeId id) const {
  const auto it = entries_.find(id);
  return it == entries_.end() ? nullptr : &it->second;
}

std::vector<Member> MembershipMap::List() const {
  std::vector<Member> members;
  for (const auto& [id, member] : entries_) members.push_back(member);
  return members;
}

std::vector<Member> MembershipMap::Present() const {
  std::vector<Member> members;
  for (const auto& [id, member] : entries_) {
    if (member.state != MemberState::kRemoved) members.push_back(member);
  }
  return members;
}

// Two that had data first at the same time may name different ones: the lesser list counts, whoever looks. What then lies with
// a node that owns no seat is brought to those that do.
const std::vector<ring::RingMember>* MembershipMap::Founders() const {
  const std::vector<ring::RingMember>* founders = nullptr;
  const auto key = [](const std::vector<ring::RingMember>& list) {
    std::vector<std::tuple<NodeId, uint32_t, std::string_view, uint32_t>> keys;
    for (const auto& member : list) keys.emplace_back(member.id, member.weight, member.zone, member.token_seed);
    return keys;
  };
  for (const auto& [id, member] : entries_) {
    if (member.founders.empty()) continue;
    if (founders == nullptr || (member.founders != *founders && key(member.founders) < key(*founders))) {
      founders = &member.founders;
    }
  }
  return founders;
}

void MembershipMap::Encode(Encoder* out) const {
  out->PutVarint(entries_.size());
  for (const auto& [id, member] : entries_) EncodeMember(member, out);
}

MembershipMap MembershipMap::Decode(Decoder* in) {
  MembershipMap map;
  NodeId last;
  const uint64_t count = in->GetCount(kMemberBytesMin);
  for (uint64_t i = 0; i < count && in->ok(); ++i) {
    const Member member = DecodeMember(in);
    if (member.id <= last) in->Fail();
    last = member.id;
    if (in->ok()) map.Merge(member);
  }
  return in->ok() ? map : MembershipMap();
}

}  // namespace orrery::membership
