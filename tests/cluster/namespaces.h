#pragma once

#include <map>
#include <set>
#include <string>

#include "cluster/processes.h"

namespace orrery::cluster {

/// A network for real processes that can really be cut: each node lives in a network namespace of its own,
/// with one cable to a switch in the test's own namespace. A cut moves some cables to a second switch that
/// leads nowhere else: frames between the sides vanish without a word, as on a broken trunk, while the test
/// still reaches every node. Nothing of it is visible outside of the test's process, and nothing is left when
/// it ends.
///
/// Takes root, or user namespaces for everybody, and the `ip` program.
class Namespaces final : public Network {
 public:
  /// Moves this process into a namespace of its own, once; it must still be of one thread. What is missing,
  /// or empty.
  static std::string Enter();

  /// REQUIRES: Enter() gave nothing.
  Namespaces();
  ~Namespaces() override;

  /// These nodes reach each other and the test, but no other node, which go on among themselves.
  void Cut(const std::set<size_t>& side);
  void Heal() { Cut({}); }

  // Network
  std::string HostOf(size_t node) const override;
  void LeaveHome(size_t node) override;
  void Plug(size_t node, pid_t process) override;
  void MoveIn(size_t node) override;

 private:
  void Connect(size_t node);

  std::set<size_t> plugged_;
  std::set<size_t> side_;
};

}  // namespace orrery::cluster
