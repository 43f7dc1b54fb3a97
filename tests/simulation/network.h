#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/runtime/random.h"
#include "simulation/scheduler.h"

namespace orrery::simulation {

/// What the network asks of the nodes that it connects; nodes are numbered 0, 1, 2, ...
class NetworkUser {
 public:
  virtual ~NetworkUser() = default;
  /// Up and not paused: can take part in setting up a link.
  virtual bool IsResponsive(size_t node) const = 0;
  /// Runs the task on the node, in its present life, later if it is paused, never if it is down.
  virtual void RunOn(size_t node, std::function<void()> task) = 0;
  virtual void LinkUp(size_t node, size_t peer) = 0;
  virtual void LinkDown(size_t node, size_t peer) = 0;
  virtual void Deliver(size_t node, size_t peer, std::string_view frame) = 0;
};

/// Links between all pairs of nodes, as a runtime::Transport promises them: frames of one link arrive in
/// order or the link breaks and a suffix is lost. The two ends learn of a break at different times; a link
/// that stalls may break or come back with all that it held. A direction can be blocked alone.
class Network {
 public:
  struct Delays {
    uint64_t base_us = 200;
    uint64_t jitter_us = 800;
  };

  Network(size_t nodes, Scheduler* scheduler, runtime::Random* random, NetworkUser* user, Delays delays);

  void Send(size_t from, size_t to, std::string frame);

  // Faults.
  void SetBlocked(size_t from, size_t to, bool blocked);
  bool IsBlocked(size_t from, size_t to) const { return directions_[from * nodes_ + to].blocked; }
  void SetSlow(size_t from, size_t to, uint64_t extra_us) {
    directions_[from * nodes_ + to].extra_us = extra_us;
  }
  void Break(size_t a, size_t b);
  /// Unblocks and speeds up everything.
  void Heal();
  /// The node's process is gone; peers notice within this time.
  void NodeGone(size_t node, uint64_t noticed_within_us);
  void NodeStarted(size_t node);

  uint64_t frames_delivered() const { return frames_delivered_; }

 private:
  struct Frame {
    uint64_t epoch;
    std::string bytes;
  };
  struct Direction {
    bool blocked = false;
    uint64_t extra_us = 0;
    uint64_t last_arrival_us = 0;
    std::deque<Frame> held;  ///< arrived at the obstacle, in order
  };
  struct Link {
    uint64_t epoch = 0;
    bool whole = false;          ///< the connection of this epoch has not broken
    uint64_t end_epoch[2] = {};  ///< what each end believes in; 0: nothing
    bool connect_planned = false;
  };

  Link& LinkOf(size_t a, size_t b) { return links_[std::min(a, b) * nodes_ + std::max(a, b)]; }
  Direction& DirectionOf(size_t from, size_t to) { return directions_[from * nodes_ + to]; }
  static size_t Side(size_t node, size_t peer) { return node < peer ? 0 : 1; }
  uint64_t Delay(const Direction& direction);
  void PlanConnect(size_t a, size_t b);
  void Connect(size_t a, size_t b);
  void RaiseEnd(size_t node, size_t peer, uint64_t epoch);
  void DropEnd(size_t node, size_t peer, uint64_t epoch, uint64_t within_us);
  void Arrive(size_t from, size_t to, Frame frame);
  void Hand(size_t from, size_t to, Frame frame);
  void Pump(size_t from, size_t to);

  size_t nodes_;
  Scheduler& scheduler_;
  runtime::Random& random_;
  NetworkUser& user_;
  Delays delays_;
  std::vector<Link> links_;
  std::vector<Direction> directions_;
  uint64_t frames_delivered_ = 0;
};

}  // namespace orrery::simulation
