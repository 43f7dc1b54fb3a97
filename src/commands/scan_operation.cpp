#include "commands/scan_operation.h"

#include <algorithm>

namespace orrery::commands {
namespace {

constexpr std::string_view kMalformed = "-ERR A node sent a malformed page of keys\r\n";

}  // namespace

void ScanOperation::Start(ScanPosition position, ScanQuery query) {
  position_ = position;
  query_ = std::move(query);
  NextRound();
}

bool ScanOperation::EnoughDone() const {
  return position_.slot >= kSlotCount || examined_ >= query_.count || visited_ >= kVisitedMax;
}

void ScanOperation::NextRound() {
  if (EnoughDone()) return FinishScan();
  if (visited_ >= kFirstRound && !survey_ && SlotsExpected() > kWorthASurvey) {
    environment().cluster.SurveyKeys(SurveyOf(session()),
                                     [self = shared_from_this(), this](const KeySurvey& survey) {
                                       survey_ = survey;
                                       NextRound();
                                     });
    return;
  }
  round_ = SlotsOfRound();
  if (round_.empty()) {
    position_ = {kSlotCount, 0};
    return FinishScan();
  }
  missing_ = round_.size();
  replies_.assign(round_.size(), {});
  for (size_t i = 0; i < round_.size(); ++i) AskSlot(i);
}

// How many slots will probably bring what is still missing, judged by those before.
size_t ScanOperation::SlotsExpected() const {
  const uint64_t left = query_.count - examined_;
  return examined_ == 0 ? kSlotCount : static_cast<size_t>((left * visited_ + examined_ - 1) / examined_);
}

/// As many slots as will probably bring what is still missing, judged by those before.
std::vector<SlotId> ScanOperation::SlotsOfRound() const {
  size_t wanted = kFirstRound;
  if (position_.order > 0) {
    wanted = 1;  // the rest of a large slot, which may well be enough
  } else if (visited_ > 0) {
    wanted = examined_ == 0 ? 2 * visited_ : SlotsExpected();
  }
  wanted = std::clamp<size_t>(wanted, 1, kRoundMax);
  std::vector<SlotId> slots;
  for (uint32_t slot = position_.slot; slot < kSlotCount && slots.size() < wanted; ++slot) {
    // Where the walk stands inside a slot, there were keys.
    const bool inside = slot == position_.slot && position_.order > 0;
    if (inside || !survey_ || survey_->may_have_keys[slot]) slots.push_back(static_cast<SlotId>(slot));
  }
  return slots;
}

void ScanOperation::AskSlot(size_t index) {
  replication::Request request = NewRequest(round_[index]);
  ScanQuery query = query_;
  query.order = round_[index] == position_.slot ? position_.order : 0;
  BuildScan(query, &request);
  Submit(std::move(request),
         [this, index](replication::Response response) { OnPage(index, TakeReply(std::move(response))); });
}

void ScanOperation::OnPage(size_t index, std::string reply) {
  replies_[index] = std::move(reply);
  if (--missing_ == 0) OnRoundDone();
}

void ScanOperation::OnRoundDone() {
  for (size_t i = 0; i < round_.size(); ++i) {
    if (!TakePage(replies_[i], round_[i])) return;
    // After a slot that has more, later ones are out of order: they will be asked again.
    if (position_.order > 0) break;
  }
  NextRound();
}

bool ScanOperation::TakePage(const std::string& reply, SlotId slot) {
  const auto page = ParseScanReply(reply);
  if (!page) {
    Finish(IsError(reply) ? reply : std::string(kMalformed));
    return false;
  }
  keys_.append(page->keys);
  key_count_ += page->count;
  examined_ += page->examined;
  ++visited_;
  position_ =
      page->next_order > 0 ? ScanPosition{slot, page->next_order} : ScanPosition{slot + uint32_t{1}, 0};
  return true;
}

void ScanOperation::FinishScan() {
  std::string reply;
  resp::ReplyWriter writer(&reply, protocol());
  writer.Array(2);
  writer.BulkString(std::to_string(CursorOf(position_)));
  writer.Array(key_count_);
  writer.Raw(keys_);
  Finish(std::move(reply));
}

}  // namespace orrery::commands
