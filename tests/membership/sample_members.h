#pragma once

#include <string>

#include "orrery/membership/member.h"
#include "orrery/runtime/random.h"

namespace orrery::membership {

inline Member SampleMember(uint64_t id, uint64_t version = 1) {
  Member member;
  member.id = NodeId{id};
  member.host = "10.0.0." + std::to_string(id % 250);
  member.client_port = 7001;
  member.peer_port = 17001;
  member.zone = "zone-" + std::to_string(id % 3);
  member.incarnation = 1000 + id;
  member.version = version;
  return member;
}

/// One of few, so that two of them often concern one node, and often have one version.
inline Member RandomMember(runtime::Random* random) {
  Member member = SampleMember(1 + random->Below(4), random->Below(3));
  member.state = static_cast<MemberState>(1 + random->Below(4));
  member.weight = static_cast<uint32_t>(random->Below(2));
  member.has_data = random->Below(2) == 1;
  if (random->Below(4) == 0) member.founders = {{NodeId{1}, 2, "zone-1", 3}, {NodeId{2 + random->Below(2)}, 1, "", 0}};
  return member;
}

}  // namespace orrery::membership
