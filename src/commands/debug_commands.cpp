#include "orrery/commands/debug_commands.h"

#include <string>
#include <vector>

#include "commands/dump_commands.h"
#include "commands/handler_support.h"
#include "commands/object_encoding.h"
#include "commands/slot_digest.h"
#include "commands/spec_builder.h"
#include "orrery/base/hash.h"
#include "orrery/storage/row_key.h"

namespace orrery::commands {
namespace {

using types::StringKey;

// That a key has an end counts, when it ends does not: as in Redis.
uint64_t DigestOf(CommandContext& context, std::string_view name) {
  const StringKey key(&context.transaction, context.db(), name);
  if (!key.exists()) return 0;
  return Hash64(types::WriteDump(DumpValueOf(context, key, name)), key.deadline() ? 1 : 0);
}

void DigestValues(CommandContext& context) {
  context.reply.Array(context.argc() - 1);
  for (size_t i = 1; i < context.argc(); ++i)
    context.reply.BulkString(HexDigits(DigestOf(context, context.arg(i))));
}

// The fields of Redis's line that have a meaning here.
void DescribeObject(CommandContext& context) {
  const StringKey key = KeyAt(context, 1);
  if (!key.exists()) return context.reply.Error(kNoSuchKey);
  const size_t bytes = types::WriteDump(DumpValueOf(context, key, context.arg(1))).size();
  context.reply.SimpleString(
      "refcount:1 encoding:" + std::string(EncodingOf(context, key, context.arg(1), {})) +
      " serializedlength:" + std::to_string(bytes));
}

std::vector<std::string> KeysOfSlot(CommandContext& context) {
  std::vector<std::string> keys;
  context.transaction.Scan(storage::DbPrefix(context.db()), {},
                           [&](std::string_view row_key, const causality::Row&) {
                             auto parsed = storage::ParseRowKey(row_key);
                             if (parsed && (keys.empty() || keys.back() != parsed->key))
                               keys.push_back(std::move(parsed->key));
                             return true;
                           });
  return keys;
}

constexpr KeyRange kEveryKey{1, -1, 1};

constexpr CommandSpec kDigestValue =
    With(Keyed("orrery.digest", -2, kReadonly, kEveryKey, DigestValues, "server", "1.0.0",
               "O(N) with N bytes", "What values look like, in short"),
         Spread::kEach);
constexpr CommandSpec kDigest =
    AskingCluster(NodeCommand("orrery.digestall", 1, kReadonly, "server", "1.0.0", "O(N) with N bytes",
                              "What all values look like, in short"));
constexpr CommandSpec kDescribeObject =
    Keyed("orrery.object", 2, kReadonly, {1, 1, 1}, DescribeObject, "server", "1.0.0", "O(N) with N bytes",
          "How Redis would store a value");

}  // namespace

void DigestSlot(CommandContext& context) {
  uint64_t digest = 0;
  for (const std::string& key : KeysOfSlot(context)) {
    const uint64_t of_value = DigestOf(context, key);
    if (of_value != 0) digest ^= Hash64(key, of_value);
  }
  context.reply.BulkString(HexDigits(digest));
}

const CommandSpec& DigestValueCommand() {
  return kDigestValue;
}

const CommandSpec& DigestCommand() {
  return kDigest;
}

const CommandSpec& DescribeObjectCommand() {
  return kDescribeObject;
}

}  // namespace orrery::commands
