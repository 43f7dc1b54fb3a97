#include "simulation/shared_rings.h"

#include <map>
#include <string>
#include <utility>

#include "orrery/base/codec.h"

namespace orrery::simulation {
namespace {

constexpr size_t kRingsMax = 200;  // some hundred kilobytes each

}  // namespace

std::shared_ptr<const ring::Ring> SharedRing(const std::vector<ring::RingMember>& members, uint8_t n) {
  static std::map<std::string, std::shared_ptr<const ring::Ring>> rings;
  std::string key(1, static_cast<char>(n));
  Encoder out(&key);
  for (const ring::RingMember& member : members) {
    out.PutU64(member.id.value);
    out.PutVarint(member.weight);
    out.PutVarint(member.token_seed);
    out.PutBytes(member.zone);
  }
  if (rings.size() >= kRingsMax && !rings.contains(key)) rings.clear();
  auto& ring = rings[key];
  if (!ring) ring = std::make_shared<const ring::Ring>(ring::Ring::Build(members, n));
  return ring;
}

uint32_t SharedTokenSeed(const std::vector<ring::RingMember>& members, const ring::RingMember& newcomer,
                         uint8_t n) {
  size_t others = 0;
  for (const ring::RingMember& member : members) others += member.id != newcomer.id ? 1 : 0;
  return others < n ? 0 : static_cast<uint32_t>((newcomer.id.value + others) % 2);
}

}  // namespace orrery::simulation
