#pragma once

#include <string>

namespace orrery::server {

// What a node keeps in its directory, beside checkpoints.

/// The folder of its database: everything that makes it this node.
inline std::string RowsPath(const std::string& dir) {
  return dir + "/rows";
}
/// While this file is there, CLUSTER RESET has ended the life that the rows are of (storage/rocks_wipe.h).
inline std::string ResetMarkPath(const std::string& dir) {
  return dir + "/reset-pending";
}

}  // namespace orrery::server
