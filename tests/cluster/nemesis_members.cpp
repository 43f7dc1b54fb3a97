// The nemesis' part about members: nodes come, leave, lose their disks, are replaced.

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "cluster/nemesis.h"

namespace orrery::cluster {
namespace {

// So many stay, so that one may be lost and another one be away, and every slot still has its copies.
constexpr size_t kFewestMembers = 4;
constexpr int kPeaceSeconds = 60;
constexpr int kRemovalSeconds = 30;
constexpr std::string_view kWasRemoved = "-CLUSTERDOWN this node was removed from the cluster";

}  // namespace

std::vector<Nemesis::Fault> Nemesis::MemberFaults() {
  if (!parts_.members_change) return {};
  std::vector<Fault> faults;
  if (!Spares().empty()) faults.push_back({"join", [this] { Join(); }});
  if (Members().size() > kFewestMembers + leaving_.size()) faults.push_back({"leave", [this] { Leave(); }});
  if (!copy_was_lost_) {
    faults.push_back({"wiped disk", [this] { WipeDisk(); }});
    if (Members().size() > kFewestMembers) {
      faults.push_back({"replaced node returns", [this] { ReplaceAndReturn(); }});
    }
  }
  return faults;
}

std::set<size_t> Nemesis::Spares() const {
  const std::set<size_t> members = Members();
  std::set<size_t> spares;
  for (size_t node = 0; node < count(); ++node) {
    if (!members.contains(node)) spares.insert(node);
  }
  return spares;
}

void Nemesis::Join() {
  parts_.nodes->Start(PickFrom(Spares()));
}

void Nemesis::Leave() {
  std::set<size_t> may_go = parts_.nodes->running();
  may_go.erase(parts_.disk_node);
  for (const size_t node : leaving_) may_go.erase(node);
  for (const size_t node : stopped_) may_go.erase(node);
  if (may_go.empty()) return;
  const size_t node = PickFrom(may_go);
  if (parts_.nodes->ClientOf(node, 2).Run({"RING", "LEAVE"}) == "OK") leaving_.insert(node);
}

// Only one copy at a time may be lost: everything is where it belongs before.
bool Nemesis::BeginLoss() {
  MendAll();
  copy_was_lost_ = true;
  return Eventually([this] { return MembersAreSettled(); }, kPeaceSeconds);
}

// The machine comes back as another node with the old address, and the old one is removed as soon as all
// members answer.
void Nemesis::WipeDisk() {
  if (!BeginLoss()) return;
  std::set<size_t> with_room = Members();
  with_room.erase(parts_.disk_node);
  const size_t node = PickFrom(with_room);
  lost_.insert(parts_.nodes->Run(node, {"CLUSTER", "MYID"}));
  parts_.nodes->Crash(node);
  Empty(node);
  parts_.nodes->Start(node);
}

// A dead node is replaced by those that there are; then it comes back with all that it had.
void Nemesis::ReplaceAndReturn() {
  if (!BeginLoss() || Members().size() <= kFewestMembers) return;
  std::set<size_t> with_room = Members();
  with_room.erase(parts_.disk_node);
  const size_t node = PickFrom(with_room);
  const std::string id = parts_.nodes->Run(node, {"CLUSTER", "MYID"});
  parts_.nodes->Crash(node);
  if (!Eventually([&] { return Remove(id); }, kRemovalSeconds)) {
    std::cout << "  not removed: " << id << std::endl;
    killed_.insert(node);
    return;
  }
  parts_.nodes->Start(node);
  leaving_.insert(node);
}

// Whether the members know it. That one does not know the node says nothing: it may not have met the others
// yet.
bool Nemesis::Remove(const std::string& id) {
  std::set<size_t> left = parts_.nodes->running();
  while (!left.empty()) {
    const size_t node = PickFrom(left);
    const std::string reply = parts_.nodes->ClientOf(node, 2).Run({"CLUSTER", "FORGET", id});
    if (!reply.starts_with("-ERR Unknown node")) return reply == "OK";
    left.erase(node);
  }
  return true;
}

void Nemesis::Empty(size_t node) {
  const std::string& dir = parts_.nodes->dir(node);
  std::filesystem::remove_all(dir);
  std::filesystem::create_directory(dir);
}

// Who has left, or was removed, says so. It serves nothing any more, and its machine may be used again.
void Nemesis::ReapWhoLeft() {
  for (auto it = leaving_.begin(); it != leaving_.end();) {
    const size_t node = *it++;
    const bool runs = parts_.nodes->pid(node) != 0 && !stopped_.contains(node);
    if (!runs || parts_.nodes->ClientOf(node, 2).Run({"GET", "anything"}) != kWasRemoved) continue;
    parts_.nodes->Crash(node);
    Empty(node);
    leaving_.erase(node);
  }
  for (auto it = lost_.begin(); it != lost_.end();) {
    const auto id = it++;
    if (!parts_.nodes->running().empty() && Remove(*id)) lost_.erase(id);
  }
}

bool Nemesis::MembersAreSettled() {
  ReapWhoLeft();
  return leaving_.empty() && lost_.empty() && parts_.nodes->AllServe() && parts_.nodes->AllSettled();
}

}  // namespace orrery::cluster
