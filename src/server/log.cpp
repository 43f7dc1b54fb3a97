#include "orrery/server/log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace orrery::server {
namespace {

/// Redis's one-character levels.
class LevelMark final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    out.push_back(Mark(message.level));
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<LevelMark>(); }

 private:
  static char Mark(spdlog::level::level_enum level) {
    if (level <= spdlog::level::debug) return '.';
    if (level == spdlog::level::info) return '-';
    return level == spdlog::level::warn ? '*' : '#';
  }
};

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kVerbose:
      return spdlog::level::info;
    case LogLevel::kNotice:
      return spdlog::level::warn;
    case LogLevel::kWarning:
      break;
  }
  return spdlog::level::err;
}

std::unique_ptr<spdlog::pattern_formatter> MakeFormatter() {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<LevelMark>('*').set_pattern("%P:M %d %b %Y %H:%M:%S.%e %* %v");
  return formatter;
}

}  // namespace

struct Log::Impl {
  explicit Impl(spdlog::sink_ptr sink) : logger("orrery", std::move(sink)) {
    logger.set_formatter(MakeFormatter());
    logger.set_level(spdlog::level::trace);
    logger.flush_on(spdlog::level::debug);
    logger.set_error_handler([](const std::string&) {});
  }
  spdlog::logger logger;
};

Result<std::unique_ptr<Log>> Log::Open(const std::string& file, LogLevel level) {
  try {
    spdlog::sink_ptr sink;
    if (file.empty()) {
      sink = std::make_shared<spdlog::sinks::stdout_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file, false);
    }
    return std::unique_ptr<Log>(new Log(std::make_unique<Impl>(std::move(sink)), level));
  } catch (const spdlog::spdlog_ex& error) {
    return Status::IoError(std::string("Can't open the log file: ") + error.what());
  }
}

std::unique_ptr<Log> Log::Silent() {
  auto sink = std::make_shared<spdlog::sinks::null_sink_mt>();
  return std::unique_ptr<Log>(new Log(std::make_unique<Impl>(std::move(sink)), LogLevel::kWarning));
}

Log::Log(std::unique_ptr<Impl> impl, LogLevel level) : impl_(std::move(impl)), level_(level) {}
Log::~Log() = default;

void Log::Write(LogLevel level, std::string_view text) {
  if (Wants(level)) impl_->logger.log(ToSpdlog(level), text);
}

void Log::Flush() {
  impl_->logger.flush();
}

}  // namespace orrery::server
