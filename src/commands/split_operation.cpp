#include "commands/split_operation.h"

#include <algorithm>
#include <optional>

#include "commands/request_builder.h"
#include "orrery/base/check.h"
#include "orrery/resp/numbers.h"
#include "orrery/resp/reply_scanner.h"

namespace orrery::commands {
namespace {

constexpr std::string_view kMalformed = "-ERR A node sent a malformed reply\r\n";

/// The first error in the order of the parts, and so of their first keys.
const std::string* FirstError(const std::vector<std::string>& replies) {
  const auto it =
      std::find_if(replies.begin(), replies.end(), [](const std::string& r) { return IsError(r); });
  return it == replies.end() ? nullptr : &*it;
}

}  // namespace

std::optional<int64_t> IntegerOfReply(std::string_view reply) {
  if (!reply.starts_with(':') || !reply.ends_with("\r\n")) return std::nullopt;
  return resp::ParseInteger(reply.substr(1, reply.size() - 3));
}

void SplitOperation::Start(const CommandSpec& spec, Args args, std::vector<SlotPart> parts) {
  spread_ = spec.spread;
  parts_ = std::move(parts);
  replies_.resize(parts_.size());
  missing_ = parts_.size();
  key_count_ = KeyWalk(spec.keys, args.size()).count();
  for (size_t i = 0; i < parts_.size(); ++i) {
    replication::Request request = NewRequest(parts_[i].slot);
    request.args = PartArguments(spec.keys, args, parts_[i]);
    request.traits = TraitsOfRequest(spec, request);
    Submit(std::move(request),
           [this, i](replication::Response response) { OnReply(i, TakeReply(std::move(response))); });
  }
}

void SplitOperation::OnReply(size_t part, std::string reply) {
  replies_[part] = std::move(reply);
  if (--missing_ == 0) Finish(Join());
}

std::string SplitOperation::Join() const {
  if (const std::string* error = FirstError(replies_)) return *error;
  switch (spread_) {
    case Spread::kSum:
      return JoinSum();
    case Spread::kEach:
      return JoinElements();
    default:
      return replies_.front();
  }
}

std::string SplitOperation::JoinSum() const {
  int64_t sum = 0;
  for (const std::string& reply : replies_) {
    const auto number = IntegerOfReply(reply);
    if (!number) return std::string(kMalformed);
    sum += *number;
  }
  std::string joined;
  resp::ReplyWriter(&joined).Integer(sum);
  return joined;
}

std::string SplitOperation::JoinElements() const {
  std::vector<std::string_view> elements(key_count_);
  size_t bytes = 0;
  for (size_t i = 0; i < parts_.size(); ++i) {
    resp::ElementWalker walker(replies_[i]);
    if (!walker.is_aggregate() || walker.count() != parts_[i].keys.size()) return std::string(kMalformed);
    for (uint32_t key : parts_[i].keys) {
      const auto element = walker.Next();
      if (!element) return std::string(kMalformed);
      elements[key] = *element;
    }
    bytes += replies_[i].size();
  }
  std::string joined;
  joined.reserve(bytes);
  resp::ReplyWriter writer(&joined);
  writer.Array(elements.size());
  for (std::string_view element : elements) writer.Raw(element);
  return joined;
}

void SetIfNoneExistsOperation::Start(const KeyRange& range, Args args, const std::vector<SlotPart>& parts) {
  const CommandSpec* exists = CommandTable::Get().Find("exists");
  const CommandSpec* mset = CommandTable::Get().Find("mset");
  ORRERY_CHECK(exists != nullptr && mset != nullptr);
  errors_.resize(parts.size());
  missing_ = parts.size();
  const size_t step = static_cast<size_t>(range.step);
  for (size_t i = 0; i < parts.size(); ++i) {
    replication::Request question = NewRequest(parts[i].slot);
    replication::Request write = NewRequest(parts[i].slot);
    question.args.Append("EXISTS");
    write.args.Append("MSET");
    for (uint32_t key : parts[i].keys) {
      const size_t position = static_cast<size_t>(range.first) + key * step;
      question.args.Append(args[position]);
      for (size_t j = 0; j < step; ++j) write.args.Append(args[position + j]);
    }
    question.traits = TraitsOfRequest(*exists, question);
    write.traits = TraitsOfRequest(*mset, write);
    writes_.push_back(std::move(write));
    Submit(std::move(question),
           [this, i](replication::Response response) { OnExists(i, TakeReply(std::move(response))); });
  }
}

void SetIfNoneExistsOperation::OnExists(size_t part, const std::string& reply) {
  const auto count = IntegerOfReply(reply);
  if (!count) errors_[part] = IsError(reply) ? reply : std::string(kMalformed);
  existing_ += count.value_or(0);
  if (--missing_ == 0) OnAllAnswered();
}

void SetIfNoneExistsOperation::OnAllAnswered() {
  for (const std::string& error : errors_) {
    if (!error.empty()) return Finish(error);
  }
  if (existing_ > 0) return Finish(":0\r\n");
  Write();
}

void SetIfNoneExistsOperation::Write() {
  missing_ = writes_.size();
  for (size_t i = 0; i < writes_.size(); ++i) {
    Submit(std::move(writes_[i]),
           [this, i](replication::Response response) { OnWritten(i, TakeReply(std::move(response))); });
  }
}

void SetIfNoneExistsOperation::OnWritten(size_t part, std::string reply) {
  errors_[part] = std::move(reply);
  if (--missing_ > 0) return;
  const std::string* error = FirstError(errors_);
  Finish(error != nullptr ? *error : std::string(":1\r\n"));
}

}  // namespace orrery::commands
