#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "simulation/checkers.h"
#include "simulation/cluster.h"
#include "simulation/key_kinds.h"
#include "simulation/operation.h"

namespace orrery::simulation {

/// Clients, each with one command under way at a time, on the keys of the cluster's slots (key_kinds.h).
class Workload final : private RequestListener {
 public:
  Workload(Cluster* cluster, Checkers* checkers);

  void Start();
  /// No new commands from now on.
  void Stop() { stopped_ = true; }
  size_t under_way() const;
  /// One command from outside, for scenarios; its end can be read from what is returned.
  Call* Submit(size_t entry, std::vector<std::string> args);

  const std::deque<Operation>& operations() const { return operations_; }

 private:
  // RequestListener
  uint64_t OnRequest(uint64_t call, const replication::Request& request) override;
  void OnResponse(uint64_t op, const replication::Response& response) override;

  void Next(size_t client);
  void PlanNext(size_t client);
  std::vector<std::string> Choose(const std::string& key);
  std::string AnyKey(char kind);
  size_t ChooseEntry(SlotId slot);
  Call* Make(size_t client, size_t entry, std::vector<std::string> args);
  void Send(Call* call);
  void GiveUp(Call* call);
  void OnReply(Call* call, std::string reply);
  void Remember(const Call& call);

  Cluster& cluster_;
  Checkers& checkers_;
  std::deque<Call> calls_;
  std::deque<Operation> operations_;
  std::map<char, std::vector<std::string>> keys_;             ///< by kind
  std::map<std::string, std::vector<std::string>> contexts_;  ///< of every key, as DGET and DPUT gave them
  size_t under_way_ = 0;
  bool stopped_ = false;
};

}  // namespace orrery::simulation
