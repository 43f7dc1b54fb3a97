#include "orrery/types/key_view.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "orrery/types/element.h"
#include "orrery/types/expiry.h"
#include "orrery/types/key_summary.h"

namespace orrery::types {

using causality::Cell;
using causality::CellKind;
using causality::HybridTime;
using causality::Row;
using storage::RowTag;

namespace {

struct TypeRow {
  KeyType type;
  RowTag tag;
  std::string_view name;
};
constexpr TypeRow kTypes[] = {
    {KeyType::kNone, RowTag::kHead, "none"}, {KeyType::kString, RowTag::kString, "string"},
    {KeyType::kHash, RowTag::kHash, "hash"}, {KeyType::kSet, RowTag::kSet, "set"},
    {KeyType::kZset, RowTag::kZset, "zset"}, {KeyType::kList, RowTag::kList, "list"},
};

// Rows that are read to estimate the size of all.
constexpr size_t kSampledRows = 100;

HybridTime NewestValueTime(const Row& row) {
  HybridTime newest = 0;
  for (const Cell& cell : row.cells) {
    if (cell.kind != CellKind::kExpiry) newest = std::max(newest, cell.hlc);
  }
  return newest;
}

}  // namespace

std::string_view TypeName(KeyType type) {
  return kTypes[static_cast<size_t>(type)].name;
}

RowTag TagOfType(KeyType type) {
  return kTypes[static_cast<size_t>(type)].tag;
}

KeyType TypeOfTag(RowTag tag) {
  const auto it =
      std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypeRow& row) { return row.tag == tag; });
  return it == std::end(kTypes) ? KeyType::kNone : it->type;
}

KeyView::KeyView(storage::Transaction* transaction, uint8_t db, std::string_view key)
    : transaction_(transaction), row_key_(storage::EncodeRowKey({db, key, RowTag::kString, {}})) {}

std::string KeyView::TagPrefix(RowTag tag) const {
  std::string prefix(key_prefix());
  prefix.push_back(static_cast<char>(tag));
  return prefix;
}

const Row& KeyView::row() const {
  if (row_ == nullptr) row_ = &transaction_->Get(row_key_);
  return *row_;
}

void KeyView::Changed() {
  row_ = nullptr;
  collections_.reset();
}

KeyType KeyView::type() const {
  if (transaction_->MayHaveCollections()) return collections().shown;
  return row().HasValue() && !IsExpired(row(), transaction_->now_ms()) ? KeyType::kString : KeyType::kNone;
}

const KeyView::Collections& KeyView::collections() const {
  if (collections_) return *collections_;
  Collections found;
  CountRows(&found);
  found.expired = found.has_rows[static_cast<size_t>(RowTag::kHead)] &&
                  IsExpired(transaction_->Get(TagPrefix(RowTag::kHead)), transaction_->now_ms());
  found.shown = Resolve(found);
  collections_ = found;
  return *collections_;
}

// What the summary says, less what scopes of this command take, and what this command itself changed.
void KeyView::CountRows(Collections* found) const {
  if (const auto bytes = transaction_->GetDerived(storage::Table::kIndex, key_prefix())) {
    auto summary = KeySummary::Decode(*bytes);
    if (!summary.ok()) return transaction_->Fail(summary.status());
    for (const RowTag tag : storage::kRowTags) {
      const auto i = static_cast<size_t>(tag);
      const bool any = tag == RowTag::kHead ? summary->has_head : summary->of(tag).rows > 0;
      if (!any || transaction_->IsRemoved(TagPrefix(tag))) continue;
      found->has_rows[i] = true;
      found->elements[i] = summary->of(tag).elements;
      found->newest[i] = summary->of(tag).newest;
      found->newest_is_exact[i] = summary->of(tag).newest_is_exact;
    }
  }
  const size_t tag_at = key_prefix().size();
  transaction_->VisitOwn(key_prefix(), [&](std::string_view own_key, bool stood, const Row& now) {
    const auto i = static_cast<size_t>(own_key[tag_at]);
    if (i >= found->elements.size() || i == static_cast<size_t>(RowTag::kString)) return;
    found->has_rows[i] = found->has_rows[i] || !now.empty();
    found->elements[i] = found->elements[i] + (now.HasValue() ? 1 : 0) - (stood ? 1 : 0);
    found->newest_is_exact[i] = false;
    found->newest[i] = std::max(found->newest[i], NewestValueTime(now));
  });
}

KeyType KeyView::Resolve(const Collections& found) const {
  std::vector<RowTag> shown;
  if (row().HasValue() && !IsExpired(row(), transaction_->now_ms())) shown.push_back(RowTag::kString);
  for (const RowTag tag : storage::kRowTags) {
    const bool is_element = tag != RowTag::kHead && tag != RowTag::kString;
    if (is_element && !found.expired && found.elements[static_cast<size_t>(tag)] > 0) shown.push_back(tag);
  }
  if (shown.empty()) return KeyType::kNone;
  if (shown.size() == 1) return TypeOfTag(shown[0]);
  return TypeOfTag(*std::max_element(shown.begin(), shown.end(), [&](RowTag a, RowTag b) {
    return std::pair(NewestOf(a, found), a) < std::pair(NewestOf(b, found), b);
  }));
}

