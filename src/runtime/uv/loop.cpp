#include "orrery/runtime/uv/loop.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>

#include "orrery/base/check.h"
#include "runtime/uv/loop_impl.h"

namespace orrery::runtime {
namespace {

UvLoop::Impl& ImplOf(void* data) {
  return *static_cast<UvLoop::Impl*>(data);
}

/// How often the end of a turn is repeated because flushing had consequences, before the loop turns again.
constexpr int kEndPassesMax = 4;
/// So many turns longer than its own does output wait.
constexpr int kTurnsWaitedMax = 3;

template <typename Handle>
uv_handle_t* AsHandle(Handle* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

}  // namespace

UvLoop::Impl::Impl(UvLoop& loop) : owner(loop) {
  std::signal(SIGPIPE, SIG_IGN);
  ORRERY_CHECK(uv_loop_init(&uv) == 0);
  ORRERY_CHECK(uv_async_init(&uv, &wake, [](uv_async_t* handle) { ImplOf(handle->data).RunTasks(); }) == 0);
  ORRERY_CHECK(uv_timer_init(&uv, &timer) == 0);
  ORRERY_CHECK(uv_prepare_init(&uv, &before_poll) == 0);
  ORRERY_CHECK(uv_idle_init(&uv, &look_again) == 0);
  wake.data = timer.data = before_poll.data = this;
  // The end of a turn is just before the loop sleeps, so that what timers did is included.
  const auto end_turn = [](uv_prepare_t* handle) { ImplOf(handle->data).EndTurn(); };
  ORRERY_CHECK(uv_prepare_start(&before_poll, end_turn) == 0);
}

UvLoop::Impl::~Impl() {
  DropWaiting();
  uv_close(AsHandle(&wake), nullptr);
  uv_close(AsHandle(&timer), nullptr);
  uv_close(AsHandle(&before_poll), nullptr);
  uv_close(AsHandle(&look_again), nullptr);
  for (auto& handle : terminate) {
    if (handle) uv_close(AsHandle(&*handle), nullptr);
  }
  // Lets closed connections and pending name look-ups finish; a connection left open would keep it here for
  // ever.
  uv_run(&uv, UV_RUN_DEFAULT);
  ORRERY_CHECK(uv_loop_close(&uv) == 0);
}

void UvLoop::Impl::DropWaiting() {
  // What waits may own connections, which need the loop to close.
  for (TaskQueue::Task* task = tasks.TakeAll(); task != nullptr;) delete std::exchange(task, task->next);
  timers = TimerHeap();
  turn_ends.clear();
  on_terminate = nullptr;
}

void UvLoop::Impl::FlushLater(Flushable& target) {
  NoteActivity();
  if (target.flush_index_ != Flushable::kNotListed) return;
  target.flush_index_ = to_flush.size();
  to_flush.push_back(&target);
}

void UvLoop::Impl::ForgetFlush(Flushable& target) {
  if (target.flush_index_ == Flushable::kNotListed) return;
  to_flush[std::exchange(target.flush_index_, Flushable::kNotListed)] = nullptr;
}

void UvLoop::Impl::RunTasks() {
  if (stop.load(std::memory_order_acquire)) uv_stop(&uv);
  TaskQueue::Task* task = tasks.TakeAll();
  if (task != nullptr) NoteActivity();
  while (task != nullptr) {
    task->run();
    delete std::exchange(task, task->next);
  }
}

void UvLoop::Impl::RunDueTimers() {
  armed_ms = 0;
  const uint64_t now = owner.MonotonicUs();
  const uint64_t added_before = timers.added();
  while (auto callback = timers.PopDue(now, added_before)) {
    NoteActivity();
    callback();
  }
}

void UvLoop::Impl::EndTurn() {
  read_bytes = 0;
  const bool may_wait = active && turns_waited < kTurnsWaitedMax;
  if (!active) FlushAll(false);  // there was nothing more to do at once
  for (int pass = 0; pass < kEndPassesMax && active; ++pass) {
    RunTurnEndCallbacks();
    // What the callbacks wrote is flushed now; only a flush that calls its owner (a broken connection) asks
    // for another pass.
    active = false;
    FlushAll(may_wait);
  }
  if (active) uv_async_send(&wake);
  LookAgainIfWaiting();
  ArmTimer();
}

void UvLoop::Impl::EndLongTurn() {
  if (read_bytes >= turn_bytes_max) EndTurn();
}

void UvLoop::Impl::RunTurnEndCallbacks() {
  // By index and with a share of the entry: a callback may register callbacks or remove any, itself included.
  for (size_t i = 0; i < turn_ends.size(); ++i) {
    const std::shared_ptr<TurnEnd> entry = turn_ends[i];
    if (!entry->removed) entry->callback();
  }
  std::erase_if(turn_ends, [](const auto& entry) { return entry->removed; });
}

void UvLoop::Impl::FlushAll(bool may_wait) {
  size_t waiting = 0;
  // Flushing may list more targets, at the end, or unlist any.
  for (size_t i = 0; i < to_flush.size(); ++i) {
    Flushable* target = std::exchange(to_flush[i], nullptr);
    if (target == nullptr) continue;
    if (may_wait && target->MayWait()) {
      target->flush_index_ = waiting;
      to_flush[waiting++] = target;
      continue;
    }
    target->flush_index_ = Flushable::kNotListed;
    target->Flush();
  }
  to_flush.resize(waiting);
}

// Output waits for as long as more comes without a sleep.
void UvLoop::Impl::LookAgainIfWaiting() {
  const bool is_looking = uv_is_active(AsHandle(&look_again)) != 0;
  if (to_flush.empty()) {
    turns_waited = 0;
    if (is_looking) uv_idle_stop(&look_again);
    return;
  }
  ++turns_waited;
  if (!is_looking) ORRERY_CHECK(uv_idle_start(&look_again, [](uv_idle_t* /*handle*/) {}) == 0);
}

void UvLoop::Impl::ArmTimer() {
  const std::optional<uint64_t> deadline = timers.NextDeadline();
  if (!deadline) {
    if (std::exchange(armed_ms, 0) != 0) uv_timer_stop(&timer);
    return;
  }
  const uint64_t due_ms = std::max<uint64_t>(1, (*deadline + 999) / 1000);
  uv_update_time(&uv);  // the turn may have been long, and the loop computes its sleep from the time it knows
  if (due_ms == armed_ms) return;
  armed_ms = due_ms;
  const uint64_t now_ms = uv_now(&uv);
  const auto fire = [](uv_timer_t* handle) { ImplOf(handle->data).RunDueTimers(); };
  ORRERY_CHECK(uv_timer_start(&timer, fire, due_ms > now_ms ? due_ms - now_ms : 0, 0) == 0);
}

UvLoop::UvLoop() : impl_(std::make_unique<Impl>(*this)) {}
UvLoop::~UvLoop() = default;

uint64_t UvLoop::WallMs() const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

uint64_t UvLoop::WallUs() const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

uint64_t UvLoop::MonotonicUs() const {
  return uv_hrtime() / 1000;
}

TimerId UvLoop::After(uint64_t delay_us, std::function<void()> callback) {
  return impl_->timers.Add(MonotonicUs() + delay_us, std::move(callback));
}

void UvLoop::Cancel(TimerId id) {
  impl_->timers.Cancel(id);
}

void UvLoop::Post(std::function<void()> task) {
  if (impl_->tasks.Push(std::move(task))) uv_async_send(&impl_->wake);
}

TurnEndId UvLoop::OnTurnEnd(std::function<void()> callback) {
  impl_->turn_ends.push_back(std::make_shared<Impl::TurnEnd>(++impl_->last_turn_end, std::move(callback)));
  return impl_->last_turn_end;
}

void UvLoop::RemoveTurnEnd(TurnEndId id) {
  for (auto& entry : impl_->turn_ends) {
    if (entry->id == id) entry->removed = true;
  }
}

void UvLoop::LimitTurn(size_t bytes) {
  impl_->turn_bytes_max = bytes;
}

void UvLoop::OnTerminate(std::function<void(int signal)> callback) {
  impl_->on_terminate = std::move(callback);
  const int signals[] = {SIGTERM, SIGINT};
  for (size_t i = 0; i < 2; ++i) {
    if (impl_->terminate[i]) continue;
    uv_signal_t& handle = impl_->terminate[i].emplace();
    ORRERY_CHECK(uv_signal_init(&impl_->uv, &handle) == 0);
    handle.data = impl_.get();
    const auto deliver = [](uv_signal_t* h, int signal) {
      ImplOf(h->data).NoteActivity();
      ImplOf(h->data).on_terminate(signal);
    };
    ORRERY_CHECK(uv_signal_start(&handle, deliver, signals[i]) == 0);
  }
}

void UvLoop::Run() {
  uv_run(&impl_->uv, UV_RUN_DEFAULT);
  impl_->EndTurn();
  impl_->FlushAll(false);
  impl_->stop.store(false, std::memory_order_release);
}

void UvLoop::RunTurn() {
  uv_run(&impl_->uv, UV_RUN_ONCE);
  impl_->EndTurn();
}

void UvLoop::Stop() {
  impl_->stop.store(true, std::memory_order_release);
  uv_async_send(&impl_->wake);
}

}  // namespace orrery::runtime
