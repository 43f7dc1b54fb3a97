#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "orrery/causality/version_vector.h"

namespace orrery::types {

/// What a client has seen of a key, as DGET and DPUT hand it out: all events that a clock covers, and perhaps
/// one beyond it whose forerunners it has not seen (Preguiça et al., "Dotted Version Vectors"). Two clients
/// that write from the same context through one coordinator make siblings of one actor; the later writer has
/// seen its own, and not the earlier one, which no plain clock can say. Value type.
struct CausalContext {
  causality::VersionVector clock;
  std::optional<causality::Dot> beyond;

  bool Covers(const causality::Dot& dot) const { return clock.Covers(dot) || beyond == dot; }
  bool operator==(const CausalContext&) const = default;
};

/// Never kBefore or kAfter wrongly; a context that another one replaced while siblings were unread may be
/// kConcurrent.
causality::Causality Compare(const CausalContext& a, const CausalContext& b);

/// As causality::FormatContext, of the clock; where there is a dot beyond it, '+' and that dot in the same
/// form follow.
std::string FormatContext(std::string_view key, const CausalContext& context);
/// nullopt for "ERR invalid context". The empty text is the empty context.
std::optional<CausalContext> ParseContext(std::string_view key, std::string_view text);
/// As ParseContext without a key, so that only the shape can be verified.
std::optional<CausalContext> ParseContextShape(std::string_view text);

}  // namespace orrery::types
