#include "orrery/membership/gossip.h"

#include <algorithm>
#include <utility>

namespace orrery::membership {
namespace {

constexpr uint8_t kHash = 1;
constexpr uint8_t kVersions = 2;
constexpr uint8_t kEntries = 3;
constexpr size_t kFanOut = 3;
constexpr size_t kDownMax = 64;
constexpr size_t kMemberBytesMin = 23;

void PutIds(const std::vector<NodeId>& ids, Encoder* out) {
  out->PutVarint(ids.size());
  for (NodeId id : ids) out->PutU64(id.value);
}

std::vector<NodeId> GetIds(Decoder* in) {
  std::vector<NodeId> ids(in->GetCount(8));
  for (NodeId& id : ids) id.value = in->GetU64();
  return ids;
}

/// Entries of different rank supersede by it; of equal rank, by their bytes.
uint64_t Rank(const Member& member) {
  return member.version + (member.state == MemberState::kRemoved ? kVersionEnd : 0);
}

}  // namespace

std::vector<Gossip::Message> Gossip::OnTick(const std::vector<NodeId>& peers) {
  peers_ = peers;
  if (peers.empty()) return {};
  return {{peers[random_.Below(peers.size())], HashMessage()}};
}

std::vector<Gossip::Message> Gossip::OnLocalChange(const std::vector<NodeId>& peers) {
  peers_ = peers;
  return TellSome(self_);
}

std::vector<Gossip::Message> Gossip::TellSome(NodeId except) const {
  std::vector<NodeId> rest = peers_;
  std::erase(rest, except);
  std::vector<Message> messages;
  while (!rest.empty() && messages.size() < kFanOut) {
    std::swap(rest[random_.Below(rest.size())], rest.back());
    messages.push_back({rest.back(), HashMessage()});
    rest.pop_back();
  }
  return messages;
}

std::vector<Gossip::Message> Gossip::OnMessage(NodeId from, std::string_view bytes, bool* changed) {
  *changed = false;
  Decoder in(bytes);
  switch (in.GetU8()) {
    case kHash:
      return OnHash(from, &in);
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
  const auto own = down_.find(self_);
  PutIds(own == down_.end() ? std::vector<NodeId>() : own->second, &out);
  return bytes;
}

std::vector<Gossip::Message> Gossip::OnHash(NodeId from, Decoder* in) {
  const uint64_t hash = in->GetU64();
  std::vector<NodeId> down = GetIds(in);
  if (!in->done() || down.size() > kDownMax) return ++malformed_, std::vector<Message>();
  if (down.empty()) {
    down_.erase(from);
  } else {
    down_[from] = std::move(down);
  }
  if (hash == map_.Hash()) return {};
  return {{from, VersionsMessage()}};
}

std::string Gossip::VersionsMessage() const {
  std::string bytes;
  Encoder out(&bytes);
  out.PutU8(kVersions);
  out.PutVarint(map_.size());
  for (const auto& [id, member] : map_.entries()) {
    out.PutU64(id.value);
    out.PutVarint(Rank(member));
    out.PutU64(HashOf(member));
  }
  return bytes;
}

std::vector<Gossip::Message> Gossip::OnVersions(NodeId from, Decoder* in) {
  std::vector<NodeId> they_lack, we_lack;
  std::set<NodeId> named;
  const uint64_t count = in->GetCount(17);
  for (uint64_t i = 0; i < count && in->ok(); ++i) {
    const NodeId id{in->GetU64()};
    const uint64_t rank = in->GetVarint();
    const uint64_t hash = in->GetU64();
    named.insert(id);
    const Member* ours = map_.Find(id);
    if (ours != nullptr && HashOf(*ours) == hash) continue;
    if (ours == nullptr || Rank(*ours) <= rank) we_lack.push_back(id);
    if (ours != nullptr && Rank(*ours) >= rank) they_lack.push_back(id);
  }
  if (!in->done()) return ++malformed_, std::vector<Message>();
  for (const auto& [id, member] : map_.entries()) {
    if (!named.contains(id)) they_lack.push_back(id);
  }
  if (they_lack.empty() && we_lack.empty()) return {};
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
  const uint64_t count = in->GetCount(kMemberBytesMin);
  for (uint64_t i = 0; i < count && in->ok(); ++i) members.push_back(DecodeMember(in));
  if (!in->done()) return ++malformed_, std::vector<Message>();
  for (const Member& member : members) {
    if (Take(member)) *changed = true;
  }
  std::vector<Message> messages;
  if (!wanted.empty()) messages.push_back({from, EntriesMessage(wanted, {})});
  if (*changed) {
    for (Message& message : TellSome(from)) messages.push_back(std::move(message));
  }
  return messages;
}

/// Merges an entry; but nobody else writes ours while we live.
bool Gossip::Take(const Member& entry) {
  const Member* own = entry.id == self_ ? map_.Find(self_) : nullptr;
  if (own == nullptr || entry.state == MemberState::kRemoved) return map_.Merge(entry);
  if (!Supersedes(entry, *own) || entry.version + 1 >= kVersionEnd) return false;
  Member again = *own;
  again.version = entry.version + 1;
  return map_.Merge(again);
}

void Gossip::SetDown(std::vector<NodeId> down) {
  if (down.size() > kDownMax) down.resize(kDownMax);
  down_[self_] = std::move(down);
}

std::map<NodeId, std::set<NodeId>> Gossip::FoundDown() const {
  std::map<NodeId, std::set<NodeId>> found;
  for (const auto& [observer, down] : down_) {
    for (NodeId node : down) found[node].insert(observer);
  }
  return found;
}

}  // namespace orrery::membership
