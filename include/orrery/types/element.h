#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "orrery/causality/row.h"
#include "orrery/storage/row_key.h"
#include "orrery/storage/transaction.h"

namespace orrery::types {

/// How elements of collections stand in row keys and what their rows show. Pure.

/// The row key's element part. Fields and members (hash, set, zset) stand behind 48 bits of their hash, so
/// that a walk meets them in a uniform order that a cursor can name; list positions are already in their
/// order.
std::string ElementBytes(storage::RowTag tag, std::string_view element);
/// The element of such a part; empty for what ElementBytes never writes. A view into it.
std::string_view ElementOf(storage::RowTag tag, std::string_view bytes);
/// Whether elements of the tag stand in hash order.
bool HasElementOrder(storage::RowTag tag);

inline constexpr int kElementOrderBits = 48;
/// By which elements in hash order stand.
uint64_t ElementOrder(std::string_view element);
/// The order that an element part begins with. REQUIRES: a part that ElementBytes wrote, of a tag in hash
/// order.
uint64_t OrderOfElementBytes(std::string_view bytes);
/// What all parts from that order on are not before.
std::string ElementOrderBytes(uint64_t order);

/// What plain commands show of a row of values and integer increments: the newest Value, plus all Increments
/// if it is an integer. REQUIRES: row.HasValue(). The view is of the row, or of *scratch.
std::string_view ShowValue(const causality::Row& row, std::string* scratch);
/// ShowValue as an integer; nullopt if it is none.
std::optional<int64_t> ShowInteger(const causality::Row& row);

/// What a copy of an element (COPY, RENAME) is written with, in one Value cell: what the row shows, with the
/// increments counted in.
std::string CopiedPayload(storage::RowTag tag, const causality::Row& row);

/// sum + (now - seen), for Increment payloads of a row of that tag; "" stands for none, and is given for nothing.
std::string AddToSum(storage::RowTag tag, std::string_view sum, std::string_view now, std::string_view seen);

/// Transaction::FoldIncrements with the sums of that tag.
void FoldIncrements(storage::Transaction* transaction, storage::RowTag tag, std::string_view row_key);

/// Where an element stands in its key's counted order (counted_index.h), which DerivedIndex keeps; nullopt if
/// the row shows nothing or the type keeps no such order.
std::optional<std::string> CountedOrderOf(storage::RowTag tag, std::string_view element_bytes,
                                          const causality::Row& row);

}  // namespace orrery::types
