#include "orrery/storage/rocks_wipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "orrery/storage/rocksdb_row_store.h"

namespace orrery::storage {
namespace {

Status SystemError(const std::string& what) {
  return Status::IoError(what + ": " + std::strerror(errno));
}

/// What was created in or removed from the file's folder is so after a power cut.
Status SyncFolderOf(const std::string& file) {
  const std::string folder = std::filesystem::path(file).parent_path();
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return SystemError("open " + folder);
  const Status synced = ::fsync(fd) == 0 ? Status::Ok() : SystemError("sync " + folder);
  ::close(fd);
  return synced;
}

}  // namespace

// Empty: that it is there says everything, and a full disk takes it too.
Status MarkForWipe(const std::string& mark) {
  const int fd = ::open(mark.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return SystemError("create " + mark);
  ::close(fd);
  const Status synced = SyncFolderOf(mark);
  if (synced.ok()) return synced;
  ::unlink(mark.c_str());
  static_cast<void>(SyncFolderOf(mark));
  return synced;
}

Result<bool> FinishWipe(const std::string& mark, const std::string& database) {
  if (::access(mark.c_str(), F_OK) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return SystemError("look for " + mark);
  }
  if (Status s = RocksDatabase::Clear(database); !s.ok()) return s;
  if (::unlink(mark.c_str()) != 0) return SystemError("remove " + mark);
  // A mark that came back after a power cut would take the new database.
  if (Status s = SyncFolderOf(mark); !s.ok()) return s;
  return true;
}

}  // namespace orrery::storage
