#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "orrery/commands/blocked_call.h"
#include "orrery/commands/cluster_access.h"
#include "orrery/commands/command_table.h"
#include "orrery/commands/encoding_limits.h"
#include "orrery/replication/request.h"

namespace orrery::commands {

/// What a connection's state adds to each of its commands.
struct SessionOptions {
  uint8_t db = 0;
  uint8_t resp = 2;
  uint8_t read_quorum = 0;   ///< 0: the cluster's
  uint8_t write_quorum = 0;  ///< likewise
  uint32_t timeout_ms = 0;   ///< likewise
};

/// What operations of the Dispatcher work with.
struct DispatchEnvironment {
  replication::RequestRouter& router;
  ClusterAccess& cluster;
  uint64_t random_state;
  uint64_t blocking_calls = 0;  ///< made so far

  /// For choices by chance: RANDOMKEY. The same sequence for the same seed (splitmix64).
  uint64_t NextRandom();
};

/// The entry node's side of commands with keys: turns one command into requests of single slots, and their
/// replies into one reply. A command whose keys share a slot is one request and atomic. Keys in several slots
/// are split and gathered as CommandSpec::spread says; of several errors the one whose key comes first in the
/// command is the reply, and what other slots did meanwhile stays done (docs/differences.md). Commands over
/// the whole keyspace (SCAN, KEYS, DBSIZE, RANDOMKEY, FLUSHDB, FLUSHALL, CLUSTER COUNTKEYSINSLOT and
/// GETKEYSINSLOT) visit slots by internal requests.
///
/// One per loop, used on its thread. Must outlive every callback that it gave to router and cluster.
class Dispatcher {
 public:
  using Done = std::function<void(std::string reply)>;

  Dispatcher(replication::RequestRouter* router, ClusterAccess* cluster, uint64_t random_seed);

  /// What OBJECT ENCODING goes by from now on, whichever node it runs on.
  void SetEncodingLimits(const EncodingLimits& limits);

  /// spec: found by CommandTable with these args; not one that the node answers itself (Spread::kServer),
  /// OBJECT HELP excepted. args need to live only during the call. Calls done exactly once, later, with one
  /// whole RESP reply in the session's protocol. Requests to one slot are submitted in the order of the
  /// Dispatch calls, except by commands that RunAlone.
  void Dispatch(const CommandSpec& spec, const SessionOptions& session, Args args, Done done);
  /// As above, for a command that is still to be looked up; its errors become the reply. REQUIRES: not a
  /// command that the node answers itself.
  void Dispatch(const SessionOptions& session, Args args, Done done);

  /// As above, for a command of Spread::kBlocking, whose wait the caller can end by *blocked.
  void Block(const CommandSpec& spec, const SessionOptions& session, Args args, std::shared_ptr<BlockedCall> blocked,
             Done done);

  /// Commands that may take several rounds. To keep a client's order, the caller dispatches one only when all
  /// earlier commands of that client are answered, and later ones only when it is answered itself.
  static bool RunsAlone(const CommandSpec& spec);

 private:
  void SubmitOne(const CommandSpec& spec, const SessionOptions& session, SlotId slot, Args args, Done done);
  void DispatchKeys(const CommandSpec& spec, const SessionOptions& session, Args args, Done done);
  void DispatchSort(const CommandSpec& spec, const SessionOptions& session, Args args, Done done);
  void AnswerHelp(const SessionOptions& session, Args args, Done done);
  void AnswerLater(std::string reply, Done done);
  void Complete(uint32_t ticket, replication::Response response);

  DispatchEnvironment environment_;
  std::string encoding_limits_;  ///< as text; empty: the usual ones
  /// Callers of single requests, by ticket: a callback of two words needs no memory of its own.
  std::vector<Done> waiting_;
  std::vector<uint32_t> free_tickets_;
};

}  // namespace orrery::commands
