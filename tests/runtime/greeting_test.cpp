#include "runtime/greeting.h"

#include <gtest/gtest.h>

#include "orrery/runtime/random.h"
#include "runtime/greeting_wire.h"
#include "runtime/hmac.h"

namespace orrery::runtime {
namespace {

const std::string kNonceA(kNonceBytes, 'a');
const std::string kNonceB(kNonceBytes, 'b');

GreetingIdentity Identity(uint64_t id) {
  GreetingIdentity identity;
  identity.cluster = "test";
  identity.secret = "s3cret";
  identity.id = NodeId{id};
  identity.incarnation = 10 * id;
  return identity;
}

/// Both sides of one greeting, with the bytes carried over by hand.
struct Pair {
  explicit Pair(const GreetingIdentity& dialler = Identity(1), const GreetingIdentity& acceptor = Identity(2))
      : dial(dialler, kNonceA), accept(acceptor, kNonceB) {}

  /// Up to the proof being on its way. False when somebody failed before.
  bool Prove(uint64_t known = 0, uint64_t dead_link = 0) {
    if (accept.Feed(dial.hello()) != AcceptGreeting::Step::kHello) return false;
    if (dial.Feed(accept.Challenge()) != DialGreeting::Step::kChallenged) return false;
    proof = dial.Proof(known, dead_link);
    return true;
  }

