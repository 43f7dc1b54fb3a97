#pragma once

#include <string>
#include <string_view>

#include "orrery/causality/row.h"

namespace orrery::types {

/// Scores of sorted sets: how cells hold them, what a row of several cells adds up to, and how they sort.
/// Pure; the same bits on every replica, since nothing but additions of doubles in a fixed order is done.
///
///     payload of a Value       score (8 bytes, the double's bits, most significant first)
///     payload of an Increment  sum (8), what the sum lost by rounding (8)
///
/// A sum keeps its rounding errors (Knuth, "The Art of Computer Programming", vol. 2, section 4.2.2, theorem
/// B), so that ZINCRBY after ZINCRBY shows bit by bit what it would if each had rewritten the score.

/// What a Value is written with. -0 becomes 0, as Redis shows it in small sets.
std::string ScorePayload(double score);

/// A sum that has grown by what a score of `shown` lacks to show `wanted`. old_sum: "" for none yet.
/// REQUIRES: both are finite.
std::string GrownScoreSum(std::string_view old_sum, double shown, double wanted);
/// sum + (now - seen), for sums of which "" is none: what an increment has counted between two versions of
/// it. "" if that is nothing.
std::string AddToScoreSum(std::string_view sum, std::string_view now, std::string_view seen);

/// The newest Value plus the Increments, in the order of their cells. Never NaN: increments are finite, and
/// payloads that no command writes show 0. REQUIRES: row.HasValue().
double ShowScore(const causality::Row& row);

/// 8 bytes that sort as scores do.
std::string ScoreOrder(double score);
/// The score that such bytes begin with.
double ScoreOfOrder(std::string_view bytes);
inline constexpr size_t kScoreOrderBytes = 8;

/// Where a member stands among those of its key: by score, then by its bytes.
std::string MemberOrder(double score, std::string_view member);

}  // namespace orrery::types
