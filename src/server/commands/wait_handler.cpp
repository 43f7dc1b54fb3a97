#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "server/commands/handler_tools.h"

namespace orrery::server {
namespace {

/// The client that waits; it is answered once.
struct Waiter {
  explicit Waiter(ReplyTicket its_ticket) : ticket(std::move(its_ticket)) {}

  ReplyTicket ticket;
  bool answered = false;
  /// For the loops that count.
  std::shared_ptr<std::atomic<bool>> given_up = std::make_shared<std::atomic<bool>>(false);

  void Answer(std::string reply) {
    *given_up = true;
    if (!std::exchange(answered, true)) ticket.Answer(std::move(reply));
  }
};

/// Answers of the loops that own the slots; the least of them is the client's.
struct PendingCount {
  std::shared_ptr<Waiter> waiter;
  size_t missing;
  uint64_t least = UINT64_MAX;
};

/// Nothing was written: every replica that can be reached has all of it.
uint64_t ReachableReplicas(const replication::ClusterView& view) {
  return std::min(view.Homes(), view.alive.size()) - (view.alive.empty() ? 0 : 1);
}

void Answer(const std::shared_ptr<PendingCount>& pending, uint64_t count) {
  pending->least = std::min(pending->least, count);
  if (--pending->missing > 0) return;
  pending->waiter->Answer(":" + std::to_string(pending->least) + "\r\n");
}

std::vector<std::vector<SlotId>> SlotsByLoop(const std::bitset<kSlotCount>& written, size_t loops) {
  std::vector<std::vector<SlotId>> slots(loops);
  for (uint32_t slot = 0; slot < kSlotCount; ++slot) {
    if (written.test(slot)) slots[slot % loops].push_back(static_cast<SlotId>(slot));
  }
  return slots;
}

using SlotLists = std::vector<std::vector<SlotId>>;

void AskLoop(Worker& asking, size_t loop, std::vector<SlotId> slots, uint64_t replicas, uint64_t timeout_ms,
             const std::shared_ptr<PendingCount>& pending) {
  ServerState& state = asking.state();
  state.Post(loop, [=, &state, home = asking.index(), given_up = pending->waiter->given_up](Worker& worker) {
    worker.node().AwaitReplicas(slots, replicas, timeout_ms, given_up, [=, &state](uint64_t count) {
      state.Post(home, [=](Worker&) { Answer(pending, count); });
    });
  });
}

void AskLoops(Worker& asking, const SlotLists& slots, uint64_t replicas, uint64_t timeout_ms,
              const std::shared_ptr<Waiter>& waiter) {
  const auto busy = std::count_if(slots.begin(), slots.end(), [](const auto& list) { return !list.empty(); });
  const auto pending = std::make_shared<PendingCount>(PendingCount{waiter, static_cast<size_t>(busy)});
  for (size_t loop = 0; loop < slots.size(); ++loop) {
    if (!slots[loop].empty()) AskLoop(asking, loop, slots[loop], replicas, timeout_ms, pending);
  }
}

/// CLIENT UNBLOCK, or the client's end.
void Unblock(Worker& worker, const SlotLists& slots, const std::shared_ptr<Waiter>& waiter,
             commands::BlockedCall::End end) {
  using End = commands::BlockedCall::End;
  if (end == End::kTimeout) return AskLoops(worker, slots, 0, 1, waiter);
  waiter->Answer(end == End::kGone ? ":0\r\n"
                                   : "-" + std::string(commands::BlockedCall::kErrorText) + "\r\n");
}

}  // namespace

/// WAIT replicas timeout. Runs when all earlier commands of the connection are answered, so W copies exist
/// already; it waits for more.
void Wait(ServerCall& call) {
  const auto replicas = resp::ParseInteger(call.arg(1));
  if (!replicas) return NotAnInteger(call);
  const auto timeout_ms = resp::ParseInteger(call.arg(2));
  if (!timeout_ms) return call.reply.Error("ERR timeout is not an integer or out of range");
  if (*timeout_ms < 0) return call.reply.Error("ERR timeout is negative");
  const auto& written = call.session().written;
  if (written == nullptr || written->none()) {
    return call.reply.Integer(static_cast<int64_t>(ReachableReplicas(*call.worker.node().View())));
  }
  const auto slots = SlotsByLoop(*written, call.worker.state().workers.size());
  const auto waiter = std::make_shared<Waiter>(call.Defer());
  call.Unblockable()->OnUnblock([&worker = call.worker, slots, waiter](commands::BlockedCall::End end) {
    Unblock(worker, slots, waiter, end);
  });
  AskLoops(call.worker, slots, static_cast<uint64_t>(std::max<int64_t>(*replicas, 0)),
           static_cast<uint64_t>(*timeout_ms), waiter);
}

}  // namespace orrery::server
