#include "server/commands/handler_tools.h"

#include <fmt/format.h>

#include "orrery/commands/command_command.h"

namespace orrery::server {

void Help(ServerCall& call) {
  commands::WriteHelp(*commands::CommandTable::Get().Find(call.arg(0)), &call.reply);
}

void SubcommandSyntaxError(ServerCall& call) {
  std::string container(call.arg(0));
  for (char& c : container) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  call.reply.Error("ERR unknown subcommand or wrong number of arguments for '" +
                   std::string(call.arg(1).substr(0, 128)) + "'. Try " + container + " HELP.");
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

void AnswerStatus(const ReplyTicket& ticket, const Status& status) {
  if (status.ok()) return ticket.Answer("+OK\r\n");
  ticket.Answer(MakeReply(resp::Protocol::kResp2,
                          [&](resp::ReplyWriter& reply) { reply.Error("ERR " + status.message()); }));
}

void Operate(ServerCall& call, const NodeAccess::OperationRequest& request) {
  const ReplyTicket ticket = call.Defer();
  call.worker.node().Operate(request, [ticket](const Status& status) { AnswerStatus(ticket, status); });
}

}  // namespace orrery::server
