#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "orrery/causality/slot_clock.h"
#include "orrery/commands/executor.h"
#include "orrery/replication/request.h"

namespace orrery::simulation {

/// What an execution looked like from inside: the replica's knowledge that the reply rests on, and the dot of
/// the event that it made, if it made one (counter 0: none).
struct Execution {
  uint64_t op = 0;
  SlotId slot = 0;
  causality::SlotClock before;
  causality::Dot made;
  size_t seats = 0;  ///< that the slot had, as far as the coordinator knew
};

/// The real commands::Executor, watched. Besides Redis's commands it knows four on rows of elements, which
/// have the shape of what collections do:
///
///   ESET k element v | EREM k element | ECLEAR k (all elements, as a scope) | EGET k element
///
/// Each client's request carries its number as an attached row, which no command reads.
class SimExecutor final : public replication::CommandExecutor {
 public:
  using Observer = std::function<void(const Execution&)>;
  explicit SimExecutor(Observer observer) : observer_(std::move(observer)) {}

  void Execute(const replication::Request& request, storage::Transaction* transaction,
               std::string* reply) override;

 private:
  Observer observer_;
  commands::Executor redis_;
};

bool IsElementCommand(std::string_view command);
/// REQUIRES: IsElementCommand(command).
replication::Traits TraitsOfElementCommand(std::string_view command);

/// How a request carries the number of its operation; 0: it is none of a client.
void TagRequest(uint64_t op, replication::Request* request);
uint64_t TagOf(const replication::Request& request);

}  // namespace orrery::simulation
