// Invariants of the greeting, on whatever a stranger sends: the first byte of the input chooses which side is
// spoken to. However the rest is split, the outcome is the same; nobody is proven but by the very bytes that
// a holder of the secret has made for this greeting; the listener's look at the first message agrees with the
// acceptor's.

#include <algorithm>

#include "fuzz/fuzz_target.h"
#include "orrery/base/check.h"
#include "orrery/base/hash.h"
#include "runtime/greeting.h"

namespace orrery::runtime {
namespace {

const std::string kDialNonce(kNonceBytes, 'd');
const std::string kAcceptNonce(kNonceBytes, 'a');

GreetingIdentity Identity(uint64_t id) {
  GreetingIdentity identity;
  identity.cluster = "fuzz";
  identity.secret = "secret";
  identity.id = NodeId{id};
  identity.incarnation = 7;
  identity.loop_index = 1;
  identity.loop_count = 2;
  return identity;
}

/// What the two sides of an honest greeting send.
struct Honest {
  Honest() {
    DialGreeting dial(Identity(1), kDialNonce);
    AcceptGreeting accept(Identity(2), kAcceptNonce);
    hello = dial.hello();
    ORRERY_CHECK(accept.Feed(hello) == AcceptGreeting::Step::kHello);
    challenge = accept.Challenge();
    ORRERY_CHECK(dial.Feed(challenge) == DialGreeting::Step::kChallenged);
    proof = dial.Proof(5, 6);
    ORRERY_CHECK(accept.Feed(proof) == AcceptGreeting::Step::kProven);
    welcome = accept.Welcome(8);
    refusal = AcceptGreeting(Identity(2), kAcceptNonce).Refuse(Refusal::kDuplicate, 9);
  }
  std::string hello, challenge, proof, welcome, refusal;
};

const Honest& TheHonest() {
  static const Honest honest;
  return honest;
}

struct Outcome {
  bool introduced = false;
  bool proven = false;
  std::string failure;
  bool operator==(const Outcome&) const = default;
};

/// Cuts the bytes as next_size says; a side that has answered is fed on with what is left.
template <typename Feeder, typename NextSize>
void Cut(std::string_view bytes, NextSize next_size, Feeder feed) {
  while (!bytes.empty()) {
    const size_t n = std::clamp<size_t>(next_size(), 1, bytes.size());
    if (!feed(bytes.substr(0, n))) return;
    bytes.remove_prefix(n);
  }
}

template <typename NextSize>
Outcome Accept(std::string_view bytes, NextSize next_size) {
  AcceptGreeting accept(Identity(2), kAcceptNonce);
  Outcome outcome;
  Cut(bytes, next_size, [&](std::string_view piece) {
    auto step = accept.Feed(piece);
    if (step == AcceptGreeting::Step::kHello) {
      outcome.introduced = true;
      accept.Challenge();
      step = accept.Feed({});
    }
    if (step == AcceptGreeting::Step::kFailed) outcome.failure = accept.failure().text;
    outcome.proven = step == AcceptGreeting::Step::kProven;
    return step == AcceptGreeting::Step::kNeedMore;
  });
  return outcome;
}

template <typename NextSize>
Outcome Dial(std::string_view bytes, NextSize next_size) {
  DialGreeting dial(Identity(1), kDialNonce);
  Outcome outcome;
  Cut(bytes, next_size, [&](std::string_view piece) {
    auto step = dial.Feed(piece);
    if (step == DialGreeting::Step::kChallenged) {
      outcome.introduced = true;
      dial.Proof(5, 6);
      step = dial.Feed({});
    }
    if (step == DialGreeting::Step::kFailed) outcome.failure = dial.failure().text;
    outcome.proven = step == DialGreeting::Step::kWelcomed;
    return step == DialGreeting::Step::kNeedMore;
  });
  return outcome;
}

void CheckAccept(std::string_view bytes, const Outcome& outcome) {
  const Honest& honest = TheHonest();
  if (outcome.proven) ORRERY_CHECK(bytes == honest.hello + honest.proof);
  const HelloPeek peek = PeekHello(bytes);
  if (outcome.introduced) ORRERY_CHECK(peek.state == HelloPeek::State::kHello);
  if (peek.state == HelloPeek::State::kStranger) ORRERY_CHECK(!outcome.failure.empty());
}

}  // namespace
}  // namespace orrery::runtime

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace orrery::runtime;
  // Beyond the bound the acceptor gives up at a point that depends on the pieces.
  if (size == 0 || size > kGreetingMaxBytes) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  uint64_t state = orrery::Hash64(bytes);
  const auto next_random = [&state] {
    return state = orrery::Hash64({reinterpret_cast<const char*>(&state), 8}) % 64;
  };
  const auto all = [&] { return bytes.size(); };
  if (data[0] % 2 == 0) {
    const Outcome whole = Accept(bytes, all);
    CheckAccept(bytes, whole);
    const Outcome uneven = Accept(bytes, next_random);
    ORRERY_CHECK(uneven.introduced == whole.introduced);
    // A proof with bytes behind it is refused only if they come with it: nobody waits to see whether more
    // will come.
    ORRERY_CHECK(!whole.proven || uneven.proven);
  } else {
    const Outcome whole = Dial(bytes, all);
    const std::string honest = TheHonest().challenge + TheHonest().welcome;
    if (whole.proven) ORRERY_CHECK(bytes.substr(0, honest.size()) == honest);
    const Outcome uneven = Dial(bytes, next_random);
    ORRERY_CHECK(uneven.introduced == whole.introduced && uneven.proven == whole.proven);
  }
  return 0;
}

orrery::fuzz::Seeds orrery::fuzz::MakeSeeds() {
  const orrery::runtime::Honest& honest = orrery::runtime::TheHonest();
  Seeds seeds;
  seeds.inputs = {"0" + honest.hello + honest.proof,
                  "0" + honest.hello,
                  "1" + honest.challenge + honest.welcome,
                  "1" + honest.challenge + honest.welcome + "frames",
                  "1" + honest.refusal,
                  "1" + honest.challenge + honest.refusal.substr(8),
                  "0GET / HTTP/1.1\r\n\r\n",
                  "0*1\r\n$4\r\nPING\r\n"};
  seeds.tokens = {honest.hello.substr(0, 8), honest.proof, honest.welcome, honest.refusal.substr(8),
                  std::string(2, '\xff'),    "\x01",       "\x05"};
  return seeds;
}
