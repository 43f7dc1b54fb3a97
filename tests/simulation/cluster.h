#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "orrery/ring/ring.h"
#include "simulation/history.h"
#include "simulation/network.h"
#include "simulation/options.h"
#include "simulation/sim_node.h"

namespace orrery::simulation {

/// Hears of what happens in a cluster. The checkers are one.
class ClusterWatcher {
 public:
  virtual ~ClusterWatcher() = default;
  virtual void AfterTurn(Port port) = 0;
  virtual void OnExecution(size_t node, const Execution& execution) = 0;
  virtual void OnSend(size_t node, std::string_view frame) = 0;
  /// Just before a process ends, and when the node's disk is all that is left of it.
  virtual void BeforeCrash(size_t node) = 0;
  virtual void AfterStart(size_t node) = 0;
  /// The machine never comes back, or nobody relies on what it has any more.
  virtual void OnDiskGone(size_t node) = 0;
  /// It has left: what it had is the others' now.
  virtual void OnLeft(size_t node) = 0;
};

/// Any number of nodes under one virtual clock and one source of chance. Each has its own idea of who belongs
/// to the cluster, who is alive, and what the ring is. What fails first stops everything.
class Cluster final : private NetworkUser, private NodeHost {
 public:
  explicit Cluster(const Options& options);
  ~Cluster() override;

  void SetWatcher(ClusterWatcher* watcher) { watcher_ = watcher; }
  /// Before Start.
  void SetListener(RequestListener* listener) { listener_ = listener; }
  /// Starts all nodes, one after the other, each with some of the others as seeds.
  void Start();
  /// One step of the scheduler; false when a checker has failed or nothing is left to do.
  bool Step();

  const Options& options() const { return options_; }
  Scheduler& scheduler() { return scheduler_; }
  runtime::Random& random() { return random_; }
  Network& network() { return network_; }
  /// Machines, spare ones included.
  size_t size() const { return nodes_.size(); }
  /// Those that belong to the cluster, or are to, in order.
  const std::vector<size_t>& members() const { return members_; }
  bool IsMember(size_t node) const;
  /// Members, and those that are leaving but have not left.
  std::vector<size_t> Machines() const;
  /// Clients may talk to it: it is to join others, knows of the data, or was there before there was any.
  bool IsServing(size_t node);
  /// It has heard of the data, and who was there when it came.
  bool KnowsFounders(size_t node);
  SimNode& node(size_t index) { return *nodes_[index]; }
  /// The ring as the first node that is up sees it; of a cluster at rest that is everybody's.
  const ring::Ring& ring();
  /// The owners of the slot's seats, and who stands in for them, as the first node that is up sees it.
  std::vector<NodeId> Homes(SlotId slot);
  std::vector<NodeId> Fallbacks(SlotId slot);
  /// False of slots that this run leaves out, so that fewer seats move.
  bool HasHomes(SlotId slot) const { return options_.whole_ring || kept_slots_[slot]; }
  size_t IndexOf(NodeId id) const;
  /// By kind in turn: a{..} b{..} ... a1{..} b1{..} ...
  std::vector<std::string> KeysOf(SlotId slot) const;
  const std::vector<SlotId>& slots() const { return slots_; }

  /// Whether all nodes are up and agree on who belongs to the cluster and that all of them are alive: empty;
  /// else who does not.
  std::string NotMet();
  /// All have met, and clients come: from now on every ring counts.
  void SetFounded() { founded_ = true; }
  bool founded() const { return founded_; }
  /// Whether all nodes agree on who owns the slots' seats, and have what they should have: empty; else who
  /// does not.
  std::string NotSettled();

  // Faults and their ends.
  /// A spare machine with this seed: it asks to join. Nothing if the cluster does not know yet that it holds
  /// data, or the machine is up already.
  void StartStranger(size_t seed);
  void StopStranger();

