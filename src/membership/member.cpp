#include "orrery/membership/member.h"

#include "orrery/base/hash.h"

namespace orrery::membership {
namespace {

constexpr size_t kMemberBytesMin = 20;

std::string Bytes(const Member& member) {
  std::string bytes;
  Encoder out(&bytes);
  EncodeMember(member, &out);
  return bytes;
}

bool Supersedes(const Member& entry, const Member& known) {
  if (entry.version != known.version) return entry.version > known.version;
  if (entry.state != known.state) return entry.state > known.state;
  return Bytes(entry) > Bytes(known);
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
}

Member DecodeMember(Decoder* in) {
  Member member;
  member.id.value = in->GetU64();
  member.host = in->GetBytes();
  member.client_port = in->GetU16();
  member.peer_port = in->GetU16();
  member.weight = static_cast<uint32_t>(in->GetVarint());
  member.zone = in->GetBytes();
  member.token_seed = static_cast<uint32_t>(in->GetVarint());
  const uint8_t state = in->GetU8();
  member.state = static_cast<MemberState>(state);
  member.incarnation = in->GetVarint();
  member.version = in->GetVarint();
  member.has_data = in->GetU8() != 0;
  member.protocol_min = static_cast<uint32_t>(in->GetVarint());
  member.protocol_max = static_cast<uint32_t>(in->GetVarint());
  if (!member.id || state < 1 || state > 3) in->Fail();
  return member;
}

bool MembershipMap::Merge(const Member& entry) {
  auto [it, inserted] = entries_.try_emplace(entry.id, entry);
  if (inserted) return true;
  if (!Supersedes(entry, it->second)) return false;
  it->second = entry;
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

uint64_t MembershipMap::Hash() const {
  std::string bytes;
  Encoder out(&bytes);
  Encode(&out);
  return Hash64(bytes);
}

void MembershipMap::Encode(Encoder* out) const {
  out->PutVarint(entries_.size());
  for (const auto& [id, member] : entries_) EncodeMember(member, out);
}

MembershipMap MembershipMap::Decode(Decoder* in) {
  MembershipMap map;
  const uint64_t n = in->GetCount(kMemberBytesMin);
  for (uint64_t i = 0; i < n && in->ok(); ++i) map.Merge(DecodeMember(in));
  return map;
}

}  // namespace orrery::membership
