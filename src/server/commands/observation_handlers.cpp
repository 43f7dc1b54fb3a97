#include <string>

#include "server/commands/handler_tools.h"

namespace orrery::server {
namespace {

void WriteEntry(const SlowlogEntry& entry, resp::ReplyWriter& reply) {
  reply.Array(6);
  reply.Integer(static_cast<int64_t>(entry.id));
  reply.Integer(static_cast<int64_t>(entry.time_s));
  reply.Integer(static_cast<int64_t>(entry.duration_us));
  reply.Array(entry.args.size());
  for (const std::string& arg : entry.args) reply.BulkString(arg);
  reply.BulkString(entry.address);
  reply.BulkString(entry.client_name);
}

void SlowlogGet(ServerCall& call) {
  int64_t count = 10;
  if (call.argc() > 3) return SubcommandSyntaxError(call);
  if (call.argc() == 3) {
    const auto given = resp::ParseInteger(call.arg(2));
    if (!given || *given < -1) return call.reply.Error("ERR count should be greater than or equal to -1");
    count = *given;
  }
  const auto entries = call.worker.state().slowlog.Newest(count < 0 ? SIZE_MAX : static_cast<size_t>(count));
  call.reply.Array(entries.size());
  for (const SlowlogEntry& entry : entries) WriteEntry(entry, call.reply);
}

void SlowlogLen(ServerCall& call) {
  call.reply.Integer(static_cast<int64_t>(call.worker.state().slowlog.size()));
}

void SlowlogReset(ServerCall& call) {
  call.worker.state().slowlog.Reset();
  call.reply.Ok();
}

void LatencyHistory(ServerCall& call) {
  const LatencySeries series = call.worker.state().latency.Of(call.arg(2));
  call.reply.Array(series.samples.size());
  for (const LatencySample& sample : series.samples) {
    call.reply.Array(2);
    call.reply.Integer(static_cast<int64_t>(sample.time_s));
    call.reply.Integer(static_cast<int64_t>(sample.latency_ms));
  }
}

void LatencyLatest(ServerCall& call) {
  const auto all = call.worker.state().latency.All();
  call.reply.Array(all.size());
  for (const auto& [event, series] : all) {
    call.reply.Array(4);
    call.reply.BulkString(event);
    call.reply.Integer(static_cast<int64_t>(series.samples.back().time_s));
    call.reply.Integer(static_cast<int64_t>(series.samples.back().latency_ms));
    call.reply.Integer(static_cast<int64_t>(series.max_ms));
  }
}

void LatencyReset(ServerCall& call) {
  const std::vector<std::string> events(call.args.begin() + 2, call.args.end());
  call.reply.Integer(static_cast<int64_t>(call.worker.state().latency.Reset(events)));
}

void LatencyDoctor(ServerCall& call) {
  const uint64_t threshold_ms = call.worker.config().latency_monitor_threshold_ms;
  call.reply.Verbatim("txt", LatencyReport(call.worker.state().latency.All(), threshold_ms));
}

void LatencyGraph(ServerCall& call) {
  const LatencySeries series = call.worker.state().latency.Of(call.arg(2));
  if (series.samples.empty()) {
    return call.reply.Error("ERR No samples available for event '" + std::string(call.arg(2).substr(0, 128)) +
                            "'");
  }
  const uint64_t now_s = call.worker.loop().WallMs() / 1000;
  call.reply.Verbatim("txt", server::LatencyGraph(call.arg(2), series, now_s));
}

/// Whether LATENCY HISTOGRAM was asked for this command: by its name, or its container's for all of its
/// subcommands.
bool IsAskedFor(const std::vector<std::string>& names, std::string_view full_name) {
  if (names.empty()) return true;
  const std::string_view container = full_name.substr(0, full_name.find('|'));
  for (const std::string& name : names) {
    if (commands::EqualsIgnoringCase(name, full_name) || commands::EqualsIgnoringCase(name, container))
      return true;
  }
  return false;
}

void WriteHistogram(const CommandEntry& entry, const CommandStats& stats, resp::ReplyWriter& reply) {
  reply.BulkString(entry.full_name);
  reply.Map(2);
  reply.BulkString("calls");
  reply.Integer(static_cast<int64_t>(stats.calls));
  reply.BulkString("histogram_usec");
  const auto powers = stats.latency.CumulativePowers();
  reply.Map(powers.size());
  for (const auto& [bound, count] : powers) {
    reply.Integer(static_cast<int64_t>(bound));
    reply.Integer(static_cast<int64_t>(count));
  }
}

void LatencyHistogram(ServerCall& call) {
  const std::vector<std::string> names(call.args.begin() + 2, call.args.end());
  const ReplyTicket ticket = call.Defer();
  const auto done = [ticket, names,
                     protocol = call.session().protocol](const std::vector<LoopMetrics>& loops) {
    LoopMetrics total;
    for (const LoopMetrics& metrics : loops) total.Merge(metrics);
    ticket.Answer(MakeReply(protocol, [&](resp::ReplyWriter& reply) {
      const size_t start = reply.Position();
      size_t count = 0;
      for (const CommandEntry& entry : CommandIndex::Get().entries()) {
        const CommandStats& stats = total.stats(entry.id);
        if (stats.latency.count() == 0 || !IsAskedFor(names, entry.full_name)) continue;
        WriteHistogram(entry, stats, reply);
        ++count;
      }
      reply.InsertMap(start, count);
    }));
  };
  call.worker.state().Gather<LoopMetrics>(
      call.worker, [](Worker& worker) { return worker.SnapshotMetrics(); }, done);
}

constexpr ServerCommand kHandlers[] = {
    {"slowlog|get", SlowlogGet, true},
    {"slowlog|len", SlowlogLen, true},
    {"slowlog|reset", SlowlogReset, true},
    {"slowlog|help", Help},
    {"latency|history", LatencyHistory, true},
    {"latency|latest", LatencyLatest, true},
    {"latency|reset", LatencyReset, true},
    {"latency|doctor", LatencyDoctor, true},
    {"latency|graph", LatencyGraph, true},
    {"latency|histogram", LatencyHistogram, true},
    {"latency|help", Help},
};

}  // namespace

std::span<const ServerCommand> ObservationHandlers() {
  return kHandlers;
}

}  // namespace orrery::server
