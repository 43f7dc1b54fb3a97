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

/// One loop of one node: what links join. Nodes are numbered 0, 1, 2, ..., their loops likewise.
struct Port {
  size_t node = 0;
  size_t loop = 0;
};

/// What the network asks of the nodes that it connects.
class NetworkUser {
 public:
  virtual ~NetworkUser() = default;
  /// Up, not paused, and able to use links: can take part in setting one up.
  virtual bool IsResponsive(Port port) const = 0;
  /// Whether the port dials the other one, as a runtime::Transport would.
  virtual bool Dials(Port from, Port to) const = 0;
  /// Whether the end at the port is the port's own link to that peer; else it only receives there.
  virtual bool IsOwnLink(Port port, Port peer) const = 0;
  /// Runs the task on the port, in its present life, later if it is paused, never if it is down.
  virtual void RunOn(Port port, bool quiet, std::function<void()> task) = 0;
  virtual void LinkUp(Port port, Port peer) = 0;
  virtual void LinkDown(Port port, Port peer) = 0;
  virtual void Deliver(Port port, Port peer, std::string_view frame) = 0;
};

/// Links between the loops of nodes, as a runtime::Transport promises them: frames of one link arrive in
/// order or the link breaks and a suffix is lost; different links overtake each other. The two ends learn of
/// a break at different times; a link that stalls may break or come back with all that it held. A direction
/// between two nodes can be blocked alone.
class Network {
 public:
  struct Delays {
    uint64_t base_us = 200;
    uint64_t jitter_us = 800;
  };

  Network(size_t nodes, size_t loops_max, Scheduler* scheduler, runtime::Random* random, NetworkUser* user,
          Delays delays);

  /// quiet: takes no step of the scheduler, and no turn where it arrives.
  void Send(Port from, Port to, std::string frame, bool quiet = false);
  /// Somebody wants a link, or can have one again.
  void PlanConnect(size_t a, size_t b);

  // Faults.
  void SetBlocked(size_t from, size_t to, bool blocked);
  bool IsBlocked(size_t from, size_t to) const { return obstacles_[from * nodes_ + to].blocked; }
  void SetSlow(size_t from, size_t to, uint64_t extra_us) {
    obstacles_[from * nodes_ + to].extra_us = extra_us;
  }
  /// All links between the two nodes, or one of them.
  void Break(size_t a, size_t b);
  void BreakOne(size_t a, size_t b);
  /// Unblocks and speeds up everything.
  void Heal();
  /// The node's process is gone; peers notice within this time.
  void NodeGone(size_t node, uint64_t noticed_within_us);
  /// The loop closes its links.
  void PortGone(Port port);
  void NodeStarted(size_t node);

  uint64_t frames_delivered() const { return frames_delivered_; }

 private:
  struct Frame {
    uint64_t epoch;
    std::string bytes;
    bool quiet;
  };
  struct Obstacle {
    bool blocked = false;
    uint64_t extra_us = 0;
  };
  struct Direction {
    uint64_t last_arrival_us = 0;
    std::vector<Frame> held;  ///< arrived at the obstacle, in order
  };
  struct End {
    uint64_t epoch = 0;  ///< what this end believes in; 0: nothing
    bool own = true;
  };
  struct Link {
    uint64_t epoch = 0;
    bool whole = false;  ///< the connection of this epoch has not broken
    End ends[2];
    bool connect_planned = false;
  };

  size_t IndexOf(Port port) const { return port.node * loops_ + port.loop; }
  Link& LinkOf(Port a, Port b) {
    const size_t i = IndexOf(a), j = IndexOf(b);
    return links_[std::min(i, j) * ports_ + std::max(i, j)];
  }
  End& EndOf(Port port, Port peer) { return LinkOf(port, peer).ends[IndexOf(port) < IndexOf(peer) ? 0 : 1]; }
  Direction& DirectionOf(Port from, Port to) { return directions_[IndexOf(from) * ports_ + IndexOf(to)]; }
  template <typename Visit>
  void ForEachLink(size_t a, size_t b, const Visit& visit) {
    for (size_t i = 0; i < loops_; ++i) {
      for (size_t j = 0; j < loops_; ++j) visit(Port{a, i}, Port{b, j});
    }
  }
  uint64_t Delay(size_t from, size_t to);
  void PlanConnect(Port a, Port b);
  void Connect(Port a, Port b);
  void RaiseEnd(Port port, Port peer, uint64_t epoch);
  void DropOwnLinks(Port port, size_t peer);
  void DropEnd(Port port, Port peer, uint64_t epoch, uint64_t within_us);
  void BreakLink(Port a, Port b);
  void Close(Port port, Port peer, uint64_t noticed_within_us);
  void Arrive(Port from, Port to, Frame frame);
  void Hand(Port from, Port to, Frame frame);
  void Pump(Port from, Port to);

  size_t nodes_;
  size_t loops_;
  size_t ports_;
  Scheduler& scheduler_;
  runtime::Random& random_;
  NetworkUser& user_;
  Delays delays_;
  std::vector<Link> links_;
  std::vector<Direction> directions_;
  std::vector<Obstacle> obstacles_;
  uint64_t frames_delivered_ = 0;
};

}  // namespace orrery::simulation
