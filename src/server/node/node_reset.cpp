#include "server/node/node_reset.h"

#include <utility>

#include "orrery/storage/rocks_wipe.h"
#include "server/node/node_files.h"

namespace orrery::server {

using replication::ResetSituation;
using replication::ResetStep;

namespace {

constexpr uint64_t kAgainUs = 50'000;
// Who has left waits no longer until another member knows it; then an operator has to tell them.
constexpr uint64_t kUnheardMaxUs = 5'000'000;
// Commands that are under way have their own, shorter, limit.
constexpr uint64_t kQuietMaxUs = 10'000'000;

uint64_t RowsOf(NodeLoop* loop) {
  uint64_t rows = 0;
  for (SlotId slot : loop->shard().slots().known()) {
    if (const auto* replica = loop->shard().slots().Find(slot)) rows += replica->row_count();
  }
  return rows;
}

}  // namespace

/// What all loops have and do, each at a moment of its own.
struct NodeReset::Look {
  size_t missing = 0;
  bool refused_requests = false;  ///< when it began
  uint64_t rows = 0;
  uint64_t requests = 0;
};

NodeReset::NodeReset(NodeShared* shared, std::string dir, bool slot_transfer, Hooks hooks)
    : shared_(*shared), dir_(std::move(dir)), slot_transfer_(slot_transfer), hooks_(std::move(hooks)) {}

void NodeReset::Ask(Done done) {
  if (is_over_) return done(Status::Ok());
  waiting_.push_back(std::move(done));
  if (waiting_.size() == 1) TakeALook();
}

// What a view says is posted to each loop before this is: a loop that looks refuses new requests already, if
// any.
void NodeReset::TakeALook() {
  auto look = std::make_shared<Look>();
  look->missing = shared_.loops.size();
  look->refused_requests = quiet_since_us_ != 0;
  runtime::UvLoop& first = shared_.loops.front()->loop();
  first.Post([this, look, &first] {
    shared_.OnEachLoop([this, look, &first](NodeLoop& each) {
      const uint64_t rows = RowsOf(&each);
      const uint64_t requests = each.shard().pending();
      first.Post([this, look, rows, requests] {
        look->rows += rows;
        look->requests += requests;
        if (--look->missing == 0) Step(*look);
      });
    });
  });
}

void NodeReset::Step(const Look& look) {
  if (hooks_.is_shutting_down()) return GiveUp(Status::Unavailable("this node is shutting down"));
  const replication::ClusterControl& control = *shared_.control;
  ResetSituation situation;
  situation.is_removed = control.view()->is_removed;
  situation.is_known = !situation.is_removed || IsRemovalKnown();
  situation.is_leaving = control.is_leaving();
  situation.others =
      control.view()->members.size() - (control.view()->Find(control.self()) != nullptr ? 1 : 0);
  situation.rows = look.rows;
  situation.is_quiet = look.refused_requests && look.requests == 0;
  const ResetStep step = NextResetStep(situation);
  switch (step) {
    case ResetStep::kHasKeys:
    case ResetStep::kIsMember:
      return GiveUp(Status::Invalid(std::string(WhyNoReset(step))));
    case ResetStep::kLeave:
      return Leave();
    case ResetStep::kWait:
      return Again();
    case ResetStep::kBeQuiet:
      return BeQuiet();
    case ResetStep::kNow:
      return EndLife();
  }
}

bool NodeReset::IsRemovalKnown() {
  const uint64_t now_us = shared_.loops.front()->loop().MonotonicUs();
  if (unheard_since_us_ == 0) unheard_since_us_ = now_us;
  return shared_.control->is_removal_known() || now_us > unheard_since_us_ + kUnheardMaxUs;
}

void NodeReset::BeQuiet() {
  const uint64_t now_us = shared_.loops.front()->loop().MonotonicUs();
  if (quiet_since_us_ == 0) {
    quiet_since_us_ = now_us;
    shared_.control->RefuseRequests(true);
  } else if (now_us > quiet_since_us_ + kQuietMaxUs) {
    return GiveUp(Status::Unavailable("commands are still under way here; try again"));
  }
  Again();
}

void NodeReset::ServeAgain() {
  if (std::exchange(quiet_since_us_, 0) != 0) shared_.control->RefuseRequests(false);
}

// It may have been alone a moment ago.
void NodeReset::Leave() {
  ServeAgain();
  if (!slot_transfer_)
    return GiveUp(Status::Invalid("slot-transfer is off: members join before the first write, and stay"));
  if (Status s = shared_.control->Leave(); !s.ok()) return GiveUp(s);
  Again();
}

void NodeReset::Again() {
  shared_.loops.front()->loop().After(kAgainUs, [this] { TakeALook(); });
}

void NodeReset::GiveUp(const Status& why) {
  ServeAgain();
  Answer(why);
}

void NodeReset::EndLife() {
  if (Status s = storage::MarkForWipe(ResetMarkPath(dir_)); !s.ok()) {
    shared_.log->Warning("CLUSTER RESET: {}", s.message());
    return GiveUp(s);
  }
  is_over_ = true;
  shared_.control->FallSilent();
  shared_.log->Warning("CLUSTER RESET: node {} ends here, its rows are wiped, and another one begins",
                       shared_.self.node.ToName());
  Answer(Status::Ok());
  hooks_.end();
}

void NodeReset::Answer(const Status& status) {
  for (Done& done : std::exchange(waiting_, {})) done(status);
}

}  // namespace orrery::server
