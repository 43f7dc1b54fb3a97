#include "orrery/replication/request.h"

#include <array>
#include <span>
#include <vector>

namespace orrery::replication {
namespace {

// Beside the traits: a place follows the arguments.
constexpr uint8_t kHasPlace = 32;

uint8_t TraitBits(const Traits& t) {
  return static_cast<uint8_t>((t.reads ? 1 : 0) | (t.writes ? 2 : 0) | (t.blind ? 4 : 0) | (t.idempotent ? 8 : 0) |
                              (t.parks ? 16 : 0));
}

Traits TraitsFromBits(uint8_t bits) {
  return {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, (bits & 16) != 0};
}

// Most commands have a few words: those are looked through first, so that they take no more memory than they need.
constexpr size_t kFewWords = 8;

Arguments DecodeArguments(Decoder* in) {
  const uint64_t count = in->GetCount();
  std::array<std::string_view, kFewWords> few;
  std::vector<std::string_view> many(count > kFewWords ? count : 0);
  const std::span<std::string_view> words = many.empty() ? std::span(few).first(count) : std::span(many);
  for (std::string_view& word : words) word = in->GetBytes();
  return Arguments(words);
}

}  // namespace

size_t RequestBytes(const Request& request) {
  size_t bytes = request.args.bytes();
  for (const auto& [row_key, row] : request.attachments) bytes += row_key.size() + row.size();
  return bytes;
}

void EncodeRequest(const Request& request, Encoder* out) {
  PieceEncoder<7 + 2 * Encoder::kVarintBytesMax> head;
  head.PutU16(request.slot);
  head.PutU8(request.db);
  head.PutU8(request.resp);
  head.PutU8(TraitBits(request.traits) | (request.place.empty() ? 0 : kHasPlace));
  head.PutU8(request.read_quorum);
  head.PutU8(request.write_quorum);
  head.PutVarint(request.timeout_ms);
  head.PutVarint(request.args.size());
  out->PutRaw(head.bytes());
  for (size_t i = 0; i < request.args.size(); ++i) out->PutBytes(request.args[i]);
  if (!request.place.empty()) out->PutBytes(request.place);
  out->PutVarint(request.attachments.size());
  for (const auto& [row_key, row] : request.attachments) {
    out->PutBytes(row_key);
    out->PutBytes(row);
  }
}

Request DecodeRequest(Decoder* in) {
  Request request;
  request.slot = in->GetU16();
  request.db = in->GetU8();
  request.resp = in->GetU8();
  const uint8_t bits = in->GetU8();
  request.traits = TraitsFromBits(bits);
  request.read_quorum = in->GetU8();
  request.write_quorum = in->GetU8();
  request.timeout_ms = static_cast<uint32_t>(in->GetVarint());
  request.args = DecodeArguments(in);
  if ((bits & kHasPlace) != 0) request.place = in->GetBytes();
  const uint64_t attachments = in->GetCount(2);
  for (uint64_t i = 0; i < attachments && in->ok(); ++i) {
    std::string row_key(in->GetBytes());
    request.attachments.emplace_back(std::move(row_key), in->GetBytes());
  }
  if (request.slot >= kSlotCount || request.args.size() == 0) in->Fail();
  if (request.traits.parks && request.place.empty()) in->Fail();
  return request;
}

Response TooLarge(std::string_view what, size_t bytes_max) {
  return {Outcome::kReply,
          "-ERR " + std::string(what) + " is larger than " + std::to_string(bytes_max) + " bytes\r\n"};
}

std::string ErrorText(const Response& response) {
  switch (response.outcome) {
    case Outcome::kReply:
      return response.reply;
    case Outcome::kNoReplicas:
      return "-NOREPLICAS Not enough good replicas to write.\r\n";
    case Outcome::kUnknown:
      return "-UNKNOWN The write was applied, but is not known to be on enough replicas: its outcome is unknown\r\n";
    case Outcome::kDiskError:
      return "-MISCONF Errors writing to the disk: this node does not accept writes" +
             (response.reply.empty() ? std::string() : " (" + response.reply + ")") + "\r\n";
    case Outcome::kClusterDown:
    case Outcome::kNotHere:
      break;
  }
  return "-CLUSTERDOWN " + (response.reply.empty() ? std::string("Not enough nodes to serve the slot") : response.reply) +
         "\r\n";
}

}  // namespace orrery::replication