  // What operators do while there is data. Nothing if it cannot be granted now.
  /// A spare machine joins: it has members as seeds, or one is told of it (CLUSTER MEET). Whether there was
  /// one.
  bool Join();
  /// The member hands over what it has, and is stopped when it has left.
  void Leave(size_t node);
  /// The member's machine is gone for good with its disk; a spare machine joins, and others are told to do
  /// without the old one. comes_back: it was not gone after all, and starts again when nobody wants it any
  /// more. Whether it was done.
  bool Replace(size_t node, bool comes_back);
  /// How many members but this one have a share of the data.
  size_t Sharing(size_t except) const;
  /// Nobody is leaving, and nobody is still to be removed: empty; else who.
  std::string Unsettled() const;
  void StartNode(size_t node);
  void CrashNode(size_t node, size_t unsynced_to_keep, uint64_t noticed_within_us);
  /// The node's disk as it was when its first life had begun: it has an id and knows nobody. REQUIRES: it was
  /// started.
  const storage::MemoryDatabase::Image& first_image(size_t node) const { return *first_images_.at(node); }
  /// REQUIRES: the node is down.
  void RestoreImage(size_t node, const storage::MemoryDatabase::Image& image);
  void PauseNode(size_t node);
  void ResumeNode(size_t node);
  void SetBlocked(size_t from, size_t to, bool blocked);
  /// Everything works again, from now on.
  void Heal();

  /// The first failure wins.
  void Fail(const std::string& what);
  const std::string& failure() const { return failure_; }
  /// Nothing more can be said of this run: it ends here, well.
  void Finish(const std::string& why);
  bool finished() const { return finished_; }
  /// For the trace, and into the digest of the run. The text is made only if somebody reads it.
  template <typename Text>
  void Note(const char* kind, uint64_t a, uint64_t b, const Text& text) {
    Mix(kind[0] + a * 31 + b * 1009);
    if (options_.trace) Trace(kind, text());
  }
  const std::deque<std::string>& trace() const { return trace_; }
  uint64_t digest() const { return digest_; }

 private:
  // NetworkUser
  bool IsResponsive(Port port) const override;
  bool Dials(Port from, Port to) const override;
  bool IsOwnLink(Port port, Port peer) const override;
  void RunOn(Port port, bool quiet, std::function<void()> task) override;
  void LinkUp(Port port, Port peer) override;
  void LinkDown(Port port, Port peer) override;
  void Deliver(Port port, Port peer, std::string_view frame) override;
  // NodeHost
  std::shared_ptr<const ring::Ring> RingOf(const std::vector<ring::RingMember>& members, uint8_t n) override;
  void Send(Port from, NodeId to, std::string frame, bool quiet) override;
  void OnPeersChanged(size_t node) override;
  void OnView(size_t node) override;
  void OnExecution(size_t node, const Execution& execution) override;
  void AfterTurn(Port port) override;
  RequestListener* listener() override { return listener_; }
  void OnLog(size_t node, const std::string& text) override;

  void Mix(uint64_t value);
  void Trace(const char* kind, const std::string& text);
  void ChooseSlots();
  void ChooseSeeds();
  void RemoveGone(size_t node, bool comes_back);
  void SeeThatItJoins(size_t node);
  std::vector<size_t> Joined();
  bool IsKnown(size_t node);
  void StopWhenLeft(size_t node);
  void MakeRoomForSeats();
  void ComeBack(size_t node);
  void NewLife(size_t node, uint64_t after_us);

  Options options_;
  Scheduler scheduler_;
  runtime::SeededRandom random_;
  Network network_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::map<size_t, std::shared_ptr<const storage::MemoryDatabase::Image>> first_images_;
  std::shared_ptr<const ring::Ring> last_ring_;
  std::bitset<kSlotCount> kept_slots_;
  std::map<std::shared_ptr<const ring::Ring>, std::shared_ptr<const ring::Ring>> parts_of_rings_;
  std::vector<SlotId> slots_;
  std::vector<std::string> tags_;
  bool founded_ = false;
  bool healed_ = false;
  std::vector<size_t> members_;
  std::set<size_t> leaving_;
  std::set<size_t> gone_;      ///< and not removed yet
  std::set<size_t> unwanted_;  ///< removed, and yet they run
  std::set<size_t> off_;       ///< for good
  size_t used_ = 0;            ///< machines that are or were members; the next is spare
  ClusterWatcher* watcher_ = nullptr;
  RequestListener* listener_ = nullptr;
  std::string failure_;
  bool finished_ = false;
  std::deque<std::string> trace_;
  uint64_t digest_ = 0;
};

/// "n3": how traces name nodes.
std::string NodeName(size_t node);

}  // namespace orrery::simulation
