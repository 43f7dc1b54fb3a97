#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "orrery/causality/row.h"
#include "orrery/storage/transaction.h"

namespace orrery::types {

/// When keys end. An Expiry cell's payload is its deadline, milliseconds since the epoch, in decimal text. Of
/// several the newest governs, unless a Value cell is strictly newer: whoever set the value later meant it
/// without that end; SET ... EX writes both cells with one hybrid time (docs/data-model.md).

/// The deadline that governs the row, if any.
std::optional<uint64_t> DeadlineOf(const causality::Row& row);
/// Hidden since its instant, on every node, purged or not.
bool IsExpired(const causality::Row& row, uint64_t now_ms);
/// Adds an end beside those that are there; it is the newest, so it governs.
void AddDeadline(storage::Transaction* transaction, std::string_view row_key, uint64_t deadline_ms);
/// Makes the row end at the deadline, in place of every other end.
void SetDeadline(storage::Transaction* transaction, std::string_view row_key, uint64_t deadline_ms);
void RemoveDeadline(storage::Transaction* transaction, std::string_view row_key);

/// Removes the cells of rows of the transaction's slot that are due, at most so many rows. How many were
/// removed.
size_t PurgeExpired(storage::Transaction* transaction, size_t rows_max);

}  // namespace orrery::types
