#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/commands/keyspace_counts.h"
#include "orrery/replication/request.h"
#include "orrery/resp/reply_writer.h"
#include "orrery/storage/transaction.h"

namespace orrery::commands {

/// What a single-slot command runs with, at the slot's coordinator. Lives for one call.
struct CommandContext {
  const replication::Request& request;
  storage::Transaction& transaction;
  resp::ReplyWriter& reply;
  /// Where a command that reads counts the keys that it looks up; nullptr for all others.
  KeyspaceCounts* lookups = nullptr;

  void CountLookup(bool found) {
    if (lookups != nullptr) ++(found ? lookups->hits : lookups->misses);
  }
  std::string_view arg(size_t i) const { return request.args[i]; }
  size_t argc() const { return request.args.size(); }
  uint8_t db() const { return request.db; }
};

/// Parses arguments, calls types, writes one reply. Pure.
using Handler = void (*)(CommandContext& context);

/// What the entry node does with a command whose keys lie in several slots.
enum class Spread : uint8_t {
  kServer,   ///< no keys: answered by the node that the client is connected to (module server)
  kOneKey,   ///< one key, or keys of which the first decides and others need not exist (OBJECT)
  kSum,      ///< split by slot, integer replies add up (DEL, EXISTS, TOUCH, UNLINK)
  kEach,     ///< split by slot, array replies are put back in the order of the keys (MGET)
  kAllOk,    ///< split by slot, every part answers OK (MSET)
  kGather,   ///< runs at the slot of its home key with the rows of the other keys attached (BITOP, LCS, COPY, RENAME)
  kPatterns, ///< SORT: as kOneKey, or with what its patterns name in other slots attached
  kFirstOf,  ///< asks slot by slot, in the order of the keys, until one has something (ZMPOP)
  kBlocking, ///< as kFirstOf, and waits until a key has something (BLPOP)
  kCluster,  ///< asks every slot or node (SCAN, KEYS, DBSIZE, FLUSHALL, RANDOMKEY)
};

/// Redis's flags, as COMMAND INFO prints them (https://redis.io/commands/command/).
enum CommandFlag : uint32_t {
  kWrite = 1 << 0,
  kReadonly = 1 << 1,
  kDenyOom = 1 << 2,
  kAdmin = 1 << 3,
  kPubsub = 1 << 4,
  kNoscript = 1 << 5,
  kBlocking = 1 << 6,
  kLoading = 1 << 7,
  kStale = 1 << 8,
  kFast = 1 << 9,
  kNoAuth = 1 << 10,
  kMovableKeys = 1 << 11,
  kNoMulti = 1 << 12,
  kNoAsyncLoading = 1 << 13,
  kAllowBusy = 1 << 14,
  kAsking = 1 << 15,
};

/// Positions of keys, as in COMMAND INFO: last may be negative (from the end), step 0 means no keys.
struct KeyRange {
  int first = 0;
  int last = 0;
  int step = 0;
};

/// One command or subcommand: everything that the server knows about it before running it. Static data.
struct CommandSpec {
  std::string_view name;  ///< lower case; a subcommand's own name, without its parent
  int arity = 0;          ///< as in Redis: negative means at least
  uint32_t flags = 0;
  KeyRange keys;
  /// The argument that says how many keys follow it (SINTERCARD), after those of the KeyRange (ZUNIONSTORE); 0: none.
  uint8_t key_count_arg = 0;
  /// From this argument on an option STORE or STOREDIST names one more key, the last one if there are several
  /// (GEORADIUS); 0: there is no such option.
  uint8_t store_option_arg = 0;
  Spread spread = Spread::kServer;
  replication::Traits traits;
  /// A command that writes, but whose lookups of keys count as reading nevertheless, as in Redis (GETDEL, BITOP). Those of
  /// commands with the flag kReadonly always do.
  bool looks_up = false;
  Handler handler = nullptr;  ///< nullptr for kServer and kCluster
  std::string_view group;     ///< "string", "generic", "bitmap", "connection", "server", "cluster", "dynamo"
  std::string_view since;
  std::string_view complexity;
  std::string_view summary;   ///< in our own words
  std::span<const CommandSpec> subcommands = {};
};

}  // namespace orrery::commands
