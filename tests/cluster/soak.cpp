// soak: a cluster of real processes that everything happens to, while clients keep a ledger of what they were
// told.
//
//   soak --minutes 30 [--seed 1] [--nodes 5] [--spares 2] [--clients 6] [--round-seconds 60] [--faults "kill
//   one,bridge"]
//        [--appendfsync everysec] [--report FILE] [--list]
//
// Rounds follow each other on the same cluster. In a round clients work and the nemesis strikes; then all is
// mended, and when no hints are left and replicas are equal, the ledgers are compared with what the nodes
// show. At the end all rounds' ledgers are compared once more. Ends with 1 if anything was lost, came back,
// or did not converge.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

#include "cluster/nemesis.h"
#include "cluster/workload.h"

namespace orrery::cluster {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kConvergeSeconds = 120;
constexpr int kClientTimeoutSeconds = 4;

struct Options {
  double minutes = 10;
  uint64_t seed = 1;
  size_t nodes = 5;
  size_t spares = 2;  ///< nodes that may join; 0: members never change
  size_t clients = 6;
  double round_seconds = 60;
  std::string appendfsync = "everysec";
  std::string report;
  std::set<std::string> faults;
  bool list = false;
};

Options Parse(int count, char** words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string name = words[i];
    if (name == "--list") {
      options.list = true;
      continue;
    }
    const char* value = i + 1 < count ? words[++i] : "";
    if (name == "--minutes") {
      options.minutes = std::atof(value);
    } else if (name == "--seed") {
      options.seed = std::strtoull(value, nullptr, 10);
    } else if (name == "--nodes") {
      options.nodes = std::strtoull(value, nullptr, 10);
    } else if (name == "--spares") {
      options.spares = std::strtoull(value, nullptr, 10);
    } else if (name == "--clients") {
      options.clients = std::strtoull(value, nullptr, 10);
    } else if (name == "--round-seconds") {
      options.round_seconds = std::atof(value);
    } else if (name == "--appendfsync") {
      options.appendfsync = value;
    } else if (name == "--report") {
      options.report = value;
    } else if (name == "--faults") {
      for (const std::string& fault : SplitReply(value, ',')) options.faults.insert(fault);
    } else {
      std::cerr << "soak: unknown option " << name << "; the head of soak.cpp says what there is"
                << std::endl;
      std::exit(2);
    }
  }
  return options;
}

/// Clients on threads, each of which goes on with another node when its own does not answer.
class Crowd {
 public:
  Crowd(const Processes& nodes, std::vector<std::unique_ptr<Workload>>* workloads, size_t clients,
        uint64_t seed) {
    for (size_t c = 0; c < clients; ++c) {
      threads_.emplace_back([this, &nodes, workloads, c, seed] { Work(nodes, workloads, c, seed); });
    }
  }
  ~Crowd() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void Work(const Processes& nodes, std::vector<std::unique_ptr<Workload>>* workloads, size_t c,
            uint64_t seed) {
    std::mt19937_64 random(seed * 1000 + c);
    Client client = nodes.ClientOf(c % nodes.size(), kClientTimeoutSeconds);
    while (!stop_) {
      (*workloads)[random() % workloads->size()]->Step(c, &client, &random);
      if (!client.connected() || random() % 200 == 0)
        client = nodes.ClientOf(random() % nodes.size(), kClientTimeoutSeconds);
    }
  }

  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

class Soak {
 public:
  explicit Soak(const Options& options) : options_(options) {}
  int Run();

 private:
  bool Prepare();
  bool Round(int round);
  void Verify(Workload* workload);
  bool Converge(const std::vector<std::string>& keys);
  std::vector<std::string> SomeDifferences(const std::vector<std::string>& keys);
  void Complain(const std::string& what);
  void Report(double seconds);

