#include "commands/internal_commands.h"

#include <string>
#include <utility>
#include <vector>

#include "commands/handler_support.h"
#include "commands/slot_digest.h"
#include "orrery/commands/debug_commands.h"
#include "orrery/commands/glob.h"
#include "orrery/storage/row_key.h"
#include "orrery/types/element.h"
#include "orrery/types/expiry.h"
#include "orrery/types/list_type.h"
#include "orrery/types/string_type.h"

namespace orrery::commands {
namespace {

using causality::Row;
using storage::RowTag;
using types::ListKey;

constexpr size_t kPurgeRowsMax = 1000;

// orrery.fetch key [key...]: row key, encoded row, ... of all rows of these keys.
void Fetch(CommandContext& context) {
  const size_t start = context.reply.Position();
  size_t elements = 0;
  for (size_t i = 1; i < context.argc(); ++i) {
    const std::string prefix = storage::KeyPrefix(context.db(), context.arg(i));
    context.transaction.Scan(prefix, {}, [&](std::string_view row_key, const Row& row) {
      context.reply.BulkString(row_key);
      context.reply.BulkString(causality::EncodeRow(row));
      elements += 2;
      return true;
    });
  }
  context.reply.InsertArray(start, elements);
}

// orrery.pick key field [key field...]: as orrery.fetch, of the rows that show a string (field is empty) or
// one field.
void Pick(CommandContext& context) {
  const size_t start = context.reply.Position();
  size_t elements = 0;
  const auto emit = [&](std::string_view key, storage::RowTag tag, std::string_view element) {
    const std::string row_key = storage::EncodeRowKey({context.db(), key, tag, element});
    const Row& row = context.transaction.Get(row_key);
    if (row.empty()) return;
    context.reply.BulkString(row_key);
    context.reply.BulkString(causality::EncodeRow(row));
    elements += 2;
  };
  for (size_t i = 1; i + 1 < context.argc(); i += 2) {
    const std::string_view field = context.arg(i + 1);
    const types::KeyType type = AnyKeyAt(context, i).type();
    if (type == types::KeyType::kString && field.empty()) emit(context.arg(i), storage::RowTag::kString, {});
    if (type != types::KeyType::kHash || field.empty()) continue;
    emit(context.arg(i), storage::RowTag::kHead, {});
    emit(context.arg(i), storage::RowTag::kHash, types::ElementBytes(storage::RowTag::kHash, field));
  }
  context.reply.InsertArray(start, elements);
}

// orrery.fetchend LEFT|RIGHT key: row key and row of the outermost element of a list; of any other type one
// row that shows which it is. Nothing of a key that shows nothing, or is held for others.
void FetchEnd(CommandContext& context) {
  const types::ListKey list(&context.transaction, context.db(), context.arg(2));
  const auto reply_row = [&](std::string_view row_key, const Row& row) {
    context.reply.Array(2);
    context.reply.BulkString(row_key);
    context.reply.BulkString(causality::EncodeRow(row));
  };
  const RowTag tag = types::TagOfType(list.type());
  if (!list.exists() || !context.request.MayTake(context.arg(2))) return context.reply.Array(0);
  const std::string prefix = storage::TagPrefix(context.db(), context.arg(2), tag);
  if (const auto end =
          list.Outermost(Is(context.arg(1), "left") ? ListKey::End::kHead : ListKey::End::kTail)) {
    // What the order says is there and cannot be read fails the command, whatever is replied.
    const Row* row = list.Find(*end);
    return row == nullptr ? context.reply.Array(0) : reply_row(prefix + *end, *row);
  }
  context.transaction.Scan(prefix, {}, [&](std::string_view row_key, const Row& row) {
    if (!row.HasValue()) return true;
    reply_row(row_key, row);
    return false;
  });
}

// orrery.drop row-key row [row-key row...]: removes exactly what these rows show.
void Drop(CommandContext& context) {
  for (size_t i = 1; i + 1 < context.argc(); i += 2) {
    Row row;
    if (!causality::DecodeRow(context.arg(i + 1), &row)) return context.reply.Error("ERR malformed row");
    types::RemoveSeen(&context.transaction, context.arg(i), row);
  }
  context.reply.Ok();
}

struct Page {
  uint64_t count = 10;
  std::string_view pattern = "*";
  std::optional<std::string_view> type;
  uint64_t examined = 0;
  uint64_t next_order = 0;
  bool more = false;
  std::vector<std::string> keys;
};

// Rows of one key that a walk passes before it goes on behind the key by a walk of its own.
constexpr size_t kRowsPassedMax = 16;

// Gathers keys up to the page's count. Keys of equal order must be in one page: the order is all that a
// cursor remembers.
void WalkKeys(CommandContext& context, uint64_t order, Page* page) {
  const std::string db = storage::DbPrefix(context.db());
  std::string from = storage::OrderPrefix(context.db(), order);
  while (!from.empty()) {
    std::string at = std::exchange(from, {});
    std::string key_prefix;
    size_t rows = 0;
    context.transaction.Scan(db, at, [&](std::string_view row_key, const Row&) {
      if (!key_prefix.empty() && row_key.starts_with(key_prefix)) {
        if (++rows < kRowsPassedMax) return true;
        from = storage::AfterKey(key_prefix);
        return false;
      }
      auto parsed = storage::ParseRowKey(row_key);
      if (!parsed) return true;
      if (page->examined >= page->count && parsed->order >= page->next_order) {
        page->next_order = parsed->order;
        page->more = true;
        return false;
      }
      ++page->examined;
      page->next_order = parsed->order + 1;
      key_prefix = row_key.substr(0, storage::KeyPrefixSize(row_key));
      rows = 0;
      page->keys.push_back(std::move(parsed->key));
      return true;
    });
  }
}

bool IsWanted(CommandContext& context, const Page& page, const std::string& key) {
  if (page.pattern != "*" && !GlobMatches(page.pattern, key)) return false;
  const types::KeyType type = types::KeyView(&context.transaction, context.db(), key).type();
  return type != types::KeyType::kNone && (!page.type || Is(*page.type, types::TypeName(type)));
}

// orrery.scan order count [MATCH pattern] [TYPE type]: [next order or 0, keys looked at, [key...]].
void Scan(CommandContext& context) {
  const auto order = IntegerArg(context, 1);
  if (!order) return;
  const auto count = IntegerArg(context, 2);
  if (!count) return;
  Page page;
  page.count = static_cast<uint64_t>(*count);
  for (size_t i = 3; i + 1 < context.argc(); i += 2) {
    if (Is(context.arg(i), "match")) page.pattern = context.arg(i + 1);
    if (Is(context.arg(i), "type")) page.type = context.arg(i + 1);
  }
  WalkKeys(context, static_cast<uint64_t>(*order), &page);
  std::erase_if(page.keys, [&](const std::string& key) { return !IsWanted(context, page, key); });
  context.reply.Array(3);
  context.reply.Integer(page.more ? static_cast<int64_t>(page.next_order) : 0);
  context.reply.Integer(static_cast<int64_t>(page.examined));
  context.reply.Array(page.keys.size());
  for (const std::string& key : page.keys) context.reply.BulkString(key);
}

// orrery.flush [ALL]: removes the slot's keys of the database, or of all.
void Flush(CommandContext& context) {
  const std::string prefix = context.argc() > 1 ? std::string() : storage::DbPrefix(context.db());
  bool any = false;
  context.transaction.Scan(prefix, {}, [&](std::string_view, const Row&) {
    any = true;
    return false;
  });
  if (any) context.transaction.RemoveScope(prefix);
  context.reply.Ok();
}

// orrery.purge: removes rows that have ended.
void Purge(CommandContext& context) {
  context.reply.Integer(static_cast<int64_t>(types::PurgeExpired(&context.transaction, kPurgeRowsMax)));
}

// orrery.ready type key [key...]: the first key that has something for the client of the request's place; an
// empty reply if there is none.
void Ready(CommandContext& context) {
  for (size_t i = replication::Request::kParkedKeys; i < context.argc(); ++i) {
    const std::string_view key = context.arg(i);
    const types::KeyType type = types::KeyView(&context.transaction, context.db(), key).type();
    if (types::TypeName(type) != context.arg(1) || !context.request.MayTake(key)) continue;
    return context.reply.BulkString(key);
  }
}

// orrery.leave: by its place alone the request ends the wait of that place.
void Leave(CommandContext& context) {
  context.reply.Ok();
}

}  // namespace

Handler FindInternal(std::string_view name) {
  if (name == "orrery.fetch") return Fetch;
  if (name == "orrery.pick") return Pick;
  if (name == "orrery.fetchend") return FetchEnd;
  if (name == "orrery.drop") return Drop;
  if (name == "orrery.scan") return Scan;
  if (name == "orrery.flush") return Flush;
  if (name == "orrery.ready") return Ready;
  if (name == "orrery.leave") return Leave;
  if (name == "orrery.purge") return Purge;
  if (name == "orrery.digestslot") return DigestSlot;
  for (const CommandSpec* debug : {&DigestValueCommand(), &DescribeObjectCommand()}) {
    if (name == debug->name) return debug->handler;
  }
  return nullptr;
}

}  // namespace orrery::commands
