#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/membership/member.h"
#include "orrery/runtime/random.h"

namespace orrery::membership {

/// Spreads the membership map by anti-entropy between random pairs (Dynamo, section 4.8.1). Three steps, so that a quiet
/// cluster pays one hash a second however many members it has:
///
///     hash of my map -> (if it differs) id and version of each of my entries -> the entries that you lack, and
///     the ids of those that I lack -> those entries
///
/// Pure: events in, messages out. One loop. Malformed bytes are counted and ignored.
class Gossip {
 public:
  struct Message {
    NodeId to;
    std::string bytes;
  };

  Gossip(MembershipMap* map, NodeId self, runtime::Random* random) : map_(*map), self_(self), random_(*random) {}

  /// Once a second: one random peer of these, which are in reach.
  std::vector<Message> OnTick(const std::vector<NodeId>& peers);
  /// An entry changed here: tell a few at once.
  std::vector<Message> OnLocalChange(const std::vector<NodeId>& peers);
  /// changed tells whether the map did.
  std::vector<Message> OnMessage(NodeId from, std::string_view bytes, bool* changed);

  uint64_t malformed() const { return malformed_; }

 private:
  std::string HashMessage() const;
  std::string VersionsMessage() const;
  std::string EntriesMessage(const std::vector<NodeId>& ids, const std::vector<NodeId>& wanted) const;
  std::vector<Message> OnVersions(NodeId from, Decoder* in);
  std::vector<Message> OnEntries(NodeId from, Decoder* in, bool* changed);

  MembershipMap& map_;
  NodeId self_;
  runtime::Random& random_;
  uint64_t malformed_ = 0;
};

}  // namespace orrery::membership