  Options options_;
  std::unique_ptr<Namespaces> network_;
  std::unique_ptr<Processes> nodes_;
  std::unique_ptr<SmallDisk> disk_;  // goes before the nodes' directories do
  std::unique_ptr<Nemesis> nemesis_;
  std::vector<std::vector<std::unique_ptr<Workload>>> rounds_;
  std::vector<std::string> complaints_;
};

bool Soak::Prepare() {
  if (const std::string missing = Namespaces::Enter(); missing.empty()) {
    network_ = std::make_unique<Namespaces>(options_.seed);
  } else {
    std::cout << "no faults of the network: " << missing << std::endl;
  }
  const std::vector<std::string> settings = {
      "--protected-mode",  "no",   "--appendfsync",           options_.appendfsync,
      "--request-timeout", "2000", "--anti-entropy-interval", "2000",
      "--slot-transfer",   "yes"};
  const size_t disk_node = options_.nodes - 1;
  const auto prepare = [this, disk_node](Processes* nodes) {
    nodes->MakeClocksSkewable(ORRERY_SKEWED_CLOCK);
    disk_ = std::make_unique<SmallDisk>(nodes->dir(disk_node), "300m");
  };
  nodes_ = std::make_unique<Processes>(
      options_.nodes + options_.spares, settings,
      Processes::How{.network = network_.get(), .prepare = prepare, .started = options_.nodes});
  if (!disk_->mounted()) std::cout << "no full disk: mounting a small file system takes root" << std::endl;
  nemesis_ = std::make_unique<Nemesis>(Nemesis::Parts{.nodes = nodes_.get(),
                                                      .network = network_.get(),
                                                      .disk = disk_->mounted() ? disk_.get() : nullptr,
                                                      .disk_node = disk_node,
                                                      .skewable_clocks = true,
                                                      .members_change = options_.spares > 0},
                                       options_.seed);
  nemesis_->Restrict(options_.faults);
  return nodes_->WaitUntilServing();
}

void Soak::Complain(const std::string& what) {
  complaints_.push_back(what);
  std::cout << "!! " << what << std::endl;
}

void Soak::Verify(Workload* workload) {
  for (const std::string& complaint : workload->Verify(*nodes_)) Complain(complaint);
}

bool Soak::Converge(const std::vector<std::string>& keys) {
  const Clock::time_point begin = Clock::now();
  if (!Eventually([this] { return nemesis_->MembersAreSettled(); }, kConvergeSeconds)) {
    Complain("the nodes do not all serve, or seats are still on their way");
    for (size_t node : nodes_->running()) Complain(nodes_->Run(node, {"RING", "STATUS"}));
    return false;
  }
  if (!Eventually([&] { return nodes_->HaveConverged(keys); }, kConvergeSeconds)) {
    Complain("replicas differ, or hints remain");
    for (const std::string& difference : SomeDifferences(keys)) Complain(difference);
    return false;
  }
  std::cout << "  equal " << std::chrono::duration<double>(Clock::now() - begin).count()
            << " s after the mending" << std::endl;
  return true;
}

std::vector<std::string> Soak::SomeDifferences(const std::vector<std::string>& keys) {
  std::vector<std::string> lines;
  for (size_t node : nodes_->running()) {
    const std::string info = nodes_->Run(node, {"INFO", "dynamo"});
    lines.push_back("node " + std::to_string(node) + " at " + nodes_->address(node) + ": hints " +
                    FieldOf(info, "hints") + ", alive " + FieldOf(info, "members_alive"));
  }
  for (const std::string& key : keys) {
    if (lines.size() > 12 || nodes_->HaveConverged({key})) continue;
    lines.push_back("different: " + key);
  }
  return lines;
}

bool Soak::Round(int round) {
  rounds_.push_back(MakeWorkloads(round, options_.clients));
  std::vector<std::unique_ptr<Workload>>& workloads = rounds_.back();
  std::cout << "round " << round << std::endl;
  {
    const Crowd crowd(*nodes_, &workloads, options_.clients, options_.seed + static_cast<uint64_t>(round));
    const Clock::time_point end =
        Clock::now() + std::chrono::milliseconds(static_cast<int64_t>(options_.round_seconds * 1000));
    nemesis_->BeginRound();
    while (Clock::now() < end) nemesis_->Strike();
    nemesis_->MendAll();
    for (size_t node = 0; node < nodes_->size(); ++node) nodes_->SetClockOffset(node, 0);
  }
  std::vector<std::string> keys;
  Outcomes sum;
  for (const auto& workload : workloads) {
    for (std::string& key : workload->Keys()) keys.push_back(std::move(key));
    sum.acknowledged += workload->outcomes().acknowledged;
    sum.unknown += workload->outcomes().unknown;
    sum.refused += workload->outcomes().refused;
  }
  std::cout << "  " << sum.acknowledged << " acknowledged, " << sum.unknown << " unknown, " << sum.refused
            << " refused" << std::endl;
  if (sum.acknowledged == 0) Complain("no operation was acknowledged in this round");
  if (!Converge(keys)) return false;
  for (const auto& workload : workloads) Verify(workload.get());
  return complaints_.empty();
}

void Soak::Report(double seconds) {
  std::ostringstream text;
  text << "{\n \"seed\": " << options_.seed << ", \"seconds\": " << static_cast<int64_t>(seconds)
       << ", \"rounds\": " << rounds_.size() << ",\n \"faults\": {";
  const char* comma = "";
  for (const auto& [fault, times] : nemesis_->done()) {
    text << comma << "\"" << fault << "\": " << times;
    comma = ", ";
  }
  text << "},\n \"operations\": {";
  comma = "";
  for (size_t kind = 0; kind < rounds_.front().size(); ++kind) {
    Outcomes sum;
    for (const auto& round : rounds_) {
      const Outcomes one = round[kind]->outcomes();
      sum.acknowledged += one.acknowledged;
      sum.unknown += one.unknown;
      sum.refused += one.refused;
    }
    text << comma << "\n  \"" << rounds_.front()[kind]->name()
         << "\": {\"acknowledged\": " << sum.acknowledged << ", \"unknown\": " << sum.unknown
         << ", \"refused\": " << sum.refused << "}";
    comma = ",";
  }
  text << "\n },\n \"packets dropped\": " << (network_ ? network_->switchboard().dropped() : 0)
       << ",\n \"complaints\": " << complaints_.size() << "\n}\n";
  std::cout << text.str();
  if (!options_.report.empty()) std::ofstream(options_.report) << text.str();
}

int Soak::Run() {
  if (!Prepare()) {
    std::cerr << "the cluster does not start" << std::endl;
    nodes_->KeepData();
    return 1;
  }
  if (options_.list) {
    for (const std::string& kind : nemesis_->Kinds()) std::cout << kind << std::endl;
    return 0;
  }
  std::cout << "seed " << options_.seed << std::endl;
  const Clock::time_point begin = Clock::now();
  const auto elapsed = [begin] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  for (int round = 1; elapsed() < options_.minutes * 60; ++round) {
    if (!Round(round)) break;
  }
  if (complaints_.empty()) {
    for (const auto& round : rounds_) {
      for (const auto& workload : round) Verify(workload.get());
    }
  }
  Report(elapsed());
  if (complaints_.empty()) return 0;
  nodes_->KeepData();
  const std::string dir = nodes_->dir(options_.nodes - 1);
  if (disk_->mounted()) std::filesystem::copy(dir, dir + ".kept", std::filesystem::copy_options::recursive);
  return 1;
}

}  // namespace
}  // namespace orrery::cluster

int main(int count, char** words) {
  return orrery::cluster::Soak(orrery::cluster::Parse(count, words)).Run();
}
