#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "orrery/causality/dot.h"

namespace orrery::types {

/// Places in a list: byte strings that sort as the elements stand, made between any two neighbours, and never
/// made twice. Pure.
///
/// A position is a path of steps, each a whole number and the dot of the event that made the step. Steps sort
/// by number, then by dot; a path stands before those that go on from it. So there is always room: before the
/// first step of a list and behind the last one, since numbers go both ways, and between two neighbours, by a
/// further step behind the left one. It is the identifier of Logoot (Weiss, Urso, Molli, "Logoot: a scalable
/// optimistic replication algorithm for collaborative editing on P2P networks", ICDCS 2009) with numbers that
/// do not run out, so that pushing at one end, or inserting again and again before or behind one element,
/// never makes a path longer; only inserting between two that were inserted just now does.
///
/// The dot makes it unique: of what two sides of a cut push at one end, elements with equal numbers stand in
/// the order of their dots. So they interleave, the same way on every replica.
///
///     step    number, dot (causality::Encode), neither of which another number or dot begins with
///     number  128 + n (1), n bytes, most significant first: of a negative one 128 - n, and the complement of
///             its amount

/// A position between two others, or at an end of the list where there is none. dot: of the event that puts
/// an element there. nullopt: one of them is not a position. REQUIRES: before < behind where both are given.
std::optional<std::string> PositionBetween(std::optional<std::string_view> before,
                                           std::optional<std::string_view> behind, const causality::Dot& dot);

}  // namespace orrery::types
