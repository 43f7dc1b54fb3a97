#include <sys/resource.h>

#include <cctype>

#include "server/commands/handler_tools.h"
#include "server/commands/info_data.h"

namespace orrery::server {
namespace {

struct Section {
  std::string_view name;
  std::string_view title;
  bool by_default;
  std::string (*write)(const InfoData& data);
};

constexpr Section kSections[] = {
    {"server", "Server", true, InfoServer},
    {"clients", "Clients", true, InfoClients},
    {"memory", "Memory", true, InfoMemory},
    {"persistence", "Persistence", true, InfoPersistence},
    {"stats", "Stats", true, InfoStats},
    {"replication", "Replication", true, InfoReplication},
    {"cpu", "CPU", true, InfoCpu},
    {"modules", "Modules", true, InfoModules},
    {"commandstats", "Commandstats", false, InfoCommandStats},
    {"errorstats", "Errorstats", true, InfoErrorStats},
    {"latencystats", "Latencystats", false, InfoLatencyStats},
    {"cluster", "Cluster", true, InfoCluster},
    {"keyspace", "Keyspace", true, InfoKeyspace},
    {"dynamo", "Dynamo", true, InfoDynamo},
    {"rocksdb", "RocksDB", false, InfoRocksdb},
};

struct LoopPart {
  LoopMetrics metrics;
  LoopFacts facts;
  ActivityFacts activity;
  CpuTimes cpu;
};

CpuTimes CpuOfThisThread() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return {usage.ru_stime, usage.ru_utime};
}

InfoData Sum(Worker& worker, const std::vector<LoopPart>& loops) {
  InfoData data{worker};
  data.first_loop = loops.front().cpu;
  data.memory = ReadMemoryFacts();
  for (const LoopPart& part : loops) {
    data.metrics.Merge(part.metrics);
    AddFacts(part.facts, &data.facts);
    data.activity.Add(part.activity);
  }
  return data;
}

void Info(ServerCall& call) {
  const ReplyTicket ticket = call.Defer();
  const auto ask = [](Worker& worker) {
    return LoopPart{worker.SnapshotMetrics(), worker.node().Facts(), worker.node().Activity(),
                    CpuOfThisThread()};
  };
  const auto done = [ticket, sections = ChosenSections(call.args.subspan(1)), &worker = call.worker,
                     protocol = call.session().protocol](const std::vector<LoopPart>& loops) {
    const std::string text = WriteInfo(Sum(worker, loops), sections);
    ticket.Answer(MakeReply(protocol, [&](resp::ReplyWriter& reply) { reply.Verbatim("txt", text); }));
  };
  call.worker.state().Gather<LoopPart>(call.worker, ask, done);
}

constexpr ServerCommand kHandlers[] = {{"info", Info, true}};

}  // namespace

void ActivityFacts::Add(const ActivityFacts& other) {
  keyspace.Add(other.keyspace);
  peer_bytes_received += other.peer_bytes_received;
  peer_bytes_sent += other.peer_bytes_sent;
  merges += other.merges;
  repairs += other.repairs;
}

void AddFacts(const LoopFacts& other, LoopFacts* sum) {
  if (sum->databases.size() < other.databases.size()) sum->databases.resize(other.databases.size());
  for (size_t i = 0; i < other.databases.size(); ++i) {
    sum->databases[i].keys += other.databases[i].keys;
    sum->databases[i].expires += other.databases[i].expires;
  }
  for (const HintFacts& hints : other.hints) {
    bool found = false;
    for (HintFacts& mine : sum->hints) {
      if (mine.home != hints.home) continue;
      mine.events += hints.events;
      mine.bytes += hints.bytes;
      found = true;
    }
    if (!found) sum->hints.push_back(hints);
  }
  sum->links.insert(sum->links.end(), other.links.begin(), other.links.end());
  sum->slots_held += other.slots_held;
  sum->slots_in_service += other.slots_in_service;
  sum->rows += other.rows;
  sum->backlog_bytes += other.backlog_bytes;
  sum->writes_stopped = sum->writes_stopped || other.writes_stopped;
  if (!other.writes_stopped_reason.empty()) sum->writes_stopped_reason = other.writes_stopped_reason;
  for (const auto& [name, value] : other.counters) sum->counters[name] += value;
}

std::set<std::string> ChosenSections(commands::Args names) {
  std::set<std::string> chosen;
  const auto choose = [&chosen](bool all) {
    for (const Section& section : kSections) {
      if (all || section.by_default) chosen.emplace(section.name);
    }
  };
  if (names.empty()) choose(false);
  for (std::string_view name : names) {
    std::string lower;
    for (char c : name) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (lower == "default") {
      choose(false);
    } else if (lower == "all" || lower == "everything") {
      choose(true);
    } else {
      chosen.insert(lower);
    }
  }
  return chosen;
}

std::string WriteInfo(const InfoData& data, const std::set<std::string>& sections) {
  std::string text;
  for (const Section& section : kSections) {
    if (!sections.contains(std::string(section.name))) continue;
    if (!text.empty()) text += "\r\n";
    text.append("# ").append(section.title).append("\r\n").append(section.write(data));
  }
  return text;
}

std::span<const ServerCommand> InfoHandlers() {
  return kHandlers;
}

}  // namespace orrery::server
