#pragma once

#include <string>
#include <vector>

#include "commands/internal_requests.h"
#include "commands/operation.h"

namespace orrery::commands {

/// RANDOMKEY: picks slots by chance among those that may have keys, and in each a key by chance, until there is one. Few
/// slots at first, more and more while all turn out empty. Keys of sparse slots come up somewhat more often than others.
class RandomKeyOperation final : public Operation {
 public:
  using Operation::Operation;

  void Start();

 private:
  void NextRound();
  void Ask(SlotId slot, uint64_t order);
  void OnPage(SlotId slot, uint64_t order, const std::string& reply);

  std::vector<SlotId> candidates_;  ///< not asked yet
  size_t round_size_ = 1;
  size_t missing_ = 0;
  std::string error_;
};

}  // namespace orrery::commands
