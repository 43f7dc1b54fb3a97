#include "storage/rocks_cursor.h"

#include <rocksdb/perf_context.h>
#include <rocksdb/perf_level.h>

#include <algorithm>
#include <utility>

#include "storage/pending_batch.h"
#include "storage/rocks_options.h"
#include "storage/rocks_status.h"

namespace orrery::storage {
namespace {

/// How many deleted entries RocksDB has passed on this thread since it was made.
class SkipCount {
 public:
  SkipCount() {
    rocksdb::SetPerfLevel(rocksdb::PerfLevel::kEnableCount);
    before_ = Now();
  }
  ~SkipCount() { rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable); }
  SkipCount(const SkipCount&) = delete;
  SkipCount& operator=(const SkipCount&) = delete;

  uint64_t Get() const { return Now() - before_; }

 private:
  static uint64_t Now() { return rocksdb::get_perf_context()->internal_delete_skipped_count; }

  uint64_t before_ = 0;
};

}  // namespace

RocksCursor::RocksCursor(std::shared_ptr<RocksInstance> instance, Table table, std::string_view prefix,
                         std::string_view start, const rocksdb::Snapshot* snapshot, KnownGaps* gaps,
                         uint64_t skips_max)
    : instance_(std::move(instance)),
      table_(table),
      gaps_(KnownGaps::Covers(table) && KnownGaps::IsOfOneSlot(prefix) ? gaps : nullptr),
      prefix_(prefix),
      end_(PrefixEnd(prefix)),
      end_slice_(end_),
      snapshot_(snapshot),
      counts_(skips_max != 0) {
  Open(skips_max != 0 || gaps_ == nullptr ? skips_max : KnownGaps::kWorthNoting);
  Seek(start);
}

void RocksCursor::Open(uint64_t skips_max) {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot_;
  options.max_skippable_internal_keys = skips_max;
  if (!end_.empty()) options.iterate_upper_bound = &end_slice_;
  const bool is_wide = prefix_.size() < kFilterPrefixBytes;
  options.total_order_seek = is_wide || !HasPrefixFilter(table_);
  // A walk over a slot or a table must not push the hot blocks out.
  options.fill_cache = !is_wide || !HasPrefixFilter(table_);
  iterator_.reset(instance_->db().NewIterator(options, instance_->family(table_)));
}

void RocksCursor::Seek(std::string_view from) {
  if (gaps_ == nullptr) return iterator_->Seek(ToSlice(from));
  std::string begin(from);
  if (const std::string* behind = gaps_->EndOf(table_, begin)) {
    begin = *behind;
    at_end_ = begin.empty() || (!end_.empty() && begin >= end_);
    if (at_end_) return;
  }
  if (!counts_) {
    iterator_->Seek(ToSlice(begin));
    if (!HasMetGap()) return;
    counts_ = true;
    Open(0);
  }
  SeekCounting(begin);
}

void RocksCursor::SeekCounting(std::string_view from) {
  const SkipCount skipped;
  iterator_->Seek(ToSlice(from));
  if (skipped.Get() >= KnownGaps::kWorthNoting) NoteGap(from);
}

void RocksCursor::Next() {
  if (gaps_ == nullptr) return iterator_->Next();
  position_.assign(key());
  position_.push_back('\0');
  if (gaps_->EndOf(table_, position_) != nullptr) return Seek(position_);
  if (!counts_) {
    iterator_->Next();
    if (!HasMetGap()) return;
    counts_ = true;
    Open(0);
    return SeekCounting(position_);
  }
  const SkipCount skipped;
  iterator_->Next();
  if (skipped.Get() >= KnownGaps::kWorthNoting) NoteGap(position_);
}

// Whether it gave up before it had passed more than a gap's worth.
bool RocksCursor::HasMetGap() const {
  return !iterator_->Valid() && iterator_->status().IsIncomplete();
}

// Nothing stands from there on up to where the iterator is now.
void RocksCursor::NoteGap(std::string_view from) {
  if (!iterator_->status().ok()) return;
  gaps_->Note(table_, from, iterator_->Valid() ? ToView(iterator_->key()) : std::string_view(end_));
}

bool RocksCursor::Valid() const {
  return !at_end_ && iterator_->Valid() && (!end_.empty() || ToView(iterator_->key()).starts_with(prefix_));
}

std::string_view RocksCursor::key() const {
  return ToView(iterator_->key());
}
std::string_view RocksCursor::value() const {
  return ToView(iterator_->value());
}
Status RocksCursor::status() const {
  const rocksdb::Status status = iterator_->status();
  if (!status.ok()) instance_->NoteRead(status);
  return FromRead(status, "walk");
}

RocksSnapshot::RocksSnapshot(std::shared_ptr<RocksInstance> instance)
    : instance_(std::move(instance)), snapshot_(Take(instance_.get())) {}

const rocksdb::Snapshot* RocksSnapshot::Take(RocksInstance* instance) {
  instance->snapshots().Add();
  return instance->db().GetSnapshot();
}

RocksSnapshot::~RocksSnapshot() {
  instance_->db().ReleaseSnapshot(snapshot_);
  instance_->snapshots().Remove();
}

Result<std::optional<std::string>> RocksSnapshot::Get(Table table, std::string_view key) const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot_;
  std::string value;
  const rocksdb::Status read = instance_->db().Get(options, instance_->family(table), ToSlice(key), &value);
  if (read.IsNotFound()) return std::optional<std::string>();
  if (!read.ok()) {
    instance_->NoteRead(read);
    return FromRead(read, "read");
  }
  return std::optional<std::string>(std::move(value));
}

std::unique_ptr<Cursor> RocksSnapshot::Scan(Table table, std::string_view prefix,
                                            std::string_view from) const {
  return std::make_unique<RocksCursor>(instance_, table, prefix, std::max(prefix, from), snapshot_, nullptr);
}

}  // namespace orrery::storage
