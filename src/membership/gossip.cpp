#include "orrery/membership/gossip.h"

#include <algorithm>

namespace orrery::membership {
namespace {

constexpr uint8_t kHash = 1;
constexpr uint8_t kVersions = 2;
constexpr uint8_t kEntries = 3;
constexpr size_t kFanOut = 3;

void PutIds(const std::vector<NodeId>& ids, Encoder* out) {
  out->PutVarint(ids.size());
  for (NodeId id : ids) out->PutU64(id.value);
}

std::vector<NodeId> GetIds(Decoder* in) {
  std::vector<NodeId> ids(in->GetCount(8));
  for (NodeId& id : ids) id.value = in->GetU64();
  return ids;
}

}  // namespace

std::vector<Gossip::Message> Gossip::OnTick(const std::vector<NodeId>& peers) {
  if (peers.empty()) return {};
  return {{peers[random_.Below(peers.size())], HashMessage()}};
}

std::vector<Gossip::Message> Gossip::OnLocalChange(const std::vector<NodeId>& peers) {
  std::vector<NodeId> rest = peers;
  std::vector<Message> messages;
  while (!rest.empty() && messages.size() < kFanOut) {
    const auto pick = rest.begin() + static_cast<ptrdiff_t>(random_.Below(rest.size()));
    messages.push_back({*pick, HashMessage()});
    rest.erase(pick);
  }
  return messages;
}

std::vector<Gossip::Message> Gossip::OnMessage(NodeId from, std::string_view bytes, bool* changed) {
  *changed = false;
  Decoder in(bytes);
  switch (in.GetU8()) {
    case kHash:
      if (in.GetU64() == map_.Hash() || !in.done()) return {};
      return {{from, VersionsMessage()}};
    case kVersions:
      return OnVersions(from, &in);
    case kEntries:
      return OnEntries(from, &in, changed);
    default:
      ++malformed_;
      return {};
  }
}

std::string Gossip::HashMessage() const {
  std::string bytes;
  Encoder out(&bytes);
  out.PutU8(kHash);
  out.PutU64(map_.Hash());
  return bytes;
}

std::string Gossip::VersionsMessage() const {
  std::string bytes;
  Encoder out(&bytes);
  out.PutU8(kVersions);
  out.PutVarint(map_.size());
  for (const auto& [id, member] : map_.entries()) {
    out.PutU64(id.value);
    out.PutVarint(member.version);
  }
  return bytes;
}

std::vector<Gossip::Message> Gossip::OnVersions(NodeId from, Decoder* in) {
  std::map<NodeId, uint64_t> theirs;
  const uint64_t n = in->GetCount(9);
  for (uint64_t i = 0; i < n && in->ok(); ++i) {
    const NodeId id{in->GetU64()};
    theirs[id] = in->GetVarint();
  }
  if (!in->done()) return ++malformed_, std::vector<Message>();
  std::vector<NodeId> they_lack, we_lack;
  for (const auto& [id, member] : map_.entries()) {
    const auto it = theirs.find(id);
    // Equal versions with different bytes come only of an operator's removal: sending both ways settles it.
    if (it == theirs.end() || it->second <= member.version) they_lack.push_back(id);
  }
  for (const auto& [id, version] : theirs) {
    const Member* ours = map_.Find(id);
    if (ours == nullptr || ours->version <= version) we_lack.push_back(id);
  }
  return {{from, EntriesMessage(they_lack, we_lack)}};
}

std::string Gossip::EntriesMessage(const std::vector<NodeId>& ids, const std::vector<NodeId>& wanted) const {
  std::string bytes;
  Encoder out(&bytes);
  out.PutU8(kEntries);
  PutIds(wanted, &out);
  std::vector<const Member*> members;
  for (NodeId id : ids) {
    if (const Member* member = map_.Find(id)) members.push_back(member);
  }
  out.PutVarint(members.size());
  for (const Member* member : members) EncodeMember(*member, &out);
  return bytes;
}

std::vector<Gossip::Message> Gossip::OnEntries(NodeId from, Decoder* in, bool* changed) {
  const std::vector<NodeId> wanted = GetIds(in);
  std::vector<Member> members;
  const uint64_t n = in->GetCount(20);
  for (uint64_t i = 0; i < n && in->ok(); ++i) members.push_back(DecodeMember(in));
  if (!in->done()) return ++malformed_, std::vector<Message>();
  for (const Member& member : members) {
    // Only we write our entry; an older life's entry of ours still counts when its version is greater.
    if (map_.Merge(member)) *changed = true;
  }
  if (wanted.empty()) return {};
  return {{from, EntriesMessage(wanted, {})}};
}

}  // namespace orrery::membership
