#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/resp/input_buffer.h"

namespace orrery::resp {

/// What a client may send. Changes apply from the next header on.
struct RequestLimits {
  int64_t bulk_bytes_max = int64_t{512} << 20;                         ///< proto-max-bulk-len
  int64_t multibulk_length_max = std::numeric_limits<int32_t>::max();  ///< arguments, as Redis 7.0
  int64_t unauthenticated_multibulk_length_max = 10;
  int64_t unauthenticated_bulk_bytes_max = 16384;
  size_t inline_bytes_max = size_t{64} << 10;  ///< also the longest "*n" or "$n" line
  size_t request_bytes_max = size_t{1}
                             << 30;  ///< client-query-buffer-limit: one request and its argument table
};

/// One request. The views point into the InputBuffer: valid until its next Prepare or ShrinkIfIdle. The span
/// `args` itself belongs to the parser: valid until its next Next. Whoever needs a command for longer copies
/// it.
struct Command {
  std::span<const std::string_view> args;  ///< never empty
  std::string_view raw;  ///< the request's bytes; an inline request's are overwritten by unquoting
  bool is_inline = false;
};

/// Cuts a client's byte stream into commands: RESP multibulk and inline requests, any pipelining depth, input
/// split anywhere. Arguments are not copied (quoted inline ones are unquoted in place), nothing already
/// looked at is looked at again when more input arrives, and once warm no command allocates. As lenient as
/// Redis 7.0: the two bytes that end an argument are not looked at, and empty requests ("\r\n", "*0\r\n",
/// "*-1\r\n") are skipped.
///
/// Owned by one connection, used on its loop's thread. The limits belong to the caller and must outlive the
/// parser.
class RequestParser {
 public:
  enum class Outcome : uint8_t {
    kCommand,
    kIncomplete,  ///< needs more input
    kError,       ///< send "-ERR " + error() and close; the parser stays in this state
    kTooLarge,  ///< beyond request_bytes_max: log error() and close without a reply, as Redis; stays in this
                ///< state
  };

  explicit RequestParser(const RequestLimits* limits) : limits_(limits) {}

  /// While false, the two unauthenticated limits hold. Matters from the next header on.
  void set_authenticated(bool authenticated) { authenticated_ = authenticated; }

  /// Takes the next command from the input and consumes its bytes (and those of empty requests before it). A
  /// request that is incomplete stays in the buffer, unconsumed; the next call goes on where this one
  /// stopped.
  Outcome Next(InputBuffer* input, Command* command);

  /// After kIncomplete: how many bytes are certainly still to come for this request; for
  /// InputBuffer::Prepare.
  size_t bytes_wanted() const { return bytes_wanted_; }
  /// After kError in the words of Redis 7.0, without "ERR".
  const std::string& error() const { return error_; }
  /// Memory beside the input buffer.
  size_t memory_bytes() const;
  /// Between two requests: gives back what an unusually long command has left. Call it with
  /// InputBuffer::ShrinkIfIdle.
  void ShrinkIfIdle();

 private:
  enum class Phase : uint8_t { kStart, kInline, kMultibulk, kBulk, kBody, kBroken };
  enum class Step : uint8_t { kDone, kIncomplete, kFailed };
  /// An argument, relative to the start of the request: the buffer may move before the request is complete.
  struct Piece {
    size_t offset;
    size_t size;
  };

  Step ParseRequest(InputBuffer* input);
  Step ParseInline(InputBuffer* input);
  Step ParseMultibulk(std::string_view in);
  Step ParseArguments(std::string_view in);
  Step ParseBulkHeader(std::string_view in);
  Step StartBulk(int64_t length);
  Step FindLine(std::string_view in, const char* too_long, std::string_view* line);
  Step Fail(std::string error, Outcome outcome = Outcome::kError);
  void DropLargeTables();
  void Fill(std::string_view in, Command* command);

  const RequestLimits* limits_;
  bool authenticated_ = true;
  Phase phase_ = Phase::kStart;
  Outcome failure_ = Outcome::kError;
  // Offsets from the start of the request.
  size_t at_ = 0;       ///< the next token, or the end of the request
  size_t scanned_ = 0;  ///< no line end before this
  int64_t arguments_left_ = 0;
  size_t bulk_bytes_ = 0;
  size_t bytes_wanted_ = 0;
  std::vector<Piece> pieces_;
  std::vector<std::string_view> args_;
  std::string error_;
};

}  // namespace orrery::resp
