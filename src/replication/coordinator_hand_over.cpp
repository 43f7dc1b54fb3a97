// A coordinator that has to merge a slot before it can run a command: the home that is ahead runs it
// meanwhile.

#include <utility>

#include "orrery/base/marks.h"
#include "orrery/replication/coordinator.h"

namespace orrery::replication {

// Each command goes to one other node at most, so two nodes that both lack something never play it to each
// other, and runs there or not at all. What came later for the slot follows it, or waits until it is
// answered: clients see the order that they sent in.
bool Coordinator::TryHandOver(SlotId id, Slot* slot, Waiting* head) {
  const auto ahead = catch_up_.Ahead(id);
  if (!ahead || !hand_over_ || !head->may_hand_over || !head->request.place.empty()) return false;
  if (!context_.InReach(*ahead) || !context_.IsHome(id, *ahead) || context_.IsStale(head->request))
    return false;
  ORRERY_MARK("command handed to the home that is ahead");
  ++context_.stats.handed_over;
  ++slot->handed_over;
  // What it does there we must have before we run anything here.
  slot->ready = false;
  slot->ready_probe = 0;
  Request request = head->request;
  if (!ORRERY_MUTATION("handed-command-run-here-too")) request = std::move(head->request);
  hand_over_(*ahead, request, head->deadline_us,
             [this, id, request, done = std::move(head->done)](Response response) mutable {
               --At(id).handed_over;
               turn_.Insert(id);
               if (response.outcome == Outcome::kNotHere || ORRERY_MUTATION("handed-command-run-here-too")) {
                 ORRERY_MARK("handed command comes back");
                 --pending_;
                 return Submit(std::move(request), std::move(done), false);
               }
               Finish(std::move(done), std::move(response));
             });
  return true;
}

}  // namespace orrery::replication
