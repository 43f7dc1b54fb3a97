#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "orrery/base/status.h"
#include "orrery/replication/reset_rule.h"
#include "server/node/node_loop.h"

namespace orrery::server {

/// CLUSTER RESET of a node: finds out whether the node may give up its life, leaves the cluster first where
/// that is called for, marks the end on the disk, answers, and ends the node. On the first loop; nothing of
/// it outlives the loops.
class NodeReset {
 public:
  using Done = std::function<void(const Status&)>;
  struct Hooks {
    /// Whether somebody has told the process to stop.
    std::function<bool()> is_shutting_down;
    /// The mark is on the disk and everybody has been answered: the node is to close its clients' connections
    /// and to end.
    std::function<void()> end;
  };

  /// dir: where the mark goes; slot_transfer: whether members may leave. `shared` and its control outlive
  /// this.
  NodeReset(NodeShared* shared, std::string dir, bool slot_transfer, Hooks hooks);

  /// done is called on this loop: ok when the life is over on the disk, kInvalid with the reason if it may
  /// not end. May take as long as a RING LEAVE. Whoever asks while a reset is under way waits for that one.
  void Ask(Done done);

 private:
  struct Look;

  void TakeALook();
  void Step(const Look& look);
  bool IsRemovalKnown();
  void BeQuiet();
  void ServeAgain();
  void Leave();
  void Again();
  void GiveUp(const Status& why);
  void EndLife();
  void Answer(const Status& status);

  NodeShared& shared_;
  const std::string dir_;
  const bool slot_transfer_;
  const Hooks hooks_;
  std::vector<Done> waiting_;
  uint64_t quiet_since_us_ = 0;    ///< since when new requests are refused; 0: they are not
  uint64_t unheard_since_us_ = 0;  ///< since when we have left and wait until somebody knows
  bool is_over_ = false;
};

}  // namespace orrery::server
