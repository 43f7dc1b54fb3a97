#pragma once

#include <cstdint>
#include <optional>

namespace orrery::runtime {

/// What an acceptor knows when a dialler has proven itself. Both sides may dial at any time, and exactly one
/// link per pair of loops may stay, the same one on both sides.
struct LinkSituation {
  bool link_up = false;           ///< there is a link to this peer
  uint64_t link_id = 0;           ///< its id
  uint64_t link_incarnation = 0;  ///< the peer's life that it was greeted with
  bool dial_proven = false;       ///< our own attempt has sent its proof and awaits the verdict
  uint64_t dial_id = 0;           ///< its id
  bool we_are_smaller = false;    ///< by node id
  uint64_t their_incarnation = 0;
  uint64_t their_dead_link = 0;  ///< a link of which the dialler says that it has ended on its side
};

/// The link because of which the newcomer must be refused as a duplicate, or nothing: then the newcomer is
/// welcome and takes the place of the link and of our own attempt, if any.
///
/// A side dials only while it has no link, so a dialler that meets a standing link has either lost its end of
/// it, or started before that link was made. It tells which: the refusal names the link, and only a dialler
/// that has lost it comes back and says so. A peer in a new life has lost everything. When both dial at once
/// and both have come so far as to prove themselves, the dial of the smaller node id stays: the smaller
/// refuses, the larger gives up its own.
inline std::optional<uint64_t> DuplicateOf(const LinkSituation& s) {
  const bool lost = s.their_incarnation != s.link_incarnation || s.their_dead_link == s.link_id;
  if (s.link_up && !lost) return s.link_id;
  if (s.dial_proven && s.we_are_smaller && s.their_dead_link != s.dial_id) return s.dial_id;
  return std::nullopt;
}

}  // namespace orrery::runtime
