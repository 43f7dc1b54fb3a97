// What redis-server 7.0 answered is what we answer: see transcript.h, and transcripts/ for the conversations.

#include "commands/transcript.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "commands/command_harness.h"

namespace orrery::commands {
namespace {

std::vector<std::string> TranscriptNames() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(ORRERY_TRANSCRIPTS)) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class TranscriptTest : public testing::TestWithParam<std::string> {};

TEST_P(TranscriptTest, AnswersAsRedisDoes) {
  const auto steps = ReadTranscript(std::string(ORRERY_TRANSCRIPTS) + "/" + GetParam() + ".txt");
  ASSERT_FALSE(steps.empty());
  CommandHarness harness;
  for (const TranscriptStep& step : steps) {
    if (step.kind == TranscriptStep::Kind::kAdvance) {
      harness.Advance(step.number);
    } else if (step.kind == TranscriptStep::Kind::kProtocol) {
      harness.set_resp(static_cast<uint8_t>(step.number));
    } else {
      EXPECT_EQ(step.reply, harness.Run(step.text))
          << GetParam() << ".txt:" << step.line << ": " << step.text;
    }
  }
  EXPECT_TRUE(harness.DerivedTablesAreTrue());
}

INSTANTIATE_TEST_SUITE_P(Recorded, TranscriptTest, testing::ValuesIn(TranscriptNames()),
                         [](const auto& name) { return name.param; });

}  // namespace
}  // namespace orrery::commands
