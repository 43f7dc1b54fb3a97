#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "orrery/base/node_id.h"

namespace orrery::runtime::greeting {

/// The bytes of greeting messages, shared by both sides. See docs/peer-link.md.

/// Begins each direction of a link. Not text, so nothing that speaks a text protocol starts so; ends a line,
/// so that such a listener answers at once with an error that names it.
inline constexpr std::string_view kMagic("\xd0ORRERY\n", 8);
/// Kind and length of the body.
inline constexpr size_t kMessageHeaderBytes = 3;
inline constexpr size_t kBodyMaxBytes = 240;

enum Kind : uint8_t { kHello = 1, kChallenge = 2, kProof = 3, kWelcome = 4, kRefusal = 5 };

struct Message {
  uint8_t kind = 0;
  std::string_view body;
  std::string_view whole;  ///< with its header and, if it is the first of its direction, the magic
};

enum class Parse { kNeedMore, kMessage, kStranger, kMalformed };
/// Reads one message from the front of bytes. first: the magic is expected before it.
Parse ParseMessage(std::string_view bytes, bool first, Message* message);

/// One message, with the magic before it if it is the first.
std::string MakeMessage(Kind kind, std::string_view body, bool first);

/// What Hello and Challenge both say.
struct Introduction {
  std::string_view cluster;
  NodeId id;
  uint64_t incarnation = 0;
  uint16_t loop_index = 0;
  uint16_t loop_count = 0;
  std::string_view nonce;
};
void PutIntroduction(const Introduction& introduction, std::string* out);
/// Reads it; bytes behind it are left for later versions. False when it is malformed or makes no sense.
bool ReadIntroduction(std::string_view bytes, Introduction* introduction);

/// What seems to be at the other end, from the first bytes that it sent.
std::string DescribeStranger(std::string_view bytes);
/// For logs: unprintable bytes become dots.
std::string Printable(std::string_view bytes);

/// The proofs of both sides: over everything both have said.
std::string DialMac(std::string_view secret, std::string_view hello, std::string_view challenge,
                    uint64_t known_incarnation, uint64_t dead_link);
std::string AcceptMac(std::string_view secret, std::string_view hello, std::string_view challenge,
                      std::string_view proof, uint64_t known_incarnation);

}  // namespace orrery::runtime::greeting
