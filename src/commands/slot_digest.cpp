#include "commands/slot_digest.h"

#include <charconv>
#include <optional>

namespace orrery::commands {
namespace {

constexpr size_t kDigits = 16;

// Of "$16\r\n<digits>\r\n".
std::optional<uint64_t> ParseDigest(std::string_view reply) {
  constexpr std::string_view kHead = "$16\r\n";
  if (!reply.starts_with(kHead) || reply.size() < kHead.size() + kDigits) return std::nullopt;
  const char* begin = reply.data() + kHead.size();
  uint64_t digest = 0;
  const auto [end, error] = std::from_chars(begin, begin + kDigits, digest, 16);
  if (error != std::errc() || end != begin + kDigits) return std::nullopt;
  return digest;
}

}  // namespace

std::string HexDigits(uint64_t value) {
  char digits[kDigits];
  const char* end = std::to_chars(std::begin(digits), std::end(digits), value, 16).ptr;
  const auto size = static_cast<size_t>(end - digits);
  return std::string(kDigits - size, '0') + std::string(digits, size);
}

void DigestOperation::Start() {
  environment().cluster.SurveyKeys(
      SurveyOf(session()),
      [self = shared_from_this(), this](const KeySurvey& survey) { VisitAll(SlotsWithKeys(survey)); });
}

void DigestOperation::Visit(SlotId slot) {
  replication::Request request = NewRequest(slot);
  BuildDigest(&request);
  Submit(std::move(request), [this, slot](replication::Response response) {
    std::string reply = TakeReply(std::move(response));
    const auto digest = ParseDigest(reply);
    if (!digest) return SlotFailed(slot, IsError(reply) ? reply : "-ERR A node sent a malformed digest\r\n");
    digest_ ^= *digest;
    SlotDone(slot);
  });
}

void DigestOperation::AllDone() {
  Finish("+" + HexDigits(digest_) + "\r\n");
}

}  // namespace orrery::commands
