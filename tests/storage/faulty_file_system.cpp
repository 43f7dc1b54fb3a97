#include "storage/faulty_file_system.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace orrery::storage {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

class FaultyFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyFile(std::string path, std::unique_ptr<rocksdb::FSWritableFile> file, FaultyDisk* disk)
      : FSWritableFileOwnerWrapper(std::move(file)), path_(std::move(path)), disk_(disk) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    if (IOStatus error = disk_->error(); !error.ok()) return error;
    IOStatus appended = FSWritableFileOwnerWrapper::Append(data, options, debug);
    if (appended.ok()) disk_->Appended(path_, data.size());
    return appended;
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo& /*info*/,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  // The machine that runs the test does not lose power: to remember what was synced is enough, and much
  // faster.
  IOStatus Sync(const IOOptions& /*options*/, IODebugContext* /*debug*/) override { return NoteSync(); }
  IOStatus Fsync(const IOOptions& /*options*/, IODebugContext* /*debug*/) override { return NoteSync(); }

 private:
  IOStatus NoteSync() {
    IOStatus error = disk_->error();
    if (error.ok()) disk_->Synced(path_);
    return error;
  }

  const std::string path_;
  FaultyDisk* const disk_;
};

/// Answers as RocksDB's own files do when the kernel says EIO.
class UnreadableFile final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  UnreadableFile(std::string path, std::unique_ptr<rocksdb::FSRandomAccessFile> file, FaultyDisk* disk)
      : FSRandomAccessFileOwnerWrapper(std::move(file)), path_(std::move(path)), disk_(disk) {}

  IOStatus Read(uint64_t offset, size_t count, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* debug) const override {
    if (!disk_->IsReadable(path_)) return IOStatus::IOError("While pread: " + path_, std::strerror(EIO));
    return FSRandomAccessFileOwnerWrapper::Read(offset, count, options, result, scratch, debug);
  }
  IOStatus Prefetch(uint64_t /*offset*/, size_t /*count*/, const IOOptions& /*options*/,
                    IODebugContext* /*debug*/) override {
    return IOStatus::NotSupported();
  }

 private:
  const std::string path_;
  FaultyDisk* const disk_;
};

/// What a directory says is taken to be on the disk at once.
class SyncedDirectory final : public rocksdb::FSDirectoryWrapper {
 public:
  using FSDirectoryWrapper::FSDirectoryWrapper;
  IOStatus Fsync(const IOOptions& /*options*/, IODebugContext* /*debug*/) override { return IOStatus::OK(); }
  IOStatus FsyncWithDirOptions(const IOOptions& /*options*/, IODebugContext* /*debug*/,
                               const rocksdb::DirFsyncOptions& /*how*/) override {
    return IOStatus::OK();
  }
};

class FaultyFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit FaultyFileSystem(FaultyDisk* disk)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), disk_(disk) {}

  static const char* kClassName() { return "FaultyFileSystem"; }
  const char* Name() const override { return kClassName(); }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) override {
    if (IOStatus error = disk_->error(); !error.ok()) return error;
    std::unique_ptr<rocksdb::FSWritableFile> file;
    IOStatus made = FileSystemWrapper::NewWritableFile(path, options, &file, debug);
    if (!made.ok()) return made;
    disk_->Created(path);
    *result = std::make_unique<FaultyFile>(path, std::move(file), disk_);
    return made;
  }
  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                               IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSRandomAccessFile> file;
    IOStatus opened = FileSystemWrapper::NewRandomAccessFile(path, options, &file, debug);
    if (opened.ok()) *result = std::make_unique<UnreadableFile>(path, std::move(file), disk_);
    return opened;
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSDirectory> directory;
    IOStatus made = FileSystemWrapper::NewDirectory(path, options, &directory, debug);
    if (made.ok()) *result = std::make_unique<SyncedDirectory>(std::move(directory));
    return made;
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    if (IOStatus error = disk_->error(); !error.ok()) return error;
    IOStatus renamed = FileSystemWrapper::RenameFile(from, to, options, debug);
    if (renamed.ok()) disk_->Renamed(from, to);
    return renamed;
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* debug) override {
    if (IOStatus error = disk_->error(); !error.ok()) return error;
    return FileSystemWrapper::DeleteFile(path, options, debug);
  }

 private:
  FaultyDisk* const disk_;
};

}  // namespace

void FaultyDisk::FailWith(IOStatus error) {
  const std::lock_guard lock(mutex_);
  error_ = std::move(error);
}

IOStatus FaultyDisk::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

void FaultyDisk::FailReadsOf(const std::string& path) {
  const std::lock_guard lock(mutex_);
  unreadable_.insert(path);
}

bool FaultyDisk::IsReadable(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  return !unreadable_.contains(path);
}

void FaultyDisk::ForgetUnsynced() {
  const std::lock_guard lock(mutex_);
  for (const auto& [path, file] : files_) {
    if (std::filesystem::exists(path)) std::filesystem::resize_file(path, file.synced);
  }
  files_.clear();
}

void FaultyDisk::Created(const std::string& path) {
  const std::lock_guard lock(mutex_);
  files_[path] = File{};
}

void FaultyDisk::Renamed(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  auto moved = files_.extract(from);
  if (moved.empty()) return;
  moved.key() = to;
  files_.erase(to);
  files_.insert(std::move(moved));
}

void FaultyDisk::Appended(const std::string& path, uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  files_[path].size += bytes;
}

void FaultyDisk::Synced(const std::string& path) {
  const std::lock_guard lock(mutex_);
  File& file = files_[path];
  file.synced = file.size;
}

std::unique_ptr<rocksdb::Env> MakeFaultyEnv(FaultyDisk* disk) {
  return rocksdb::NewCompositeEnv(std::make_shared<FaultyFileSystem>(disk));
}

}  // namespace orrery::storage
