#include "orrery/server/metrics.h"

#include <algorithm>

namespace orrery::server {
namespace {

/// A hostile stream of different error words must not grow the table; Redis draws the same line.
constexpr size_t kErrorKindsMax = 128;

}  // namespace

void CommandStats::Merge(const CommandStats& other) {
  calls += other.calls;
  usec += other.usec;
  rejected += other.rejected;
  failed += other.failed;
  latency.Merge(other.latency);
}

void LoopMetrics::CountError(std::string_view reply) {
  reply.remove_prefix(1);
  const std::string_view word = reply.substr(0, std::min(reply.find(' '), reply.find('\r')));
  const auto found = errors.find(word);
  if (found != errors.end()) {
    ++found->second;
  } else if (errors.size() < kErrorKindsMax) {
    errors.emplace(word, 1);
  }
}

void LoopMetrics::Merge(const LoopMetrics& other) {
  for (auto member :
       {&LoopMetrics::connections_received, &LoopMetrics::connections_rejected, &LoopMetrics::connections_now,
        &LoopMetrics::commands, &LoopMetrics::net_input_bytes, &LoopMetrics::net_output_bytes,
        &LoopMetrics::reads, &LoopMetrics::writes, &LoopMetrics::output_limit_closed,
        &LoopMetrics::query_limit_closed, &LoopMetrics::timed_out, &LoopMetrics::blocked_clients,
        &LoopMetrics::pending_replies, &LoopMetrics::input_buffer_bytes, &LoopMetrics::output_buffer_bytes}) {
    this->*member += other.*member;
  }
  input_buffer_max = std::max(input_buffer_max, other.input_buffer_max);
  output_buffer_max = std::max(output_buffer_max, other.output_buffer_max);
  commands_rate += other.commands_rate;
  input_rate += other.input_rate;
  output_rate += other.output_rate;
  peer_input_rate += other.peer_input_rate;
  peer_output_rate += other.peer_output_rate;
  commands_by_id.resize(std::max(commands_by_id.size(), other.commands_by_id.size()));
  for (size_t i = 0; i < other.commands_by_id.size(); ++i) commands_by_id[i].Merge(other.commands_by_id[i]);
  for (const auto& [word, count] : other.errors) errors[word] += count;
}

void LoopMetrics::ResetCounts() {
  LoopMetrics fresh;
  fresh.connections_now = connections_now;
  fresh.blocked_clients = blocked_clients;
  fresh.pending_replies = pending_replies;
  fresh.input_buffer_bytes = input_buffer_bytes;
  fresh.output_buffer_bytes = output_buffer_bytes;
  fresh.commands_by_id.resize(commands_by_id.size());
  *this = std::move(fresh);
}

}  // namespace orrery::server
