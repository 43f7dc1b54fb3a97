#include "orrery/types/counted_index.h"

#include <algorithm>
#include <utility>

#include "orrery/base/check.h"
#include "types/index_node.h"

namespace orrery::types {

using storage::Table;

namespace {

// A node with less than that is merged with its neighbour, if both together leave room to grow.
constexpr size_t kMergeBelow = kIndexNodeEntriesMax / 4;
constexpr size_t kMergedMax = kIndexNodeEntriesMax * 3 / 4;
// No tree of nodes this wide is higher, unless its bytes are damaged.
constexpr uint8_t kLevelsMax = 40;

// A node's place behind the index's prefix.
std::string NameOf(uint8_t level, std::string_view separator) {
  std::string name(1, static_cast<char>(level));
  name.append(separator);
  return name;
}

Status Damaged() {
  return Status::Corruption("node of a counted index does not decode");
}

}  // namespace

RankRange RangeOfRanks(int64_t first, int64_t last, uint64_t count) {
  const auto size = static_cast<int64_t>(count);
  if (first < 0) first = std::max<int64_t>(first + size, 0);
  if (last < 0) last += size;
  last = std::min(last, size - 1);
  if (first > last) return {};
  return {static_cast<uint64_t>(first), static_cast<uint64_t>(last) + 1};
}

// A node on the way from the root to a leaf, and which of its entries the way goes through.
struct CountedIndexWriter::Step {
  std::string name;  // empty: the root
  IndexNode node;
  size_t child = 0;
};

Result<std::optional<std::string>> CountedIndexWriter::Read(std::string_view name) const {
  return store_.Get(Table::kIndex, prefix_ + std::string(name));
}

void CountedIndexWriter::Write(const Step& step) {
  const std::string key = prefix_ + step.name;
  step.node.size() == 0 ? store_.Delete(Table::kIndex, key)
                        : store_.Put(Table::kIndex, key, step.node.bytes());
}

Status CountedIndexWriter::Descend(std::string_view key, Path* path) {
  std::string name;
  while (true) {
    auto bytes = Read(name);
    if (!bytes.ok()) return bytes.status();
    if (path->empty() && !*bytes) {
      path->push_back({name, IndexNode(0), 0});
      return Status::Ok();
    }
    auto node = *bytes ? IndexNode::Parse(std::move(**bytes)) : std::nullopt;
    if (!node || node->level() > kLevelsMax) return Damaged();
    if (!path->empty() && node->level() + 1 != path->back().node.level()) return Damaged();
    const bool is_leaf = node->is_leaf();
    const size_t child = is_leaf ? node->LowerBound(key) : node->ChildFor(key);
    if (!is_leaf && child >= node->size()) return Damaged();
    path->push_back({std::move(name), std::move(*node), child});
    if (is_leaf) return Status::Ok();
    const IndexNode& parent = path->back().node;
    name = NameOf(static_cast<uint8_t>(parent.level() - 1), parent.key(child));
  }
}

Status CountedIndexWriter::Insert(std::string_view key) {
  Path path;
  if (Status s = Descend(key, &path); !s.ok()) return s;
  Step& leaf = path.back();
  if (leaf.child < leaf.node.size() && leaf.node.key(leaf.child) == key) return Status::Ok();
  leaf.node.InsertAt(leaf.child, key);
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    path[i].node.SetCount(path[i].child, path[i].node.count(path[i].child) + 1);
  }
  SplitUp(&path);
  for (const Step& step : path) Write(step);
  return Status::Ok();
}

// From the leaf up: a node that is too large gives its upper half to a new one behind it.
void CountedIndexWriter::SplitUp(Path* path) {
  for (size_t i = path->size(); i-- > 0 && (*path)[i].node.IsTooLarge();) {
    Step& full = (*path)[i];
    const uint8_t level = full.node.level();
    IndexNode right = full.node.SplitAt(full.node.size() / 2);
    const std::string separator(right.key(0));
    const uint64_t right_count = right.Total();
    Write({NameOf(level, separator), std::move(right), 0});
    if (i > 0) {
      Step& parent = (*path)[i - 1];
      parent.node.SetCount(parent.child, full.node.Total());
      parent.node.InsertAt(parent.child + 1, separator, right_count);
      continue;
    }
    // The root stays where it is and gets a level more.
    IndexNode root(static_cast<uint8_t>(level + 1));
    root.InsertAt(0, "", full.node.Total());
    root.InsertAt(1, separator, right_count);
    Write({NameOf(level, ""), std::exchange(full.node, std::move(root)), 0});
  }
}

Status CountedIndexWriter::Erase(std::string_view key) {
  Path path;
  if (Status s = Descend(key, &path); !s.ok()) return s;
  Step& leaf = path.back();
  if (leaf.child >= leaf.node.size() || leaf.node.key(leaf.child) != key) return Status::Ok();
  leaf.node.EraseAt(leaf.child);
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    const uint64_t count = path[i].node.count(path[i].child);
    if (count == 0) return Damaged();
    path[i].node.SetCount(path[i].child, count - 1);
  }
  return MergeUp(&path);
}

// From the leaf up: a node that has become small is joined with the one beside it below the same parent.
Status CountedIndexWriter::MergeUp(Path* path) {
  size_t changed = path->size();  // steps before that are still to be written
  while (changed > 1) {
    Step& child = (*path)[changed - 1];
    if (child.node.size() >= kMergeBelow) break;
    const auto merged = MergeWithSibling(&(*path)[changed - 2], &child);
    if (!merged.ok()) return merged.status();
    if (!*merged) break;
    --changed;
  }
  for (size_t i = 0; i < changed; ++i) Write((*path)[i]);
  return ShrinkRoot(&path->front());
}

