#include "orrery/ring/token_seed.h"

#include "token_seed_chooser.h"

namespace orrery::ring {

uint32_t ChooseTokenSeed(std::vector<RingMember> members, const RingMember& newcomer,
                         int replication_factor) {
  std::erase_if(members,
                [&](const RingMember& member) { return member.id == newcomer.id || member.weight == 0; });
  if (newcomer.weight == 0 || members.size() < static_cast<size_t>(replication_factor)) return 0;
  return TokenSeedChooser(std::move(members), newcomer, replication_factor).Choose(newcomer.id);
}

}  // namespace orrery::ring
