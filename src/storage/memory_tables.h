#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/storage/memory_row_store.h"
#include "orrery/storage/row_store.h"
#include "storage/pending_batch.h"

namespace orrery::storage {

/// Ordered maps with versions. Commits are numbered 1, 2, 3, ...; a key keeps every version that some point
/// of interest still sees: the newest commit, each snapshot, and each commit that a crash could go back to.
/// What lies between is pruned once, when the oldest point of interest passes it, so the cost of a commit
/// does not grow with the database.
class MemoryTables {
 public:
  using CommitNumber = uint64_t;

  /// What a commit made of a key.
  struct Version {
    CommitNumber commit = 0;
    std::string value;
    bool deleted = false;
    bool corrupt = false;
  };
  struct History {
    Version newest;
    std::vector<Version> older;  // oldest first; mostly empty

    /// What was seen at the commit; null if the key was not there.
    const Version* At(CommitNumber commit) const;
  };
  using Keys = std::map<std::string, History, std::less<>>;

  CommitNumber newest() const { return newest_; }
  CommitNumber synced() const { return synced_; }

  void Apply(const PendingBatch& batch);
  /// Commits up to that one can no longer be lost.
  void MarkSynced(CommitNumber commit);
  /// Undoes every commit after that one. REQUIRES: synced() <= commit, no snapshot is open.
  void GoBackTo(CommitNumber commit);

  /// The versions seen at newest() stay until CloseSnapshot.
  CommitNumber OpenSnapshot();
  void CloseSnapshot(CommitNumber commit);

  const Version* Find(Table table, std::string_view key, CommitNumber at) const;
  /// The keys of the table, those that are not there at some commit included: ask History::At.
  const Keys& keys(Table table) const { return tables_[static_cast<size_t>(table)]; }

  void Corrupt(Table table, std::string_view key);
  MemoryDatabase::Image CopyAt(CommitNumber at) const;
  void Replace(const MemoryDatabase::Image& image);

 private:
  struct Touched {
    Table table;
    Keys::iterator key;
  };
  /// What one commit changed, kept until no point of interest lies before it.
  struct CommitRecord {
    CommitNumber commit = 0;
    std::vector<Touched> touched;
  };

  void ApplyPrefixes(const PendingBatch& batch, Table table, CommitRecord* record);
  void AddVersion(Table table, Keys::iterator key, Version version, CommitRecord* record);
  void UndoNewest(const Touched& touched, CommitNumber commit);
  CommitNumber OldestOfInterest() const;
  void Prune();
  void PruneKey(const Touched& touched, CommitNumber commit);

  std::array<Keys, kTableCount> tables_;
  std::deque<CommitRecord> records_;
  std::multiset<CommitNumber> snapshots_;
  CommitNumber newest_ = 0;
  CommitNumber synced_ = 0;
};

}  // namespace orrery::storage
