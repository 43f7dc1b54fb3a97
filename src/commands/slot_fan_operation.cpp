#include "commands/slot_fan_operation.h"

#include <algorithm>

#include "orrery/resp/reply_scanner.h"

namespace orrery::commands {
namespace {

constexpr std::string_view kMalformed = "-ERR A node sent a malformed page of keys\r\n";

}  // namespace

std::vector<SlotId> SlotsWithKeys(const KeySurvey& survey) {
  std::vector<SlotId> slots;
  for (uint32_t slot = 0; slot < kSlotCount; ++slot) {
    if (survey.may_have_keys[slot]) slots.push_back(static_cast<SlotId>(slot));
  }
  return slots;
}

void SlotFanOperation::VisitAll(std::vector<SlotId> slots) {
  slots_ = std::move(slots);
  Continue();
}

void SlotFanOperation::Continue() {
  while (under_way_ < kParallelMax && next_ < slots_.size()) {
    ++under_way_;
    Visit(slots_[next_++]);
  }
  if (under_way_ > 0) return;
  failed_slot_ < kSlotCount ? Finish(std::move(error_)) : AllDone();
}

void SlotFanOperation::SlotDone(SlotId) {
  --under_way_;
  Continue();
}

void SlotFanOperation::SlotFailed(SlotId slot, std::string error) {
  if (slot < failed_slot_) {
    failed_slot_ = slot;
    error_ = std::move(error);
  }
  SkipRest();
  SlotDone(slot);
}

void WalkOperation::Start(Plan plan) {
  plan_ = std::move(plan);
  key_count_ = plan_.answer == Answer::kCount ? plan_.counted_before : 0;
  VisitAll(std::move(plan_.slots));
}

void WalkOperation::Ask(SlotId slot, uint64_t order) {
  replication::Request request = NewRequest(slot);
  ScanQuery query = plan_.query;
  query.order = order;
  BuildScan(query, &request);
  Submit(std::move(request),
         [this, slot](replication::Response response) { OnPage(slot, TakeReply(std::move(response))); });
}

void WalkOperation::OnPage(SlotId slot, const std::string& reply) {
  const auto page = ParseScanReply(reply);
  if (!page) return SlotFailed(slot, IsError(reply) ? reply : std::string(kMalformed));
  TakeKeys(*page);
  const bool full = plan_.answer == Answer::kKeys && key_count_ >= plan_.keys_max;
  if (page->next_order > 0 && !full) return Ask(slot, page->next_order);
  SlotDone(slot);
}

void WalkOperation::TakeKeys(const ScanPage& page) {
  if (plan_.answer == Answer::kCount) {
    key_count_ += page.count;
    return;
  }
  const uint64_t room = plan_.keys_max - key_count_;
  if (page.count <= room) {
    keys_.append(page.keys);
    key_count_ += page.count;
    return;
  }
  std::string_view rest = page.keys;
  resp::ReplyScanner scanner;
  for (uint64_t i = 0; i < room && scanner.Scan(rest) == resp::ReplyScanner::Outcome::kComplete; ++i) {
    keys_.append(rest.substr(0, scanner.reply_bytes()));
    rest.remove_prefix(scanner.reply_bytes());
    ++key_count_;
  }
}

void WalkOperation::AllDone() {
  std::string reply;
  resp::ReplyWriter writer(&reply, protocol());
  if (plan_.answer == Answer::kCount) {
    writer.Integer(static_cast<int64_t>(key_count_));
  } else {
    writer.Array(key_count_);
    writer.Raw(keys_);
  }
  Finish(std::move(reply));
}

void FlushOperation::Start(bool all_databases) {
  all_databases_ = all_databases;
  SurveyQuery query = SurveyOf(session());
  if (all_databases) query.db.reset();
  environment().cluster.SurveyKeys(
      query, [self = shared_from_this(), this](const KeySurvey& survey) { VisitAll(SlotsWithKeys(survey)); });
}

void FlushOperation::Visit(SlotId slot) {
  replication::Request request = NewRequest(slot);
  BuildFlush(all_databases_, &request);
  Submit(std::move(request), [this, slot](replication::Response response) {
    std::string reply = TakeReply(std::move(response));
    IsError(reply) ? SlotFailed(slot, std::move(reply)) : SlotDone(slot);
  });
}

}  // namespace orrery::commands
