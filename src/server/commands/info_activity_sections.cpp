#include <fmt/format.h>

#include <cmath>

#include "server/commands/info_data.h"

namespace orrery::server {
namespace {

constexpr std::string_view kNoReplicationId = "0000000000000000000000000000000000000000";

double KiloBytes(double bytes) {
  return bytes / 1024;
}

}  // namespace

// Redis's fields in Redis's order, then ours. What is 0 counts what there is not: evictions, forks,
// defragmentation, client tracking, and the effort of purging, which is not measured.
std::string InfoStats(const InfoData& data) {
  const LoopMetrics& metrics = data.metrics;
  const ActivityFacts& activity = data.activity;
  uint64_t errors = 0;
  for (const auto& [word, count] : metrics.errors) errors += count;
  const bool threaded = data.worker.state().workers.size() > 1;
  std::string text = fmt::format(
      "total_connections_received:{}\r\ntotal_commands_processed:{}\r\ninstantaneous_ops_per_sec:{}\r\n"
      "total_net_input_bytes:{}\r\ntotal_net_output_bytes:{}\r\ntotal_net_repl_input_bytes:{}\r\n"
      "total_net_repl_output_bytes:{}\r\ninstantaneous_input_kbps:{:.2f}\r\ninstantaneous_output_kbps:{:.2f}"
      "\r\n"
      "instantaneous_input_repl_kbps:{:.2f}\r\ninstantaneous_output_repl_kbps:{:.2f}\r\nrejected_connections:"
      "{}\r\n"
      "sync_full:{}\r\nsync_partial_ok:{}\r\nsync_partial_err:0\r\nexpired_keys:{}\r\n",
      metrics.connections_received, metrics.commands, std::llround(metrics.commands_rate),
      metrics.net_input_bytes, metrics.net_output_bytes, activity.peer_bytes_received,
      activity.peer_bytes_sent, KiloBytes(metrics.input_rate), KiloBytes(metrics.output_rate),
      KiloBytes(metrics.peer_input_rate), KiloBytes(metrics.peer_output_rate), metrics.connections_rejected,
      activity.merges, activity.repairs, activity.keyspace.expired);
  text += fmt::format(
      "expired_stale_perc:0.00\r\nexpired_time_cap_reached_count:0\r\nexpire_cycle_cpu_milliseconds:0\r\n"
      "evicted_keys:0\r\nevicted_clients:0\r\ntotal_eviction_exceeded_time:0\r\ncurrent_eviction_exceeded_"
      "time:0\r\n"
      "keyspace_hits:{}\r\nkeyspace_misses:{}\r\npubsub_channels:0\r\npubsub_patterns:0\r\npubsubshard_"
      "channels:0\r\n"
      "latest_fork_usec:0\r\ntotal_forks:0\r\nmigrate_cached_sockets:0\r\nslave_expires_tracked_keys:0\r\n"
      "active_defrag_hits:0\r\nactive_defrag_misses:0\r\nactive_defrag_key_hits:0\r\nactive_defrag_key_"
      "misses:0\r\n"
      "total_active_defrag_time:0\r\ncurrent_active_defrag_time:0\r\ntracking_total_keys:0\r\n"
      "tracking_total_items:0\r\ntracking_total_prefixes:0\r\nunexpected_error_replies:0\r\n",
      activity.keyspace.hits, activity.keyspace.misses);
  text += fmt::format(
      "total_error_replies:{}\r\ndump_payload_sanitizations:0\r\ntotal_reads_processed:{}\r\n"
      "total_writes_processed:{}\r\nio_threaded_reads_processed:{}\r\nio_threaded_writes_processed:{}\r\n"
      "reply_buffer_shrinks:0\r\nreply_buffer_expands:0\r\nclient_query_buffer_limit_disconnections:{}\r\n"
      "client_output_buffer_limit_disconnections:{}\r\nclient_timeout_disconnections:{}\r\npending_replies:{}"
      "\r\n",
      errors, metrics.reads, metrics.writes, threaded ? metrics.reads : 0, threaded ? metrics.writes : 0,
      metrics.query_limit_closed, metrics.output_limit_closed, metrics.timed_out, metrics.pending_replies);
  return text;
}

/// Every node is a master in Redis's words; its peers are in the sections Cluster and Dynamo.
std::string InfoReplication(const InfoData& data) {
  return fmt::format(
      "role:master\r\nconnected_slaves:0\r\nmaster_failover_state:no-failover\r\nmaster_replid:{}\r\nmaster_"
      "replid2:{}\r\n"
      "master_repl_offset:{}\r\nsecond_repl_offset:-1\r\nrepl_backlog_active:1\r\nrepl_backlog_size:{}\r\n"
      "repl_backlog_first_byte_offset:0\r\nrepl_backlog_histlen:{}\r\n",
      data.worker.state().run_id, kNoReplicationId, data.counter("events_applied"),
      data.worker.config().backlog_bytes, data.facts.backlog_bytes);
}

std::string InfoCommandStats(const InfoData& data) {
  std::string text;
  for (const CommandEntry& entry : CommandIndex::Get().entries()) {
    const CommandStats& stats = data.metrics.commands_by_id[entry.id];
    if (stats.calls == 0 && stats.rejected == 0 && stats.failed == 0) continue;
    const double per_call =
        stats.calls == 0 ? 0 : static_cast<double>(stats.usec) / static_cast<double>(stats.calls);
    text +=
        fmt::format("cmdstat_{}:calls={},usec={},usec_per_call={:.2f},rejected_calls={},failed_calls={}\r\n",
                    entry.full_name, stats.calls, stats.usec, per_call, stats.rejected, stats.failed);
  }
  return text;
}

std::string InfoErrorStats(const InfoData& data) {
  std::string text;
  for (const auto& [word, count] : data.metrics.errors)
    text += fmt::format("errorstat_{}:count={}\r\n", word, count);
  return text;
}

std::string InfoLatencyStats(const InfoData& data) {
  std::string text;
  for (const CommandEntry& entry : CommandIndex::Get().entries()) {
    const Histogram& latency = data.metrics.commands_by_id[entry.id].latency;
    if (latency.count() == 0) continue;
    std::string percentiles;
    for (double percent : data.worker.config().latency_percentiles) {
      percentiles += fmt::format("{}p{:.10g}={}.000", percentiles.empty() ? "" : ",", percent,
                                 latency.Percentile(percent));
    }
    text += fmt::format("latency_percentiles_usec_{}:{}\r\n", entry.full_name, percentiles);
  }
  return text;
}

std::string InfoKeyspace(const InfoData& data) {
  std::string text;
  for (size_t db = 0; db < data.facts.databases.size(); ++db) {
    const DatabaseFacts& facts = data.facts.databases[db];
    if (facts.keys > 0)
      text += fmt::format("db{}:keys={},expires={},avg_ttl=0\r\n", db, facts.keys, facts.expires);
  }
  return text;
}

std::string InfoCluster(const InfoData&) {
  return "cluster_enabled:1\r\n";
}

std::string InfoDynamo(const InfoData& data) {
  const replication::ClusterViewPtr view = data.worker.node().View();
  uint64_t hints = 0;
  uint64_t hint_bytes = 0;
  for (const HintFacts& facts : data.facts.hints) {
    hints += facts.events;
    hint_bytes += facts.bytes;
  }
  std::string text = fmt::format(
      "node_id:{}\r\nincarnation:{}\r\nring_fingerprint:{:016x}\r\nmembers:{}\r\nmembers_alive:{}\r\n"
      "replication_factor:{}\r\nread_quorum:{}\r\nwrite_quorum:{}\r\neffective_read_quorum:{}\r\n"
      "effective_write_quorum:{}\r\nslots_held:{}\r\nslots_in_service:{}\r\nrows:{}\r\nhints:{}\r\nhint_"
      "bytes:{}\r\n"
      "links_up:{}\r\nbacklog_bytes:{}\r\n",
      view->self.ToName(), data.worker.node().Incarnation(), view->ring->Fingerprint(), view->members.size(),
      view->alive.size(), view->replication_factor, view->read_quorum, view->write_quorum, view->R(),
      view->W(), data.facts.slots_held, data.facts.slots_in_service, data.facts.rows, hints, hint_bytes,
      data.facts.links.size(), data.facts.backlog_bytes);
  for (const auto& [name, value] : data.facts.counters) text += fmt::format("{}:{}\r\n", name, value);
  return text;
}

std::string InfoRocksdb(const InfoData& data) {
  std::string text;
  for (const auto& [name, value] : data.worker.node().StoreProperties())
    text += fmt::format("{}:{}\r\n", name, value);
  return text;
}

}  // namespace orrery::server
