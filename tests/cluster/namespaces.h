#pragma once

#include <map>
#include <set>
#include <string>

#include "cluster/processes.h"
#include "cluster/switchboard.h"

namespace orrery::cluster {

/// A network for real processes that can really be cut: each node lives in a network namespace of its own,
/// whose only device ends in a switch of the test's process. What the switch does not carry vanishes without
/// a word, as on a broken trunk, while the test still reaches every node. Nothing of it is visible outside of
/// the test's process, and nothing is left when it ends.
///
/// Takes root, or user namespaces for everybody, TUN devices and the `ip` program.
class Namespaces final : public Network {
 public:
  /// Moves this process into a namespace of its own, once; it must still be of one thread. What is missing,
  /// or empty.
  static std::string Enter();

  /// REQUIRES: Enter() gave nothing. The seed decides which packets a lossy link loses.
  explicit Namespaces(uint64_t seed = 1);
  ~Namespaces() override;

  /// In both directions.
  void SetLink(size_t a, size_t b, const LinkQuality& quality);
  /// Only nodes that share a group reach each other, and the test reaches all.
  void Connect(size_t nodes, const std::vector<std::set<size_t>>& groups);
  /// These nodes reach each other, but no other node, which go on among themselves.
  void Cut(size_t nodes, const std::set<size_t>& side);
  void Heal() { switchboard_.Heal(); }
  Switchboard& switchboard() { return switchboard_; }

  // Network
  std::string HostOf(size_t node) const override;
  void LeaveHome(size_t node) override;
  void Plug(size_t node, pid_t process) override;
  void MoveIn(size_t node) override;

 private:
  Switchboard switchboard_;
  int send_device_ = -1, take_device_ = -1;  // a node's process hands its device to the test
};

}  // namespace orrery::cluster
