#pragma once

#include <optional>
#include <string_view>

#include "orrery/causality/event.h"

namespace orrery::causality {

/// What an event comes to that puts one value in the place of one cell of one row, as most do: a SET of a key
/// that is there. Read off the event's bytes, into which the views point.
struct Replacement {
  Dot dot;
  HybridTime hlc = 0;
  std::string_view row_key;
  CellId removed;
  std::string_view row;  ///< EncodeRow of the value alone: what the row becomes if `removed` was all of it
};

/// nullopt of all other events, and of malformed bytes: those are for DecodeEvent.
std::optional<Replacement> ReplacementIn(std::string_view bytes);

/// The name of the only cell of an encoded row, if it is a value without a past; nullopt of all other rows.
std::optional<CellId> SoleValueId(std::string_view row);

}  // namespace orrery::causality
