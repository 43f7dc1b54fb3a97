#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "orrery/base/node_id.h"
#include "orrery/runtime/peer_versions.h"

namespace orrery::runtime {

/// The greeting of two nodes before their link carries anything: who they are, and a proof by challenge and
/// response (HMAC-SHA256) that each knows the cluster's secret. docs/peer-link.md has it byte by byte. Pure:
/// bytes in, steps and bytes out; nonces come from the caller. One object per connection, any one thread.
///
///   dialler                       acceptor
///   Hello         ──────────────▶
///                 ◀──────────────  Challenge          or Refusal
///   Proof         ──────────────▶
///                 ◀──────────────  Welcome            or Refusal
///
/// The dialler proves itself first, so that whoever scans ports gets nothing to try secrets on.

/// Neither side reads more than this before the other is authenticated.
inline constexpr size_t kGreetingMaxBytes = 512;
inline constexpr size_t kNonceBytes = 32;
inline constexpr size_t kClusterNameMaxBytes = 64;
inline constexpr uint16_t kLoopCountMax = 1024;

/// Why an acceptor turns a dialler away. The numbers are the protocol's.
enum class Refusal : uint8_t {
  kMalformed = 1,
  kVersion = 2,
  kCluster = 3,
  kSecret = 4,
  kSelf = 5,       ///< both ends are the same node
  kDuplicate = 6,  ///< another link between the two stays; the detail is its id
  kBlocked = 7,    ///< an operator has cut this link
};

/// What this side says of itself.
struct GreetingIdentity {
  std::string cluster;
  std::string secret;
  NodeId id;
  uint64_t incarnation = 0;
  uint16_t loop_index = 0;
  uint16_t loop_count = 1;
  PeerVersions versions = {};
};

/// What the other side said of itself; to be believed once the greeting is done.
struct GreetedPeer {
  NodeId id;
  uint64_t incarnation = 0;
  uint16_t loop_index = 0;
  uint16_t loop_count = 1;
  uint8_t version = 0;
  uint64_t known_incarnation = 0;  ///< the greatest incarnation of this node that the other side knows of
  uint64_t dead_link = 0;          ///< (from a dialler) a link that has ended on its side, 0 for none
};

/// Why a greeting failed, on the side that noticed.
struct GreetingFailure {
  std::string text;
  std::optional<Refusal> refused;  ///< set when the other side refused, with its detail
  uint64_t detail = 0;
};

/// The first message of a dialler, as read by whoever listens for all loops.
struct HelloPeek {
  enum class State { kNeedMore, kHello, kStranger };
  State state = State::kNeedMore;
  uint16_t loop_index = 0;  ///< of the dialler, when kHello
  std::string stranger;     ///< what it is instead, when kStranger
};
HelloPeek PeekHello(std::string_view bytes);

/// The side that connects.
class DialGreeting {
 public:
  /// REQUIRES: nonce.size() == kNonceBytes, cluster name within its bound, loop index below the count.
  DialGreeting(const GreetingIdentity& self, std::string_view nonce);

  /// The bytes to send at once.
  const std::string& hello() const { return hello_; }

  enum class Step {
    kNeedMore,
    kChallenged,  ///< peer() is known, though not proven: call Proof() to go on
    kWelcomed,    ///< done; rest() is what followed
    kFailed,      ///< failure() tells why: close
  };
  /// Takes what arrived. After kChallenged feed what comes next, if only an empty view.
  Step Feed(std::string_view bytes);
  /// The bytes to send after kChallenged.
  std::string Proof(uint64_t known_incarnation, uint64_t dead_link);

  const GreetedPeer& peer() const { return peer_; }
  /// Names the link the greeting is about, the same on both sides; known from kChallenged on.
  uint64_t link_id() const { return link_id_; }
  std::string_view rest() const { return in_; }
  const GreetingFailure& failure() const { return failure_; }

 private:
  enum class State { kAwaitChallenge, kChallenged, kAwaitWelcome, kDone, kFailed };
  Step Fail(std::string text);
  Step TakeMessage(uint8_t kind, std::string_view body, std::string_view whole);
  Step TakeRefusal(std::string_view body);
  Step TakeChallenge(std::string_view body, std::string_view whole);
  Step TakeWelcome(std::string_view body);

  const GreetingIdentity self_;
  State state_ = State::kAwaitChallenge;
  bool magic_seen_ = false;
  std::string in_;
  std::string hello_;
  std::string challenge_;
  std::string proof_;
  GreetedPeer peer_;
  uint64_t link_id_ = 0;
  GreetingFailure failure_;
};

/// The side that is connected to.
class AcceptGreeting {
 public:
  /// REQUIRES: as DialGreeting.
  AcceptGreeting(const GreetingIdentity& self, std::string_view nonce);

  enum class Step {
    kNeedMore,
    kHello,   ///< peer() is known, though not proven: Challenge() or Refuse()
    kProven,  ///< peer() is who it says: Welcome() or Refuse()
    kFailed,  ///< failure() tells why: send reply(), if any, and close
  };
  Step Feed(std::string_view bytes);
  /// The bytes to send after kHello.
  std::string Challenge();
  /// The bytes to send after kProven; frames may follow at once.
  std::string Welcome(uint64_t known_incarnation);
  std::string Refuse(Refusal reason, uint64_t detail = 0);

  const GreetedPeer& peer() const { return peer_; }
  uint64_t link_id() const { return link_id_; }
  const GreetingFailure& failure() const { return failure_; }
  const std::string& reply() const { return reply_; }

 private:
  enum class State { kAwaitHello, kHello, kAwaitProof, kProven, kFailed };
  Step Fail(std::string text, std::optional<Refusal> answer, uint64_t detail = 0);
  Step TakeHello(std::string_view body, std::string_view whole);
  Step TakeProof(std::string_view body, std::string_view whole);

  const GreetingIdentity self_;
  const std::string nonce_;
  State state_ = State::kAwaitHello;
  size_t fed_bytes_ = 0;
  bool magic_sent_ = false;
  std::string in_;
  std::string hello_;
  std::string challenge_;
  std::string proof_;
  GreetedPeer peer_;
  uint64_t link_id_ = 0;
  GreetingFailure failure_;
  std::string reply_;
};

/// A node that another side refused, in words for a log.
std::string RefusalText(Refusal refusal);

}  // namespace orrery::runtime
