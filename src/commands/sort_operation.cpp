#include "commands/sort_operation.h"

#include <algorithm>
#include <iterator>

#include "commands/request_builder.h"
#include "commands/sort_arguments.h"
#include "orrery/causality/row.h"
#include "orrery/storage/row_key.h"
#include "orrery/types/element.h"

namespace orrery::commands {
namespace {

constexpr std::string_view kMalformed = "-ERR A node sent malformed rows\r\n";

SortArguments Parse(const CommandSpec& spec, Args args) {
  return ParseSort(args, spec.store_option_arg != 0);
}

SlotId HomeOf(const SortArguments& sort, Args args) {
  return SlotOf(args[sort.store_arg != 0 ? sort.store_arg : 1]);
}

/// Those that name keys. BY alone decides whether anything is sorted, so what its pattern names is not asked
/// for if not.
std::vector<std::string> PatternsOf(const SortArguments& sort) {
  std::vector<std::string> patterns;
  if (sort.sorts && NamesKeys(sort.by)) patterns.emplace_back(sort.by);
  for (const std::string_view get : sort.gets) {
    if (NamesKeys(get)) patterns.emplace_back(get);
  }
  return patterns;
}

/// What is an element of some type, in a row of that key.
std::optional<std::string> ElementIn(std::string_view row_key, std::string_view bytes) {
  const auto key = storage::ParseRowKey(row_key);
  if (!key) return std::nullopt;
  if (key->tag == storage::RowTag::kSet || key->tag == storage::RowTag::kZset) {
    return std::string(types::ElementOf(key->tag, key->element));
  }
  causality::Row row;
  if (key->tag != storage::RowTag::kList || !causality::DecodeRow(bytes, &row) || !row.HasValue())
    return std::nullopt;
  std::string scratch;
  return std::string(types::ShowValue(row, &scratch));
}

}  // namespace

bool SortOperation::IsNeeded(const CommandSpec& spec, Args args) {
  const SortArguments sort = Parse(spec, args);
  if (!sort.error.empty()) return false;
  const SlotId home = SlotOf(args[1]);
  const auto patterns = PatternsOf(sort);
  return HomeOf(sort, args) != home || std::any_of(patterns.begin(), patterns.end(),
                                                   [&](const auto& p) { return SlotOfPattern(p) != home; });
}

void SortOperation::Start(const CommandSpec& spec, Args args) {
  const SortArguments sort = Parse(spec, args);
  patterns_ = PatternsOf(sort);
  home_request_ = WholeRequest(spec, session(), HomeOf(sort, args), args);
  source_slot_ = SlotOf(args[1]);
  replication::Request request = NewRequest(source_slot_);
  BuildFetch({args[1]}, &request);
  Submit(std::move(request),
         [this](replication::Response response) { OnSource(TakeReply(std::move(response))); });
}

void SortOperation::OnSource(std::string reply) {
  const auto rows = ParseFetchReply(reply);
  if (!rows) return Finish(IsError(reply) ? std::move(reply) : std::string(kMalformed));
  for (const auto& [row_key, row] : *rows) {
    if (const auto element = ElementIn(row_key, row)) AddNamedBy(*element);
  }
  if (source_slot_ != home_request_.slot) home_request_.attachments = *rows;
  std::vector<SlotId> slots;
  for (const auto& [slot, named] : named_) slots.push_back(slot);
  slots.empty() ? AllDone() : VisitAll(std::move(slots));
}

void SortOperation::AddNamedBy(std::string_view element) {
  for (const std::string& pattern : patterns_) {
    PatternKey named = KeyOfPattern(pattern, element);
    const SlotId slot = SlotOf(named.key);
    if (slot != home_request_.slot) named_[slot].emplace(std::move(named.key), named.field);
  }
}

void SortOperation::Visit(SlotId slot) {
  replication::Request request = NewRequest(slot);
  const Named& named = named_[slot];
  BuildPick({named.begin(), named.end()}, &request);
  Submit(std::move(request), [this, slot](replication::Response response) {
    std::string error = Attach(TakeReply(std::move(response)));
    error.empty() ? SlotDone(slot) : SlotFailed(slot, std::move(error));
  });
}

std::string SortOperation::Attach(const std::string& reply) {
  auto rows = ParseFetchReply(reply);
  if (!rows) return IsError(reply) ? reply : std::string(kMalformed);
  std::move(rows->begin(), rows->end(), std::back_inserter(home_request_.attachments));
  return {};
}

void SortOperation::AllDone() {
  Submit(std::move(home_request_),
         [this](replication::Response response) { Finish(TakeReply(std::move(response))); });
}

}  // namespace orrery::commands
