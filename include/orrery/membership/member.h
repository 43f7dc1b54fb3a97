#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "orrery/base/codec.h"
#include "orrery/base/node_id.h"
#include "orrery/ring/ring.h"

namespace orrery::membership {

/// Joining and leaving are explicit (Dynamo, section 4.8.1); being unreachable is not a state but an opinion.
enum class MemberState : uint8_t {
  kJoining = 1,  ///< known, but holds nothing yet
  kUp = 2,       ///< holds its share of the ring
  kLeaving = 3,  ///< gives its share away
  kRemoved = 4,  ///< gone for good; kept so that it cannot come back by an old entry
};

/// What everybody knows of a member. Written only by the member itself, which raises `version` each time; an
/// operator's removal of a dead member excepted. Value type.
struct Member {
  NodeId id;
  std::string host;
  uint16_t client_port = 0;
  uint16_t peer_port = 0;
  uint32_t weight = 1;
  std::string zone;
  uint32_t token_seed = 0;  ///< see ring/token_seed.h
  MemberState state = MemberState::kUp;
  uint64_t incarnation = 0;
  uint64_t version = 0;
  bool has_data = false;  ///< holds rows: it cannot be merged into another cluster as if it were empty
  uint32_t protocol_min = 1;
  uint32_t protocol_max = 1;
  /// In the entry of who had data first, and of newcomers until they know that one: the members that there were then, by
  /// whose ring the owners of seats are counted from on (docs/ownership-transfer.md). Else empty.
  std::vector<ring::RingMember> founders;

  bool operator==(const Member&) const = default;
};

inline constexpr size_t kHostBytesMax = 255;
inline constexpr size_t kZoneBytesMax = 64;
/// Versions stay below, so that one can always be raised.
inline constexpr uint64_t kVersionEnd = uint64_t{1} << 62;

/// Equal members have equal bytes. REQUIRES: host and zone within their limits.
void EncodeMember(const Member& member, Encoder* out);
/// Fails the decoder on anything that EncodeMember cannot have written.
Member DecodeMember(Decoder* in);

/// Whether entry replaces known, both of one node. A removal is final: it replaces every entry that is none,
/// whatever the versions. Then the greater version counts; ties, which only an operator's removal or a node
/// that lost its last writes can make, go to the greater bytes. A total order, so merging commutes,
/// associates and repeats harmlessly.
bool Supersedes(const Member& entry, const Member& known);

/// The entry by which an operator removes a member.
Member RemovalOf(const Member& member);

/// node id -> entry, merged by Supersedes: a CRDT, so gossip may bring entries in any order, any number of
/// times. Value type.
class MembershipMap {
 public:
  /// Whether the map changed.
  bool Merge(const Member& entry);
  const Member* Find(NodeId id) const;
  std::vector<Member> List() const;     ///< by id, removed ones included
  std::vector<Member> Present() const;  ///< by id, without the removed
  size_t size() const { return entries_.size(); }
  const std::map<NodeId, Member>& entries() const { return entries_; }
  /// Whom the entries name as founders; the same for equal maps. nullptr if nobody names any.
  const std::vector<ring::RingMember>* Founders() const;
  /// Equal for equal maps. Constant time.
  uint64_t Hash() const { return hash_; }

  void Encode(Encoder* out) const;
  /// Fails the decoder on malformed input.
  static MembershipMap Decode(Decoder* in);

 private:
  std::map<NodeId, Member> entries_;
  uint64_t hash_ = 0;  // sum of the entries' hashes
};

/// Of the entry's bytes: tells two entries of one version apart.
uint64_t HashOf(const Member& member);

}  // namespace orrery::membership
