#include "simulation/nemesis.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "orrery/base/check.h"
#include "orrery/base/hash.h"
#include "orrery/storage/row_key.h"

namespace orrery::simulation {

const std::set<std::string>& AllFaults() {
  static const std::set<std::string> kAll = {"partition", "pair",    "asymmetric", "flap", "slow",
                                             "crash",     "power",   "pause",      "skew", "disk",
                                             "image",     "suspect", "stranger"};
  return kAll;
}

const std::set<std::string>& OperatorFaults() {
  static const std::set<std::string> kOperators = {"join", "leave", "replace", "weight"};
  return kOperators;
}

Nemesis::Nemesis(Cluster* cluster) : cluster_(*cluster) {
  interval_us_ = 50'000 + cluster_.random().Below(1'500'000);
}

void Nemesis::Start(const std::set<std::string>& faults) {
  faults_ = faults;
  stopped_ = false;
  // Strangers do not come together with disks from before the founding (docs/simulation.md).
  if (faults.contains("stranger")) image_ = nullptr;
  ++round_;
  if (!faults_.empty()) Plan();
}

void Nemesis::Plan() {
  Later(1 + cluster_.random().Below(2 * interval_us_), [this] {
    Strike(*std::next(faults_.begin(), static_cast<std::ptrdiff_t>(cluster_.random().Below(faults_.size()))));
    Plan();
  });
}

void Nemesis::Strike(const std::string& fault) {
  cluster_.Note("fault", 0, 0, [&] { return fault; });
  if (fault == "partition") return Partition();
  if (fault == "pair") return Pair();
  if (fault == "asymmetric") return Asymmetric();
  if (fault == "flap") return Flap();
  if (fault == "slow") return Slow();
  if (fault == "crash") return Crash(false);
  if (fault == "power") return Crash(true);
  if (fault == "pause") return Pause();
  if (fault == "skew") return Skew();
  if (fault == "disk") return Disk();
  if (fault == "stall") return Stall();
  if (fault == "suspect") return Suspect();
  if (fault == "stranger") return Stranger();
  if (fault == "join") return Join();
  if (fault == "leave") return Leave();
  if (fault == "replace") return Replace();
  if (fault == "image") return Image();
  if (fault == "corrupt") return Corrupt();
  if (fault == "rot") return Rot();
  if (fault == "weight") return Weight();
  ORRERY_CHECK(!"a fault of the simulation");
}

// Mostly short, sometimes so long that everybody has noticed.
uint64_t Nemesis::Duration() {
  const uint64_t longest_us = cluster_.random().Below(4) == 0 ? 8'000'000 : 1'500'000;
  return 1'000 + cluster_.random().Below(longest_us);
}

void Nemesis::Later(uint64_t delay_us, std::function<void()> task) {
  cluster_.scheduler().After(delay_us, [this, round = round_, task = std::move(task)] {
    if (!stopped_ && round == round_) task();
  });
}

// Two sides, sometimes three.
void Nemesis::Partition() {
  const uint64_t sides = cluster_.random().Below(4) == 0 ? 3 : 2;
  std::vector<uint64_t> side;
  for (size_t i = 0; i < cluster_.size(); ++i) side.push_back(cluster_.random().Below(sides));
  const auto cut = [this, side](bool blocked) {
    for (size_t a = 0; a < side.size(); ++a) {
      for (size_t b = 0; b < side.size(); ++b) {
        if (side[a] != side[b]) cluster_.SetBlocked(a, b, blocked);
      }
    }
  };
  cut(true);
  Later(Duration(), [cut] { cut(false); });
}

// Two nodes do not see each other; all others see both.
void Nemesis::Pair() {
  const size_t a = AnyNode(), b = AnyOther(a);
  const auto cut = [this, a, b](bool blocked) {
    cluster_.SetBlocked(a, b, blocked);
    cluster_.SetBlocked(b, a, blocked);
  };
  cut(true);
  Later(Duration(), [cut] { cut(false); });
}

void Nemesis::Asymmetric() {
  const size_t from = AnyNode();
  const size_t to = AnyOther(from);
  cluster_.SetBlocked(from, to, true);
  Later(Duration(), [this, from, to] { cluster_.SetBlocked(from, to, false); });
}

void Nemesis::Flap() {
  const size_t node = AnyNode();
  const size_t peer = AnyOther(node);
  if (cluster_.random().Below(2) == 0) return cluster_.network().BreakOne(node, peer);
  cluster_.network().Break(node, peer);
}

void Nemesis::Slow() {
  const size_t from = AnyNode();
  const size_t to = AnyOther(from);
  cluster_.network().SetSlow(from, to, cluster_.random().Below(700'000));
  Later(Duration(), [this, from, to] { cluster_.network().SetSlow(from, to, 0); });
}

// A killed process keeps what it has committed; a power cut takes some or all of what was not synced, on one
// machine or, now and then, on all that share a socket.
void Nemesis::Crash(bool power) {
  std::vector<size_t> victims = {AnyNode()};
  if (power && cluster_.random().Below(5) == 0) {
    for (size_t i : cluster_.members()) {
      if (i != victims[0] && cluster_.random().Below(2) == 0) victims.push_back(i);
    }
  }
  for (size_t node : victims) {
    size_t keep = SIZE_MAX;
    if (power) keep = cluster_.random().Below(3) == 0 ? cluster_.random().Below(4) : 0;
    cluster_.CrashNode(node, keep, power ? 2'000'000 : 20'000);
    Later(Duration(), [this, node] { cluster_.StartNode(node); });
  }
}

void Nemesis::Pause() {
  const size_t node = AnyNode();
  cluster_.PauseNode(node);
  Later(Duration(), [this, node] { cluster_.ResumeNode(node); });
}

void Nemesis::Skew() {
  const int64_t offset_ms = static_cast<int64_t>(cluster_.random().Below(20'000)) - 10'000;
  cluster_.node(AnyNode()).clock().SetOffset(offset_ms);
}

void Nemesis::Disk() {
  const size_t node = AnyNode();
  const bool full = cluster_.random().Below(2) == 0;
  cluster_.node(node).disk().FailWrites(full ? Status::Full("simulated full disk")
                                             : Status::IoError("simulated disk"));
  Later(Duration(), [this, node] {
    cluster_.node(node).disk().FailWrites(Status::Ok());
    cluster_.StartNode(node);
  });
}

// One machine or all of them, and long enough for lives to be closed meanwhile (LifeCloser waits for five
// seconds).
void Nemesis::Stall() {
  std::vector<size_t> victims = {AnyNode()};
  if (cluster_.random().Below(2) == 0) victims = cluster_.Machines();
  for (const size_t node : victims) cluster_.node(node).StallSyncs(true);
  Later(8'000'000 + 4 * Duration(), [this, victims] {
    for (const size_t node : victims) cluster_.node(node).StallSyncs(false);
  });
}

// How many nodes have what was acknowledged, at least: fewer than W while the cluster is smaller than N.
size_t Nemesis::Copies() {
  size_t copies = cluster_.options().w;
  if (!cluster_.founded()) return std::min(copies, cluster_.options().nodes);
  for (SlotId slot : cluster_.slots()) copies = std::min(copies, cluster_.Homes(slot).size());
  return copies;
}

// One row of one replica cannot be read any more; whoever reads it next notices, and the slot loses a copy.
// Always on the same node, but with W = 1, where it may have the only copy.
// Beside `rot`, which keeps each row readable on all homes but one, it keeps to that.
void Nemesis::Corrupt() {
  if (Copies() < 2) return;
  const SlotId slot = cluster_.slots()[cluster_.random().Below(cluster_.slots().size())];
  const size_t victim = cluster_.options().seed % cluster_.options().nodes;
  const auto homes = cluster_.Homes(slot);
  if (homes.empty()) return;
  Damage(victim, slot, [&](std::string_view key) {
    return !faults_.contains("rot") || cluster_.IndexOf(homes[Hash64(key) % homes.size()]) == victim;
  });
}

// As above, on any home, or on all of them at once; but each row on one of them only, so that another one can
// read it.
void Nemesis::Rot() {
  if (Copies() < 2) return;
  const SlotId slot = cluster_.slots()[cluster_.random().Below(cluster_.slots().size())];
  const auto homes = cluster_.Homes(slot);
  if (homes.empty()) return;
  const bool all = cluster_.random().Below(3) == 0;
  const size_t chosen = cluster_.random().Below(homes.size());
  for (size_t i = 0; i < homes.size(); ++i) {
    if (!all && i != chosen) continue;
    Damage(cluster_.IndexOf(homes[i]), slot,
           [&](std::string_view key) { return Hash64(key) % homes.size() == i; });
  }
}

void Nemesis::Damage(size_t victim, SlotId slot, const std::function<bool(std::string_view)>& may_be) {
  SimNode& node = cluster_.node(victim);
  if (!cluster_.IsMember(victim)) return;
  if (!node.up() || node.StoreOf(slot).HasPending()) return;
  const replication::SlotReplica* replica = node.ShardOf(slot).slots().Find(slot);
  if (replica == nullptr || replica->is_aside()) return;
  std::vector<std::string> keys;
  auto cursor = node.StoreOf(slot).Scan(storage::Table::kRows, storage::SlotPrefix(slot));
  for (; cursor->Valid(); cursor->Next()) {
    if (may_be(cursor->key())) keys.emplace_back(cursor->key());
  }
  if (keys.empty()) return;
  const std::string& key = keys[cluster_.random().Below(keys.size())];
  cluster_.Note("damage", victim, slot, [&] {
    return NodeName(victim) + " slot " + std::to_string(slot) + " row " + std::to_string(Hash64(key));
  });
  node.disk().CorruptValue(storage::Table::kRows, key);
}

// A machine comes back with an older copy of its disk. Always the same one: more copies lost than W - 1 are
// beyond what anybody promises, and so is any with W = 1.
void Nemesis::Image() {
  if (Copies() < 2) return;
  const size_t node = cluster_.options().seed % cluster_.options().nodes;
  if (!cluster_.IsMember(node)) return;
  if (image_ == nullptr || cluster_.random().Below(3) == 0) {
    // A disk of before serves with what it knows where it reaches nobody (docs/membership.md): fewer copies
    // than N, if it knows of fewer members.
    SimNode& taken = cluster_.node(node);
    if (taken.up() && taken.view().members.size() >= cluster_.options().n) image_ = taken.disk().CopyImage();
    return;
  }
  cluster_.CrashNode(node, SIZE_MAX, 20'000);
  cluster_.RestoreImage(node, *image_);
  Later(Duration(), [this, node] { cluster_.StartNode(node); });
}

// A node gets another share of the data, or none, or some again: seats move. Enough others have a share.
void Nemesis::Weight() {
  const size_t node = AnyNode();
  if (!cluster_.node(node).up()) return;
  for (size_t i : cluster_.members()) {
    if (!cluster_.node(i).up() || cluster_.node(i).view().founders == nullptr) return;
  }
  const bool may_rest = cluster_.Sharing(node) >= cluster_.options().n;
  const auto weight = static_cast<uint32_t>(cluster_.random().Below(3));
  cluster_.Note("weight", node, weight, [&] { return NodeName(node) + " gets " + std::to_string(weight); });
  cluster_.node(node).SetWeight(weight == 0 && !may_rest ? 1 : weight);
}

void Nemesis::Suspect() {
  const size_t node = AnyNode();
  const size_t peer = AnyOther(node);
  cluster_.node(node).Suspect(cluster_.node(peer).id(), Duration());
}

// Whether everybody has known once that there is data, and who was there when it came.
bool Nemesis::AllKnowOfData() {
  if (all_know_of_data_ || !cluster_.founded()) return all_know_of_data_;
  const auto& members = cluster_.members();
  all_know_of_data_ = std::all_of(members.begin(), members.end(), [this](size_t node) {
    return cluster_.node(node).up() && cluster_.node(node).view().founders != nullptr;
  });
  return all_know_of_data_;
}

void Nemesis::Join() {
  if (AllKnowOfData()) cluster_.Join();
}

void Nemesis::Leave() {
  if (AllKnowOfData()) cluster_.Leave(AnyMember());
}

// A machine that is lost takes a copy with it: fewer are lost in a run than there are of each event.
void Nemesis::Replace() {
  if (!AllKnowOfData() || cluster_.members().size() < 2) return;
  size_t copies = Copies();
  for (const char* lossy : {"image", "corrupt", "rot"}) {
    if (faults_.contains(lossy) && copies > 0) --copies;
  }
  if (replaced_ + 1 >= copies) return;
  if (cluster_.Replace(AnyMember(), cluster_.random().Below(3) == 0)) ++replaced_;
}

// A node that would like to join: the cluster holds data, so nobody takes it in. Before, it would rightly be
// a member.
void Nemesis::Stranger() {
  if (!cluster_.founded()) return;
  cluster_.StartStranger(AnyNode());
  Later(Duration(), [this] { cluster_.StopStranger(); });
}

}  // namespace orrery::simulation
