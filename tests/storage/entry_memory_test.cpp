#include "storage/entry_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>

namespace orrery::storage {
namespace {

TEST(EntryMemoryTest, GivesMemoryOfTheSizeThatIsAskedFor) {
  for (size_t bytes = 1; bytes < 100'000; bytes += 1 + bytes / 50) {
    const size_t rounded = EntryMemory::RoundUp(bytes);
    ASSERT_GE(rounded, bytes);
    ASSERT_LE(rounded, std::max<size_t>(64, bytes + bytes / 8 + 1));
    ASSERT_EQ(EntryMemory::RoundUp(rounded), rounded);
    ASSERT_EQ(rounded % alignof(void*), 0u);
  }
  EntryMemory memory;
  EXPECT_TRUE(memory.empty());
  std::map<size_t, std::unique_ptr<char[]>> given;
  for (size_t bytes = 1; bytes <= size_t{1} << 20; bytes = EntryMemory::RoundUp(bytes) + 1) {
    const size_t rounded = EntryMemory::RoundUp(bytes);
    EXPECT_EQ(memory.Take(rounded), nullptr);
    given[rounded] = std::make_unique<char[]>(rounded);
    memory.Give(given[rounded].get(), rounded);
  }
  EXPECT_FALSE(memory.empty());
  for (const auto& [bytes, place] : given) {
    EXPECT_EQ(memory.Take(bytes), place.get()) << bytes;
    EXPECT_EQ(memory.Take(bytes), nullptr);
  }
  // Too large to be worth keeping.
  const size_t large = (size_t{1} << 20) + 1;
  EXPECT_EQ(EntryMemory::RoundUp(large), large);
  const auto place = std::make_unique<char[]>(large);
  memory.Give(place.get(), large);
  EXPECT_EQ(memory.Take(large), nullptr);
}

}  // namespace
}  // namespace orrery::storage
