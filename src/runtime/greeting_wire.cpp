#include "runtime/greeting_wire.h"

#include <algorithm>
#include <array>
#include <utility>

#include "orrery/base/codec.h"
#include "runtime/greeting.h"
#include "runtime/hmac.h"

namespace orrery::runtime::greeting {

Parse ParseMessage(std::string_view bytes, bool first, Message* message) {
  const std::string_view all = bytes;
  if (first) {
    const size_t seen = std::min(bytes.size(), kMagic.size());
    if (bytes.substr(0, seen) != kMagic.substr(0, seen)) return Parse::kStranger;
    if (seen < kMagic.size()) return Parse::kNeedMore;
    bytes.remove_prefix(seen);
  }
  Decoder decoder(bytes);
  message->kind = decoder.GetU8();
  const uint16_t length = decoder.GetU16();
  if (!decoder.ok()) return Parse::kNeedMore;
  if (length > kBodyMaxBytes || message->kind < kHello || message->kind > kRefusal) return Parse::kMalformed;
  if (decoder.remaining() < length) return Parse::kNeedMore;
  message->body = decoder.GetRaw(length);
  message->whole = all.substr(0, all.size() - decoder.remaining());
  return Parse::kMessage;
}

std::string MakeMessage(Kind kind, std::string_view body, bool first) {
  std::string bytes(first ? kMagic : std::string_view());
  Encoder encoder(&bytes);
  encoder.PutU8(kind);
  encoder.PutU16(static_cast<uint16_t>(body.size()));
  encoder.PutRaw(body);
  return bytes;
}

void PutIntroduction(const Introduction& introduction, std::string* out) {
  Encoder encoder(out);
  encoder.PutU8(static_cast<uint8_t>(introduction.cluster.size()));
  encoder.PutRaw(introduction.cluster);
  encoder.PutU64(introduction.id.value);
  encoder.PutU64(introduction.incarnation);
  encoder.PutU16(introduction.loop_index);
  encoder.PutU16(introduction.loop_count);
  encoder.PutRaw(introduction.nonce);
}

bool ReadIntroduction(std::string_view bytes, Introduction* introduction) {
  Decoder decoder(bytes);
  introduction->cluster = decoder.GetRaw(decoder.GetU8());
  introduction->id = NodeId{decoder.GetU64()};
  introduction->incarnation = decoder.GetU64();
  introduction->loop_index = decoder.GetU16();
  introduction->loop_count = decoder.GetU16();
  introduction->nonce = decoder.GetRaw(kNonceBytes);
  return decoder.ok() && introduction->cluster.size() <= kClusterNameMaxBytes && introduction->id &&
         introduction->loop_count <= kLoopCountMax && introduction->loop_index < introduction->loop_count;
}

std::string DescribeStranger(std::string_view bytes) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kKnown = {{
      {"GET ", "an HTTP request"},
      {"POST ", "an HTTP request"},
      {"HEAD ", "an HTTP request"},
      {"PUT ", "an HTTP request"},
      {"OPTIONS ", "an HTTP request"},
      {"HTTP/", "an HTTP server"},
      {"*", "a Redis client"},
      {"PING", "a Redis client"},
      {"-", "a Redis server"},
      {"\x16\x03", "a TLS handshake"},
      {"SSH-", "an SSH client or server"},
  }};
  for (const auto& [start, name] : kKnown) {
    if (bytes.substr(0, start.size()) == start) return std::string(name);
  }
  return "something that begins with \"" + Printable(bytes.substr(0, 16)) + "\"";
}

std::string Printable(std::string_view bytes) {
  std::string text(bytes);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~' || c == '"'; }, '.');
  return text;
}

std::string DialMac(std::string_view secret, std::string_view hello, std::string_view challenge,
                    uint64_t known_incarnation, uint64_t dead_link) {
  std::string text;
  Encoder encoder(&text);
  encoder.PutBytes("orrery peer dial");
  encoder.PutBytes(hello);
  encoder.PutBytes(challenge);
  encoder.PutU64(known_incarnation);
  encoder.PutU64(dead_link);
  return HmacSha256(secret, text);
}

std::string AcceptMac(std::string_view secret, std::string_view hello, std::string_view challenge,
                      std::string_view proof, uint64_t known_incarnation) {
  std::string text;
  Encoder encoder(&text);
  encoder.PutBytes("orrery peer accept");
  encoder.PutBytes(hello);
  encoder.PutBytes(challenge);
  encoder.PutBytes(proof);
  encoder.PutU64(known_incarnation);
  return HmacSha256(secret, text);
}

}  // namespace orrery::runtime::greeting
