#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "commands/internal_requests.h"
#include "commands/slot_fan_operation.h"
#include "orrery/commands/command_table.h"

namespace orrery::commands {

/// A SORT that needs more than its key's slot. It runs at the home, the slot of the destination or else of
/// the key, after two rounds: the rows of the key, whose elements say what the patterns name; then of each
/// other slot the rows that show this, a few hundred slots at a time. Not atomic: what others change in
/// between may or may not be seen, and an element that came meanwhile finds nothing by patterns of other
/// slots.
class SortOperation final : public SlotFanOperation {
 public:
  using SlotFanOperation::SlotFanOperation;

  /// Whether one slot alone cannot answer. What is no SORT needs nothing: the slot replies the error.
  static bool IsNeeded(const CommandSpec& spec, Args args);
  void Start(const CommandSpec& spec, Args args);

 protected:
  void Visit(SlotId slot) override;
  void AllDone() override;

 private:
  /// (key, field), as BuildPick takes them.
  using Named = std::set<std::pair<std::string, std::string>>;

  void OnSource(std::string reply);
  void AddNamedBy(std::string_view element);
  /// Takes the rows along; the text of an error otherwise.
  std::string Attach(const std::string& reply);

  replication::Request home_request_;
  SlotId source_slot_ = 0;
  std::vector<std::string> patterns_;
  std::map<SlotId, Named> named_;
};

}  // namespace orrery::commands
