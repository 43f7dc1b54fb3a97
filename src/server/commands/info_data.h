#pragma once

#include <sys/time.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/server/metrics.h"
#include "orrery/server/node_access.h"
#include "server/memory_facts.h"
#include "server/worker.h"

namespace orrery::server {

struct CpuTimes {
  timeval system{};
  timeval user{};
};

/// What INFO is written from: the sums over all loops, and what the node as a whole knows.
struct InfoData {
  Worker& worker;
  LoopMetrics metrics{};
  LoopFacts facts{};
  ActivityFacts activity{};
  CpuTimes first_loop{};
  MemoryFacts memory{};

  uint64_t counter(const std::string& name) const {
    const auto found = facts.counters.find(name);
    return found == facts.counters.end() ? 0 : found->second;
  }
};

/// Adds what another loop says of itself.
void AddFacts(const LoopFacts& other, LoopFacts* sum);

/// Which sections the arguments of INFO ask for: names, or default, all, everything.
std::set<std::string> ChosenSections(commands::Args names);
/// The text of the sections, in their fixed order.
std::string WriteInfo(const InfoData& data, const std::set<std::string>& sections);

// Sections, without their titles; "name:value\r\n" each line.
std::string InfoServer(const InfoData& data);
std::string InfoClients(const InfoData& data);
std::string InfoMemory(const InfoData& data);
std::string InfoPersistence(const InfoData& data);
std::string InfoStats(const InfoData& data);
std::string InfoReplication(const InfoData& data);
std::string InfoCpu(const InfoData& data);
std::string InfoModules(const InfoData& data);
std::string InfoCommandStats(const InfoData& data);
std::string InfoErrorStats(const InfoData& data);
std::string InfoLatencyStats(const InfoData& data);
std::string InfoCluster(const InfoData& data);
std::string InfoKeyspace(const InfoData& data);
std::string InfoDynamo(const InfoData& data);
std::string InfoRocksdb(const InfoData& data);

}  // namespace orrery::server