  DialGreeting dial;
  AcceptGreeting accept;
  std::string proof;
};

TEST(HmacTest, MatchesRfc4231) {
  const std::string mac = HmacSha256("Jefe", "what do ya want for nothing?");
  std::string hex;
  for (const char c : mac) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex += kDigits[static_cast<uint8_t>(c) >> 4];
    hex += kDigits[static_cast<uint8_t>(c) & 15];
  }
  EXPECT_EQ(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(HmacSha256("", "").size(), kHmacBytes);
}

TEST(GreetingTest, IntroducesBothSidesAndProvesBoth) {
  GreetingIdentity dialler = Identity(1);
  dialler.loop_index = 3;
  dialler.loop_count = 4;
  GreetingIdentity acceptor = Identity(2);
  acceptor.loop_index = 1;
  acceptor.loop_count = 2;
  Pair pair(dialler, acceptor);
  ASSERT_TRUE(pair.Prove(21, 77));
  ASSERT_EQ(pair.accept.Feed(pair.proof), AcceptGreeting::Step::kProven);
  EXPECT_EQ(pair.accept.peer().id, NodeId{1});
  EXPECT_EQ(pair.accept.peer().incarnation, 10u);
  EXPECT_EQ(pair.accept.peer().loop_index, 3);
  EXPECT_EQ(pair.accept.peer().loop_count, 4);
  EXPECT_EQ(pair.accept.peer().known_incarnation, 21u);
  EXPECT_EQ(pair.accept.peer().dead_link, 77u);
  ASSERT_EQ(pair.dial.Feed(pair.accept.Welcome(12) + "frames"), DialGreeting::Step::kWelcomed);
  EXPECT_EQ(pair.dial.peer().id, NodeId{2});
  EXPECT_EQ(pair.dial.peer().known_incarnation, 12u);
  EXPECT_EQ(pair.dial.rest(), "frames");
  EXPECT_EQ(pair.dial.link_id(), pair.accept.link_id());
}

TEST(GreetingTest, WorksByteByByteWithinItsBound) {
  GreetingIdentity longest = Identity(1);
  longest.cluster = std::string(kClusterNameMaxBytes, 'c');
  GreetingIdentity other = Identity(2);
  other.cluster = longest.cluster;
  Pair pair(longest, other);
  AcceptGreeting::Step accepted{};
  DialGreeting::Step dialled{};
  for (const char c : pair.dial.hello()) accepted = pair.accept.Feed({&c, 1});
  ASSERT_EQ(accepted, AcceptGreeting::Step::kHello);
  for (const char c : pair.accept.Challenge()) dialled = pair.dial.Feed({&c, 1});
  ASSERT_EQ(dialled, DialGreeting::Step::kChallenged);
  pair.proof = pair.dial.Proof(0, 0);
  EXPECT_LE(pair.dial.hello().size() + pair.proof.size(), kGreetingMaxBytes);
  for (const char c : pair.proof) accepted = pair.accept.Feed({&c, 1});
  ASSERT_EQ(accepted, AcceptGreeting::Step::kProven);
  for (const char c : pair.accept.Welcome(0)) dialled = pair.dial.Feed({&c, 1});
  EXPECT_EQ(dialled, DialGreeting::Step::kWelcomed);
}

TEST(GreetingTest, RefusesADiallerWithAnotherSecret) {
  GreetingIdentity wrong = Identity(1);
  wrong.secret = "S3cret";
  Pair pair(wrong);
  ASSERT_TRUE(pair.Prove());
  ASSERT_EQ(pair.accept.Feed(pair.proof), AcceptGreeting::Step::kFailed);
  EXPECT_EQ(pair.accept.failure().text, "the shared secrets differ");
  ASSERT_EQ(pair.dial.Feed(pair.accept.reply()), DialGreeting::Step::kFailed);
  EXPECT_EQ(pair.dial.failure().refused, Refusal::kSecret);
}

TEST(GreetingTest, DoesNotBelieveAnAcceptorWithAnotherSecret) {
  GreetingIdentity wrong = Identity(2);
  wrong.secret = "";
  Pair pair(Identity(1), wrong);
  ASSERT_TRUE(pair.Prove());
  // An impostor that lets everyone in: it welcomes with the only proof it can make.
  std::string body(8, '\0');
  body += greeting::AcceptMac(wrong.secret, pair.dial.hello(), "", pair.proof, 0);
  ASSERT_EQ(pair.dial.Feed(greeting::MakeMessage(greeting::kWelcome, body, false)),
            DialGreeting::Step::kFailed);
  EXPECT_EQ(pair.dial.failure().text, "the shared secrets differ");
}

TEST(GreetingTest, DoesNotTakeTheDiallersProofBackAsItsOwn) {
  Pair pair;
  ASSERT_TRUE(pair.Prove());
  const std::string mac = pair.proof.substr(pair.proof.size() - kHmacBytes);
  const std::string echoed = greeting::MakeMessage(greeting::kWelcome, std::string(8, '\0') + mac, false);
  EXPECT_EQ(pair.dial.Feed(echoed), DialGreeting::Step::kFailed);
}

TEST(GreetingTest, DoesNotTakeAProofFromAnotherGreeting) {
  Pair overheard;
  ASSERT_TRUE(overheard.Prove());
  AcceptGreeting later(Identity(2), std::string(kNonceBytes, 'c'));
  ASSERT_EQ(later.Feed(overheard.dial.hello()), AcceptGreeting::Step::kHello);
  later.Challenge();
  EXPECT_EQ(later.Feed(overheard.proof), AcceptGreeting::Step::kFailed);
}

TEST(GreetingTest, RefusesAnotherClusterAndNamesBoth) {
  GreetingIdentity other = Identity(1);
  other.cluster = "else\nwhere";
  Pair pair(other);
  ASSERT_EQ(pair.accept.Feed(pair.dial.hello()), AcceptGreeting::Step::kFailed);
  EXPECT_EQ(pair.accept.failure().text, "its cluster is \"else.where\", ours is \"test\"");
  ASSERT_EQ(pair.dial.Feed(pair.accept.reply()), DialGreeting::Step::kFailed);
  EXPECT_EQ(pair.dial.failure().refused, Refusal::kCluster);
}

TEST(GreetingTest, RefusesItself) {
  Pair pair(Identity(1), Identity(1));
  ASSERT_EQ(pair.accept.Feed(pair.dial.hello()), AcceptGreeting::Step::kFailed);
  ASSERT_EQ(pair.dial.Feed(pair.accept.reply()), DialGreeting::Step::kFailed);
  EXPECT_EQ(pair.dial.failure().refused, Refusal::kSelf);
}

TEST(GreetingTest, RefusesVersionsItDoesNotSpeakAndSaysWhichItDoes) {
  Pair pair;
  std::string hello = pair.dial.hello();
  hello[greeting::kMagic.size() + greeting::kMessageHeaderBytes] = 7;
  hello[greeting::kMagic.size() + greeting::kMessageHeaderBytes + 1] = 9;
  ASSERT_EQ(pair.accept.Feed(hello), AcceptGreeting::Step::kFailed);
  EXPECT_EQ(pair.accept.failure().text, "it speaks version 7 to 9 of the peer protocol, we speak 2");
  ASSERT_EQ(pair.dial.Feed(pair.accept.reply()), DialGreeting::Step::kFailed);
  EXPECT_EQ(pair.dial.failure().refused, Refusal::kVersion);
}

TEST(GreetingTest, ReadsAHelloThatALaterVersionHasMadeLonger) {
  Pair pair;
  const std::string_view body = std::string_view(pair.dial.hello()).substr(greeting::kMagic.size() + 3);
  const std::string longer = greeting::MakeMessage(greeting::kHello, std::string(body) + "more", true);
  EXPECT_EQ(pair.accept.Feed(longer), AcceptGreeting::Step::kHello);
  EXPECT_EQ(PeekHello(longer).state, HelloPeek::State::kHello);
}

TEST(GreetingTest, CarriesTheIdOfTheDuplicate) {
  Pair pair;
  ASSERT_TRUE(pair.Prove());
  ASSERT_EQ(pair.accept.Feed(pair.proof), AcceptGreeting::Step::kProven);
  ASSERT_EQ(pair.dial.Feed(pair.accept.Refuse(Refusal::kDuplicate, 99)), DialGreeting::Step::kFailed);
  EXPECT_EQ(pair.dial.failure().refused, Refusal::kDuplicate);
  EXPECT_EQ(pair.dial.failure().detail, 99u);
}

TEST(GreetingTest, BoundsWhatItReadsFromStrangers) {
  Pair pair;
  std::string flood = pair.dial.hello() + std::string(kGreetingMaxBytes, 'x');
  EXPECT_EQ(pair.accept.Feed(flood), AcceptGreeting::Step::kFailed);
  Pair eager;
  ASSERT_TRUE(eager.Prove());
  EXPECT_EQ(eager.accept.Feed(eager.proof + "x"), AcceptGreeting::Step::kFailed);
}

struct Garbage {
  std::string bytes;
  std::string described;
};

TEST(GreetingTest, KnowsCommonStrangersByTheirFirstBytes) {
  const Garbage table[] = {
      {"GET / HTTP/1.1\r\n", "an HTTP request"},
      {"*1\r\n$4\r\nPING\r\n", "a Redis client"},
      {"PING\r\n", "a Redis client"},
      {"-ERR unknown command", "a Redis server"},
      {std::string("\x16\x03\x01\x00", 4), "a TLS handshake"},
      {"\r\n", "something that begins with \"..\""},
      {"\xd0ORRERX", "something that begins with \".ORRERX\""},
      {std::string("\xd0ORRERY\n\x03\x00\x00", 11), "a malformed greeting"},
      {std::string("\xd0ORRERY\n\x01\xff\xff", 11), "a malformed greeting"},
  };
  for (const Garbage& garbage : table) {
    const HelloPeek peek = PeekHello(garbage.bytes);
    EXPECT_EQ(peek.state, HelloPeek::State::kStranger) << garbage.described;
    EXPECT_EQ(peek.stranger, garbage.described);
  }
}

TEST(GreetingTest, NeverProvesAnythingOverDamagedBytes) {
  const uint64_t seed = SystemSeed();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  SeededRandom random(seed);
  const auto damage = [&](std::string bytes) {
    char& victim = bytes[random.Below(bytes.size())];
    victim = static_cast<char>(victim ^ (1 << random.Below(8)));
    return bytes;
  };
  for (int round = 0; round < 3000; ++round) {
    Pair pair;
    const uint64_t which = random.Below(3);
    const std::string hello = pair.dial.hello();
    if (pair.accept.Feed(which == 0 ? damage(hello) : hello) != AcceptGreeting::Step::kHello) continue;
    const std::string challenge = pair.accept.Challenge();
    if (pair.dial.Feed(which == 1 ? damage(challenge) : challenge) != DialGreeting::Step::kChallenged)
      continue;
    const std::string proof = pair.dial.Proof(0, 0);
    ASSERT_NE(pair.accept.Feed(which == 2 ? damage(proof) : proof), AcceptGreeting::Step::kProven);
  }
}

}  // namespace
}  // namespace orrery::runtime
