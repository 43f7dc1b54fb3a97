// The coordinator's part in blocking commands: who waits, and who is called when rows change.

#include <algorithm>
#include <utility>

#include "orrery/base/marks.h"
#include "orrery/replication/coordinator.h"

namespace orrery::replication {

void Coordinator::FinishParked(Callback done, std::string reply) {
  if (!done) return;
  ++pending_;
  Finish(std::move(done), {Outcome::kReply, std::move(reply)});
}

void Coordinator::Park(Waiting waiting) {
  // It waits for others, not for us: a graceful stop does not wait for it.
  --pending_;
  waiting.request.holds = &parked_;
  const uint64_t now_us = context_.clock->MonotonicUs();
  // Sent away in time, so that whoever sent it does not take us for silent.
  const uint64_t until_us = now_us + (waiting.deadline_us - std::min(now_us, waiting.deadline_us)) * 5 / 6;
  parked_.Park(std::move(waiting.request), std::move(waiting.done), until_us);
}

void Coordinator::CallParked(SlotId id, Slot* slot) {
  if (!parked_.IsTouched(id)) return;
  struct Called {
    std::string place;
    std::string reply;
  };
  std::vector<Called> called;
  for (const Request* request : parked_.Candidates(id)) {
    storage::Transaction transaction = Begin(id, *slot);
    Called one{request->place, {}};
    context_.executor->Execute(*request, &transaction, &one.reply);
    // Damaged rows are found and mended by whoever runs a command on them.
    if (transaction.status().ok() && !one.reply.empty()) called.push_back(std::move(one));
  }
  for (Called& one : called) {
    ORRERY_MARK("parked request called");
    FinishParked(parked_.Call(id, one.place, context_.clock->MonotonicUs()), std::move(one.reply));
  }
}

// Whoever coordinates now does not know who waits: they are sent away to ask again, there.
void Coordinator::SendParkedAway() {
  for (SlotId id : parked_.slots()) {
    if (CoordinatorInReach(context_, id) == context_.self.node) continue;
    ORRERY_MARK("parked requests sent to another coordinator");
    for (Callback& done : parked_.LeaveAll(id)) FinishParked(std::move(done), {});
  }
}

void Coordinator::ExpireParked(uint64_t now_us) {
  if (parked_.empty()) return;
  for (Callback& done : parked_.TakeLate(now_us)) FinishParked(std::move(done), {});
  for (SlotId id : parked_.slots()) {
    if (parked_.IsTouched(id)) turn_.Insert(id);
  }
}

}  // namespace orrery::replication
