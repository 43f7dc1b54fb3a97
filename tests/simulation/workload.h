#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "simulation/checkers.h"
#include "simulation/cluster.h"
#include "simulation/operation.h"

namespace orrery::simulation {

/// Clients, each with one operation under way at a time, on a few keys:
///
///   a{..}  register and counter mixed: SET, MSET, GET, DEL, INCR, and a deadline that comes and goes
///   b{..}  counter: INCR, GET
///   c{..}  siblings: DGET, DPUT and DDEL with contexts new, old and very old, SET
///   d{..}  hash: HSET, HDEL, HGET, and the removal of all fields
class Workload {
 public:
  Workload(Cluster* cluster, Checkers* checkers);

  void Start();
  /// No new operations from now on.
  void Stop() { stopped_ = true; }
  size_t under_way() const;
  /// One operation from outside, for scenarios; its end can be read from what is returned.
  Operation* Submit(size_t entry, const std::string& key, std::vector<std::string> args);

  const std::deque<Operation>& operations() const { return operations_; }

 private:
  void Next(size_t client);
  void PlanNext(size_t client);
  std::vector<std::string> Choose(const std::string& key);
  std::string Context(const std::string& key);
  size_t ChooseEntry(SlotId slot);
  Operation* Make(size_t client, size_t entry, const std::string& key, std::vector<std::string> args);
  void Send(Operation* operation);
  void OnReply(Operation* operation, replication::Response response);
  void Remember(const Operation& operation);

  Cluster& cluster_;
  Checkers& checkers_;
  std::deque<Operation> operations_;
  std::map<std::string, std::vector<std::string>> contexts_;  ///< of every key, as DGET and DPUT gave them
  uint64_t last_value_ = 0;
  bool stopped_ = false;
};

}  // namespace orrery::simulation
