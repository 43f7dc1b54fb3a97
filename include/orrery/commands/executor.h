#pragma once

#include <string>

#include "orrery/commands/command.h"
#include "orrery/replication/request.h"

namespace orrery::commands {

/// Runs single-slot requests, clients' and internal ones, at the slot's coordinator. One per loop; it keeps nothing but
/// counts.
class Executor final : public replication::CommandExecutor {
 public:
  void Execute(const replication::Request& request, storage::Transaction* transaction, std::string* reply) override;
  uint64_t Prefetch(const replication::Request& request, const storage::RowStore& store) const override;

  const KeyspaceCounts& counts() const { return counts_; }
  void ResetCounts() { counts_ = {}; }

 private:
  KeyspaceCounts counts_;
};

/// What a command with these arguments needs of a quorum: the spec's traits, less what its options take away.
replication::Traits TraitsOf(const CommandSpec& spec, const replication::Arguments& args);

}  // namespace orrery::commands
