#include "commands/gather_operation.h"

#include <algorithm>

#include "commands/request_builder.h"
#include "orrery/storage/row_key.h"
#include "orrery/types/element.h"

namespace orrery::commands {
namespace {

constexpr std::string_view kMalformed = "-ERR A node sent malformed rows\r\n";

/// Commands whose home is not the slot of their first key.
struct GatherRule {
  std::string_view name;
  uint32_t home_key;  ///< 0: the first one
  bool moves;         ///< removes its other key when it succeeds
};
constexpr GatherRule kRules[] = {{"rename", 1, true}, {"renamenx", 1, true}, {"copy", 1, false}, {"smove", 1, true},
                                {"lmove", 1, true}, {"rpoplpush", 1, true}, {"blmove", 1, true}, {"brpoplpush", 1, true},
                                // with STORE, the one case of two keys
                                {"georadius", 1, false}, {"georadiusbymember", 1, false}};

GatherRule RuleOf(std::string_view name) {
  const auto it =
      std::find_if(std::begin(kRules), std::end(kRules), [&](const auto& rule) { return rule.name == name; });
  return it == std::end(kRules) ? GatherRule{name, 0, false} : *it;
}

/// Whether a command that moves has done so. Elements of lists are what it replies.
bool Moved(std::string_view reply) {
  return reply == "+OK\r\n" || reply == ":1\r\n" || (reply.starts_with('$') && reply != "$-1\r\n");
}

bool MovesEndOfList(std::string_view name) {
  return name == "lmove" || name == "rpoplpush" || name == "blmove" || name == "brpoplpush";
}
/// Which end it is.
bool MovesLast(std::string_view name, Args args) {
  return name.ends_with("rpoplpush") || EqualsIgnoringCase(args[3], "right");
}

}  // namespace

void GatherOperation::Start(const CommandSpec& spec, Args args, const std::vector<SlotPart>& parts,
                            std::string place) {
  place_ = std::move(place);
  const GatherRule rule = RuleOf(spec.name);
  std::vector<size_t> positions;
  for (CallKeyWalk walk(spec, args); walk.valid(); walk.Next()) positions.push_back(walk.position());
  moves_ = rule.moves;
  if (spec.name == "smove") moved_element_ = types::ElementBytes(storage::RowTag::kSet, args[3]);
  const auto key_at = [&](uint32_t key) { return args[positions[key]]; };
  const SlotId home = SlotOf(key_at(rule.home_key));
  home_request_ = WholeRequest(spec, session(), home, args);
  missing_ = parts.size() - 1;
  fetched_.reserve(missing_);
  for (const SlotPart& part : parts) {
    if (part.slot == home) continue;
    if (MovesEndOfList(spec.name)) {
      FetchEnd(part.slot, MovesLast(spec.name, args), args[1]);
      continue;
    }
    std::vector<std::string_view> keys;
    for (uint32_t key : part.keys) keys.push_back(key_at(key));
    Fetch(part.slot, keys);
  }
}

void GatherOperation::Fetch(SlotId slot, const std::vector<std::string_view>& keys) {
  replication::Request request = NewRequest(slot);
  BuildFetch(keys, &request);
  SubmitFetch(slot, std::move(request));
}

void GatherOperation::FetchEnd(SlotId slot, bool last, std::string_view key) {
  replication::Request request = NewRequest(slot);
  BuildFetchEnd(last, key, &request);
  request.place = place_;
  SubmitFetch(slot, std::move(request));
}

void GatherOperation::SubmitFetch(SlotId slot, replication::Request request) {
  const size_t index = fetched_.size();
  fetched_.push_back({slot, {}, {}});
  Submit(std::move(request),
         [this, index](replication::Response response) { OnFetched(index, TakeReply(std::move(response))); });
}

void GatherOperation::OnFetched(size_t index, std::string reply) {
  auto rows = ParseFetchReply(reply);
  if (rows) {
    fetched_[index].rows = std::move(*rows);
  } else {
    fetched_[index].error = IsError(reply) ? std::move(reply) : std::string(kMalformed);
  }
  if (--missing_ == 0) Run();
}

void GatherOperation::Run() {
  for (const Fetched& fetched : fetched_) {
    if (!fetched.error.empty()) return Finish(fetched.error);
    home_request_.attachments.insert(home_request_.attachments.end(), fetched.rows.begin(),
                                     fetched.rows.end());
  }
  Submit(std::move(home_request_),
         [this](replication::Response response) { OnRun(TakeReply(std::move(response))); });
}

void GatherOperation::OnRun(std::string reply) {
  if (!moves_ || !Moved(reply)) return Finish(std::move(reply));
  reply_ = std::move(reply);
  DropSource();
}

void GatherOperation::DropSource() {
  Fetched& source = fetched_.front();
  if (moved_element_) {
    std::erase_if(source.rows, [this](const auto& row) {
      const auto key = storage::ParseRowKey(row.first);
      return !key || key->tag != storage::RowTag::kSet || key->element != *moved_element_;
    });
  }
  replication::Request request = NewRequest(source.slot);
  BuildDrop(source.rows, &request);
  Submit(std::move(request), [this](replication::Response response) {
    std::string dropped = TakeReply(std::move(response));
    Finish(IsError(dropped) ? std::move(dropped) : std::move(reply_));
  });
}

}  // namespace orrery::commands
