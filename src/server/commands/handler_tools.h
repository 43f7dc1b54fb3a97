#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/resp/numbers.h"
#include "server/connection.h"
#include "server/worker.h"

namespace orrery::server {

// What handlers share. Error texts are Redis's.

inline void SyntaxError(ServerCall& call) {
  call.reply.Error("ERR syntax error");
}
inline void NotAnInteger(ServerCall& call) {
  call.reply.Error("ERR value is not an integer or out of range");
}

/// Of a subcommand with a number of arguments that it never takes.
void SubcommandSyntaxError(ServerCall& call);

/// Printable, no blanks: what CLIENT LIST can show.
inline bool IsClientName(std::string_view name) {
  for (char c : name) {
    if (c < '!' || c > '~') return false;
  }
  return true;
}
inline constexpr std::string_view kBadClientName =
    "ERR Client names cannot contain spaces, newlines or special characters.";

/// A HELP subcommand: what the command table says of the command's subcommands.
void Help(ServerCall& call);

// Handlers with a source of their own.
void Wait(ServerCall& call);
void Debug(ServerCall& call);
void DebugProtocol(ServerCall& call);
void Lolwut(ServerCall& call);

/// OK, or the reason why not.
void AnswerStatus(const ReplyTicket& ticket, const Status& status);

/// Asks the node for it and answers OK, or the reason why not.
void Operate(ServerCall& call, const NodeAccess::OperationRequest& request);

/// Bytes of one reply, for answers that come later.
template <typename Write>
std::string MakeReply(resp::Protocol protocol, const Write& write) {
  std::string bytes;
  resp::ReplyWriter writer(&bytes, protocol);
  write(writer);
  return bytes;
}

/// "12.35M", as INFO's *_human fields.
std::string HumanBytes(uint64_t bytes);

}  // namespace orrery::server
