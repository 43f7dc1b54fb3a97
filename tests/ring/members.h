#pragma once

#include <random>
#include <string>
#include <vector>

#include "orrery/ring/ring.h"

namespace orrery::ring {

/// Members for tests: random ids from a seed, and no more.
class MemberMaker {
 public:
  explicit MemberMaker(uint64_t seed) : random_(seed) {}

  RingMember One(uint32_t weight = 1, std::string zone = "") {
    return {NodeId{random_() | 1}, weight, std::move(zone), 0};
  }
  std::vector<RingMember> Many(size_t count) {
    std::vector<RingMember> members;
    while (members.size() < count) members.push_back(One());
    return members;
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace orrery::ring
