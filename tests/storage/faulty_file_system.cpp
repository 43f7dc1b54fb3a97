#include "storage/faulty_file_system.h"

#include <algorithm>
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
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return SyncBy([&] { return FSWritableFileOwnerWrapper::Sync(options, debug); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return SyncBy([&] { return FSWritableFileOwnerWrapper::Fsync(options, debug); });
  }

 private:
  template <typename Sync>
  IOStatus SyncBy(const Sync& sync) {
    if (IOStatus error = disk_->error(); !error.ok()) return error;
    const uint64_t size = disk_->SizeOf(path_);
    IOStatus synced = sync();
    if (synced.ok()) disk_->Synced(path_, size);
    return synced;
  }

  const std::string path_;
  FaultyDisk* const disk_;
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

uint64_t FaultyDisk::SizeOf(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto it = files_.find(path);
  return it == files_.end() ? 0 : it->second.size;
}

void FaultyDisk::Synced(const std::string& path, uint64_t size) {
  const std::lock_guard lock(mutex_);
  File& file = files_[path];
  file.synced = std::max(file.synced, size);
}

std::unique_ptr<rocksdb::Env> MakeFaultyEnv(FaultyDisk* disk) {
  return rocksdb::NewCompositeEnv(std::make_shared<FaultyFileSystem>(disk));
}

}  // namespace orrery::storage
