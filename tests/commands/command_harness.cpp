#include "commands/command_harness.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "orrery/base/check.h"
#include "orrery/base/numbers.h"
#include "orrery/resp/value_parser.h"
#include "resp/inline_splitter.h"

namespace orrery::commands {
namespace {

constexpr uint64_t kSeed = 1;
constexpr uint64_t kNode = 1;

std::string Quoted(std::string_view bytes) {
  std::string text = "\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (byte >= 0x20 && byte < 0x7f) {
      text += c;
    } else {
      char hex[5];
      std::snprintf(hex, sizeof hex, "\\x%02x", byte);
      text += hex;
    }
  }
  return text + '"';
}

std::string Render(const resp::Value& value);

std::string Joined(const resp::Value::List& elements, char open, char close) {
  std::string text(1, open);
  for (const resp::Value& element : elements) {
    if (text.size() > 1) text += ' ';
    text += Render(element);
  }
  return text + close;
}

std::string Render(const resp::Value& value) {
  using Type = resp::Value::Type;
  switch (value.type()) {
    case Type::kNull:
      return "(nil)";
    case Type::kNullArray:
      return "(nil array)";
    case Type::kSimpleString:
      return "+" + std::string(value.text());
    case Type::kError:
    case Type::kBlobError:
      return "-" + std::string(value.text());
    case Type::kInteger:
      return ":" + std::to_string(value.integer());
    case Type::kDouble:
      return "," + DoubleToText(value.number());
    case Type::kBool:
      return value.boolean() ? "#t" : "#f";
    case Type::kMap:
      return Joined(value.elements(), '{', '}');
    case Type::kArray:
    case Type::kSet:
    case Type::kPush:
      return Joined(value.elements(), '[', ']');
    default:
      return Quoted(value.text());
  }
}

}  // namespace

std::string RenderReply(std::string_view reply) {
  const Result<resp::Value> value = resp::ParseValue(reply);
  return value.ok() ? Render(*value) : "malformed: " + Quoted(reply);
}

CommandHarness::CommandHarness() : dispatcher_(this, this, kSeed) {}

types::TestSlot& CommandHarness::SlotAt(SlotId slot) {
  std::unique_ptr<types::TestSlot>& found = slots_[slot];
  if (found == nullptr) {
    found = std::make_unique<types::TestSlot>(kNode, slot);
    found->set_observer(&index_);
    found->set_now_ms(now_ms_);
  }
  return *found;
}

void CommandHarness::Advance(uint64_t ms) {
  now_ms_ += ms;
  for (auto& [slot, replica] : slots_) replica->set_now_ms(now_ms_);
}

std::string CommandHarness::Run(std::string_view line) {
  std::string buffer(line);
  std::vector<std::string_view> args;
  ORRERY_CHECK(resp::SplitInline(buffer, &args) && !args.empty());
  return RenderReply(RunArgs(args));
}

std::string CommandHarness::RunArgs(Args args) {
  if (EqualsIgnoringCase(args[0], "select")) return Select(args);
  std::string reply;
  size_t replies = 0;
  dispatcher_.Dispatch(session_, args, [&](std::string done) {
    reply = std::move(done);
    ++replies;
  });
  RunTasks();
  // It waits for a key that nobody else fills: until its time is over.
  while (replies == 0) {
    ORRERY_CHECK(!timers_.empty());
    Advance(timers_.next_due_ms() - std::min(timers_.next_due_ms(), now_ms_));
    timers_.TakeNext()();
    RunTasks();
  }
  parked_.clear();
  ORRERY_CHECK(replies == 1);
  return reply;
}

void CommandHarness::RunTasks() {
  while (!tasks_.empty()) {
    const std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    task();
  }
}

std::string CommandHarness::Select(Args args) {
  session_.db = static_cast<uint8_t>(ParseInteger(args[1]).value());
  return "+OK\r\n";
}

std::string CommandHarness::Execute(const replication::Request& request) {
  ++executed_;
  std::string reply;
  SlotAt(request.slot).Run([&](storage::Transaction& transaction) {
    for (const auto& [row_key, bytes] : request.attachments) {
      causality::Row row;
      ORRERY_CHECK(causality::DecodeRow(bytes, &row));
      transaction.Attach(row_key, std::move(row));
    }
    executor_.Execute(request, &transaction, &reply);
    ORRERY_CHECK(request.traits.writes || !transaction.changed());
  });
  return reply;
}

void CommandHarness::Submit(replication::Request request, replication::Callback done) {
  // As it travels between nodes.
  std::string bytes;
  Encoder out(&bytes);
  replication::EncodeRequest(request, &out);
  tasks_.push_back([this, bytes = std::move(bytes), done = std::move(done)] {
    Decoder in(bytes);
    const replication::Request received = replication::DecodeRequest(&in);
    ORRERY_CHECK(in.done());
    std::string reply = Execute(received);
    if (received.traits.parks && reply.empty()) return parked_.push_back(done);
    done({replication::Outcome::kReply, std::move(reply)});
  });
}

void CommandHarness::SurveyKeys(const SurveyQuery& query, std::function<void(const KeySurvey&)> done) {
  KeySurvey survey;
  survey.counted.set();
  for (const auto& [slot, replica] : slots_) {
    for (uint8_t each = 0; each < 16; ++each) {
      if (query.db.value_or(each) != each) continue;
      const uint64_t keys = types::CountKeys(slot, each, replica->store()).keys;
      survey.keys += keys;
      if (keys > 0) survey.may_have_keys.set(slot);
    }
  }
  Post([survey, done = std::move(done)] { done(survey); });
}

void CommandHarness::Post(std::function<void()> task) {
  tasks_.push_back(std::move(task));
}

bool CommandHarness::DerivedTablesAreTrue() {
  for (auto& [slot, replica] : slots_) {
    const std::string counts = replica->Dump(storage::Table::kCounts);
    const std::string expiry = replica->Dump(storage::Table::kExpiry);
    ORRERY_CHECK(index_.Rebuild(slot, &replica->store()).ok());
    if (counts != replica->Dump(storage::Table::kCounts)) return false;
    if (expiry != replica->Dump(storage::Table::kExpiry)) return false;
  }
  return true;
}

}  // namespace orrery::commands
