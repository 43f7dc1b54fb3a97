#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "commands/operation.h"
#include "orrery/commands/command_keys.h"

namespace orrery::commands {

/// A command of Spread::kFirstOf whose keys lie in several slots (ZMPOP): takes from the first of its keys
/// that has something. Keys of one slot that follow each other are asked as one command, one such run after
/// the other; the first reply that is not null is the client's, errors included. Not atomic: a key that was
/// empty when it was asked may have something by the time that a later one gives.
///
/// REQUIRES: a command whose keys are counted by key_count_arg and nothing else.
class FirstOfOperation final : public Operation {
 public:
  using Operation::Operation;

  void Start(const CommandSpec& spec, Args args);

 private:
  void AskNext();

  std::vector<replication::Request> requests_;  ///< what is still to be asked, the last one first
};

}  // namespace orrery::commands
