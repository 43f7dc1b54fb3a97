#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "commands/blocking_plan.h"
#include "commands/operation.h"
#include "orrery/commands/blocked_call.h"

namespace orrery::commands {

/// A blocking command (https://redis.io/commands/blpop/): tries to take something from its keys, in their
/// order; while there is nothing, waits at the coordinators of all their slots until one calls it for a key,
/// and takes from that.
///
/// Waiting reads only, so it is repeated as often as need be: when a coordinator is lost or another takes
/// over, and every few seconds in any case. Its place among all that wait is fixed when it starts and goes
/// with it. Taking is a plain command; nothing is taken for a client that is known to be gone.
class BlockingOperation final : public Operation {
 public:
  using Operation::Operation;

  /// blocked: where the client's connection ends the wait; may be null.
  void Start(const CommandSpec& spec, Args args, std::shared_ptr<BlockedCall> blocked);

 private:
  /// Keys of one slot, in their order.
  struct Part {
    SlotId slot = 0;
    std::vector<std::string> keys;
  };

  void TakePlace();
  void SplitKeys();
  void Try(std::vector<Part> parts);
  void TryNext();
  void Take(const Part& part);
  void Move(Args args);
  void OnTried(std::string reply);
  bool MayWaitOn(std::string_view error) const;
  void Wait();
  void Park(const Part& part);
  void OnCalled(uint64_t round, const replication::Response& response);
  void WaitLater();
  void Leave(SlotId but_not);
  void End(BlockedCall::End end);
  bool BecomeEndable();
  void StopTimers();
  std::string NothingReply() const;
  std::shared_ptr<BlockingOperation> self() {
    return std::static_pointer_cast<BlockingOperation>(shared_from_this());
  }

  const CommandSpec* spec_ = nullptr;
  BlockingPlan plan_;
  std::vector<Part> parts_;   ///< of all keys, in the order of their first ones
  std::vector<Part> to_try_;  ///< those that are still to be tried in this round, the last one first
  std::string place_;
  std::shared_ptr<BlockedCall> blocked_;
  uint64_t round_ = 0;  ///< what belongs to an earlier one is ignored
  bool has_waited_ = false;
  bool waiting_ = false;  ///< not trying
  bool late_ = false;     ///< its time was over while something was tried
  uint64_t end_timer_ = 0;
  uint64_t retry_timer_ = 0;
};

}  // namespace orrery::commands
