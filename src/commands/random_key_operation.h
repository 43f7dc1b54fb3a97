#pragma once

#include <string>
#include <vector>

#include "commands/internal_requests.h"
#include "commands/operation.h"

namespace orrery::commands {

/// RANDOMKEY: picks slots by chance among those that may have keys, and in each a key by chance, until there
/// is one. Few slots at first, more and more while all turn out empty; after the first of them asks once which
/// slots have any keys at all. Keys of sparse slots come up somewhat more often than others.
class RandomKeyOperation final : public Operation {
 public:
  using Operation::Operation;

  void Start();

 private:
  /// A slot is walked from a key by chance to its end, and then from its start.
  enum class Lap : uint8_t { kFirst, kSecond };

  /// Slots that are tried before asking which have keys.
  static constexpr size_t kTriedFirst = 20;

  void NextRound();
  void Survey();
  void Ask(SlotId slot, uint64_t order, Lap lap);
  void OnPage(SlotId slot, Lap lap, const std::string& reply);

  std::vector<SlotId> candidates_;  ///< not asked yet
  size_t round_size_ = 1;
  size_t missing_ = 0;
  size_t tried_ = 0;
  bool surveyed_ = false;
  std::string error_;
};

}  // namespace orrery::commands
