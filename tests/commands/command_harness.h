#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "commands/test_timers.h"
#include "orrery/commands/cluster_access.h"
#include "orrery/commands/dispatcher.h"
#include "orrery/commands/executor.h"
#include "orrery/types/derived_index.h"
#include "types/test_slot.h"

namespace orrery::commands {

/// All slots of one node in memory, behind the real dispatcher and executor: commands run as a client sends
/// them, their events are applied as everywhere, and nothing is between them but a queue. Time moves only
/// when a test moves it.
class CommandHarness final : public replication::RequestRouter, public ClusterAccess {
 public:
  CommandHarness();

  /// Runs one command, written with redis-cli's quoting, and returns its reply as RenderReply shows it.
  /// SELECT is understood here; other commands that a node answers itself are not.
  std::string Run(std::string_view line);
  /// The reply as it goes to the client.
  std::string RunArgs(Args args);

  void Advance(uint64_t ms);
  uint64_t now_ms() const { return now_ms_; }
  void set_resp(uint8_t version) { session_.resp = version; }

  types::TestSlot& SlotAt(SlotId slot);
  /// Where a key lives.
  types::TestSlot& SlotOfKey(std::string_view key) { return SlotAt(SlotOf(key)); }
  /// Runs one request at its slot, as replication would.
  std::string Execute(const replication::Request& request);
  const KeyspaceCounts& counts() const { return executor_.counts(); }
  /// Requests that slots ran so far.
  size_t executed() const { return executed_; }
  /// Every row of a slot, and what is derived from rows: rebuilding must change nothing.
  bool DerivedTablesAreTrue();

  // replication::RequestRouter
  void Submit(replication::Request request, replication::Callback done) override;

  // ClusterAccess
  void SurveyKeys(const SurveyQuery& query, std::function<void(const KeySurvey&)> done) override;
  void Post(std::function<void()> task) override;
  uint64_t StartTimer(uint64_t ms, std::function<void()> task) override { return timers_.Start(now_ms_ + ms, std::move(task)); }
  void StopTimer(uint64_t id) override { timers_.Stop(id); }
  uint64_t WallMs() override { return now_ms_; }

 private:
  std::string Select(Args args);
  void RunTasks();

  Executor executor_;
  types::DerivedIndex index_;
  std::map<SlotId, std::unique_ptr<types::TestSlot>> slots_;
  std::deque<std::function<void()>> tasks_;
  TestTimers timers_;
  std::vector<replication::Callback> parked_;  ///< wait for a key: nobody calls them
  Dispatcher dispatcher_;
  SessionOptions session_;
  uint64_t now_ms_ = 1'700'000'000'000;
  size_t executed_ = 0;
};

/// One reply on one line: +OK, -ERR ..., :1, "bulk \x00", (nil), (nil array), [elements], {key value}.
std::string RenderReply(std::string_view resp);

}  // namespace orrery::commands
