/// ThreadSanitizer reads this at start: RocksDB and the compression that it calls come from the distribution,
/// not built with the sanitizer, so the locks inside are invisible and what their own threads share looks
/// like a race.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:librocksdb.so\n"
         "mutex:librocksdb.so\n"
         "called_from_lib:librocksdb.so\n"
         // One shard's thread writes the batches of others that wait, by agreement inside RocksDB.
         "race:orrery::storage::RocksRowStore::WriteGathered\n"
         "race:DroppingMemTableTest_EachThreadSeesItsOwnSlotsWhole\n"
         "race:libzstd.so\n"
         "race:liblz4.so\n";
}
