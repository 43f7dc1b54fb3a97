#pragma once

#include <algorithm>
#include <cstdint>

namespace orrery::replication {

/// How late a peer's frames come, although nobody knows how the clocks of the two nodes stand to each other:
/// later than the quickest of its latest frames, by both nodes' monotonic clocks. Wall clocks may be wrong
/// and jump; a node that was stopped, or a link that stood still, shows all the same. One for each peer and
/// loop; pure.
class FrameDelay {
 public:
  /// Milliseconds by which a frame that left at sent_ms, by its sender's clock, is late at received_ms, by
  /// ours. The first frame counts as punctual.
  uint64_t LateMs(uint64_t sent_ms, uint64_t received_ms) {
    const auto offset = static_cast<int64_t>(received_ms - sent_ms);
    if (frames_++ == 0) {
      before_ = latest_ = {offset, received_ms};
    } else if (received_ms - latest_.since_ms >= kWindowMs) {
      // One window at a time, however long nothing came: what came before a pause is what it is measured by.
      before_ = latest_;
      latest_ = {offset, received_ms};
    } else {
      latest_.least = std::min(latest_.least, offset);
    }
    const Window& quickest = before_.least <= latest_.least ? before_ : latest_;
    const auto drift = static_cast<int64_t>((received_ms - quickest.since_ms) / kDriftPart);
    return static_cast<uint64_t>(std::max<int64_t>(0, offset - quickest.least - drift));
  }

 private:
  static constexpr uint64_t kWindowMs = 10'000;
  static constexpr uint64_t kDriftPart = 2000;  ///< clocks may run apart by one part in so many

  struct Window {
    int64_t least = 0;  ///< received - sent, of its quickest frame
    uint64_t since_ms = 0;
  };
  Window before_, latest_;
  uint64_t frames_ = 0;
};

}  // namespace orrery::replication
