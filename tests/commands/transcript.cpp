#include "commands/transcript.h"

#include <fstream>

#include "orrery/base/check.h"

namespace orrery::commands {
namespace {

TranscriptStep Directive(std::string_view text, size_t line) {
  constexpr std::string_view kAdvance = "! advance ", kProtocol = "! resp ";
  TranscriptStep step;
  step.line = line;
  const bool advances = text.starts_with(kAdvance);
  ORRERY_CHECK(advances || text.starts_with(kProtocol));
  step.kind = advances ? TranscriptStep::Kind::kAdvance : TranscriptStep::Kind::kProtocol;
  step.number = std::stoull(std::string(text.substr(advances ? kAdvance.size() : kProtocol.size())));
  return step;
}

}  // namespace

std::vector<TranscriptStep> ReadTranscript(const std::string& path) {
  std::ifstream file(path);
  ORRERY_CHECK(file.is_open());
  std::vector<TranscriptStep> steps;
  std::string text;
  for (size_t line = 1; std::getline(file, text); ++line) {
    if (text.empty() || text[0] == '#') continue;
    if (text[0] == '!') {
      steps.push_back(Directive(text, line));
      continue;
    }
    ORRERY_CHECK(text.starts_with("> "));
    TranscriptStep step;
    step.line = line++;
    step.text = text.substr(2);
    ORRERY_CHECK(static_cast<bool>(std::getline(file, step.reply)));
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace orrery::commands
