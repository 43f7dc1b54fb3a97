#pragma once

#include <rocksdb/slice.h>
#include <rocksdb/status.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "orrery/base/status.h"

namespace orrery::storage {

inline rocksdb::Slice ToSlice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}
inline std::string_view ToView(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

/// Whether stored bytes cannot be read and never will be: wrong, or gone with their file.
inline bool IsDamage(const rocksdb::Status& status) {
  return status.IsCorruption() || status.IsPathNotFound();
}

/// The same of a read: also where the disk does not give back what it holds (EIO), which RocksDB tells in its
/// text alone.
inline bool IsDamagedRead(const rocksdb::Status& status) {
  return IsDamage(status) || (status.IsIOError() && status.ToString().ends_with(std::strerror(EIO)));
}

/// What RocksDB reports, in the codes that callers react to. doing: what failed, for the log.
/// Not-found is no error: callers handle it before.
inline Status FromRocks(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return Status::Ok();
  std::string message = std::string(doing) + ": " + status.ToString();
  if (IsDamage(status)) return Status::Corruption(std::move(message));
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit)
    return Status::Full(std::move(message));
  if (status.IsInvalidArgument() || status.IsNotSupported()) return Status::Invalid(std::move(message));
  return Status::IoError(std::move(message));
}

/// FromRocks for what was read.
inline Status FromRead(const rocksdb::Status& status, std::string_view doing) {
  if (!IsDamagedRead(status)) return FromRocks(status, doing);
  return Status::Corruption(std::string(doing) + ": " + status.ToString());
}

}  // namespace orrery::storage
