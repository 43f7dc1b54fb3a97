#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "orrery/causality/version_vector.h"

namespace orrery::causality {

/// The causal context that DGET hands out and DPUT takes back, as printable text:
///
///     node.incarnation:counter[,node.incarnation:counter...]~check
///
/// hexadecimal but for the decimal counters; ordered, so equal clocks have equal text. The check is a hash of key and
/// clock: a mangled context, or one of another key, is refused (docs/dget-dput.md).
std::string FormatContext(std::string_view key, const VersionVector& clock);

/// The clock, or nullopt for "ERR invalid context". The empty text is the empty clock.
std::optional<VersionVector> ParseContext(std::string_view key, std::string_view text);

/// As ParseContext without a key: DCOMPARE has none, so the check cannot be verified, only the shape.
std::optional<VersionVector> ParseContextShape(std::string_view text);

}  // namespace orrery::causality
