#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orrery::types {

/// The forms in which Redis packs small collections into one string, and which stand as such in its dumps.
/// Each reader returns all entries, integers as their decimal text, or nullopt if the bytes are anything but
/// one whole such string: every length in it is checked. Pure.
using Entries = std::vector<std::string>;

/// Since 7.0: total bytes (4), entries (2), entries with their own length behind them, 0xff. All
/// little-endian.
std::optional<Entries> ReadListpack(std::string_view bytes);
/// Before: bytes (4), place of the last entry (4), entries (2), entries behind the length of the one before,
/// 0xff.
std::optional<Entries> ReadZiplist(std::string_view bytes);
/// Hashes before 2.6: entries (1), then lengths, texts and unused bytes, 0xff.
std::optional<Entries> ReadZipmap(std::string_view bytes);
/// Sets of integers: bytes of each (4), how many (4), then they, ascending.
std::optional<Entries> ReadIntset(std::string_view bytes);

}  // namespace orrery::types
