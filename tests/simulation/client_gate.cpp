#include "simulation/client_gate.h"

#include <string_view>
#include <utility>

#include "simulation/sim_executor.h"

namespace orrery::simulation {

using replication::Request;
using replication::Response;

ClientGate::ClientGate(replication::Shard* shard, RequestListener* listener, uint64_t random_seed,
                       runtime::Timers* timers, runtime::Clock* clock)
    : shard_(*shard),
      listener_(*listener),
      timers_(*timers),
      clock_(*clock),
      dispatcher_(this, this, random_seed) {}

void ClientGate::Call(uint64_t call, const std::vector<std::string>& args,
                      std::function<void(std::string)> done) {
  if (shard_.failed())
    return done(replication::ErrorText({replication::Outcome::kDiskError, shard_.disk_error()}));
  current_call_ = call;
  if (IsElementCommand(args[0])) {
    Request request;
    request.slot = SlotOf(args[1]);
    request.traits = TraitsOfElementCommand(args[0]);
    for (const std::string& arg : args) request.args.Append(arg);
    Submit(std::move(request), [done = std::move(done)](Response response) {
      done(response.outcome == replication::Outcome::kReply ? response.reply : ErrorText(response));
    });
  } else {
    const std::vector<std::string_view> views(args.begin(), args.end());
    dispatcher_.Dispatch({}, views, std::move(done));
  }
  current_call_ = 0;
}

void ClientGate::Submit(Request request, replication::Callback done) {
  const uint64_t call = current_call_;
  const uint64_t op = listener_.OnRequest(call, request);
  TagRequest(op, &request);
  shard_.router().Submit(std::move(request), [this, call, op, done = std::move(done)](Response response) {
    listener_.OnResponse(op, response);
    // A command of several rounds goes on from here; the answer may have come at once.
    const uint64_t outer = std::exchange(current_call_, call);
    done(std::move(response));
    current_call_ = outer;
  });
}

uint64_t ClientGate::StartTimer(uint64_t ms, std::function<void()> task) {
  return timers_.After(ms * 1000, [this, call = current_call_, task = std::move(task)] {
    current_call_ = call;
    task();
    current_call_ = 0;
  });
}

// The survey ends after a turn's commit; what the command does with it belongs to the next turn.
void ClientGate::SurveyKeys(const commands::SurveyQuery& query,
                            std::function<void(const commands::KeySurvey&)> done) {
  shard_.survey().Ask(query, [this, call = current_call_, done = std::move(done)](const commands::KeySurvey& survey) {
    Post([this, call, survey, done] {
      current_call_ = call;
      done(survey);
      current_call_ = 0;
    });
  });
}

}  // namespace orrery::simulation
