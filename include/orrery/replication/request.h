#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "orrery/base/codec.h"
#include "orrery/base/node_id.h"
#include "orrery/base/slot.h"
#include "orrery/storage/transaction.h"

namespace orrery::replication {

/// The narrow interface between commands and replication: commands say what to run on which slot and how it behaves;
/// replication finds the coordinator, the quorum and the moment to answer.

/// What a command needs of a quorum (DESIGN: writing, reading).
struct Traits {
  bool reads = false;       ///< depends on rows: makes sure of R first
  bool writes = false;      ///< may make an event: W must be there before it runs
  bool blind = false;       ///< needs no state at all (SET, MSET, DPUT): a fallback may run it with no home in reach
  bool idempotent = false;  ///< twice is as good as once: may be retried elsewhere although it was sent
  bool parks = false;       ///< waits at its coordinator until there is something to reply (ParkedRequests)
  bool operator==(const Traits&) const = default;
};

/// A command's arguments in one piece of memory.
class Arguments {
 public:
  Arguments() = default;
  explicit Arguments(std::span<const std::string_view> args) {
    size_t bytes = 0;
    for (std::string_view arg : args) bytes += arg.size();
    bytes_.reserve(bytes);
    ends_.reserve(args.size());
    for (std::string_view arg : args) Append(arg);
  }
  explicit Arguments(std::initializer_list<std::string_view> args)
      : Arguments(std::span<const std::string_view>(args.begin(), args.size())) {}
  void Append(std::string_view arg) {
    bytes_.append(arg);
    ends_.push_back(bytes_.size());
  }
  size_t size() const { return ends_.size(); }
  std::string_view operator[](size_t i) const {
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(bytes_).substr(begin, ends_[i] - begin);
  }
  size_t bytes() const { return bytes_.size(); }

 private:
  std::string bytes_;
  std::vector<size_t> ends_;
};

struct Request;

/// Says which keys are kept for clients that have waited for longer.
class KeyHolds {
 public:
  virtual ~KeyHolds() = default;
  virtual bool IsHeld(const Request& request, std::string_view key) const = 0;
};

/// One command on one slot, as it travels from the entry node to the coordinator.
struct Request {
  SlotId slot = 0;
  uint8_t db = 0;
  uint8_t resp = 2;  ///< protocol version of the reply: 2 or 3
  Traits traits;
  uint8_t read_quorum = 0;   ///< 0: the cluster's R
  uint8_t write_quorum = 0;  ///< 0: the cluster's W
  uint32_t timeout_ms = 0;   ///< 0: the cluster's
  /// When the node that forwarded it sent it, in milliseconds of this node's monotonic clock; 0 for a client of this node.
  /// Not part of the encoded request: the frame says it.
  uint64_t sent_ms = 0;
  /// Which node that was, and its ForwardMessage::count. Not part of the encoded request either.
  NodeId entry;
  uint64_t entry_count = 0;
  Arguments args;
  /// Of a blocking command: its client's place among all that wait, compared as bytes, the least first; it outlives
  /// coordinators. A request with a place takes out of its slot what is parked there by the same place. Empty: none.
  std::string place;
  /// Where the keys begin in the arguments of a request that parks.
  static constexpr size_t kParkedKeys = 2;
  /// Set by the coordinator for the time of the execution.
  const KeyHolds* holds = nullptr;
  /// Rows of other slots, (row key, encoded row), for commands over several slots. Read-only at the coordinator.
  std::vector<std::pair<std::string, std::string>> attachments;

  /// Whether the command may take something from the key, or has to leave it to who came before.
  bool MayTake(std::string_view key) const { return place.empty() || holds == nullptr || !holds->IsHeld(*this, key); }
};

/// Of its arguments and attachments, which are nearly all of a large one.
size_t RequestBytes(const Request& request);
void EncodeRequest(const Request& request, Encoder* out);
Request DecodeRequest(Decoder* in);

/// How a request ended. Each is a different answer to the client; see ErrorText.
enum class Outcome : uint8_t {
  kReply = 0,        ///< the command ran; reply is RESP, errors of the command included
  kNoReplicas = 1,   ///< fewer than W healthy nodes; nothing was applied
  kClusterDown = 2,  ///< not enough nodes to read, or none to coordinate; nothing was applied
  kUnknown = 3,      ///< applied somewhere, but not known to be on W nodes
  kNotHere = 4,      ///< between nodes only: the receiver does not coordinate this slot; nothing was applied
  kDiskError = 5,    ///< the coordinator's disk refuses writes; nothing was applied
};

struct Response {
  Outcome outcome = Outcome::kReply;
  std::string reply;  ///< RESP bytes when outcome is kReply; else a detail for the error text
  /// Between nodes only, if not 0: to be shown when the entry node has the coordinator's events of the slot
  /// up to this counter (BoundReplies).
  uint64_t after = 0;
};

/// The RESP error line (with "-" and CRLF) that a client sees for an outcome other than kReply. The one place where
/// outcomes become words.
std::string ErrorText(const Response& response);

/// The reply to a command that is not run, or whose reply cannot be passed on, since something of it is too large.
Response TooLarge(std::string_view what, size_t bytes_max);

using Callback = std::function<void(Response)>;

/// Runs single-slot commands against a transaction: given to replication by `commands`. Pure: what it does depends on
/// request and transaction only. Writes RESP into reply.
class CommandExecutor {
 public:
  virtual ~CommandExecutor() = default;
  virtual void Execute(const Request& request, storage::Transaction* transaction, std::string* reply) = 0;
  /// Asks for the memory of the row that the request will probably look at first, if there is one; the result
  /// goes to RowStore::PrefetchRow. Only a hint.
  virtual uint64_t Prefetch(const Request& /*request*/, const storage::RowStore& /*store*/) const {
    return 0;
  }
};

/// Sends single-slot requests to their coordinators. Given to `commands` and `server`, one per loop.
class RequestRouter {
 public:
  virtual ~RequestRouter() = default;
  /// Calls done exactly once, on this loop, never inside Submit. Requests of one caller on one slot run in order.
  virtual void Submit(Request request, Callback done) = 0;
};

}  // namespace orrery::replication
