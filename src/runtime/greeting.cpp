#include "runtime/greeting.h"

#include <algorithm>
#include <utility>

#include "orrery/base/check.h"
#include "orrery/base/codec.h"
#include "runtime/greeting_wire.h"
#include "runtime/hmac.h"

namespace orrery::runtime {
namespace {

using greeting::Introduction;
using greeting::Message;
using greeting::Parse;

void CheckIdentity(const GreetingIdentity& self, std::string_view nonce) {
  ORRERY_CHECK(nonce.size() == kNonceBytes && self.cluster.size() <= kClusterNameMaxBytes && self.id);
  ORRERY_CHECK(self.loop_index < self.loop_count && self.loop_count <= kLoopCountMax);
}

Introduction Introduce(const GreetingIdentity& self, std::string_view nonce) {
  return {self.cluster, self.id, self.incarnation, self.loop_index, self.loop_count, nonce};
}

uint64_t LinkId(std::string_view acceptor_nonce) {
  // Zero says "none" where link ids travel.
  return std::max<uint64_t>(1, Decoder(acceptor_nonce).GetU64());
}

void Note(const Introduction& introduction, GreetedPeer* peer) {
  peer->id = introduction.id;
  peer->incarnation = introduction.incarnation;
  peer->loop_index = introduction.loop_index;
  peer->loop_count = introduction.loop_count;
}

std::string ClusterMismatch(std::string_view theirs, std::string_view ours) {
  return "its cluster is \"" + greeting::Printable(theirs) + "\", ours is \"" + greeting::Printable(ours) +
         "\"";
}

std::string VersionText(uint64_t min, uint64_t max) {
  return std::to_string(min) + (min == max ? "" : " to " + std::to_string(max));
}

std::string VersionMismatch(uint64_t min, uint64_t max, const PeerVersions& ours) {
  return "it speaks version " + VersionText(min, max) + " of the peer protocol, we speak " +
         VersionText(ours.min, ours.max);
}

}  // namespace

std::string RefusalText(Refusal refusal) {
  switch (refusal) {
    case Refusal::kMalformed:
      return "it could not read our greeting";
    case Refusal::kVersion:
      return "it speaks another version of the peer protocol";
    case Refusal::kCluster:
      return "it belongs to another cluster";
    case Refusal::kSecret:
      return "the shared secrets differ";
    case Refusal::kSelf:
      return "it is this node itself";
    case Refusal::kDuplicate:
      return "there is a link already";
    case Refusal::kBlocked:
      return "its operator has cut this link";
  }
  return "it gave reason " + std::to_string(static_cast<int>(refusal));
}

HelloPeek PeekHello(std::string_view bytes) {
  HelloPeek peek;
  Message message;
  switch (greeting::ParseMessage(bytes, true, &message)) {
    case Parse::kNeedMore:
      return peek;
    case Parse::kStranger:
      peek.state = HelloPeek::State::kStranger;
      peek.stranger = greeting::DescribeStranger(bytes);
      return peek;
    case Parse::kMalformed:
      break;
    case Parse::kMessage: {
      Introduction introduction;
      const bool readable = message.kind == greeting::kHello && message.body.size() >= 2 &&
                            greeting::ReadIntroduction(message.body.substr(2), &introduction);
      if (!readable) break;
      peek.state = HelloPeek::State::kHello;
      peek.loop_index = introduction.loop_index;
      return peek;
    }
  }
  peek.state = HelloPeek::State::kStranger;
  peek.stranger = "a malformed greeting";
  return peek;
}

DialGreeting::DialGreeting(const GreetingIdentity& self, std::string_view nonce) : self_(self) {
  CheckIdentity(self, nonce);
  std::string body{static_cast<char>(self_.versions.min), static_cast<char>(self_.versions.max)};
  greeting::PutIntroduction(Introduce(self, nonce), &body);
  hello_ = greeting::MakeMessage(greeting::kHello, body, true);
}

DialGreeting::Step DialGreeting::Feed(std::string_view bytes) {
  if (state_ == State::kFailed) return Step::kFailed;
  in_.append(bytes);
  if (state_ == State::kChallenged) return Step::kNeedMore;
  if (state_ == State::kDone) return Step::kWelcomed;
  Message message;
  switch (greeting::ParseMessage(in_, !magic_seen_, &message)) {
    case Parse::kNeedMore:
      return Step::kNeedMore;
    case Parse::kStranger:
      return Fail("it is not an Orrery node but " + greeting::DescribeStranger(in_));
    case Parse::kMalformed:
      return Fail("its greeting is malformed");
    case Parse::kMessage:
      break;
  }
  magic_seen_ = true;
  const size_t taken = message.whole.size();
  const Step step = TakeMessage(message.kind, message.body, message.whole);
  in_.erase(0, taken);
  return step;
}

DialGreeting::Step DialGreeting::TakeMessage(uint8_t kind, std::string_view body, std::string_view whole) {
  if (kind == greeting::kRefusal) return TakeRefusal(body);
  if (kind == greeting::kChallenge && state_ == State::kAwaitChallenge) return TakeChallenge(body, whole);
  if (kind == greeting::kWelcome && state_ == State::kAwaitWelcome) return TakeWelcome(body);
  return Fail("its greeting is out of order");
}

DialGreeting::Step DialGreeting::TakeRefusal(std::string_view body) {
  Decoder decoder(body);
  const auto reason = static_cast<Refusal>(decoder.GetU8());
  const uint64_t detail = decoder.GetU64();
  if (!decoder.ok()) return Fail("its refusal is malformed");
  failure_.refused = reason;
  failure_.detail = detail;
  if (reason == Refusal::kVersion) {
    return Fail(VersionMismatch(detail & 0xff, (detail >> 8) & 0xff, self_.versions));
  }
  return Fail(RefusalText(reason));
}

DialGreeting::Step DialGreeting::TakeChallenge(std::string_view body, std::string_view whole) {
  Introduction introduction;
  if (body.empty() || !greeting::ReadIntroduction(body.substr(1), &introduction)) {
    return Fail("its greeting is malformed");
  }
  const auto version = static_cast<uint8_t>(body[0]);
  if (version < self_.versions.min || version > self_.versions.max) {
    return Fail(VersionMismatch(version, version, self_.versions));
  }
  if (introduction.cluster != self_.cluster)
    return Fail(ClusterMismatch(introduction.cluster, self_.cluster));
  if (introduction.loop_index != self_.loop_index % introduction.loop_count) {
    return Fail("it answers from the wrong loop");
  }
  peer_.version = version;
  Note(introduction, &peer_);
  challenge_ = whole;
  link_id_ = LinkId(introduction.nonce);
  state_ = State::kChallenged;
  return Step::kChallenged;
}

std::string DialGreeting::Proof(uint64_t known_incarnation, uint64_t dead_link) {
  ORRERY_CHECK(state_ == State::kChallenged);
  std::string body;
  Encoder encoder(&body);
  encoder.PutU64(known_incarnation);
  encoder.PutU64(dead_link);
  encoder.PutRaw(greeting::DialMac(self_.secret, hello_, challenge_, known_incarnation, dead_link));
  proof_ = greeting::MakeMessage(greeting::kProof, body, false);
  state_ = State::kAwaitWelcome;
  return proof_;
}

DialGreeting::Step DialGreeting::TakeWelcome(std::string_view body) {
  Decoder decoder(body);
  peer_.known_incarnation = decoder.GetU64();
  const std::string_view mac = decoder.GetRaw(kHmacBytes);
  if (!decoder.done()) return Fail("its greeting is malformed");
  const std::string expected =
      greeting::AcceptMac(self_.secret, hello_, challenge_, proof_, peer_.known_incarnation);
  if (!EqualInConstantTime(mac, expected)) return Fail(RefusalText(Refusal::kSecret));
  state_ = State::kDone;
  return Step::kWelcomed;
}

DialGreeting::Step DialGreeting::Fail(std::string text) {
  state_ = State::kFailed;
  failure_.text = std::move(text);
  return Step::kFailed;
}

AcceptGreeting::AcceptGreeting(const GreetingIdentity& self, std::string_view nonce)
    : self_(self), nonce_(nonce), link_id_(LinkId(nonce)) {
  CheckIdentity(self, nonce);
}

AcceptGreeting::Step AcceptGreeting::Feed(std::string_view bytes) {
  if (state_ == State::kFailed) return Step::kFailed;
  fed_bytes_ += bytes.size();
  // A dialler has to wait for the answer to each message, so more than a greeting is never on its way.
  if (fed_bytes_ > kGreetingMaxBytes || (state_ == State::kProven && !bytes.empty())) {
    return Fail("it sent too much before it was welcome", Refusal::kMalformed);
  }
  in_.append(bytes);
  if (state_ != State::kAwaitHello && state_ != State::kAwaitProof) return Step::kNeedMore;
  Message message;
  switch (greeting::ParseMessage(in_, state_ == State::kAwaitHello, &message)) {
    case Parse::kNeedMore:
      return Step::kNeedMore;
    case Parse::kStranger:
      return Fail("not an Orrery node but " + greeting::DescribeStranger(in_), std::nullopt);
    case Parse::kMalformed:
      return Fail("its greeting is malformed", Refusal::kMalformed);
    case Parse::kMessage:
      break;
  }
  const size_t taken = message.whole.size();
  Step step;
  if (message.kind == greeting::kHello && state_ == State::kAwaitHello) {
    step = TakeHello(message.body, message.whole);
  } else if (message.kind == greeting::kProof && state_ == State::kAwaitProof && taken == in_.size()) {
    step = TakeProof(message.body, message.whole);
  } else {
    step = Fail("its greeting is out of order", Refusal::kMalformed);
  }
  in_.erase(0, taken);
  return step;
}

AcceptGreeting::Step AcceptGreeting::TakeHello(std::string_view body, std::string_view whole) {
  Decoder decoder(body);
  const uint8_t min = decoder.GetU8();
  const uint8_t max = decoder.GetU8();
  Introduction introduction;
  if (!decoder.ok() || !greeting::ReadIntroduction(body.substr(2), &introduction)) {
    return Fail("its greeting is malformed", Refusal::kMalformed);
  }
  const PeerVersions& ours = self_.versions;
  if (max < ours.min || min > ours.max || min > max) {
    return Fail(VersionMismatch(min, max, ours), Refusal::kVersion,
                ours.min | (static_cast<uint64_t>(ours.max) << 8));
  }
  if (introduction.cluster != self_.cluster) {
    return Fail(ClusterMismatch(introduction.cluster, self_.cluster), Refusal::kCluster);
  }
  if (introduction.id == self_.id) return Fail(RefusalText(Refusal::kSelf), Refusal::kSelf);
  peer_.version = std::min(max, ours.max);
  Note(introduction, &peer_);
  hello_ = whole;
  state_ = State::kHello;
  return Step::kHello;
}

std::string AcceptGreeting::Challenge() {
  ORRERY_CHECK(state_ == State::kHello);
  std::string body{static_cast<char>(peer_.version)};
  greeting::PutIntroduction(Introduce(self_, nonce_), &body);
  challenge_ = greeting::MakeMessage(greeting::kChallenge, body, true);
  magic_sent_ = true;
  state_ = State::kAwaitProof;
  return challenge_;
}

AcceptGreeting::Step AcceptGreeting::TakeProof(std::string_view body, std::string_view whole) {
  Decoder decoder(body);
  peer_.known_incarnation = decoder.GetU64();
  peer_.dead_link = decoder.GetU64();
  const std::string_view mac = decoder.GetRaw(kHmacBytes);
  if (!decoder.done()) return Fail("its greeting is malformed", Refusal::kMalformed);
  const std::string expected =
      greeting::DialMac(self_.secret, hello_, challenge_, peer_.known_incarnation, peer_.dead_link);
  if (!EqualInConstantTime(mac, expected)) return Fail(RefusalText(Refusal::kSecret), Refusal::kSecret);
  proof_ = whole;
  state_ = State::kProven;
  return Step::kProven;
}

std::string AcceptGreeting::Welcome(uint64_t known_incarnation) {
  ORRERY_CHECK(state_ == State::kProven);
  std::string body;
  Encoder encoder(&body);
  encoder.PutU64(known_incarnation);
  encoder.PutRaw(greeting::AcceptMac(self_.secret, hello_, challenge_, proof_, known_incarnation));
  return greeting::MakeMessage(greeting::kWelcome, body, false);
}

std::string AcceptGreeting::Refuse(Refusal reason, uint64_t detail) {
  std::string body;
  Encoder encoder(&body);
  encoder.PutU8(static_cast<uint8_t>(reason));
  encoder.PutU64(detail);
  return greeting::MakeMessage(greeting::kRefusal, body, !std::exchange(magic_sent_, true));
}

AcceptGreeting::Step AcceptGreeting::Fail(std::string text, std::optional<Refusal> answer, uint64_t detail) {
  state_ = State::kFailed;
  failure_.text = std::move(text);
  if (answer) reply_ = Refuse(*answer, detail);
  return Step::kFailed;
}

}  // namespace orrery::runtime
