#pragma once

#include <cstdint>
#include <string>

#include "commands/slot_fan_operation.h"
#include "orrery/commands/command.h"

namespace orrery::commands {

/// DEBUG DIGEST: one number for all that the keys of a database show, their names included, whatever the
/// order.

/// orrery.digestslot: that of one slot, as a bulk string of hexadecimal digits.
void DigestSlot(CommandContext& context);

/// The entry node's half: asks all slots that may have keys.
class DigestOperation final : public SlotFanOperation {
 public:
  using SlotFanOperation::SlotFanOperation;

  void Start();

 protected:
  void Visit(SlotId slot) override;
  void AllDone() override;

 private:
  uint64_t digest_ = 0;
};

/// 16 of them.
std::string HexDigits(uint64_t value);

}  // namespace orrery::commands
