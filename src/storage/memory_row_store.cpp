#include "storage/memory_row_store.h"

#include <algorithm>
#include <string>
#include <utility>

#include "orrery/base/check.h"
#include "storage/memory_tables.h"

namespace orrery::storage {
namespace {

using CommitNumber = MemoryTables::CommitNumber;

Status UnreadableValue() {
  return Status::Corruption("simulated unreadable value");
}

Result<std::optional<std::string_view>> ViewOf(const MemoryTables::Version* version) {
  if (version == nullptr) return std::optional<std::string_view>();
  if (version->corrupt) return UnreadableValue();
  return std::optional<std::string_view>(version->value);
}

class MemoryCursor final : public Cursor {
 public:
  MemoryCursor(const MemoryTables::Keys& keys, std::string_view prefix, std::string_view start,
               CommitNumber at)
      : keys_(keys), prefix_(prefix), at_(at), position_(keys.lower_bound(start)) {
    Settle();
  }

  bool Valid() const override { return version_ != nullptr; }
  void Next() override {
    ++position_;
    Settle();
  }
  std::string_view key() const override { return position_->first; }
  std::string_view value() const override { return value_; }
  Status status() const override { return status_; }

 private:
  void Settle() {
    version_ = nullptr;
    for (; position_ != keys_.end() && position_->first.starts_with(prefix_); ++position_) {
      version_ = position_->second.At(at_);
      if (version_ != nullptr) break;
    }
    if (version_ == nullptr) return;
    if (!version_->corrupt) {
      // A copy: the next commit moves this version aside, and a cursor of a snapshot stands still meanwhile.
      value_ = version_->value;
      return;
    }
    version_ = nullptr;
    status_ = UnreadableValue();
  }

  const MemoryTables::Keys& keys_;
  const std::string prefix_;
  const CommitNumber at_;
  MemoryTables::Keys::const_iterator position_;
  const MemoryTables::Version* version_ = nullptr;
  std::string value_;
  Status status_;
};

class MemorySnapshot final : public Snapshot {
 public:
  explicit MemorySnapshot(MemoryTables* tables) : tables_(*tables), at_(tables->OpenSnapshot()) {}
  ~MemorySnapshot() override { tables_.CloseSnapshot(at_); }

  Result<std::optional<std::string>> Get(Table table, std::string_view key) const override {
    const auto view = ViewOf(tables_.Find(table, key, at_));
    if (!view.ok()) return view.status();
    if (!*view) return std::optional<std::string>();
    return std::optional<std::string>(**view);
  }
  std::unique_ptr<Cursor> Scan(Table table, std::string_view prefix, std::string_view from) const override {
    return std::make_unique<MemoryCursor>(tables_.keys(table), prefix, std::max(prefix, from), at_);
  }

 private:
  MemoryTables& tables_;
  const CommitNumber at_;
};

}  // namespace

MemoryRowStore::MemoryRowStore(MemoryDatabase* database) : database_(database) {
  ++database_->open_stores_;
}

MemoryRowStore::~MemoryRowStore() {
  std::erase_if(database_->sync_requests_, [&](const auto& request) { return request.store == this; });
  --database_->open_stores_;
}

Result<std::optional<std::string_view>> MemoryRowStore::ReadCommitted(Table table, std::string_view key,
                                                                      uint64_t /*hash*/) const {
  const MemoryTables& tables = *database_->tables_;
  return ViewOf(tables.Find(table, key, tables.newest()));
}

std::unique_ptr<Cursor> MemoryRowStore::ScanCommitted(Table table, std::string_view prefix,
                                                      std::string_view start) const {
  const MemoryTables& tables = *database_->tables_;
  return std::make_unique<MemoryCursor>(tables.keys(table), prefix, start, tables.newest());
}

std::unique_ptr<Snapshot> MemoryRowStore::SnapshotCommitted() const {
  return std::make_unique<MemorySnapshot>(database_->tables_.get());
}

Status MemoryRowStore::Write(const PendingBatch& batch, Durability durability) {
  if (!database_->write_error_.ok()) return database_->write_error_;
  MemoryTables& tables = *database_->tables_;
  if (!batch.empty()) tables.Apply(batch);
  if (durability == Durability::kDisk) tables.MarkSynced(tables.newest());
  return Status::Ok();
}

Status MemoryRowStore::OpenAnew() {
  return database_->write_error_;
}

void MemoryRowStore::SyncSoon(std::function<void(Status)> done) {
  const uint64_t id = ++database_->last_sync_request_;
  MemoryDatabase::SyncRequest request{id, this, database_->tables_->newest(), std::move(done)};
  if (database_->sync_mode_ == MemoryDatabase::SyncMode::kManual) {
    database_->sync_requests_.push_back(std::move(request));
  } else {
    database_->FinishSync(request);
  }
}

MemoryDatabase::MemoryDatabase(SyncMode sync_mode)
    : tables_(std::make_unique<MemoryTables>()), sync_mode_(sync_mode) {}

MemoryDatabase::~MemoryDatabase() {
  ORRERY_CHECK(open_stores_ == 0);
}

std::unique_ptr<RowStore> MemoryDatabase::OpenShard() {
  return std::make_unique<MemoryRowStore>(this);
}

void MemoryDatabase::CompleteSyncs() {
  // One at a time: a callback may ask for another sync, or close stores and so withdraw their requests.
  const uint64_t last = last_sync_request_;
  while (!sync_requests_.empty() && sync_requests_.front().id <= last) {
    SyncRequest request = std::move(sync_requests_.front());
    sync_requests_.pop_front();
    FinishSync(request);
  }
}

void MemoryDatabase::FinishSync(const SyncRequest& request) {
  Status outcome = write_error_;
  if (outcome.ok()) outcome = request.store->failure();
  if (outcome.ok()) {
    tables_->MarkSynced(request.commit);
  } else {
    request.store->Fail(outcome);
  }
  request.done(outcome);
}

size_t MemoryDatabase::unsynced_commits() const {
  return static_cast<size_t>(tables_->newest() - tables_->synced());
}

void MemoryDatabase::Crash(size_t unsynced_to_keep) {
  ORRERY_CHECK(open_stores_ == 0 && unsynced_to_keep <= unsynced_commits());
  tables_->GoBackTo(tables_->synced() + unsynced_to_keep);
  tables_->MarkSynced(tables_->newest());
}

std::shared_ptr<const MemoryDatabase::Image> MemoryDatabase::CopyImage() const {
  return std::make_shared<const Image>(tables_->CopyAt(tables_->synced()));
}

void MemoryDatabase::RestoreImage(const Image& image) {
  ORRERY_CHECK(open_stores_ == 0);
  tables_->Replace(image);
}

void MemoryDatabase::FailWrites(Status error) {
  write_error_ = std::move(error);
}

void MemoryDatabase::CorruptValue(Table table, std::string_view key) {
  tables_->Corrupt(table, key);
}

}  // namespace orrery::storage
