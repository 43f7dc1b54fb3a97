#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "orrery/base/check.h"
#include "orrery/storage/row_store.h"

namespace orrery::storage {

/// The walk of a store that cannot read: over before it begins, and says why.
class FailedCursor final : public Cursor {
 public:
  explicit FailedCursor(Status cause) : cause_(std::move(cause)) {}
  bool Valid() const override { return false; }
  void Next() override { ORRERY_CHECK(false); }
  std::string_view key() const override { return {}; }
  std::string_view value() const override { return {}; }
  Status status() const override { return cause_; }

 private:
  const Status cause_;
};

class FailedSnapshot final : public Snapshot {
 public:
  explicit FailedSnapshot(Status cause) : cause_(std::move(cause)) {}
  Result<std::optional<std::string>> Get(Table /*table*/, std::string_view /*key*/) const override {
    return cause_;
  }
  std::unique_ptr<Cursor> Scan(Table /*table*/, std::string_view /*prefix*/,
                               std::string_view /*from*/) const override {
    return std::make_unique<FailedCursor>(cause_);
  }

 private:
  const Status cause_;
};

}  // namespace orrery::storage
