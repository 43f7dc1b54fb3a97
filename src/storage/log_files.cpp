#include "storage/log_files.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orrery::storage {
namespace {

using rocksdb::FileOptions;
using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

}  // namespace

struct LogFiles::OpenLog {
  std::unique_ptr<FSWritableFile> file;
  std::atomic<uint64_t> appended = 0;
  std::atomic<uint64_t> synced = 0;
  std::mutex mutex;  // a file is not closed while Sync is at it; guards is_open
  bool is_open = true;
};

struct LogFiles::State {
  std::shared_ptr<rocksdb::FileSystem> files;
  std::string directory;
  std::atomic<uint64_t> sync_count = 0;

  std::mutex mutex;  // guards the two below
  std::vector<std::shared_ptr<OpenLog>> open_logs;
  bool has_new_names = false;  // of logs, which may not be on the disk yet

  IOStatus SyncLog(OpenLog* log) {
    const uint64_t appended = log->appended.load(std::memory_order_acquire);
    if (log->synced.load(std::memory_order_acquire) >= appended) return IOStatus::OK();
    IOStatus synced = log->file->Sync(IOOptions(), nullptr);
    if (!synced.ok()) return synced;
    log->synced.store(appended, std::memory_order_release);
    sync_count.fetch_add(1, std::memory_order_relaxed);
    return synced;
  }
};

/// What RocksDB holds of an open log.
class LogFiles::File final : public rocksdb::FSWritableFileWrapper {
 public:
  File(std::shared_ptr<OpenLog> log, std::shared_ptr<State> state)
      : FSWritableFileWrapper(log->file.get()), log_(std::move(log)), state_(std::move(state)) {}
  ~File() override { Leave(); }

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    return Note(data, FSWritableFileWrapper::Append(data, options, debug));
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo& checksum,
                  IODebugContext* debug) override {
    return Note(data, FSWritableFileWrapper::Append(data, options, checksum, debug));
  }
  IOStatus Sync(const IOOptions& /*options*/, IODebugContext* /*debug*/) override {
    return state_->SyncLog(log_.get());
  }
  IOStatus Fsync(const IOOptions& /*options*/, IODebugContext* /*debug*/) override {
    return state_->SyncLog(log_.get());
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    Leave();
    return FSWritableFileWrapper::Close(options, debug);
  }

 private:
  IOStatus Note(const Slice& data, IOStatus appended) {
    if (appended.ok()) log_->appended.fetch_add(data.size(), std::memory_order_release);
    return appended;
  }
  void Leave() {
    {
      const std::lock_guard lock(log_->mutex);
      log_->is_open = false;
    }
    const std::lock_guard lock(state_->mutex);
    std::erase(state_->open_logs, log_);
  }

  const std::shared_ptr<OpenLog> log_;
  const std::shared_ptr<State> state_;
};

class LogFiles::FileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit FileSystem(std::shared_ptr<State> state)
      : FileSystemWrapper(state->files), state_(std::move(state)) {}

  static const char* kClassName() { return "OrreryLogFiles"; }
  const char* Name() const override { return kClassName(); }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<FSWritableFile>* result, IODebugContext* debug) override {
    IOStatus made = FileSystemWrapper::NewWritableFile(path, options, result, debug);
    // A checkpoint copies logs, to a folder that is gone a moment later.
    if (!made.ok() || !path.ends_with(".log") || path.substr(0, path.rfind('/')) != state_->directory)
      return made;
    auto log = std::make_shared<OpenLog>();
    log->file = std::move(*result);
    *result = std::make_unique<File>(log, state_);
    const std::lock_guard lock(state_->mutex);
    state_->open_logs.push_back(std::move(log));
    state_->has_new_names = true;
    return made;
  }

 private:
  const std::shared_ptr<State> state_;
};

LogFiles::LogFiles(std::shared_ptr<rocksdb::FileSystem> files, std::string directory)
    : state_(std::make_shared<State>()), env_([&] {
        state_->files = std::move(files);
        state_->directory = std::move(directory);
        return rocksdb::NewCompositeEnv(std::make_shared<FileSystem>(state_));
      }()) {}

LogFiles::~LogFiles() = default;

IOStatus LogFiles::Sync() {
  std::vector<std::shared_ptr<OpenLog>> logs;
  bool has_new_names = false;
  {
    const std::lock_guard lock(state_->mutex);
    logs = state_->open_logs;
    has_new_names = std::exchange(state_->has_new_names, false);
  }
  IOStatus synced;
  for (const auto& log : logs) {
    const std::lock_guard lock(log->mutex);
    if (synced.ok() && log->is_open) synced = state_->SyncLog(log.get());
  }
  if (synced.ok() && has_new_names) {
    std::unique_ptr<rocksdb::FSDirectory> opened;
    synced = state_->files->NewDirectory(state_->directory, IOOptions(), &opened, nullptr);
    if (synced.ok()) synced = opened->FsyncWithDirOptions(IOOptions(), nullptr, rocksdb::DirFsyncOptions());
  }
  if (!synced.ok() && has_new_names) {
    const std::lock_guard lock(state_->mutex);
    state_->has_new_names = true;
  }
  return synced;
}

bool LogFiles::has_logs() const {
  const std::lock_guard lock(state_->mutex);
  return !state_->open_logs.empty();
}

uint64_t LogFiles::sync_count() const {
  return state_->sync_count.load(std::memory_order_relaxed);
}

}  // namespace orrery::storage