// Whether it was merged; then both nodes below the parent are written.
Result<bool> CountedIndexWriter::MergeWithSibling(Step* parent, Step* child) {
  IndexNode& above = parent->node;
  if (above.size() < 2) return false;
  const size_t left_at = parent->child > 0 ? parent->child - 1 : 0;
  const bool child_is_left = left_at == parent->child;
  const size_t sibling_at = child_is_left ? left_at + 1 : left_at;
  // Of a leaf the parent knows the size; it need not be read in vain.
  const bool is_leaf = child->node.is_leaf();
  const uint64_t below = above.count(sibling_at);
  if (is_leaf && child->node.size() > 0 && child->node.size() + below > kMergedMax) return false;

  Step sibling{NameOf(child->node.level(), above.key(sibling_at)), IndexNode(0), 0};
  auto bytes = Read(sibling.name);
  if (!bytes.ok()) return bytes.status();
  // An empty leaf is not stored.
  auto node = *bytes ? IndexNode::Parse(std::move(**bytes)) : IndexNode(child->node.level());
  if (!node || node->level() != child->node.level()) return Damaged();
  sibling.node = std::move(*node);
  if (child->node.size() > 0 && child->node.size() + sibling.node.size() > kMergedMax) return false;

  Step& left = child_is_left ? *child : sibling;
  Step& right = child_is_left ? sibling : *child;
  // Above the leaves the first entry of a node stands for all that is less, whatever its separator was.
  left.node.Append(right.node);
  right.node = IndexNode(right.node.level());
  Write(left);
  Write(right);
  above.SetCount(left_at, left.node.Total());
  above.EraseAt(left_at + 1);
  return true;
}

// A root with one entry is no better than the node below.
Status CountedIndexWriter::ShrinkRoot(Step* root) {
  while (!root->node.is_leaf() && root->node.size() == 1) {
    const std::string name = NameOf(static_cast<uint8_t>(root->node.level() - 1), root->node.key(0));
    auto bytes = Read(name);
    if (!bytes.ok()) return bytes.status();
    auto node = *bytes ? IndexNode::Parse(std::move(**bytes)) : IndexNode(0);
    if (!node) return Damaged();
    store_.Delete(Table::kIndex, prefix_ + name);
    root->node = std::move(*node);
    Write(*root);
  }
  return Status::Ok();
}

std::optional<std::string> CountedIndexReader::Read(std::string_view name) {
  return transaction_.GetDerived(Table::kIndex, prefix_ + std::string(name));
}

uint64_t CountedIndexReader::Count() {
  const auto bytes = Read("");
  const auto root = bytes ? IndexNode::Parse(*bytes) : std::nullopt;
  if (bytes && !root) transaction_.Fail(Damaged());
  return root ? root->Total() : 0;
}

uint64_t CountedIndexReader::CountBefore(std::string_view key) {
  uint64_t before = 0;
  std::string name;
  for (uint8_t depth = 0; depth <= kLevelsMax; ++depth) {
    const auto bytes = Read(name);
    if (!bytes) return before;
    const auto node = IndexNode::Parse(*bytes);
    if (!node) break;
    const size_t end = node->is_leaf() ? node->LowerBound(key) : node->ChildFor(key);
    for (size_t i = 0; i < end; ++i) before += node->count(i);
    if (node->is_leaf()) return before;
    if (end >= node->size()) break;
    name = NameOf(static_cast<uint8_t>(node->level() - 1), node->key(end));
  }
  transaction_.Fail(Damaged());
  return 0;
}

// The leaf that has the rank, and the rank of its first key.
struct CountedIndexReader::Leaf {
  std::optional<IndexNode> node;
  uint64_t first_rank = 0;
};

bool CountedIndexReader::ReadLeaf(uint64_t rank, Leaf* leaf) {
  leaf->first_rank = 0;
  std::string name;
  for (uint8_t depth = 0; depth <= kLevelsMax; ++depth) {
    const auto bytes = Read(name);
    if (!bytes) return false;
    auto node = IndexNode::Parse(*bytes);
    if (!node) break;
    if (node->is_leaf()) {
      if (rank - leaf->first_rank >= node->size()) return false;
      leaf->node = std::move(node);
      return true;
    }
    size_t child = 0;
    while (child < node->size() && leaf->first_rank + node->count(child) <= rank) {
      leaf->first_rank += node->count(child++);
    }
    if (child == node->size()) return false;
    name = NameOf(static_cast<uint8_t>(node->level() - 1), node->key(child));
  }
  transaction_.Fail(Damaged());
  return false;
}

std::optional<std::string> CountedIndexReader::At(uint64_t rank) {
  Leaf leaf;
  if (!ReadLeaf(rank, &leaf)) return std::nullopt;
  return std::string(leaf.node->key(rank - leaf.first_rank));
}

void CountedIndexReader::Ascend(uint64_t from_rank, const Visitor& visit) {
  Leaf leaf;
  while (ReadLeaf(from_rank, &leaf)) {
    for (; from_rank < leaf.first_rank + leaf.node->size(); ++from_rank) {
      if (!visit(leaf.node->key(from_rank - leaf.first_rank))) return;
    }
  }
}

void CountedIndexReader::Descend(uint64_t from_rank, const Visitor& visit) {
  Leaf leaf;
  while (ReadLeaf(from_rank, &leaf)) {
    for (uint64_t rank = from_rank + 1; rank-- > leaf.first_rank;) {
      if (!visit(leaf.node->key(rank - leaf.first_rank))) return;
    }
    if (leaf.first_rank == 0) return;
    from_rank = leaf.first_rank - 1;
  }
}

}  // namespace orrery::types
