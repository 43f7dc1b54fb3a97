#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "server/commands/handler_tools.h"
#include "server/memory_facts.h"

namespace orrery::server {
namespace {

/// What MEMORY STATS and MEMORY DOCTOR look at.
struct MemoryPicture {
  MemoryFacts process;
  uint64_t peak = 0;
  uint64_t startup = 0;
  uint64_t client_bytes = 0;
  uint64_t backlog_bytes = 0;
  uint64_t link_bytes = 0;
  uint64_t keys = 0;
  std::map<std::string, uint64_t> store;
};

struct LoopPart {
  uint64_t client_bytes = 0;
  LoopFacts facts;
};

double Ratio(uint64_t a, uint64_t b) {
  return b == 0 ? 0 : static_cast<double>(a) / static_cast<double>(b);
}
double Percent(uint64_t a, uint64_t b) {
  return 100 * Ratio(a, b);
}

uint64_t StoreBytes(const std::map<std::string, uint64_t>& store, std::string_view name) {
  const auto found = store.find(std::string(name));
  return found == store.end() ? 0 : found->second;
}

MemoryPicture MakePicture(Worker& worker, const std::vector<LoopPart>& loops) {
  MemoryPicture picture;
  picture.process = ReadMemoryFacts();
  auto& peak = worker.state().peak_memory_bytes;
  peak = std::max(peak.load(), picture.process.allocated);
  picture.peak = peak;
  picture.startup = worker.state().startup_memory_bytes;
  picture.store = worker.node().StoreProperties();
  for (const LoopPart& part : loops) {
    picture.client_bytes += part.client_bytes;
    picture.backlog_bytes += part.facts.backlog_bytes;
    for (const LinkFacts& link : part.facts.links) picture.link_bytes += link.queued_bytes;
    for (const DatabaseFacts& database : part.facts.databases) picture.keys += database.keys;
  }
  return picture;
}

void GatherPicture(ServerCall& call, std::function<void(const MemoryPicture&, resp::ReplyWriter&)> write) {
  const ReplyTicket ticket = call.Defer();
  const auto ask = [](Worker& worker) {
    const LoopMetrics metrics = worker.SnapshotMetrics();
    return LoopPart{metrics.input_buffer_bytes + metrics.output_buffer_bytes, worker.node().Facts()};
  };
  const auto done = [ticket, write, &worker = call.worker,
                     protocol = call.session().protocol](const std::vector<LoopPart>& loops) {
    const MemoryPicture picture = MakePicture(worker, loops);
    ticket.Answer(MakeReply(protocol, [&](resp::ReplyWriter& reply) { write(picture, reply); }));
  };
  call.worker.state().Gather<LoopPart>(call.worker, ask, done);
}

void WriteStats(const MemoryPicture& picture, resp::ReplyWriter& reply) {
  const MemoryFacts& process = picture.process;
  const uint64_t overhead =
      picture.startup + picture.client_bytes + picture.backlog_bytes + picture.link_bytes;
  const uint64_t dataset = process.allocated - std::min(process.allocated, overhead);
  const std::pair<std::string_view, uint64_t> integers[] = {
      {"peak.allocated", picture.peak},
      {"total.allocated", process.allocated},
      {"startup.allocated", picture.startup},
      {"replication.backlog", picture.backlog_bytes},
      {"clients.slaves", 0},
      {"clients.normal", picture.client_bytes},
      {"cluster.links", picture.link_bytes},
      {"aof.buffer", 0},
      {"lua.caches", 0},
      {"functions.caches", 0},
      {"overhead.total", overhead},
      {"keys.count", picture.keys},
      {"keys.bytes-per-key", picture.keys == 0 ? 0 : dataset / picture.keys},
      {"dataset.bytes", dataset},
      {"allocator.allocated", process.allocated},
      {"allocator.active", process.active},
      {"allocator.resident", process.resident},
      {"allocator-fragmentation.bytes", process.active - std::min(process.active, process.allocated)},
      {"allocator-rss.bytes", process.resident - std::min(process.resident, process.active)},
      {"rss-overhead.bytes", process.rss - std::min(process.rss, process.resident)},
      {"fragmentation.bytes", process.rss - std::min(process.rss, process.allocated)},
  };
  const std::pair<std::string_view, double> doubles[] = {
      {"dataset.percentage",
       Percent(dataset, process.allocated - std::min(process.allocated, picture.startup))},
      {"peak.percentage", Percent(process.allocated, picture.peak)},
      {"allocator-fragmentation.ratio", Ratio(process.active, process.allocated)},
      {"allocator-rss.ratio", Ratio(process.resident, process.active)},
      {"rss-overhead.ratio", Ratio(process.rss, process.resident)},
      {"fragmentation", Ratio(process.rss, process.allocated)},
  };
  reply.Map(std::size(integers) + std::size(doubles) + picture.store.size());
  for (const auto& [name, value] : integers) {
    reply.BulkString(name);
    reply.Integer(static_cast<int64_t>(value));
  }
  for (const auto& [name, value] : doubles) {
    reply.BulkString(name);
    reply.Double(value);
  }
  for (const auto& [name, value] : picture.store) {
    reply.BulkString("rocksdb." + name);
    reply.Integer(static_cast<int64_t>(value));
  }
}

void Stats(ServerCall& call) {
  GatherPicture(call, WriteStats);
}

std::string Diagnose(const MemoryPicture& picture) {
  const MemoryFacts& process = picture.process;
  std::string text;
  if (process.allocated > 0 && Ratio(process.active, process.allocated) > 1.4 &&
      process.allocated > (100 << 20)) {
    text += fmt::format(
        "* The allocator is fragmented: {} in pages for {} in use. MEMORY PURGE gives back what it can.\n",
        HumanBytes(process.active), HumanBytes(process.allocated));
  }
  if (picture.client_bytes > (256 << 20)) {
    text +=
        fmt::format("* Clients' buffers take {}: look for large pipelines and slow readers in CLIENT LIST.\n",
                    HumanBytes(picture.client_bytes));
  }
  if (picture.link_bytes > (64 << 20)) {
    text +=
        fmt::format("* {} wait to be sent to peers: one of them or the network is slow, see CLUSTER LINKS.\n",
                    HumanBytes(picture.link_bytes));
  }
  if (picture.peak > process.allocated + process.allocated / 2 && picture.peak > (100 << 20)) {
    text += fmt::format("* The peak was {}, {} are in use now: fragmentation after a peak is normal.\n",
                        HumanBytes(picture.peak), HumanBytes(process.allocated));
  }
  const uint64_t cache = StoreBytes(picture.store, "block_cache_usage");
  if (process.total_system > 0 && process.rss > process.total_system / 10 * 9) {
    text += fmt::format(
        "* The process fills {} of the machine's {}; the block cache has {}: lower block-cache-size.\n",
        HumanBytes(process.rss), HumanBytes(process.total_system), HumanBytes(cache));
  }
  if (!text.empty()) return "What stands out in this node's memory:\n\n" + text;
  return fmt::format("Nothing stands out: {} in use, {} resident, {} in clients' buffers.\n",
                     HumanBytes(process.allocated), HumanBytes(process.rss),
                     HumanBytes(picture.client_bytes));
}

void Doctor(ServerCall& call) {
  GatherPicture(call, [](const MemoryPicture& picture, resp::ReplyWriter& reply) {
    reply.Verbatim("txt", Diagnose(picture));
  });
}

void MallocStats(ServerCall& call) {
  call.reply.Verbatim("txt", AllocatorReport());
}

void Purge(ServerCall& call) {
  PurgeMemory() ? call.reply.Ok() : call.reply.Error("ERR Error purging dirty pages");
}

constexpr ServerCommand kHandlers[] = {
    {"memory|stats", Stats, true}, {"memory|doctor", Doctor, true}, {"memory|malloc-stats", MallocStats},
    {"memory|purge", Purge},       {"memory|help", Help},
};

}  // namespace

std::span<const ServerCommand> MemoryHandlers() {
  return kHandlers;
}

}  // namespace orrery::server
