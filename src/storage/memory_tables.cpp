#include "storage/memory_tables.h"

#include <algorithm>
#include <utility>

#include "orrery/base/check.h"

namespace orrery::storage {

const MemoryTables::Version* MemoryTables::History::At(CommitNumber commit) const {
  const Version* seen = newest.commit <= commit ? &newest : nullptr;
  for (auto it = older.rbegin(); seen == nullptr && it != older.rend(); ++it) {
    if (it->commit <= commit) seen = &*it;
  }
  return seen == nullptr || seen->deleted ? nullptr : seen;
}

void MemoryTables::Apply(const PendingBatch& batch) {
  CommitRecord record;
  record.commit = ++newest_;
  for (size_t i = 0; i < kTableCount; ++i) ApplyPrefixes(batch, static_cast<Table>(i), &record);
  batch.ForEachChange([&](const PendingBatch::Change& change) {
    Keys& keys = tables_[static_cast<size_t>(change.table)];
    auto it = keys.lower_bound(change.key);
    const bool known = it != keys.end() && it->first == change.key;
    if (change.deleted && !known) return;
    if (!known) it = keys.emplace_hint(it, change.key, History{});
    AddVersion(change.table, it, {newest_, change.value, change.deleted, false}, &record);
  });
  records_.push_back(std::move(record));
  Prune();
}

void MemoryTables::ApplyPrefixes(const PendingBatch& batch, Table table, CommitRecord* record) {
  Keys& keys = tables_[static_cast<size_t>(table)];
  for (const std::string& prefix : batch.deleted_prefixes(table)) {
    for (auto it = keys.lower_bound(prefix); it != keys.end() && it->first.starts_with(prefix); ++it) {
      if (!it->second.newest.deleted) AddVersion(table, it, {newest_, {}, true, false}, record);
    }
  }
}

void MemoryTables::AddVersion(Table table, Keys::iterator key, Version version, CommitRecord* record) {
  Version& newest = key->second.newest;
  const bool same_commit = newest.commit == version.commit;  // its prefix went first
  const bool is_new = newest.commit == 0;
  if (!same_commit && !is_new) key->second.older.push_back(std::move(newest));
  newest = std::move(version);
  if (!same_commit) record->touched.push_back({table, key});
}

void MemoryTables::MarkSynced(CommitNumber commit) {
  synced_ = std::max(synced_, commit);
  Prune();
}

void MemoryTables::GoBackTo(CommitNumber commit) {
  ORRERY_CHECK(commit >= synced_ && snapshots_.empty());
  while (!records_.empty() && records_.back().commit > commit) {
    for (const Touched& touched : records_.back().touched) UndoNewest(touched, records_.back().commit);
    records_.pop_back();
  }
  newest_ = commit;
}

void MemoryTables::UndoNewest(const Touched& touched, CommitNumber commit) {
  History& history = touched.key->second;
  ORRERY_CHECK(history.newest.commit == commit);
  if (history.older.empty()) {
    tables_[static_cast<size_t>(touched.table)].erase(touched.key);
    return;
  }
  history.newest = std::move(history.older.back());
  history.older.pop_back();
}

MemoryTables::CommitNumber MemoryTables::OpenSnapshot() {
  snapshots_.insert(newest_);
  return newest_;
}

void MemoryTables::CloseSnapshot(CommitNumber commit) {
  snapshots_.erase(snapshots_.find(commit));
  Prune();
}

MemoryTables::CommitNumber MemoryTables::OldestOfInterest() const {
  return snapshots_.empty() ? synced_ : std::min(synced_, *snapshots_.begin());
}

void MemoryTables::Prune() {
  const CommitNumber oldest = OldestOfInterest();
  while (!records_.empty() && records_.front().commit <= oldest) {
    for (const Touched& touched : records_.front().touched) PruneKey(touched, records_.front().commit);
    records_.pop_front();
  }
}

// Nobody looks before that commit any more: of the versions up to it only the last one is ever seen again.
// Versions of later commits stay, so that their records find the key, and what they need to undo it.
void MemoryTables::PruneKey(const Touched& touched, CommitNumber commit) {
  History& history = touched.key->second;
  std::vector<Version>& older = history.older;
  const auto is_late = [&](const Version& version) { return version.commit > commit; };
  auto keep = std::find_if(older.begin(), older.end(), is_late);
  if (is_late(history.newest) && keep != older.begin()) --keep;
  older.erase(older.begin(), keep);
  if (older.empty() && history.newest.deleted && !is_late(history.newest)) {
    tables_[static_cast<size_t>(touched.table)].erase(touched.key);
  }
}

const MemoryTables::Version* MemoryTables::Find(Table table, std::string_view key, CommitNumber at) const {
  const Keys& of = keys(table);
  const auto it = of.find(key);
  return it == of.end() ? nullptr : it->second.At(at);
}

void MemoryTables::Corrupt(Table table, std::string_view key) {
  Keys& of = tables_[static_cast<size_t>(table)];
  const auto it = of.find(key);
  ORRERY_CHECK(it != of.end() && !it->second.newest.deleted);
  it->second.newest.corrupt = true;
}

MemoryDatabase::Image MemoryTables::CopyAt(CommitNumber at) const {
  MemoryDatabase::Image image;
  for (size_t i = 0; i < kTableCount; ++i) {
    for (const auto& [key, history] : tables_[i]) {
      if (const Version* version = history.At(at)) image[i].emplace_hint(image[i].end(), key, version->value);
    }
  }
  return image;
}

void MemoryTables::Replace(const MemoryDatabase::Image& image) {
  ORRERY_CHECK(snapshots_.empty());
  records_.clear();
  ++newest_;
  synced_ = newest_;
  for (size_t i = 0; i < kTableCount; ++i) {
    tables_[i].clear();
    for (const auto& [key, value] : image[i]) {
      tables_[i].emplace_hint(tables_[i].end(), key, History{{newest_, value, false, false}, {}});
    }
  }
}

}  // namespace orrery::storage
