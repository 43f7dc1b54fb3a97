#include "cluster/nemesis.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <thread>

namespace orrery::cluster {
namespace {

constexpr size_t kShortestMs = 300, kLongestMs = 5000;
constexpr int64_t kSkewMsMax = 20'000;
constexpr int kAntiEntropySeconds = 6;  // some rounds of it

}  // namespace

Nemesis::Nemesis(const Parts& parts, uint64_t seed) : parts_(parts), random_(seed) {}

std::vector<Nemesis::Fault> Nemesis::ProcessFaults() {
  std::vector<Fault> faults = {
      {"kill one", [this] { KillSome(1); }},
      {"kill two", [this] { KillSome(2); }},
      {"kill all", [this] { KillSome(Members().size()); }},
      {"stop one", [this] { StopSome(1); }},
      {"stop two", [this] { StopSome(2); }},
  };
  if (!copy_was_lost_) faults.push_back({"old disk image", [this] { PutOldImageBack(); }});
  if (parts_.disk != nullptr) {
    faults.push_back({"full disk", [this] {
                        parts_.disk->Fill();
                        disk_is_full_ = true;
                      }});
  }
  return faults;
}

std::vector<Nemesis::Fault> Nemesis::NetworkFaults() {
  if (parts_.network == nullptr) return {};
  return {
      {"halves", [this] { parts_.network->Cut(count(), Pick(Members().size() / 2)); }},
      {"isolated node", [this] { Isolate(1); }},
      {"two isolated nodes", [this] { Isolate(2); }},
      {"bridge",
       [this] {
         std::set<size_t> side = Pick(Members().size() / 2), other;
         for (size_t node : Members()) {
           if (!side.contains(node)) other.insert(node);
         }
         side.insert(*other.begin());
         parts_.network->Connect(count(), {side, other});
       }},
      {"ring of majorities", [this] { Ring(); }},
      {"one way", [this] { OneWay(); }},
      {"slow links", [this] { Worsen({.delay_ms = 60, .jitter_ms = 120}); }},
      {"lossy links", [this] { Worsen({.lost_percent = 10}); }},
      {"slow and lossy links", [this] { Worsen({.delay_ms = 20, .jitter_ms = 60, .lost_percent = 4}); }},
  };
}

std::vector<Nemesis::Fault> Nemesis::ClockFaults() {
  if (!parts_.skewable_clocks) return {};
  return {{"clocks apart",
           [this] {
             for (size_t node = 0; node < count(); ++node) {
               const auto skew = static_cast<int64_t>(Random(2 * kSkewMsMax)) - kSkewMsMax;
               parts_.nodes->SetClockOffset(node, skew);
             }
           }},
          {"a clock jumps", [this] {
             parts_.nodes->SetClockOffset(Random(count()),
                                          static_cast<int64_t>(Random(2 * kSkewMsMax)) - kSkewMsMax);
           }}};
}

std::vector<Nemesis::Fault> Nemesis::FaultsOf(Group group) {
  std::vector<Fault> faults = group == Group::kProcess   ? ProcessFaults()
                              : group == Group::kNetwork ? NetworkFaults()
                              : group == Group::kMembers ? MemberFaults()
                                                         : ClockFaults();
  if (!only_.empty())
    std::erase_if(faults, [this](const Fault& fault) { return !only_.contains(fault.name); });
  return faults;
}

std::vector<std::string> Nemesis::Kinds() const {
  std::vector<std::string> kinds;
  auto* self = const_cast<Nemesis*>(this);
  for (Group group : {Group::kProcess, Group::kNetwork, Group::kClock, Group::kMembers}) {
    for (const Fault& fault : self->FaultsOf(group)) kinds.push_back(fault.name);
  }
  return kinds;
}

void Nemesis::StrikeWith(Group group) {
  const std::vector<Fault> faults = FaultsOf(group);
  if (faults.empty()) return;
  const Fault& fault = faults[Random(faults.size())];
  std::cout << "  " << fault.name << std::endl;
  ++done_[fault.name];
  fault.begin();
}

void Nemesis::Strike() {
  // Clocks stay as they are for longer than links and processes.
  if (Random(6) == 0) StrikeWith(Group::kClock);
  // What members begin goes on under the other faults.
  if (Random(3) == 0) StrikeWith(Group::kMembers);
  const size_t which = Random(4);
  if (which != 0) StrikeWith(Group::kNetwork);
  const auto half = std::chrono::milliseconds((kShortestMs + Random(kLongestMs - kShortestMs)) / 2);
  std::this_thread::sleep_for(half);
  if (which <= 1) StrikeWith(Group::kProcess);
  std::this_thread::sleep_for(half);
  // In any order: a killed node may be back before the network is, and the other way round.
  if (parts_.network != nullptr && Random(2) == 0) parts_.network->Heal();
  const bool network_only = Random(4) == 0 && stopped_.empty() && killed_.empty() && !disk_is_full_;
  if (!network_only) MendAll();
  ReapWhoLeft();
}

void Nemesis::MendAll() {
  if (disk_is_full_) parts_.disk->Free();
  disk_is_full_ = false;
  for (size_t node : stopped_) parts_.nodes->Kill(node, SIGCONT);
  for (size_t node : killed_) parts_.nodes->Start(node);
  stopped_.clear();
  killed_.clear();
  if (parts_.network != nullptr) parts_.network->Heal();
}

std::set<size_t> Nemesis::Pick(size_t count_wanted) {
  std::set<size_t> picked;
  const std::set<size_t> members = Members();
  while (picked.size() < std::min(count_wanted, members.size())) picked.insert(PickFrom(members));
  return picked;
}

size_t Nemesis::PickFrom(const std::set<size_t>& nodes) {
  return *std::next(nodes.begin(), static_cast<std::ptrdiff_t>(Random(nodes.size())));
}

std::set<size_t> Nemesis::Members() const {
  std::set<size_t> members = parts_.nodes->running();
  members.insert(killed_.begin(), killed_.end());
  return members;
}

void Nemesis::KillSome(size_t how_many) {
  for (size_t node : Pick(how_many)) {
    if (killed_.contains(node)) continue;
    parts_.nodes->Kill(node, SIGKILL);
    killed_.insert(node);
  }
  for (size_t node : killed_) {
    if (parts_.nodes->pid(node) != 0) parts_.nodes->Reap(node);
  }
}

void Nemesis::StopSome(size_t how_many) {
  for (size_t node : Pick(how_many)) {
    if (killed_.contains(node)) continue;
    parts_.nodes->Kill(node, SIGSTOP);
    stopped_.insert(node);
  }
}

// A node comes back with what its disk held some time ago. What it has acknowledged since is on one copy
// less, so the cluster is left in peace before, until everything is where it belongs, and after, until this
// node has it again.
void Nemesis::PutOldImageBack() {
  if (!BeginLoss()) return;
  std::set<size_t> with_room = Members();
  with_room.erase(parts_.disk_node);
  const size_t node = PickFrom(with_room);
  const std::string dir = parts_.nodes->dir(node), aside = dir + ".image";
  parts_.nodes->Crash(node);
  std::filesystem::remove_all(aside);
  std::filesystem::copy(dir, aside, std::filesystem::copy_options::recursive);
  parts_.nodes->Start(node);
  parts_.nodes->WaitUntilServing();
  std::this_thread::sleep_for(std::chrono::milliseconds(kShortestMs + Random(kLongestMs)));
  const auto handed_over = [this] {
    for (size_t i : parts_.nodes->running()) {
      if (FieldOf(parts_.nodes->Run(i, {"INFO", "dynamo"}), "hints") != "0") return false;
    }
    return true;
  };
  Eventually(handed_over);
  parts_.nodes->Crash(node);
  std::filesystem::remove_all(dir);
  std::filesystem::rename(aside, dir);
  parts_.nodes->Start(node);
  parts_.nodes->WaitUntilServing();
  Eventually(handed_over);
  std::this_thread::sleep_for(std::chrono::seconds(kAntiEntropySeconds));
}

void Nemesis::Isolate(size_t how_many) {
  const std::set<size_t> alone = Pick(how_many);
  std::set<size_t> others;
  for (size_t node : Members()) {
    if (!alone.contains(node)) others.insert(node);
  }
  parts_.network->Connect(count(), {others});
}

// Each node sees its neighbours: a majority for everybody, and another one for each.
void Nemesis::Ring() {
  std::vector<std::set<size_t>> neighbours;
  const std::set<size_t> members = Members();
  for (auto node = members.begin(); node != members.end(); ++node) {
    const auto next = std::next(node);
    neighbours.push_back({*node, next == members.end() ? *members.begin() : *next});
  }
  parts_.network->Connect(count(), neighbours);
}

void Nemesis::OneWay() {
  for (size_t from = 0; from < count(); ++from) {
    for (size_t to = 0; to < count(); ++to) {
      if (from != to && Random(4) == 0) parts_.network->switchboard().SetLink(from, to, {.cut = true});
    }
  }
}

void Nemesis::Worsen(const LinkQuality& quality) {
  for (size_t a = 0; a < count(); ++a) {
    for (size_t b = 0; b < a; ++b) {
      if (Random(3) != 0) parts_.network->SetLink(a, b, quality);
    }
  }
}

}  // namespace orrery::cluster
