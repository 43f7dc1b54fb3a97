#pragma once

#include <string>
#include <utility>
#include <variant>

#include "orrery/base/check.h"

namespace orrery {

/// What a caller would do differently; a code that nobody reacts to does not exist.
enum class StatusCode {
  kOk,
  kInvalid,      ///< malformed input: bytes, text, configuration
  kCorruption,   ///< stored bytes are not what was written: the replica leaves service and merges anew
  kIoError,      ///< the disk or the network failed: stop acknowledging
  kFull,         ///< a bounded store is full: refuse, keep what is there
  kUnavailable,  ///< not now: too few nodes, not in service
  kTimeout,      ///< the outcome is unknown
  kRefused,      ///< a peer or client may not do this
};

/// Success or an error with a text for logs. Value type, any thread.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  static Status Ok() { return Status(); }
  static Status Invalid(std::string m) { return {StatusCode::kInvalid, std::move(m)}; }
  static Status Corruption(std::string m) { return {StatusCode::kCorruption, std::move(m)}; }
  static Status IoError(std::string m) { return {StatusCode::kIoError, std::move(m)}; }
  static Status Full(std::string m) { return {StatusCode::kFull, std::move(m)}; }
  static Status Unavailable(std::string m) { return {StatusCode::kUnavailable, std::move(m)}; }
  static Status Timeout(std::string m) { return {StatusCode::kTimeout, std::move(m)}; }
  static Status Refused(std::string m) { return {StatusCode::kRefused, std::move(m)}; }

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

/// A value or the Status that explains its absence. "Not found" is a value (optional), not a Status.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Status status) : state_(std::move(status)) {  // NOLINT(google-explicit-constructor)
    ORRERY_CHECK(!std::get<Status>(state_).ok());
  }

  bool ok() const { return std::holds_alternative<T>(state_); }
  Status status() const { return ok() ? Status::Ok() : std::get<Status>(state_); }
  /// REQUIRES: ok().
  T& value() { return Checked(), std::get<T>(state_); }
  const T& value() const { return Checked(), std::get<T>(state_); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  void Checked() const { ORRERY_CHECK(ok()); }
  std::variant<T, Status> state_;
};

}  // namespace orrery
