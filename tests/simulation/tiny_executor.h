#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "orrery/causality/slot_clock.h"
#include "orrery/replication/request.h"

namespace orrery::simulation {

/// What an execution looked like from inside: the replica's knowledge that the reply rests on, and the dot of
/// the event that it made, if it made one (counter 0: none).
struct Execution {
  uint64_t op = 0;
  SlotId slot = 0;
  causality::SlotClock before;
  causality::Dot made;
};

/// A handful of commands straight on rows of cells, each with the shape of event that some family of Redis
/// commands has, so that the replication below can be judged alone:
///
///   SET k v | GET k | DEL k | INCR k by | DGET k | DPUT k context v | DDEL k context      (one row)
///   MSET k v k v ...                                                                     (rows of one dot)
///   SETX k v | PERSIST k                                             (two cells of one dot; the deadline is
///   far off) HSET k field v | HDEL k field | HDELALL k | HGET k field                              (a row
///   per field, scopes)
///
/// Each request carries its number as an attached row, which no command reads.
class TinyExecutor final : public replication::CommandExecutor {
 public:
  using Observer = std::function<void(const Execution&)>;
  explicit TinyExecutor(Observer observer) : observer_(std::move(observer)) {}

  void Execute(const replication::Request& request, storage::Transaction* transaction,
               std::string* reply) override;

 private:
  Observer observer_;
};

/// How a request carries the number of its client's operation.
void TagRequest(uint64_t op, replication::Request* request);
uint64_t TagOf(const replication::Request& request);

/// The sum that a row's counter shows: its newest value, if that is a number, and all increments.
int64_t CounterOf(const causality::Row& row);

/// The traits that the command table gives to a command of this shape.
replication::Traits TraitsOf(std::string_view command);

}  // namespace orrery::simulation
