#include "storage/hash_index.h"

#include <algorithm>

#include "orrery/base/check.h"

namespace orrery::storage {
namespace {

constexpr size_t kSmallestCells = 64;

}  // namespace

void HashIndex::Insert(uint64_t hash, uint32_t id) {
  ORRERY_CHECK(id != kNone);
  if ((size_ + 1) * 4 > cells_.size() * 3) Grow();
  Place({TagOf(hash), id});
  ++size_;
}

void HashIndex::Place(Cell cell) {
  size_t i = HomeOf(cell.tag);
  while (cells_[i].id != kNone) i = Following(i);
  cells_[i] = cell;
}

void HashIndex::Grow() {
  std::vector<Cell> old(std::max(kSmallestCells, cells_.size() * 2));
  old.swap(cells_);
  for (const Cell& cell : old) {
    if (cell.id != kNone) Place(cell);
  }
}

void HashIndex::Erase(uint64_t hash, uint32_t id) {
  size_t hole = HomeOf(TagOf(hash));
  while (cells_[hole].id != id) {
    ORRERY_CHECK(cells_[hole].id != kNone);
    hole = Following(hole);
  }
  // Cells behind the hole move up unless they would pass their home, so that no search stops early (Knuth,
  // TAOCP 3, section 6.4, algorithm R).
  const size_t mask = cells_.size() - 1;
  for (size_t i = Following(hole); cells_[i].id != kNone; i = Following(i)) {
    const size_t distance_to_home = (i - HomeOf(cells_[i].tag)) & mask;
    const size_t distance_to_hole = (i - hole) & mask;
    if (distance_to_home < distance_to_hole) continue;
    cells_[hole] = cells_[i];
    hole = i;
  }
  cells_[hole] = Cell{};
  --size_;
}

void HashIndex::Clear() {
  // Wiping costs as much as the table is large: after one huge use, many small ones must not pay for it.
  if (cells_.size() > kSmallestCells && cells_.size() > 16 * size_) {
    cells_ = std::vector<Cell>(std::max(kSmallestCells, cells_.size() / 4));
  } else {
    std::fill(cells_.begin(), cells_.end(), Cell{});
  }
  size_ = 0;
}

}  // namespace orrery::storage
