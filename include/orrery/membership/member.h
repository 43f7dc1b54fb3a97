#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/base/codec.h"
#include "orrery/base/node_id.h"

namespace orrery::membership {

/// Joining and leaving are explicit (Dynamo, section 4.8.1); being unreachable is not a state but an opinion.
enum class MemberState : uint8_t {
  kUp = 1,       ///< holds its share of the ring
  kLeaving = 2,  ///< gives its share away
  kRemoved = 3,  ///< gone for good; kept so that it cannot come back by an old entry
};

/// What everybody knows of a member. Written only by the member itself, which raises `version` each time; an operator's
/// removal of a dead member excepted. Value type.
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

  bool operator==(const Member&) const = default;
};

void EncodeMember(const Member& member, Encoder* out);
Member DecodeMember(Decoder* in);

/// node id -> entry, merged by version: a CRDT, so gossip may bring entries in any order, any number of times. Ties of
/// version, which only an operator's removal can make, go to the greater state, then to the greater bytes.
/// One loop; copies are values.
class MembershipMap {
 public:
  /// Whether the map changed.
  bool Merge(const Member& entry);
  const Member* Find(NodeId id) const;
  std::vector<Member> List() const;  ///< by id, removed ones included
  std::vector<Member> Present() const;  ///< by id, without the removed
  size_t size() const { return entries_.size(); }
  const std::map<NodeId, Member>& entries() const { return entries_; }
  /// Equal for equal maps.
  uint64_t Hash() const;

  void Encode(Encoder* out) const;
  /// Fails the decoder on malformed input.
  static MembershipMap Decode(Decoder* in);

 private:
  std::map<NodeId, Member> entries_;
};

}  // namespace orrery::membership
