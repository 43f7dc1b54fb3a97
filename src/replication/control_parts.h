#pragma once

#include <vector>

#include "orrery/membership/member.h"
#include "orrery/ring/ring.h"

namespace orrery::replication {

/// First byte of what the controls of two nodes say to each other; the rest is the part's own
/// (docs/membership.md).
inline constexpr char kHeartbeat = 0;
inline constexpr char kGossip = 1;
inline constexpr char kIntroduction = 2;
inline constexpr char kRefusal = 3;
inline constexpr char kAskMembers = 4;
inline constexpr char kMembers = 5;
inline constexpr char kAskToLeave = 6;

/// Behind the entry in kIntroduction: the sender has no data, but others of its cluster do.
inline constexpr uint8_t kOthersHaveData = 1;
/// Behind the map in kMembers: what the sender's word is worth. Nothing behind it: it is a member, or serves
/// alone.
enum class Standing : uint8_t {
  kServes = 0,
  kAwaitsMeeting = 1,  ///< belongs to nobody yet itself
  kStarts = 2,         ///< has not compared yet whom it knows
};

/// A member as the ring knows it, and all those of a map that hold a share.
ring::RingMember RingMemberOf(const membership::Member& member);
std::vector<ring::RingMember> RingMembersOf(const membership::MembershipMap& map);

}  // namespace orrery::replication
