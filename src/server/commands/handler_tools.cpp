#include "server/commands/handler_tools.h"

#include <fmt/format.h>

#include "orrery/commands/command_command.h"

namespace orrery::server {

void Help(ServerCall& call) {
  commands::WriteHelp(*commands::CommandTable::Get().Find(call.arg(0)), &call.reply);
}

std::string HumanBytes(uint64_t bytes) {
  static constexpr std::string_view kUnits = "KMGTP";
  if (bytes < 1024) return fmt::format("{}B", bytes);
  auto value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.2f}{}", value, kUnits[unit]);
}

void Operate(ServerCall& call, const NodeAccess::OperationRequest& request) {
  const ReplyTicket ticket = call.Defer();
  call.worker.node().Operate(request, [ticket](const Status& status) {
    if (status.ok()) return ticket.Answer("+OK\r\n");
    ticket.Answer(MakeReply(resp::Protocol::kResp2,
                            [&](resp::ReplyWriter& reply) { reply.Error("ERR " + status.message()); }));
  });
}

}  // namespace orrery::server