HybridTime KeyView::NewestOf(RowTag tag, const Collections& found) const {
  if (tag == RowTag::kString) return NewestValueTime(row());
  const auto i = static_cast<size_t>(tag);
  if (found.newest_is_exact[i]) return found.newest[i];
  HybridTime newest = 0;
  transaction_->Scan(TagPrefix(tag), {}, [&](std::string_view, const Row& element) {
    newest = std::max(newest, NewestValueTime(element));
    return newest < found.newest[i];
  });
  return newest;
}

std::optional<uint64_t> KeyView::deadline() const {
  const KeyType shown = type();
  if (shown == KeyType::kNone) return std::nullopt;
  if (shown == KeyType::kString) return DeadlineOf(row());
  const bool has_head = collections().has_rows[static_cast<size_t>(RowTag::kHead)];
  return has_head ? DeadlineOf(transaction_->Get(TagPrefix(RowTag::kHead))) : std::nullopt;
}

uint64_t KeyView::Elements() const {
  const KeyType shown = type();
  if (shown == KeyType::kNone || shown == KeyType::kString) return 0;
  return collections().elements[static_cast<size_t>(TagOfType(shown))];
}

size_t KeyView::StoredBytes() const {
  const KeyType shown = type();
  if (shown == KeyType::kNone || shown == KeyType::kString) {
    return row_key_.size() + causality::EncodeRow(row()).size();
  }
  size_t rows = 0, bytes = 0;
  transaction_->Scan(TagPrefix(TagOfType(shown)), {}, [&](std::string_view element_key, const Row& element) {
    bytes += element_key.size() + causality::EncodeRow(element).size();
    return ++rows < kSampledRows;
  });
  return rows < kSampledRows ? bytes : bytes * Elements() / rows;
}

bool KeyView::HasCollectionRows() const {
  if (!transaction_->MayHaveCollections()) return false;
  const auto& has_rows = collections().has_rows;
  return std::any_of(has_rows.begin(), has_rows.end(), [](bool has) { return has; });
}

// A head shows nothing, and what it hides shows something but for it.
void KeyView::NoteIfEnded() const {
  // A value and its end are two cells.
  const bool ended = row().cells.size() > 1 && row().HasValue() && IsExpired(row(), transaction_->now_ms());
  if (ended || (transaction_->MayHaveCollections() && HasEndedElements())) transaction_->NoteEndedKey();
}

bool KeyView::HasEndedElements() const {
  const auto& elements = collections().elements;
  return collections().expired &&
         std::any_of(elements.begin(), elements.end(), [](uint64_t n) { return n > 0; });
}

void KeyView::Remove() {
  NoteIfEnded();
  if (HasCollectionRows()) {
    transaction_->RemoveScope(key_prefix());
  } else {
    transaction_->Clear(row_key_);
  }
  Changed();
}

void KeyView::RemoveCollections() {
  for (const RowTag tag : storage::kRowTags) {
    if (!collections().has_rows[static_cast<size_t>(tag)]) continue;
    if (tag == RowTag::kHead) {
      transaction_->Clear(TagPrefix(tag));
    } else {
      transaction_->RemoveScope(TagPrefix(tag));
    }
  }
  Changed();
}

void KeyView::ExpireAt(uint64_t deadline_ms) {
  const bool is_string = type() == KeyType::kString;
  SetDeadline(transaction_, is_string ? row_key_ : TagPrefix(RowTag::kHead), deadline_ms);
  Changed();
}

void KeyView::Persist() {
  const bool is_string = type() == KeyType::kString;
  RemoveDeadline(transaction_, is_string ? row_key_ : TagPrefix(RowTag::kHead));
  Changed();
}

void KeyView::PrepareWrite() {
  const bool string_ended = IsExpired(row(), transaction_->now_ms());
  const bool collections_ended = transaction_->MayHaveCollections() && collections().expired;
  if (string_ended || collections_ended) NoteIfEnded();
  if (string_ended) {
    transaction_->Clear(row_key_);
    Changed();
  }
  if (collections_ended) RemoveCollections();
}

void KeyView::Recount(RowTag tag, int64_t difference) {
  if (!collections_) return;
  uint64_t& elements = collections_->elements[static_cast<size_t>(tag)];
  elements += static_cast<uint64_t>(difference);
  if (elements == 0) return Changed();
  collections_->has_rows[static_cast<size_t>(tag)] = true;
  if (difference >= 0) collections_->shown = TypeOfTag(tag);
}

void KeyView::CopyElementsOf(const KeyView& from) {
  const RowTag tag = TagOfType(from.type());
  std::vector<std::pair<std::string, std::string>> copies;
  const std::string source = from.TagPrefix(tag);
  transaction_->Scan(source, {}, [&](std::string_view element_key, const Row& element) {
    if (element.HasValue())
      copies.emplace_back(element_key.substr(source.size()), CopiedPayload(tag, element));
    return true;
  });
  const std::string target = TagPrefix(tag);
  for (auto& [element, payload] : copies) transaction_->AddValue(target + element, std::move(payload));
  if (const auto deadline_ms = from.deadline())
    AddDeadline(transaction_, TagPrefix(RowTag::kHead), *deadline_ms);
  Changed();
}

}  // namespace orrery::types
