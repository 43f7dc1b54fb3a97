#pragma once

#include <cstdint>
#include <string_view>

namespace orrery::resp {

/// What is accepted from whoever replies. Counts of elements cost nothing until the elements arrive.
struct ReplyLimits {
  uint64_t bulk_bytes_max = uint64_t{1} << 30;
  size_t line_bytes_max = size_t{1} << 20;
  int depth_max = 128;  ///< aggregates within aggregates, where a tree is built
};

/// One piece of a reply: a line ("+OK"), a blob with its bytes ("$3\r\nabc"), or the header of an aggregate
/// ("*2").
struct ReplyToken {
  char type = 0;
  bool is_aggregate = false;
  bool is_null = false;   ///< "$-1", "*-1" or "_"
  uint64_t count = 0;     ///< of an aggregate's elements; two for each pair of a map or of attributes
  std::string_view text;  ///< of a line or blob, without framing
  size_t bytes = 0;       ///< of the whole token
};

/// Reads tokens one after another; what ValueParser and ReplyScanner have in common.
class ReplyTokenReader {
 public:
  enum class Outcome : uint8_t { kDone, kIncomplete, kError };

  /// Reads the token at the start of input. After kIncomplete the next call brings the same bytes and more; a
  /// long line is not searched again.
  Outcome Read(std::string_view input, const ReplyLimits& limits, ReplyToken* token);
  /// After kIncomplete: how many bytes are certainly still to come.
  size_t bytes_wanted() const { return bytes_wanted_; }

 private:
  Outcome ReadBlob(std::string_view input, int64_t length, const ReplyLimits& limits, ReplyToken* token);

  size_t scanned_ = 0;
  size_t bytes_wanted_ = 0;
};

}  // namespace orrery::resp
