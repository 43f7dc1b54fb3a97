#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "orrery/resp/reply_token.h"

namespace orrery::resp {

/// Finds where a reply ends without building anything: an entry node cuts its peers' byte streams into
/// replies with it and passes them on as they are. Checks the framing (types, lengths, line ends), not what
/// lines say. Attributes belong to the reply that follows them. Holds no input and needs no memory, however
/// deep the reply. One stream's, used on its loop's thread.
class ReplyScanner {
 public:
  enum class Outcome : uint8_t {
    kComplete,
    kIncomplete,
    kError,  ///< not a reply; the stream is of no use any more, and the scanner stays in this state
  };

  explicit ReplyScanner(ReplyLimits limits = {}) : limits_(limits) {}

  /// input starts with the reply; called again after kIncomplete it starts with the same bytes, wherever they
  /// are now, and the scan goes on where it stopped. After kComplete the next call starts a new reply.
  Outcome Scan(std::string_view input);
  /// After kComplete: the size of the reply.
  size_t reply_bytes() const { return at_; }
  /// After kIncomplete: how many bytes are certainly still to come; for InputBuffer::Prepare.
  size_t bytes_wanted() const { return reader_.bytes_wanted(); }

 private:
  ReplyLimits limits_;
  ReplyTokenReader reader_;
  size_t at_ = 0;
  uint64_t pending_ = 0;  ///< replies and parts of replies still to come; 0 between two replies
  bool broken_ = false;
};

/// Walks the elements of one complete aggregate reply as byte ranges, each a complete reply itself: partial
/// replies of MGET are put together again by copying ranges behind a new header (ReplyWriter::Raw). A map's
/// elements alternate between keys and values. The bytes belong to the caller and must outlive the walk.
class ElementWalker {
 public:
  /// reply: as found by a ReplyScanner. Attributes of the aggregate itself are skipped.
  explicit ElementWalker(std::string_view reply, ReplyLimits limits = {});

  /// False if reply is something else than an aggregate (an error, a null, malformed): there is nothing to
  /// walk.
  bool is_aggregate() const { return is_aggregate_; }
  /// The type byte of the reply: '*', '%', '~', '>', or '-', '$', ...; 0 if it is malformed.
  char type() const { return type_; }
  /// Elements in all.
  uint64_t count() const { return count_; }
  /// The next element, or nullopt after the last one.
  std::optional<std::string_view> Next();

 private:
  std::string_view rest_;
  ReplyLimits limits_;
  char type_ = 0;
  bool is_aggregate_ = false;
  uint64_t count_ = 0;
  uint64_t left_ = 0;
};

}  // namespace orrery::resp
