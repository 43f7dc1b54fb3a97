#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/membership/member.h"
#include "orrery/runtime/random.h"

namespace orrery::membership {

/// Spreads the membership map by anti-entropy between random pairs (Dynamo, section 4.8.1). Three steps, so
/// that a quiet cluster pays one hash a second however many members it has:
///
///     hash of my map -> (if it differs) id, version and hash of each of my entries -> the entries that you
///     lack, and the ids of those that I lack -> those entries
///
/// Whoever learns something new tells a few others at once, so a change crosses the cluster in a few round
/// trips. With the hash travels whom the sender finds down; that is for display and decides nothing.
///
/// Pure: events in, messages out. One loop. Malformed bytes are counted and ignored. docs/membership.md has
/// the format.
class Gossip {
 public:
  struct Message {
    NodeId to;
    std::string bytes;
  };

  /// The map must outlive this; its owner may merge into it as well.
  Gossip(MembershipMap* map, NodeId self, runtime::Random* random)
      : map_(*map), self_(self), random_(*random) {}

  /// Once a second: one random peer of these, which are in reach.
  std::vector<Message> OnTick(const std::vector<NodeId>& peers);
  /// An entry or the opinion changed here: tell a few at once.
  std::vector<Message> OnLocalChange(const std::vector<NodeId>& peers);
  /// changed tells whether the map did. An entry of our own from an earlier life that outlived this one's
  /// memory makes our own entry newer still; only a removal of us is taken as it is.
  std::vector<Message> OnMessage(NodeId from, std::string_view bytes, bool* changed);

  /// Whom this node finds down; told to peers with the next messages.
  void SetDown(std::vector<NodeId> down);
  /// Of each node that anybody finds down: who last said so, ourselves included.
  std::map<NodeId, std::set<NodeId>> FoundDown() const;
  /// What an unreachable or removed observer last said counts no more.
  void ForgetOpinionOf(NodeId observer) { down_.erase(observer); }

  uint64_t malformed() const { return malformed_; }

 private:
  std::string HashMessage() const;
  std::string VersionsMessage() const;
  std::string EntriesMessage(const std::vector<NodeId>& ids, const std::vector<NodeId>& wanted) const;
  std::vector<Message> TellSome(NodeId except) const;
  std::vector<Message> OnHash(NodeId from, Decoder* in);
  std::vector<Message> OnVersions(NodeId from, Decoder* in);
  std::vector<Message> OnEntries(NodeId from, Decoder* in, bool* changed);
  bool Take(const Member& entry);

  MembershipMap& map_;
  NodeId self_;
  runtime::Random& random_;
  std::vector<NodeId> peers_;                   // in reach, as last told
  std::map<NodeId, std::vector<NodeId>> down_;  // by observer, ourselves included
  uint64_t malformed_ = 0;
};

}  // namespace orrery::membership
