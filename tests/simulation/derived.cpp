#include "simulation/derived.h"

#include <map>
#include <set>
#include <vector>

#include "orrery/storage/memory_row_store.h"
#include "orrery/storage/row_key.h"
#include "orrery/storage/transaction.h"
#include "orrery/types/counted_index.h"
#include "orrery/types/derived_index.h"
#include "orrery/types/key_summary.h"

namespace orrery::simulation {
namespace {

using storage::RowStore;
using storage::Table;

std::map<std::string, std::string> Entries(const RowStore& store, Table table, SlotId slot) {
  std::map<std::string, std::string> entries;
  for (auto cursor = store.Scan(table, storage::SlotPrefix(slot)); cursor->Valid(); cursor->Next()) {
    entries.emplace(cursor->key(), cursor->value());
  }
  return entries;
}

// Which time is the newest may be known inexactly, depending on what came and went; all else is a function of
// the rows.
bool Agree(const types::KeySummary& kept, const types::KeySummary& computed) {
  if (kept.has_head != computed.has_head || kept.has_string != computed.has_string) return false;
  for (size_t i = 0; i < kept.tags.size(); ++i) {
    const types::TagSummary &a = kept.tags[i], &b = computed.tags[i];
    if (a.elements != b.elements || a.rows != b.rows || a.digest != b.digest) return false;
    if (a.newest_is_exact && b.newest_is_exact && a.newest != b.newest) return false;
  }
  return true;
}

// The counted order of a key's members or elements, whatever its nodes. REQUIRES: nothing else changes the store.
std::vector<std::string> CountedOrder(const RowStore& store, SlotId slot, const std::string& key_prefix,
                                      storage::RowTag tag) {
  storage::Transaction::Context context;
  context.slot = slot;
  storage::Transaction transaction(store, context);
  std::string prefix = key_prefix;
  prefix.push_back(static_cast<char>(tag));
  types::CountedIndexReader index(&transaction, prefix);
  std::vector<std::string> order;
  index.Ascend(0, [&](std::string_view entry) {
    order.emplace_back(entry);
    return true;
  });
  return order;
}

}  // namespace

std::string DerivedDifference(const RowStore& store, SlotId slot) {
  auto all = store.Scan(Table::kRows, storage::SlotPrefix(slot));
  while (all->Valid()) all->Next();
  if (!all->status().ok()) return {};  // damaged, and not yet noticed
  storage::MemoryDatabase disk;
  const auto computed = disk.OpenShard();
  std::set<std::string> keys;
  for (const auto& [key, value] : Entries(store, Table::kRows, slot)) {
    computed->Put(Table::kRows, key, value);
    const auto parts = storage::SplitRowKey(std::string_view(key).substr(storage::kSlotPrefixBytes));
    if (parts) keys.emplace(parts->key_prefix);
  }
  if (!types::DerivedIndex().Rebuild(slot, computed.get()).ok()) return {};  // damaged, and not yet noticed
  if (Entries(store, Table::kExpiry, slot) != Entries(*computed, Table::kExpiry, slot))
    return "keeps other ends";
  const types::KeyCounts counts = types::CountKeys(slot, 0, store),
                         wanted = types::CountKeys(slot, 0, *computed);
  if (counts.keys != wanted.keys || counts.expires != wanted.expires) {
    return "counts " + std::to_string(counts.keys) + " keys, of which " + std::to_string(counts.expires) +
           " end, but has " + std::to_string(wanted.keys) + ", of which " + std::to_string(wanted.expires);
  }
  for (const std::string& key : keys) {
    const auto kept = types::ReadSummary(slot, key, store),
               wanted_summary = types::ReadSummary(slot, key, *computed);
    if (kept.ok() && wanted_summary.ok() && !Agree(*kept, *wanted_summary))
      return "keeps a wrong summary of a key";
    for (const auto tag : {storage::RowTag::kZset, storage::RowTag::kList}) {
      if (CountedOrder(store, slot, key, tag) != CountedOrder(*computed, slot, key, tag))
        return "keeps a wrong order of a sorted set or a list";
    }
  }
  return {};
}

}  // namespace orrery::simulation
