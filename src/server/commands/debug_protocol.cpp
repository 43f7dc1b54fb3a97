#include <string>

#include "server/commands/handler_tools.h"

namespace orrery::server {
namespace {

void WriteNumbers(resp::ReplyWriter& reply) {
  for (int64_t i = 0; i < 3; ++i) reply.Integer(i);
}

void WriteMap(resp::ReplyWriter& reply) {
  reply.Map(3);
  for (int64_t i = 0; i < 3; ++i) {
    reply.Integer(i);
    reply.Bool(i == 1);
  }
}

void WriteAttribute(resp::ReplyWriter& reply) {
  if (reply.Attribute(1)) {
    reply.BulkString("key-popularity");
    reply.Array(2);
    reply.BulkString("key:123");
    reply.Integer(90);
  }
  reply.BulkString("Some real reply following the attribute");
}

void WritePush(resp::ReplyWriter& reply) {
  if (!reply.resp3()) return reply.Error("ERR RESP2 is not supported by this command");
  reply.Push(2);
  reply.BulkString("server-cpu-usage");
  reply.Integer(42);
  // A push is no answer: whoever waits for one gets it, too.
  reply.BulkString("Some real reply following the push reply");
}

struct TypeOfReply {
  std::string_view name;
  void (*write)(resp::ReplyWriter& reply);
};

using Writer = resp::ReplyWriter;

/// What Redis answers, for each type, so that tests of clients find the same here.
constexpr TypeOfReply kTypes[] = {
    {"string", [](Writer& reply) { reply.BulkString("Hello World"); }},
    {"integer", [](Writer& reply) { reply.Integer(12345); }},
    {"double", [](Writer& reply) { reply.Double(3.141); }},
    {"null", [](Writer& reply) { reply.Null(); }},
    {"array", [](Writer& reply) { return reply.Array(3), WriteNumbers(reply); }},
    {"set", [](Writer& reply) { return reply.Set(3), WriteNumbers(reply); }},
    {"map", WriteMap},
    {"attrib", WriteAttribute},
    {"push", WritePush},
    {"verbatim", [](Writer& reply) { reply.Verbatim("txt", "This is a verbatim\nstring"); }},
    {"true", [](Writer& reply) { reply.Bool(true); }},
    {"false", [](Writer& reply) { reply.Bool(false); }},
    {"bignum", [](Writer& reply) { reply.BigNumber("1234567999999999999999999999999999999"); }},
};

}  // namespace

void DebugProtocol(ServerCall& call) {
  std::string names;
  for (const TypeOfReply& type : kTypes) {
    if (call.ArgIs(2, type.name)) return type.write(call.reply);
    names += (names.empty() ? "" : "|") + std::string(type.name);
  }
  call.reply.Error("ERR Wrong protocol type name. Please use one of the following: " + names);
}

}  // namespace orrery::server
