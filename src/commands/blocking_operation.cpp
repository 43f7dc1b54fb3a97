#include "commands/blocking_operation.h"

#include <algorithm>
#include <utility>

#include "commands/gather_operation.h"
#include "commands/internal_requests.h"
#include "commands/request_builder.h"
#include "commands/slot_split.h"
#include "orrery/base/marks.h"
#include "orrery/resp/reply_writer.h"

namespace orrery::commands {
namespace {

/// Whoever waits asks again after this time even if nobody called: what was lost on the way costs no more
/// than that.
constexpr uint32_t kRenewMs = 6'000;
/// After an error that may be over soon.
constexpr uint64_t kRetryMs = 250;

bool IsNothing(std::string_view reply) {
  return reply == "*-1\r\n" || reply == "$-1\r\n" || reply == "_\r\n";
}

void AppendBigEndian(uint64_t value, std::string* out) {
  for (int shift = 56; shift >= 0; shift -= 8) out->push_back(static_cast<char>(value >> shift));
}

}  // namespace

void BlockingOperation::Start(const CommandSpec& spec, Args args, std::shared_ptr<BlockedCall> blocked) {
  spec_ = &spec;
  blocked_ = std::move(blocked);
  plan_ = PlanOf(spec, args);
  TakePlace();
  SplitKeys();
  if (plan_.timeout_ms != 0) {
    end_timer_ = environment().cluster.StartTimer(plan_.timeout_ms, [weak = std::weak_ptr(self())] {
      if (const auto operation = weak.lock()) operation->End(BlockedCall::End::kTimeout);
    });
  }
  Try(parts_);
}

/// By wall clock, since it is compared between nodes; then in the order of this loop; then by chance.
void BlockingOperation::TakePlace() {
  AppendBigEndian(environment().cluster.WallMs(), &place_);
  AppendBigEndian(environment().blocking_calls++, &place_);
  AppendBigEndian(environment().NextRandom(), &place_);
}

void BlockingOperation::SplitKeys() {
  for (const std::string& key : plan_.keys) {
    const SlotId slot = SlotOf(key);
    auto part = std::find_if(parts_.begin(), parts_.end(), [slot](const Part& p) { return p.slot == slot; });
    if (part == parts_.end()) part = parts_.insert(parts_.end(), Part{slot, {}});
    part->keys.push_back(key);
  }
}

// ---- taking ----

void BlockingOperation::Try(std::vector<Part> parts) {
  ++round_;
  waiting_ = false;
  if (blocked_ != nullptr) blocked_->OnUnblock(nullptr);
  to_try_ = std::move(parts);
  std::reverse(to_try_.begin(), to_try_.end());
  TryNext();
}

void BlockingOperation::TryNext() {
  const bool gone = blocked_ != nullptr && blocked_->abandoned();
  if (gone || (late_ && to_try_.empty())) {
    StopTimers();
    return Finish(NothingReply());
  }
  if (to_try_.empty()) return Wait();
  const Part part = std::move(to_try_.back());
  to_try_.pop_back();
  Take(part);
}

void BlockingOperation::Take(const Part& part) {
  const std::vector<std::string> words = plan_.ArgumentsFor(part.keys);
  const std::vector<std::string_view> args(words.begin(), words.end());
  if (plan_.may_wait && !CommonSlot(*spec_, args)) return Move(args);
  replication::Request request = WholeRequest(*spec_, session(), part.slot, args);
  request.place = place_;
  Submit(std::move(request),
         [this](replication::Response response) { OnTried(TakeReply(std::move(response))); });
}

// Between two slots. Whoever was called keeps the source until all three steps are done, so that nobody who
// waits gets the same element.
void BlockingOperation::Move(Args args) {
  std::make_shared<GatherOperation>(&environment(), session(), [self = self()](std::string reply) {
    if (self->finished()) return;
    if (self->has_waited_ && !IsNothing(reply)) self->Leave(kSlotCount);
    self->OnTried(std::move(reply));
  })->Start(*spec_, args, SplitBySlot(*spec_, args), has_waited_ ? std::string() : place_);
}

void BlockingOperation::OnTried(std::string reply) {
  if (IsNothing(reply)) return TryNext();
  if (has_waited_ && !late_ && MayWaitOn(reply)) return WaitLater();
  StopTimers();
  Finish(std::move(reply));
}

/// Nothing was applied, and it may go better soon. A key that has become something else is nothing to a
/// client that waits already.
bool BlockingOperation::MayWaitOn(std::string_view error) const {
  if (ORRERY_MUTATION("waits-on-after-an-unknown-outcome") && error.starts_with("-UNKNOWN")) return true;
  return error.starts_with("-CLUSTERDOWN") || error.starts_with("-NOREPLICAS") ||
         error.starts_with("-MISCONF") || (error.starts_with("-WRONGTYPE") && !plan_.moves);
}

// ---- waiting ----

void BlockingOperation::Wait() {
  if (!BecomeEndable()) return;
  for (const Part& part : parts_) Park(part);
}

void BlockingOperation::Park(const Part& part) {
  replication::Request request = NewRequest(part.slot);
  BuildReady(plan_.type, part.keys, &request);
  request.place = place_;
  request.timeout_ms = kRenewMs;
  Submit(std::move(request),
         [this, round = round_](const replication::Response& response) { OnCalled(round, response); });
}

void BlockingOperation::OnCalled(uint64_t round, const replication::Response& response) {
  if (round != round_) return;
  if (response.outcome != replication::Outcome::kReply) return WaitLater();
  // It has waited for long enough there, or somebody else coordinates now.
  if (response.reply.empty()) return Wait();
  const auto ready = ParseReadyReply(response.reply);
  if (!ready) return WaitLater();
  const SlotId slot = SlotOf(*ready);
  // What becomes ready elsewhere meanwhile must not be kept for this client.
  Leave(slot);
  Try({{slot, {*ready}}});
}

/// The timer keeps the operation alive, which has no request under way.
void BlockingOperation::WaitLater() {
  if (!BecomeEndable()) return;
  retry_timer_ = environment().cluster.StartTimer(kRetryMs, [self = self()] {
    self->retry_timer_ = 0;
    self->Wait();
  });
}

void BlockingOperation::Leave(SlotId but_not) {
  for (const Part& part : parts_) {
    if (part.slot == but_not) continue;
    replication::Request request = NewRequest(part.slot);
    BuildLeave(&request);
    request.place = place_;
    Submit(std::move(request), [](const replication::Response&) {});
  }
}

// ---- the end ----

/// A new round of waiting, in which the client may go or time be over. False: it has ended already.
bool BlockingOperation::BecomeEndable() {
  ++round_;
  has_waited_ = waiting_ = true;
  if (blocked_ == nullptr) return true;
  if (!blocked_->MayWait()) return End(BlockedCall::End::kGone), false;
  blocked_->OnUnblock([weak = std::weak_ptr(self())](BlockedCall::End end) {
    if (const auto operation = weak.lock()) operation->End(end);
  });
  return true;
}

void BlockingOperation::End(BlockedCall::End end) {
  if (finished()) return;
  if (!waiting_) {
    late_ = true;
    return;
  }
  ++round_;
  StopTimers();
  if (blocked_ != nullptr) blocked_->OnUnblock(nullptr);
  Leave(kSlotCount);
  if (end == BlockedCall::End::kError) {
    return FinishWithError(BlockedCall::kErrorText);
  }
  Finish(NothingReply());
}

void BlockingOperation::StopTimers() {
  for (uint64_t* timer : {&end_timer_, &retry_timer_}) {
    if (*timer != 0) environment().cluster.StopTimer(std::exchange(*timer, 0));
  }
}

std::string BlockingOperation::NothingReply() const {
  std::string reply;
  resp::ReplyWriter(&reply, protocol()).NullArray();
  return reply;
}

}  // namespace orrery::commands
