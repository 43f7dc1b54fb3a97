// DGET, DPUT, DDEL, DCOMPARE: the paper's get and put (Dynamo, section 4.1), on the keys of all other
// commands. docs/dget-dput.md describes them.

#include <string>

#include "commands/command_families.h"
#include "commands/handler_support.h"
#include "orrery/types/causal_context.h"

namespace orrery::commands {
namespace {

using causality::Causality;
using types::CausalContext;
using types::StringKey;

// The values of R, W and TIMEOUT are used on the way; here they are only checked. `quorum`: "r" or "w".
bool QuorumOptionsAreValid(CommandContext& context, size_t first, std::string_view quorum,
                           std::optional<uint64_t>* end_ms) {
  for (size_t i = first; i < context.argc(); i += 2) {
    const std::string_view option = context.arg(i);
    if (i + 1 >= context.argc()) return context.reply.Error(kSyntaxError), false;
    auto end = EndOptionOf(option);
    if (Is(option, quorum)) {
      const auto number = ParseInteger(context.arg(i + 1));
      if (!number || *number < 1) return context.reply.Error("ERR invalid quorum"), false;
    } else if (Is(option, "timeout")) {
      const auto number = ParseInteger(context.arg(i + 1));
      if (!number || *number < 1)
        return context.reply.Error("ERR timeout is not an integer or out of range"), false;
    } else if (end_ms != nullptr && end && end->base == TimeBase::kRelative && !*end_ms) {
      end->number_arg = i + 1;
      *end_ms = EndArg(context, *end, "dput");
      if (!*end_ms) return false;
    } else {
      return context.reply.Error(kSyntaxError), false;
    }
  }
  return true;
}

std::optional<CausalContext> ContextArg(CommandContext& context) {
  auto seen = types::ParseContext(context.arg(1), context.arg(2));
  if (!seen) context.reply.Error("ERR invalid context");
  return seen;
}

void DGet(CommandContext& context) {
  if (!QuorumOptionsAreValid(context, 2, "r", nullptr)) return;
  const StringKey key = KeyAt(context, 1);
  if (!TypeFits(context, key, types::KeyType::kString)) return;
  context.reply.Array(2);
  context.reply.BulkString(types::FormatContext(context.arg(1), key.Context()));
  const std::vector<std::string> values = key.Siblings();
  context.reply.Array(values.size());
  for (const std::string& value : values) context.reply.BulkString(value);
}

void DPut(CommandContext& context) {
  std::optional<uint64_t> end_ms;
  if (!QuorumOptionsAreValid(context, 4, "w", &end_ms)) return;
  const auto seen = ContextArg(context);
  if (!seen) return;
  StringKey key = KeyAt(context, 1);
  if (!TypeFits(context, key, types::KeyType::kString)) return;
  const CausalContext written = key.Put(context.arg(3), *seen, end_ms);
  context.reply.BulkString(types::FormatContext(context.arg(1), written));
}

void DDel(CommandContext& context) {
  if (!QuorumOptionsAreValid(context, 3, "w", nullptr)) return;
  const auto seen = ContextArg(context);
  if (!seen) return;
  StringKey key = KeyAt(context, 1);
  if (!TypeFits(context, key, types::KeyType::kString)) return;
  context.reply.Integer(key.RemoveCovered(*seen) > 0 ? 1 : 0);
}

void DCompare(CommandContext& context) {
  const auto a = types::ParseContextShape(context.arg(1));
  const auto b = types::ParseContextShape(context.arg(2));
  if (!a || !b) return context.reply.Error("ERR invalid context");
  switch (types::Compare(*a, *b)) {
    case Causality::kEqual:
      return context.reply.BulkString("equal");
    case Causality::kBefore:
      return context.reply.BulkString("before");
    case Causality::kAfter:
      return context.reply.BulkString("after");
    case Causality::kConcurrent:
      return context.reply.BulkString("concurrent");
  }
}

// DCOMPARE needs no row; the first context stands in as its key, so that some slot runs it without asking
// anybody.
constexpr CommandSpec WithoutRows(CommandSpec spec) {
  spec.traits = {false, false, false, true};
  return spec;
}

// Done twice, a DPUT would be its own sibling.
constexpr CommandSpec NotRetried(CommandSpec spec) {
  spec.traits.idempotent = false;
  return spec;
}

constexpr CommandSpec kSpecs[] = {
    WithoutRows(Keyed("dcompare", 3, kReadonly | kFast, kFirstKey, DCompare, "dynamo", "7.0.0",
                      "O(N) with N entries of the contexts",
                      "How two contexts relate: equal, before, after, concurrent")),
    Keyed("ddel", -3, kWrite | kFast, kFirstKey, DDel, "dynamo", "7.0.0", "O(N) with N siblings",
          "Removes the siblings that a context covers"),
    Keyed("dget", -2, kReadonly | kFast, kFirstKey, DGet, "dynamo", "7.0.0", "O(N) with N siblings",
          "All siblings of a key, and the context that covers them"),
    NotRetried(Blind(Keyed("dput", -4, kWrite | kDenyOom | kFast, kFirstKey, DPut, "dynamo", "7.0.0",
                           "O(N) with N siblings", "Replaces the siblings that a context covers"))),
};

}  // namespace

std::span<const CommandSpec> DynamoCommands() {
  return kSpecs;
}

}  // namespace orrery::commands
