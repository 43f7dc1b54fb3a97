#include "storage/rocks_rescue.h"

#include <rocksdb/env.h>
#include <rocksdb/ldb_tool.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/ldb_cmd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <set>
#include <utility>

#include "orrery/base/codec.h"
#include "storage/rocks_instance.h"
#include "storage/rocks_options.h"
#include "storage/rocks_status.h"

namespace orrery::storage {
namespace {

constexpr std::string_view kSuspect = "/orrery-suspect";
constexpr std::string_view kLost = "/orrery-lost";
constexpr std::string_view kDamaged = "/damaged";
constexpr uint8_t kFormat = 1;

constexpr std::string_view kAdvice =
    "Restore the directory from a checkpoint, or remove it: the node then starts without data, under a new "
    "id, and the "
    "old id is to be replaced by it";

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// The numbers of table files that a text of RocksDB's names: "000012.sst", or ".ldb" where that was looked
// for too.
std::set<uint64_t> NamedFiles(std::string_view text) {
  std::set<uint64_t> numbers;
  for (size_t dot = text.find('.'); dot != std::string_view::npos; dot = text.find('.', dot + 1)) {
    const std::string_view extension = text.substr(dot + 1, 3);
    if (extension != "sst" && extension != "ldb") continue;
    uint64_t number = 0;
    uint64_t power = 1;
    for (size_t i = dot; i > 0 && IsDigit(text[i - 1]) && dot - i < 18; --i, power *= 10) {
      number += power * static_cast<uint64_t>(text[i - 1] - '0');
    }
    if (power > 1) numbers.insert(number);
  }
  return numbers;
}

void EncodeRange(const LostRange& range, Encoder* out) {
  out->PutU8(static_cast<uint8_t>(range.table));
  out->PutBytes(range.first);
  out->PutBytes(range.last);
}

}  // namespace

std::vector<TableFile> ListTableFiles(rocksdb::DB* db) {
  std::vector<rocksdb::LiveFileMetaData> metadata;
  db->GetLiveFilesMetaData(&metadata);
  std::vector<TableFile> files;
  for (const auto& live : metadata) {
    TableFile file{live.file_number, live.directory + "/" + live.relative_filename, live.size, {}, false};
    for (size_t i = 0; i < kTableCount && !file.is_known_table; ++i) {
      if (FamilyName(static_cast<Table>(i)) != live.column_family_name) continue;
      file.range = {static_cast<Table>(i), live.smallestkey, live.largestkey};
      file.is_known_table = true;
    }
    files.push_back(std::move(file));
  }
  return files;
}

Status CheckTableFile(const RocksOptions& options, const TableFile& file) {
  rocksdb::BlockBasedTableOptions block;
  block.no_block_cache = true;
  rocksdb::Options reading;
  if (options.env != nullptr) reading.env = options.env;
  reading.table_factory.reset(rocksdb::NewBlockBasedTableFactory(block));
  uint64_t bytes = 0;
  Status status = FromRead(reading.env->GetFileSize(file.path, &bytes), file.path);
  if (status.ok() && bytes != file.bytes) {
    status = Status::Corruption(file.path + " has " + std::to_string(bytes) + " bytes instead of " +
                                std::to_string(file.bytes));
  }
  if (!status.ok()) return status;
  rocksdb::SstFileReader reader(reading);
  const rocksdb::Status opened = reader.Open(file.path);
  if (!opened.ok()) return FromRead(opened, "open " + file.path);
  rocksdb::ReadOptions options_of_read;
  options_of_read.fill_cache = false;
  return FromRead(reader.VerifyChecksum(options_of_read), "verify " + file.path);
}

rocksdb::Env* RocksRescue::env() const {
  return options_.env != nullptr ? options_.env : rocksdb::Env::Default();
}

void RocksRescue::Log(const std::string& line) const {
  if (options_.log) options_.log(line);
}

// On disk under its name before this returns, whole or not at all.
Status RocksRescue::WriteFile(const std::string& name, std::string_view bytes) const {
  const std::string path = options_.path + name;
  rocksdb::Status written =
      rocksdb::WriteStringToFile(env(), rocksdb::Slice(bytes.data(), bytes.size()), path + ".new", true);
  if (written.ok()) written = env()->RenameFile(path + ".new", path);
  std::unique_ptr<rocksdb::Directory> directory;
  if (written.ok()) written = env()->NewDirectory(options_.path, &directory);
  if (written.ok()) written = directory->Fsync();
  return FromRocks(written, "write " + path);
}

Status RocksRescue::Suspect(std::string_view why) const {
  return WriteFile(std::string(kSuspect), why);
}

bool RocksRescue::IsSuspected() const {
  return env()->FileExists(options_.path + std::string(kSuspect)).ok();
}

Result<size_t> RocksRescue::Run(std::string_view why) {
  const std::string lock_path = options_.path + "/LOCK";
  rocksdb::FileLock* lock = nullptr;
  if (const rocksdb::Status locked = env()->LockFile(lock_path, &lock); !locked.ok()) {
    return Status::IoError("lock " + lock_path + ": " + locked.ToString());
  }
  auto taken_out = RunLocked(why);
  env()->UnlockFile(lock).PermitUncheckedError();
  return taken_out;
}

Result<size_t> RocksRescue::RunLocked(std::string_view why) {
  std::string suspicion(why);
  if (std::string noted;
      rocksdb::ReadFileToString(env(), options_.path + std::string(kSuspect), &noted).ok()) {
    suspicion += noted;
  }
  const auto files = List();
  if (!files.ok()) return files.status();
  const std::vector<TableFile> damaged = FindDamaged(*files, suspicion);
  for (const TableFile& file : damaged) {
    if (file.range.table == Table::kNode) {
      return Status::Corruption("The file " + file.path + " is damaged, which says who this node is. " +
                                std::string(kAdvice));
    }
  }
  if (Status s = Remember(damaged); !s.ok()) return s;
  for (const TableFile& file : damaged) {
    if (Status s = TakeOut(file); !s.ok()) return s;
  }
  env()->DeleteFile(options_.path + std::string(kSuspect)).PermitUncheckedError();
  return damaged.size();
}

// What the MANIFEST tells, whether the files are there or not.
Result<std::vector<TableFile>> RocksRescue::List() const {
  rocksdb::DBOptions db_options = MakeDbOptions(options_, nullptr);
  db_options.env = env();
  db_options.paranoid_checks = false;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status opened = rocksdb::DB::OpenForReadOnly(
      db_options, options_.path, MakeFamilies(options_, rocksdb::NewLRUCache(size_t{1} << 20)), &handles,
      &raw);
  if (!opened.ok()) {
    return Status::Corruption("The database in " + options_.path + " cannot be read at all (" +
                              opened.ToString() + "): its CURRENT or MANIFEST file is damaged. " +
                              std::string(kAdvice));
  }
  const std::unique_ptr<rocksdb::DB> db(raw);
  std::vector<TableFile> files = ListTableFiles(db.get());
  for (rocksdb::ColumnFamilyHandle* handle : handles)
    db->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  return files;
}

// Files that are named are looked at first: if one of them it was, the others need not be read.
std::vector<TableFile> RocksRescue::FindDamaged(const std::vector<TableFile>& files,
                                                std::string_view why) const {
  const std::set<uint64_t> named = NamedFiles(why);
  const auto find = [&](bool all) {
    std::vector<TableFile> damaged;
    for (const TableFile& file : files) {
      uint64_t bytes = 0;
      const bool as_it_was = env()->GetFileSize(file.path, &bytes).ok() && bytes == file.bytes;
      if (as_it_was && !all && !named.contains(file.number)) continue;
      const Status status = CheckTableFile(options_, file);
      if (status.ok() || status.code() != StatusCode::kCorruption) continue;
      Log("a table file is damaged: " + status.message());
      damaged.push_back(file);
    }
    return damaged;
  };
  std::vector<TableFile> damaged = find(false);
  return damaged.empty() ? find(true) : damaged;
}

Status RocksRescue::Remember(const std::vector<TableFile>& files) const {
  if (files.empty()) return Status::Ok();
  auto lost = Lost();
  if (!lost.ok()) return lost.status();
  for (const TableFile& file : files) {
    if (file.is_known_table && std::find(lost->begin(), lost->end(), file.range) == lost->end()) {
      lost->push_back(file.range);
    }
  }
  std::string bytes;
  Encoder out(&bytes);
  out.PutU8(kFormat);
  out.PutVarint(lost->size());
  for (const LostRange& range : *lost) EncodeRange(range, &out);
  return WriteFile(std::string(kLost), bytes);
}

// RocksDB's own tool does it: the version that the MANIFEST tells of loses the file, and nothing else
// changes. It reads files that are there, and does without those that are missing: so this one goes first.
Status RocksRescue::TakeOut(const TableFile& file) {
  const std::string db = "--db=" + options_.path;
  const std::string number = std::to_string(file.number);
  const std::string folder = options_.path + std::string(kDamaged);
  env()->CreateDirIfMissing(folder).PermitUncheckedError();
  env()
      ->RenameFile(file.path, folder + "/" + number + ".sst")
      .PermitUncheckedError();  // unless it is missing
  const std::array<const char*, 4> words = {"ldb", db.c_str(), "unsafe_remove_sst_file", number.c_str()};
  rocksdb::Options tool_options;
  tool_options.env = env();
  const int code = rocksdb::LDBCommandRunner::RunCommand(static_cast<int>(words.size()), words.data(),
                                                         tool_options, rocksdb::LDBOptions(), nullptr);
  if (code != 0) return Status::IoError("cannot take " + file.path + " out of the database");
  Log("took the damaged table file " + file.path +
      " out of the database; its keys are to be had from other nodes");
  return Status::Ok();
}

Result<std::vector<LostRange>> RocksRescue::Lost() const {
  std::vector<LostRange> lost;
  const std::string path = options_.path + std::string(kLost);
  std::string bytes;
  const rocksdb::Status read = rocksdb::ReadFileToString(env(), path, &bytes);
  if (env()->FileExists(path).IsNotFound()) return lost;
  if (!read.ok()) return FromRocks(read, "read " + path);
  Decoder in(bytes);
  const uint8_t format = in.GetU8();
  const uint64_t count = in.GetCount(3);
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    LostRange range;
    const uint8_t table = in.GetU8();
    if (table >= kTableCount) in.Fail();
    range.table = static_cast<Table>(table);
    range.first = in.GetBytes();
    range.last = in.GetBytes();
    lost.push_back(std::move(range));
  }
  if (!in.done() || format != kFormat) {
    return Status::Corruption(path + " does not decode, and tells what the database has lost. " +
                              std::string(kAdvice));
  }
  return lost;
}

Status RocksRescue::ForgetLost() const {
  const std::string path = options_.path + std::string(kLost);
  if (env()->FileExists(path).IsNotFound()) return Status::Ok();
  return FromRocks(env()->DeleteFile(path), "delete " + path);
}

size_t RocksRescue::damaged_files() const {
  std::vector<std::string> names;
  if (!env()->GetChildren(options_.path + std::string(kDamaged), &names).ok()) return 0;
  return static_cast<size_t>(std::count_if(names.begin(), names.end(),
                                           [](const std::string& name) { return name.ends_with(".sst"); }));
}

}  // namespace orrery::storage
