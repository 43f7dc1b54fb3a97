#include <string>

#include "server/commands/client_filter.h"
#include "server/commands/handler_tools.h"

namespace orrery::server {
namespace {

void Id(ServerCall& call) {
  call.reply.Integer(static_cast<int64_t>(call.client.id()));
}

void Info(ServerCall& call) {
  call.reply.Verbatim("txt", call.client.Describe() + "\n");
}

void GetName(ServerCall& call) {
  const std::string& name = call.session().name;
  name.empty() ? call.reply.Null() : call.reply.BulkString(name);
}

void SetName(ServerCall& call) {
  if (!IsClientName(call.arg(2))) return call.reply.Error(kBadClientName);
  call.session().name = call.arg(2);
  call.reply.Ok();
}

void SetInfo(ServerCall& call) {
  const bool is_name = call.ArgIs(2, "lib-name");
  if (!is_name && !call.ArgIs(2, "lib-ver")) {
    return call.reply.Error("ERR Unrecognized option '" + std::string(call.arg(2).substr(0, 128)) + "'");
  }
  if (!IsClientName(call.arg(3))) {
    return call.reply.Error(std::string(is_name ? "ERR lib-name" : "ERR lib-ver") +
                            " cannot contain spaces, newlines or special characters.");
  }
  (is_name ? call.session().lib_name : call.session().lib_version) = call.arg(3);
  call.reply.Ok();
}

/// Sets the flag from ON or OFF in the third argument.
void Switch(ServerCall& call, bool Session::*flag) {
  if (call.ArgIs(2, "on")) {
    call.session().*flag = true;
  } else if (call.ArgIs(2, "off")) {
    call.session().*flag = false;
  } else {
    return SyntaxError(call);
  }
  call.reply.Ok();
}

void NoEvict(ServerCall& call) {
  Switch(call, &Session::no_evict);
}
void NoTouch(ServerCall& call) {
  Switch(call, &Session::no_touch);
}

void Reply(ServerCall& call) {
  Session& session = call.session();
  if (call.ArgIs(2, "on")) {
    session.replies_off = false;
    call.AnswerAnyway();
    return call.reply.Ok();
  }
  if (call.ArgIs(2, "off")) {
    session.replies_off = true;
  } else if (call.ArgIs(2, "skip")) {
    session.skip_next = !session.replies_off;
  } else {
    return SyntaxError(call);
  }
  call.SuppressReply();
}

void List(ServerCall& call) {
  ClientFilter filter;
  if (const std::string error = ParseListFilter(call.args.subspan(2), &filter); !error.empty()) {
    return call.reply.Error(error);
  }
  const ReplyTicket ticket = call.Defer();
  using Lines = std::map<uint64_t, std::string>;
  const auto ask = [filter](Worker& worker) {
    Lines lines;
    for (const auto& [id, client] : worker.clients()) {
      if (filter.Matches(*client)) lines.emplace(id, client->Describe() + "\n");
    }
    return lines;
  };
  const auto done = [ticket, protocol = call.session().protocol](std::vector<Lines> answers) {
    Lines all;
    for (Lines& lines : answers) all.merge(lines);
    std::string text;
    for (const auto& [id, line] : all) text += line;
    ticket.Answer(MakeReply(protocol, [&](resp::ReplyWriter& reply) { reply.Verbatim("txt", text); }));
  };
  call.worker.state().Gather<Lines>(call.worker, ask, done);
}

/// Closes what matches on this loop, and says how many; the asking client itself is left for later.
uint64_t KillMatching(Worker& worker, const ClientFilter& filter, uint64_t asking_id) {
  std::vector<uint64_t> found;
  for (const auto& [id, client] : worker.clients()) {
    if (filter.Matches(*client)) found.push_back(id);
  }
  for (uint64_t id : found) {
    ClientConnection* client = worker.FindClient(id);
    if (client != nullptr && id != asking_id) client->Close();
  }
  return found.size();
}

void Kill(ServerCall& call) {
  ClientFilter filter;
  const bool old_form = call.argc() == 3;
  if (old_form) {
    filter.address = call.arg(2);
  } else if (const std::string error = ParseKillFilter(call.args.subspan(2), call.client.id(), &filter);
             !error.empty()) {
    return call.reply.Error(error);
  }
  ClientConnection* self = &call.client;
  const bool kills_self = filter.Matches(*self);
  const ReplyTicket ticket = call.Defer();
  const auto ask = [filter, id = self->id()](Worker& worker) { return KillMatching(worker, filter, id); };
  const auto done = [=](std::vector<uint64_t> counts) {
    uint64_t total = 0;
    for (uint64_t count : counts) total += count;
    if (kills_self && !self->closed()) self->CloseAfterReplies();  // this one is the last
    ticket.Answer(MakeReply(resp::Protocol::kResp2, [&](resp::ReplyWriter& reply) {
      if (!old_form) return reply.Integer(static_cast<int64_t>(total));
      total > 0 ? reply.Ok() : reply.Error("ERR No such client");
    }));
  };
  call.worker.state().Gather<uint64_t>(call.worker, ask, done);
}

void AnswerOkAfterAll(ServerCall& call, const std::function<void(Worker&)>& act) {
  const ReplyTicket ticket = call.Defer();
  call.worker.state().Gather<bool>(
      call.worker,
      [act](Worker& worker) {
        act(worker);
        return true;
      },
      [ticket](const std::vector<bool>&) { ticket.Answer("+OK\r\n"); });
}

void Pause(ServerCall& call) {
  bool writes_only = false;
  if (call.argc() > 4) return SubcommandSyntaxError(call);
  if (call.argc() == 4) {
    writes_only = call.ArgIs(3, "write");
    if (!writes_only && !call.ArgIs(3, "all")) {
      return call.reply.Error("ERR CLIENT PAUSE mode must be WRITE or ALL");
    }
  }
  const auto timeout_ms = resp::ParseInteger(call.arg(2));
  if (!timeout_ms || *timeout_ms > INT64_MAX / 1'000'000) {
    return call.reply.Error("ERR timeout is not an integer or out of range");
  }
  if (*timeout_ms < 0) return call.reply.Error("ERR timeout is negative");
  const uint64_t duration_us = static_cast<uint64_t>(*timeout_ms) * 1000;
  AnswerOkAfterAll(
      call, [=](Worker& worker) { worker.Pause(worker.loop().MonotonicUs() + duration_us, writes_only); });
}

void Unpause(ServerCall& call) {
  AnswerOkAfterAll(call, [](Worker& worker) { worker.Unpause(); });
}

bool ParseQuorum(std::string_view text, uint8_t* quorum) {
  const auto value = resp::ParseInteger(text);
  if (!value || *value < 0 || *value > 16) return false;
  *quorum = static_cast<uint8_t>(*value);
  return true;
}

/// CLIENT QUORUM [R n] [W n]: how many replicas plain commands of this connection read from and write to; 0
/// goes back to the cluster's setting. Without options it shows both.
void Quorum(ServerCall& call) {
  uint8_t read_quorum = call.session().read_quorum;
  uint8_t write_quorum = call.session().write_quorum;
  for (size_t i = 2; i < call.argc(); i += 2) {
    const bool is_read = call.ArgIs(i, "r");
    if ((!is_read && !call.ArgIs(i, "w")) || i + 1 == call.argc()) return SyntaxError(call);
    if (!ParseQuorum(call.arg(i + 1), is_read ? &read_quorum : &write_quorum)) {
      return call.reply.Error("ERR quorum must be between 0 and 16");
    }
  }
  call.session().read_quorum = read_quorum;
  call.session().write_quorum = write_quorum;
  if (call.argc() > 2) return call.reply.Ok();
  call.reply.Map(2);
  call.reply.BulkString("r");
  call.reply.Integer(read_quorum);
  call.reply.BulkString("w");
  call.reply.Integer(write_quorum);
}

/// The options of CLIENT TRACKING; false when an error is written.
bool CheckTrackingOptions(ServerCall& call) {
  for (size_t i = 3; i < call.argc(); ++i) {
    const bool more = i + 1 < call.argc();
    if (call.ArgIs(i, "redirect") && more) {
      if (!resp::ParseInteger(call.arg(++i))) return NotAnInteger(call), false;
    } else if (call.ArgIs(i, "prefix") && more) {
      ++i;
    } else if (!call.ArgIs(i, "bcast") && !call.ArgIs(i, "optin") && !call.ArgIs(i, "optout") &&
               !call.ArgIs(i, "noloop")) {
      return SyntaxError(call), false;
    }
  }
  return true;
}

/// CLIENT TRACKING ON|OFF [options]: off is what it is.
void Tracking(ServerCall& call) {
  if (!CheckTrackingOptions(call)) return;
  if (call.ArgIs(2, "off")) return call.reply.Ok();
  if (!call.ArgIs(2, "on")) return SyntaxError(call);
  call.reply.Error("ERR client-side caching is not supported: this server sends no invalidation messages");
}

void TrackingInfo(ServerCall& call) {
  call.reply.Map(3);
  call.reply.BulkString("flags");
  call.reply.Set(1);
  call.reply.BulkString("off");
  call.reply.BulkString("redirect");
  call.reply.Integer(-1);
  call.reply.BulkString("prefixes");
  call.reply.Array(0);
}

void GetRedir(ServerCall& call) {
  call.reply.Integer(-1);
}

void Caching(ServerCall& call) {
  call.reply.Error(
      "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode "
      "enabled");
}

/// CLIENT UNBLOCK id [TIMEOUT|ERROR].
void Unblock(ServerCall& call) {
  if (call.argc() > 4) return SubcommandSyntaxError(call);
  const auto id = resp::ParseInteger(call.arg(2));
  if (!id) return NotAnInteger(call);
  if (call.argc() == 4 && !call.ArgIs(3, "timeout") && !call.ArgIs(3, "error")) {
    return call.reply.Error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  }
  using End = commands::BlockedCall::End;
  const End end = call.argc() == 4 && call.ArgIs(3, "error") ? End::kError : End::kTimeout;
  const ReplyTicket ticket = call.Defer();
  call.worker.state().Gather<bool>(
      call.worker,
      [id = static_cast<uint64_t>(*id), end](Worker& worker) {
        ClientConnection* client = worker.FindClient(id);
        return client != nullptr && client->Unblock(end);
      },
      [ticket](const std::vector<bool>& unblocked) {
        const bool any = std::find(unblocked.begin(), unblocked.end(), true) != unblocked.end();
        ticket.Answer(any ? ":1\r\n" : ":0\r\n");
      });
}

constexpr ServerCommand kHandlers[] = {
    {"client|id", Id},
    {"client|info", Info},
    {"client|getname", GetName},
    {"client|setname", SetName},
    {"client|setinfo", SetInfo},
    {"client|no-evict", NoEvict},
    {"client|no-touch", NoTouch},
    {"client|reply", Reply},
    {"client|list", List, true},
    {"client|kill", Kill, true},
    {"client|pause", Pause, true},
    {"client|unpause", Unpause, true},
    {"client|quorum", Quorum},
    {"client|tracking", Tracking},
    {"client|trackinginfo", TrackingInfo},
    {"client|getredir", GetRedir},
    {"client|caching", Caching},
    {"client|unblock", Unblock, true},
    {"client|help", Help},
};

}  // namespace

std::span<const ServerCommand> ClientHandlers() {
  return kHandlers;
}

}  // namespace orrery::server
