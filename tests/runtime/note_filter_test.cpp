#include "runtime/note_filter.h"

#include <gtest/gtest.h>

#include <vector>

namespace orrery::runtime {
namespace {

TEST(NoteFilterTest, PassesEachLineOncePerWindowAndCountsTheRest) {
  std::vector<std::string> lines;
  NoteFilter filter([&](const std::string& line) { lines.push_back(line); });
  const uint64_t start = NoteFilter::kWindowUs * 5;
  filter.Note(start, "a");
  filter.Note(start + 1, "b");
  filter.Note(start + 2, "a");
  EXPECT_EQ(lines, (std::vector<std::string>{"a", "b"}));
  filter.Note(start + NoteFilter::kWindowUs, "a");
  EXPECT_EQ(lines, (std::vector<std::string>{"a", "b", "left out 1 more lines like those before", "a"}));
}

TEST(NoteFilterTest, PassesFewDifferentLinesPerWindow) {
  size_t lines = 0;
  NoteFilter filter([&](const std::string&) { ++lines; });
  for (int i = 0; i < 1000; ++i) filter.Note(NoteFilter::kWindowUs, std::to_string(i));
  EXPECT_EQ(lines, NoteFilter::kLinesMax);
}

}  // namespace
}  // namespace orrery::runtime
