#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace orrery::commands {

/// A conversation with redis-server 7.0, recorded by record_transcripts.py and read by tests: what Redis
/// answers is what we answer. Lines:
///
///     # a remark                        > a command, in redis-cli's quoting
///     ! advance 100    time passes      the reply to it, as RenderReply writes it
///     ! resp 3         the protocol     (an empty line starts a new paragraph; nothing is forgotten there)
struct TranscriptStep {
  enum class Kind { kCommand, kAdvance, kProtocol };
  Kind kind = Kind::kCommand;
  size_t line = 0;
  std::string text;   ///< of a command
  std::string reply;  ///< of a command
  uint64_t number = 0;
};

/// Aborts on a file that cannot be read or is not of this form.
std::vector<TranscriptStep> ReadTranscript(const std::string& path);

}  // namespace orrery::commands
