#pragma once

#include <rocksdb/db.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/base/status.h"
#include "orrery/storage/lost_range.h"
#include "orrery/storage/rocksdb_row_store.h"

namespace orrery::storage {

/// One table file of a database, as the MANIFEST tells of it.
struct TableFile {
  uint64_t number = 0;
  std::string path;
  uint64_t bytes = 0;
  LostRange range;  ///< what would be lost with it
  bool is_known_table = true;
};

/// The files that an open database is made of.
std::vector<TableFile> ListTableFiles(rocksdb::DB* db);
/// Reads the whole file and compares checksums. kCorruption: it is damaged or missing. No instance is needed.
Status CheckTableFile(const RocksOptions& options, const TableFile& file);

/// What to do about table files that are damaged or missing: they are taken out of the database, and the
/// ranges of keys that they had are remembered, on disk, until ForgetLost. Without that the database would
/// not open, or would fail for good with the first compaction that reads them. Works on a database that is
/// not open; one at a time.
///
/// Beside the database's own files: `orrery-suspect` (somebody has seen damage), `orrery-lost` (the ranges),
/// and the folder `damaged` with the files that were taken out.
class RocksRescue {
 public:
  explicit RocksRescue(const RocksOptions& options) : options_(options) {}

  /// So that the next opening looks at the files. `why` may name them. Any thread, whether the database is
  /// open or not.
  Status Suspect(std::string_view why) const;
  bool IsSuspected() const;
  /// Takes out what is damaged and says how many files that were. `why` names files that may be, so that not
  /// all need to be read. kCorruption: nothing can be done, and why; kIoError: another process has the
  /// database open.
  Result<size_t> Run(std::string_view why);

  /// Every range that was lost and not forgotten.
  Result<std::vector<LostRange>> Lost() const;
  Status ForgetLost() const;
  /// Files in the folder `damaged`.
  size_t damaged_files() const;

 private:
  Result<std::vector<TableFile>> List() const;
  std::vector<TableFile> FindDamaged(const std::vector<TableFile>& files, std::string_view why) const;
  Result<size_t> RunLocked(std::string_view why);
  Status TakeOut(const TableFile& file);
  Status Remember(const std::vector<TableFile>& files) const;
  Status WriteFile(const std::string& name, std::string_view bytes) const;
  void Log(const std::string& line) const;
  rocksdb::Env* env() const;

  const RocksOptions options_;
};

}  // namespace orrery::storage
