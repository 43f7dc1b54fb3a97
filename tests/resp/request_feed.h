#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/resp/input_buffer.h"
#include "orrery/resp/request_parser.h"

namespace orrery::resp {

using Arguments = std::vector<std::string>;

/// What a byte stream came to: its commands, then how it ended.
struct Transcript {
  std::vector<Arguments> commands;
  std::string error;       ///< text of kError or kTooLarge
  bool too_large = false;  ///< it was kTooLarge
  size_t left_bytes = 0;   ///< of an incomplete request

  bool operator==(const Transcript&) const = default;
};

/// Takes every command that is complete. False once the parser has failed.
inline bool TakeCommands(RequestParser* parser, InputBuffer* input, Transcript* transcript) {
  Command command;
  while (true) {
    switch (parser->Next(input, &command)) {
      case RequestParser::Outcome::kCommand:
        transcript->commands.emplace_back(command.args.begin(), command.args.end());
        break;
      case RequestParser::Outcome::kIncomplete:
        transcript->left_bytes = input->size();
        return true;
      case RequestParser::Outcome::kTooLarge:
        transcript->too_large = true;
        [[fallthrough]];
      case RequestParser::Outcome::kError:
        transcript->error = parser->error();
        return false;
    }
  }
}

/// Feeds bytes in chunks whose sizes next_size gives (at least 1 is taken), as reads of a socket would.
inline Transcript FeedRequests(std::string_view bytes, const RequestLimits& limits, bool authenticated,
                               const std::function<size_t()>& next_size) {
  RequestParser parser(&limits);
  parser.set_authenticated(authenticated);
  InputBuffer input;
  Transcript transcript;
  while (!bytes.empty()) {
    const auto room = input.Prepare(parser.bytes_wanted());
    const size_t n = std::min({std::max<size_t>(next_size(), 1), room.size(), bytes.size()});
    std::copy_n(bytes.begin(), n, room.begin());
    input.Commit(n);
    bytes.remove_prefix(n);
    if (!TakeCommands(&parser, &input, &transcript)) {
      transcript.left_bytes = 0;
      break;
    }
  }
  return transcript;
}

/// A request as clients send it.
inline std::string Multibulk(const Arguments& args) {
  std::string out = "*" + std::to_string(args.size()) + "\r\n";
  for (const std::string& arg : args) out += "$" + std::to_string(arg.size()) + "\r\n" + arg + "\r\n";
  return out;
}

}  // namespace orrery::resp
