#include "commands/request_builder.h"

#include <algorithm>
#include <limits>

#include "commands/operation.h"
#include "orrery/resp/numbers.h"

namespace orrery::commands {
namespace {

constexpr std::string_view kVersionsGroup = "dynamo";

/// Where the options of a command begin that takes R, W and TIMEOUT; 0 for one that does not.
size_t FirstQuorumOption(const CommandSpec& spec) {
  if (spec.group != kVersionsGroup) return 0;
  if (spec.name == "dget") return 2;
  if (spec.name == "ddel") return 3;
  return spec.name == "dput" ? 4 : 0;
}

/// A quorum greater than the members is as good as all of them, so what does not fit may be cut.
template <typename T>
void Assign(std::string_view text, T* out) {
  const auto number = resp::ParseInteger(text);
  if (!number || *number <= 0) return;
  *out = static_cast<T>(std::min<uint64_t>(static_cast<uint64_t>(*number), std::numeric_limits<T>::max()));
}

}  // namespace

replication::Request WholeRequest(const CommandSpec& spec, const SessionOptions& session, SlotId slot,
                                  Args args) {
  replication::Request request = Operation::RequestOf(session, slot);
  request.args = replication::Arguments(args);
  request.traits = TraitsOfRequest(spec, request);
  ApplyQuorumOptions(spec, &request);
  return request;
}

void ApplyQuorumOptions(const CommandSpec& spec, replication::Request* request) {
  const size_t first = FirstQuorumOption(spec);
  if (first == 0) return;
  for (size_t i = first; i + 1 < request->args.size(); i += 2) {
    const std::string_view option = request->args[i];
    const std::string_view value = request->args[i + 1];
    if (EqualsIgnoringCase(option, "r")) Assign(value, &request->read_quorum);
    if (EqualsIgnoringCase(option, "w")) Assign(value, &request->write_quorum);
    if (EqualsIgnoringCase(option, "timeout")) Assign(value, &request->timeout_ms);
  }
}

}  // namespace orrery::commands
