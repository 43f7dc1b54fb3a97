#include "commands/internal_requests.h"

#include "orrery/resp/numbers.h"
#include "orrery/resp/reply_scanner.h"
#include "orrery/resp/reply_token.h"

namespace orrery::commands {
namespace {

using replication::Request;
using resp::ElementWalker;

/// A read that is the same whenever it is asked.
constexpr replication::Traits kReads{.reads = true, .writes = false, .blind = false, .idempotent = true};
/// A removal: it sees all that was acknowledged before it, and twice is as good as once.
constexpr replication::Traits kRemoves{.reads = true, .writes = true, .blind = false, .idempotent = true};

void AppendNumber(uint64_t number, Request* request) {
  request->args.Append(std::to_string(number));
}

/// The text of a bulk string, a status line or an integer.
std::optional<std::string_view> TextOf(std::optional<std::string_view> reply) {
  if (!reply) return std::nullopt;
  resp::ReplyTokenReader reader;
  resp::ReplyToken token;
  if (reader.Read(*reply, {}, &token) != resp::ReplyTokenReader::Outcome::kDone) return std::nullopt;
  if (token.is_aggregate || token.is_null || token.type == '-') return std::nullopt;
  return token.text;
}

std::optional<uint64_t> NumberOf(std::optional<std::string_view> reply) {
  const auto text = TextOf(reply);
  const auto number = text ? resp::ParseInteger(*text) : std::nullopt;
  if (!number || *number < 0) return std::nullopt;
  return static_cast<uint64_t>(*number);
}

}  // namespace

void BuildFetch(const std::vector<std::string_view>& keys, Request* request) {
  request->args.Append("orrery.fetch");
  for (std::string_view key : keys) request->args.Append(key);
  request->traits = kReads;
}

void BuildPick(const std::vector<std::pair<std::string, std::string>>& keys_and_fields, Request* request) {
  request->args.Append("orrery.pick");
  for (const auto& [key, field] : keys_and_fields) {
    request->args.Append(key);
    request->args.Append(field);
  }
  request->traits = kReads;
}

void BuildFetchEnd(bool last, std::string_view key, Request* request) {
  request->args.Append("orrery.fetchend");
  request->args.Append(last ? "RIGHT" : "LEFT");
  request->args.Append(key);
  request->traits = kReads;
}

std::optional<FetchedRows> ParseFetchReply(std::string_view reply) {
  ElementWalker walker(reply);
  if (!walker.is_aggregate() || walker.count() % 2 != 0) return std::nullopt;
  FetchedRows rows;
  while (const auto element = walker.Next()) {
    const auto row_key = TextOf(element);
    const auto row = TextOf(walker.Next());
    if (!row_key || !row) return std::nullopt;
    rows.emplace_back(*row_key, *row);
  }
  return rows;
}

void BuildDrop(const FetchedRows& rows, Request* request) {
  request->args.Append("orrery.drop");
  for (const auto& [row_key, row] : rows) {
    request->args.Append(row_key);
    request->args.Append(row);
  }
  request->traits = kRemoves;
}

void BuildScan(const ScanQuery& query, Request* request) {
  request->args.Append("orrery.scan");
  AppendNumber(query.order, request);
  AppendNumber(query.count, request);
  if (query.pattern != "*") {
    request->args.Append("MATCH");
    request->args.Append(query.pattern);
  }
  if (query.type) {
    request->args.Append("TYPE");
    request->args.Append(*query.type);
  }
  request->traits = kReads;
}

std::optional<ScanPage> ParseScanReply(std::string_view reply) {
  ElementWalker walker(reply);
  if (!walker.is_aggregate() || walker.count() != 3) return std::nullopt;
  const auto next_order = NumberOf(walker.Next());
  const auto examined = NumberOf(walker.Next());
  const auto keys = walker.Next();
  if (!next_order || !examined || !keys) return std::nullopt;
  ElementWalker elements(*keys);
  if (!elements.is_aggregate()) return std::nullopt;
  ScanPage page{*next_order, *examined, elements.count(), {}};
  page.keys = keys->substr(keys->find('\n') + 1);
  return page;
}

void BuildFlush(bool all_databases, Request* request) {
  request->args.Append("orrery.flush");
  if (all_databases) request->args.Append("ALL");
  request->traits = kRemoves;
}

void BuildDigest(Request* request) {
  request->args.Append("orrery.digestslot");
  request->traits = kReads;
}

void BuildReady(std::string_view type, const std::vector<std::string>& keys, Request* request) {
  request->args.Append("orrery.ready");
  request->args.Append(type);
  for (const std::string& key : keys) request->args.Append(key);
  request->traits = kReads;
  request->traits.parks = true;
}

std::optional<std::string> ParseReadyReply(std::string_view reply) {
  const auto key = TextOf(reply);
  return key ? std::optional<std::string>(*key) : std::nullopt;
}

void BuildLeave(Request* request) {
  request->args.Append("orrery.leave");
  request->traits = {.reads = false, .writes = false, .blind = false, .idempotent = true};
}

}  // namespace orrery::commands
