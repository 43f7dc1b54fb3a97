#pragma once

#include <cstddef>

#include "orrery/replication/messages.h"

namespace orrery::replication {

/// What of a part of an image is data: its rows.
inline size_t DataBytes(const MergePartMessage& part) {
  size_t bytes = 0;
  for (const auto& [row_key, row] : part.rows) bytes += row_key.size() + row.size();
  return bytes;
}

/// Of an answer that compares: its rows and the hashes of ranges.
inline size_t DataBytes(const MergeTreeMessage& answer) {
  size_t bytes = 0;
  for (const auto& [row_key, row] : answer.rows) bytes += row_key.size() + row.size();
  for (const auto& [end, hash] : answer.pieces) bytes += end.size() + sizeof(hash.hash);
  return bytes;
}

}  // namespace orrery::replication
