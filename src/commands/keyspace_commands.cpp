#include "commands/keyspace_commands.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "commands/random_key_operation.h"
#include "commands/scan_operation.h"
#include "commands/slot_digest.h"
#include "commands/slot_fan_operation.h"
#include "orrery/commands/debug_commands.h"
#include "orrery/resp/numbers.h"

namespace orrery::commands {
namespace {

constexpr std::string_view kSyntaxError = "ERR syntax error";
constexpr std::string_view kNotInteger = "ERR value is not an integer or out of range";
/// Keys of one page, where all keys are wanted in the end.
constexpr uint64_t kWalkPageKeys = 1000;
/// What one request of a SCAN looks at, however great its COUNT is.
constexpr uint64_t kScanPageKeysMax = 10'000;

/// One call of a keyspace command, while it is being parsed.
struct Call {
  DispatchEnvironment* environment;
  const SessionOptions& session;
  Args args;
  Dispatcher::Done done;

  template <typename T>
  std::shared_ptr<T> Make() {
    return std::make_shared<T>(environment, session, std::move(done));
  }
  void Fail(std::string_view error) {
    std::string reply;
    resp::ReplyWriter(&reply).Error(error);
    environment->cluster.Post([reply = std::move(reply), done = std::move(done)] { done(reply); });
  }
};

// SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]
void Scan(Call call) {
  const auto position = ParseCursor(call.args[1]);
  if (!position) return call.Fail("ERR invalid cursor");
  ScanQuery query;
  for (size_t i = 2; i < call.args.size(); i += 2) {
    if (i + 1 == call.args.size()) return call.Fail(kSyntaxError);
    const std::string_view value = call.args[i + 1];
    if (EqualsIgnoringCase(call.args[i], "count")) {
      const auto count = resp::ParseInteger(value);
      if (!count) return call.Fail(kNotInteger);
      if (*count < 1) return call.Fail(kSyntaxError);
      query.count = std::min(static_cast<uint64_t>(*count), kScanPageKeysMax);
    } else if (EqualsIgnoringCase(call.args[i], "match")) {
      query.pattern = value;
    } else if (EqualsIgnoringCase(call.args[i], "type")) {
      query.type = value;
    } else {
      return call.Fail(kSyntaxError);
    }
  }
  call.Make<ScanOperation>()->Start(*position, std::move(query));
}

// KEYS pattern
void Keys(Call call) {
  ClusterAccess& cluster = call.environment->cluster;
  const SurveyQuery survey_query = SurveyOf(call.session);
  WalkOperation::Plan plan;
  plan.query.pattern = call.args[1];
  plan.query.count = kWalkPageKeys;
  cluster.SurveyKeys(survey_query,
                     [operation = call.Make<WalkOperation>(), plan](const KeySurvey& survey) mutable {
                       plan.slots = SlotsWithKeys(survey);
                       operation->Start(std::move(plan));
                     });
}

// DBSIZE: what the slots' coordinators have counted, and a walk over those that nobody has counted.
void DbSize(Call call) {
  ClusterAccess& cluster = call.environment->cluster;
  const SurveyQuery survey_query = SurveyOf(call.session);
  cluster.SurveyKeys(survey_query, [operation = call.Make<WalkOperation>()](const KeySurvey& survey) {
    WalkOperation::Plan plan;
    plan.answer = WalkOperation::Answer::kCount;
    plan.counted_before = survey.keys;
    plan.query.count = kWalkPageKeys;
    KeySurvey uncounted;
    uncounted.may_have_keys = survey.may_have_keys & ~survey.counted;
    plan.slots = SlotsWithKeys(uncounted);
    operation->Start(std::move(plan));
  });
}

// FLUSHDB [ASYNC|SYNC], FLUSHALL [ASYNC|SYNC]. Both modes answer when every slot has done it.
void Flush(Call call, bool all_databases) {
  const bool has_mode = call.args.size() == 2 && (EqualsIgnoringCase(call.args[1], "async") ||
                                                  EqualsIgnoringCase(call.args[1], "sync"));
  if (call.args.size() > 1 && !has_mode) return call.Fail(kSyntaxError);
  call.Make<FlushOperation>()->Start(all_databases);
}

std::optional<SlotId> SlotArg(std::string_view text) {
  const auto number = resp::ParseInteger(text);
  if (!number || *number < 0 || *number >= int64_t{kSlotCount}) return std::nullopt;
  return static_cast<SlotId>(*number);
}

// CLUSTER COUNTKEYSINSLOT slot
void CountKeysInSlot(Call call) {
  if (!resp::ParseInteger(call.args[2])) return call.Fail(kNotInteger);
  const auto slot = SlotArg(call.args[2]);
  if (!slot) return call.Fail("ERR Invalid slot");
  WalkOperation::Plan plan;
  plan.answer = WalkOperation::Answer::kCount;
  plan.query.count = kWalkPageKeys;
  plan.slots = {*slot};
  call.Make<WalkOperation>()->Start(std::move(plan));
}

// CLUSTER GETKEYSINSLOT slot count
void GetKeysInSlot(Call call) {
  const auto count = resp::ParseInteger(call.args[3]);
  if (!count || !resp::ParseInteger(call.args[2])) return call.Fail(kNotInteger);
  const auto slot = SlotArg(call.args[2]);
  if (!slot || *count < 0) return call.Fail("ERR Invalid slot or number of keys");
  WalkOperation::Plan plan;
  plan.keys_max = static_cast<uint64_t>(*count);
  plan.query.count = std::clamp<uint64_t>(plan.keys_max, 1, kWalkPageKeys);
  plan.slots = {*slot};
  call.Make<WalkOperation>()->Start(std::move(plan));
}

}  // namespace

void RunKeyspaceCommand(DispatchEnvironment* environment, const CommandSpec& spec,
                        const SessionOptions& session, Args args, Dispatcher::Done done) {
  Call call{environment, session, args, std::move(done)};
  if (spec.name == "scan") return Scan(std::move(call));
  if (spec.name == "keys") return Keys(std::move(call));
  if (spec.name == "dbsize") return DbSize(std::move(call));
  if (spec.name == "randomkey") return call.Make<RandomKeyOperation>()->Start();
  if (spec.name == "flushdb") return Flush(std::move(call), false);
  if (spec.name == "flushall") return Flush(std::move(call), true);
  if (spec.name == "countkeysinslot") return CountKeysInSlot(std::move(call));
  if (spec.name == DigestCommand().name) return call.Make<DigestOperation>()->Start();
  if (spec.name == "getkeysinslot") return GetKeysInSlot(std::move(call));
  call.Fail("ERR this node cannot run the command");
}

}  // namespace orrery::commands
