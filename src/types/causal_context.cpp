#include "orrery/types/causal_context.h"

#include "orrery/causality/context.h"

namespace orrery::types {

using causality::Causality;
using causality::Dot;
using causality::VersionVector;

namespace {

constexpr char kBeyond = '+';

bool CoversAll(const CausalContext& a, const CausalContext& b) {
  return a.clock.Descends(b.clock) && (!b.beyond || a.Covers(*b.beyond));
}

template <typename ParseClock>
std::optional<CausalContext> Parse(std::string_view text, const ParseClock& parse) {
  const size_t split = text.find(kBeyond);
  std::optional<VersionVector> clock = parse(text.substr(0, split));
  if (!clock) return std::nullopt;
  CausalContext context{std::move(*clock), std::nullopt};
  if (split == std::string_view::npos) return context;
  // One way to write each context: a clock is there, and the dot lies beyond it.
  const std::optional<VersionVector> beyond = parse(text.substr(split + 1));
  if (split == 0 || !beyond || beyond->entries().size() != 1) return std::nullopt;
  const Dot dot{beyond->entries()[0].actor, beyond->entries()[0].counter};
  if (context.clock.Covers(dot)) return std::nullopt;
  context.beyond = dot;
  return context;
}

}  // namespace

Causality Compare(const CausalContext& a, const CausalContext& b) {
  const bool descends = CoversAll(a, b);
  const bool precedes = CoversAll(b, a);
  if (descends && precedes) return Causality::kEqual;
  if (descends) return Causality::kAfter;
  return precedes ? Causality::kBefore : Causality::kConcurrent;
}

std::string FormatContext(std::string_view key, const CausalContext& context) {
  std::string text = causality::FormatContext(key, context.clock);
  if (!context.beyond) return text;
  VersionVector beyond;
  beyond.Raise(*context.beyond);
  return text + kBeyond + causality::FormatContext(key, beyond);
}

std::optional<CausalContext> ParseContext(std::string_view key, std::string_view text) {
  return Parse(text, [key](std::string_view part) { return causality::ParseContext(key, part); });
}

std::optional<CausalContext> ParseContextShape(std::string_view text) {
  return Parse(text, [](std::string_view part) { return causality::ParseContextShape(part); });
}

}  // namespace orrery::types
