#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/server/histogram.h"

namespace orrery::server {

/// What one command cost so far, as INFO commandstats and latencystats show it. Time runs from reading the
/// command to having its reply, quorum included.
struct CommandStats {
  uint64_t calls = 0;
  uint64_t usec = 0;
  uint64_t rejected = 0;  ///< refused before running: arity, authentication, ...
  uint64_t failed = 0;    ///< ran and answered with an error
  Histogram latency;

  void Merge(const CommandStats& other);
};

/// Counters of one loop, written by its thread alone, so counting costs an increment. Whoever wants the
/// node's totals copies them on each loop and merges the copies. A value.
struct LoopMetrics {
  uint64_t connections_received = 0;
  uint64_t connections_rejected = 0;
  uint64_t connections_now = 0;
  uint64_t commands = 0;
  uint64_t net_input_bytes = 0;
  uint64_t net_output_bytes = 0;
  uint64_t reads = 0;
  uint64_t writes = 0;
  uint64_t output_limit_closed = 0;
  uint64_t query_limit_closed = 0;
  uint64_t timed_out = 0;
  uint64_t blocked_clients = 0;      ///< waiting now: WAIT, CLIENT PAUSE
  uint64_t pending_replies = 0;      ///< commands under way now
  uint64_t input_buffer_bytes = 0;   ///< of all clients, at the last tick
  uint64_t output_buffer_bytes = 0;  ///< likewise
  uint64_t input_buffer_max = 0;     ///< of one client, at the last tick
  uint64_t output_buffer_max = 0;    ///< likewise
  /// Per second, over the last tick.
  double commands_rate = 0;
  double input_rate = 0;
  double output_rate = 0;
  double peer_input_rate = 0;
  double peer_output_rate = 0;

  std::vector<CommandStats> commands_by_id;             ///< by CommandIndex's ids
  std::map<std::string, uint64_t, std::less<>> errors;  ///< by the error's first word

  CommandStats& stats(size_t command_id) { return commands_by_id[command_id]; }
  /// reply: an error reply, from its '-' on.
  void CountError(std::string_view reply);
  void Merge(const LoopMetrics& other);
  /// CONFIG RESETSTAT: what counts events goes to zero, what describes the present stays.
  void ResetCounts();
};

}  // namespace orrery::server
