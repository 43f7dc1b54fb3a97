#include "simulation/shared_rings.h"

#include <deque>
#include <map>
#include <string>
#include <utility>

#include "orrery/base/codec.h"

namespace orrery::simulation {
namespace {

constexpr size_t kRingsMax = 300;  // some hundred kilobytes each

}  // namespace

std::shared_ptr<const ring::Ring> SharedRing(const std::vector<ring::RingMember>& members, uint8_t n) {
  static std::map<std::string, std::shared_ptr<const ring::Ring>> rings;
  static std::deque<std::string> oldest_first;
  std::string key(1, static_cast<char>(n));
  Encoder out(&key);
  for (const ring::RingMember& member : members) {
    out.PutU64(member.id.value);
    out.PutVarint(member.weight);
    out.PutVarint(member.token_seed);
    out.PutBytes(member.zone);
  }
  auto& ring = rings[key];
  if (ring) return ring;
  ring = std::make_shared<const ring::Ring>(ring::Ring::Build(members, n));
  oldest_first.push_back(key);
  const auto built = ring;
  if (oldest_first.size() > kRingsMax) {
    rings.erase(oldest_first.front());
    oldest_first.pop_front();
  }
  return built;
}

uint32_t SharedTokenSeed(const std::vector<ring::RingMember>& members, const ring::RingMember& newcomer,
                         uint8_t n) {
  size_t others = 0;
  for (const ring::RingMember& member : members) others += member.id != newcomer.id ? 1 : 0;
  return others < n ? 0 : static_cast<uint32_t>((newcomer.id.value + others) % 2);
}

}  // namespace orrery::simulation
