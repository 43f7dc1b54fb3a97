#include "commands/first_of_operation.h"

#include <algorithm>
#include <utility>

#include "commands/request_builder.h"

namespace orrery::commands {
namespace {

bool IsNull(std::string_view reply) {
  return reply == "*-1\r\n" || reply == "$-1\r\n" || reply == "_\r\n";
}

/// The same call for the keys of [first, end) alone.
std::vector<std::string> CallFor(const CommandSpec& spec, Args args, size_t first, size_t end,
                                 size_t keys_end) {
  std::vector<std::string> call(args.begin(), args.begin() + spec.key_count_arg);
  call.push_back(std::to_string(end - first));
  for (size_t i = first; i < end; ++i) call.emplace_back(args[i]);
  for (size_t i = keys_end; i < args.size(); ++i) call.emplace_back(args[i]);
  return call;
}

}  // namespace

void FirstOfOperation::Start(const CommandSpec& spec, Args args) {
  const KeyRange range = RangeOfCall(spec, args);
  const auto keys_end = static_cast<size_t>(range.last) + 1;
  for (auto first = static_cast<size_t>(range.first); first < keys_end;) {
    const SlotId slot = SlotOf(args[first]);
    size_t end = first + 1;
    while (end < keys_end && SlotOf(args[end]) == slot) ++end;
    const std::vector<std::string> call = CallFor(spec, args, first, end, keys_end);
    const std::vector<std::string_view> views(call.begin(), call.end());
    requests_.push_back(WholeRequest(spec, session(), slot, views));
    first = end;
  }
  std::reverse(requests_.begin(), requests_.end());
  AskNext();
}

void FirstOfOperation::AskNext() {
  replication::Request request = std::move(requests_.back());
  requests_.pop_back();
  Submit(std::move(request), [this](replication::Response response) {
    std::string reply = TakeReply(std::move(response));
    if (!IsNull(reply) || requests_.empty()) return Finish(std::move(reply));
    AskNext();
  });
}

}  // namespace orrery::commands
