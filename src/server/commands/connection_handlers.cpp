#include <algorithm>
#include <string>

#include "orrery/server/version.h"
#include "server/commands/handler_tools.h"

namespace orrery::server {
namespace {

void Ping(ServerCall& call) {
  if (call.argc() > 2) return call.reply.Error(commands::WrongArityText("ping"));
  if (call.argc() == 2) return call.reply.BulkString(call.arg(1));
  call.reply.SimpleString("PONG");
}

void Echo(ServerCall& call) {
  call.reply.BulkString(call.arg(1));
}

void Quit(ServerCall& call) {
  call.reply.Ok();
  call.client.CloseAfterReplies();
}

void Reset(ServerCall& call) {
  if (call.session().replies_off) call.AnswerAnyway();
  call.client.ResetSession();
  call.reply.set_protocol(resp::Protocol::kResp2);
  call.reply.SimpleString("RESET");
}

void Select(ServerCall& call) {
  const auto db = resp::ParseInteger(call.arg(1));
  if (!db) return NotAnInteger(call);
  if (*db < 0 || *db >= int64_t{call.worker.config().databases}) {
    return call.reply.Error("ERR DB index is out of range");
  }
  call.session().db = static_cast<uint8_t>(*db);
  call.reply.Ok();
}

/// Takes the same time whether few or many bytes are right.
bool SamePassword(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < a.size(); ++i) {
    const char other = b.empty() ? '\0' : b[i % b.size()];
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(other);
  }
  return difference == 0;
}

/// There is one user, "default", whose password is requirepass; without one any password is right.
bool Authenticate(ServerCall& call, std::string_view user, std::string_view password) {
  const std::string& required = call.worker.config().requirepass;
  const bool right = user == "default" && (required.empty() || SamePassword(password, required));
  if (right) {
    call.client.SetAuthenticated(true);
  } else {
    call.reply.Error("WRONGPASS invalid username-password pair or user is disabled.");
  }
  return right;
}

void Auth(ServerCall& call) {
  if (call.argc() > 3) return SyntaxError(call);
  if (call.argc() == 2 && call.worker.config().requirepass.empty()) {
    return call.reply.Error(
        "ERR AUTH <password> called without any password configured for the default user. Are you sure your "
        "configuration is correct?");
  }
  const bool named = call.argc() == 3;
  if (Authenticate(call, named ? call.arg(1) : "default", call.arg(named ? 2 : 1))) call.reply.Ok();
}

void HideCredentials(std::span<std::string_view> args) {
  std::fill(args.begin() + 1, args.end(), kHiddenArgument);
}

/// The two words after each AUTH, from the last one on: a name may be "auth", too.
void HideHelloCredentials(std::span<std::string_view> args) {
  for (size_t i = args.size(); i-- > 1;) {
    if (!commands::EqualsIgnoringCase(args[i], "auth")) continue;
    const auto hidden = args.subspan(i + 1);
    std::fill_n(hidden.begin(), std::min<size_t>(hidden.size(), 2), kHiddenArgument);
  }
}

struct HelloOptions {
  std::optional<resp::Protocol> protocol;
  std::optional<std::string_view> user;
  std::string_view password;
  std::optional<std::string_view> name;
};

/// False when an error is written.
bool ParseHello(ServerCall& call, HelloOptions* options) {
  if (call.argc() >= 2) {
    const auto version = resp::ParseInteger(call.arg(1));
    if (!version) {
      call.reply.Error("ERR Protocol version is not an integer or out of range");
      return false;
    }
    if (*version != 2 && *version != 3) {
      call.reply.Error("NOPROTO unsupported protocol version");
      return false;
    }
    options->protocol = static_cast<resp::Protocol>(*version);
  }
  for (size_t i = 2; i < call.argc(); ++i) {
    const size_t more = call.argc() - 1 - i;
    if (call.ArgIs(i, "auth") && more >= 2) {
      options->user = call.arg(i + 1);
      options->password = call.arg(i + 2);
      i += 2;
    } else if (call.ArgIs(i, "setname") && more >= 1) {
      options->name = call.arg(++i);
    } else {
      call.reply.Error("ERR Syntax error in HELLO option '" + std::string(call.arg(i).substr(0, 128)) + "'");
      return false;
    }
  }
  return true;
}

void Hello(ServerCall& call) {
  HelloOptions options;
  if (!ParseHello(call, &options)) return;
  if (options.user && !Authenticate(call, *options.user, options.password)) return;
  if (!call.client.may_run_commands()) {
    return call.reply.Error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH "
        "<user> "
        "<pass> option can be used to authenticate the client and select the RESP protocol version at the "
        "same time");
  }
  if (options.name) {
    if (!IsClientName(*options.name)) return call.reply.Error(kBadClientName);
    call.session().name = *options.name;
  }
  if (options.protocol) call.session().protocol = *options.protocol;
  resp::ReplyWriter& reply = call.reply;
  reply.set_protocol(call.session().protocol);
  reply.Map(7);
  reply.BulkString("server");
  reply.BulkString("redis");
  reply.BulkString("version");
  reply.BulkString(kRedisVersion);
  reply.BulkString("proto");
  reply.Integer(static_cast<int>(call.session().protocol));
  reply.BulkString("id");
  reply.Integer(static_cast<int64_t>(call.client.id()));
  reply.BulkString("mode");
  reply.BulkString("cluster");
  reply.BulkString("role");
  reply.BulkString("master");
  reply.BulkString("modules");
  reply.Array(0);
}

void Monitor(ServerCall& call) {
  call.reply.Error("ERR MONITOR is not supported: a node sees only the commands that come in or run here");
}

/// Clients that know Redis Cluster send these; every node answers for every slot, so there is nothing to
/// remember but what CLIENT LIST shows.
void ReadOnly(ServerCall& call) {
  call.session().readonly = true;
  call.reply.Ok();
}
void ReadWrite(ServerCall& call) {
  call.session().readonly = false;
  call.reply.Ok();
}
void Asking(ServerCall& call) {
  call.reply.Ok();
}

constexpr ServerCommand kHandlers[] = {
    {"ping", Ping},
    {"echo", Echo},
    {"quit", Quit},
    {"reset", Reset},
    {"select", Select},
    {"auth", Auth, false, HideCredentials},
    {"hello", Hello, false, HideHelloCredentials},
    {"monitor", Monitor},
    {"readonly", ReadOnly},
    {"readwrite", ReadWrite},
    {"asking", Asking},
};

}  // namespace

std::span<const ServerCommand> ConnectionHandlers() {
  return kHandlers;
}

}  // namespace orrery::server
