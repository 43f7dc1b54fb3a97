#include "storage/rocks_logger.h"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <utility>

namespace orrery::storage {
namespace {

// A flush finds fewer entries in a memtable than were written to it, as it should (slot_memtable.h).
bool IsOfDroppedVersions(std::string_view text) {
  return text.find(" entries in memtables, but read ") != std::string_view::npos;
}

class RocksLogger final : public rocksdb::Logger {
 public:
  explicit RocksLogger(std::function<void(std::string_view)> log)
      : Logger(rocksdb::InfoLogLevel::WARN_LEVEL), log_(std::move(log)) {}

  // The base class sends every level that is wanted here.
  using Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    if (log_ == nullptr) return;
    std::array<char, 1024> line;
    const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
    if (length <= 0) return;
    const std::string_view text(line.data(), std::min(static_cast<size_t>(length), line.size() - 1));
    if (!IsOfDroppedVersions(text)) log_(text);
  }

 private:
  const std::function<void(std::string_view)> log_;
};

}  // namespace

std::shared_ptr<rocksdb::Logger> MakeRocksLogger(std::function<void(std::string_view)> log) {
  return std::make_shared<RocksLogger>(std::move(log));
}

}  // namespace orrery::storage
