#include "commands/random_key_operation.h"

#include <algorithm>
#include <numeric>

#include "commands/slot_fan_operation.h"
#include "orrery/resp/reply_scanner.h"

namespace orrery::commands {
namespace {

constexpr uint64_t kOrderMask = (uint64_t{1} << 48) - 1;
constexpr size_t kRoundMax = 256;
constexpr std::string_view kMalformed = "-ERR A node sent a malformed page of keys\r\n";

}  // namespace

void RandomKeyOperation::Start() {
  candidates_.resize(kSlotCount);
  std::iota(candidates_.begin(), candidates_.end(), SlotId{0});
  NextRound();
}

void RandomKeyOperation::Survey() {
  surveyed_ = true;
  environment().cluster.SurveyKeys(SurveyOf(session()), [self = shared_from_this(),
                                                              this](const KeySurvey& survey) {
    candidates_ = SlotsWithKeys(survey);
    NextRound();
  });
}

void RandomKeyOperation::NextRound() {
  if (!error_.empty()) return Finish(std::move(error_));
  if (!surveyed_ && tried_ >= kTriedFirst) return Survey();
  if (candidates_.empty()) {
    std::string reply;
    resp::ReplyWriter(&reply, protocol()).Null();
    return Finish(std::move(reply));
  }
  missing_ = std::min(round_size_, candidates_.size());
  tried_ += missing_;
  round_size_ = std::min(4 * round_size_, kRoundMax);
  for (size_t i = 0; i < missing_; ++i) {
    std::swap(candidates_[environment().NextRandom() % candidates_.size()], candidates_.back());
    const SlotId slot = candidates_.back();
    candidates_.pop_back();
    Ask(slot, environment().NextRandom() & kOrderMask, Lap::kFirst);
  }
}

void RandomKeyOperation::Ask(SlotId slot, uint64_t order, Lap lap) {
  replication::Request request = NewRequest(slot);
  ScanQuery query;
  query.order = order;
  query.count = 1;
  BuildScan(query, &request);
  Submit(std::move(request), [this, slot, lap](replication::Response response) {
    OnPage(slot, lap, TakeReply(std::move(response)));
  });
}

void RandomKeyOperation::OnPage(SlotId slot, Lap lap, const std::string& reply) {
  const auto page = ParseScanReply(reply);
  if (page && page->count > 0) {
    resp::ReplyScanner scanner;
    scanner.Scan(page->keys);
    return Finish(std::string(page->keys.substr(0, scanner.reply_bytes())));
  }
  // What was looked at may be hidden: go on to the slot's end, and then once around.
  if (page && page->next_order > 0) return Ask(slot, page->next_order, lap);
  if (page && lap == Lap::kFirst) return Ask(slot, 0, Lap::kSecond);
  if (!page) error_ = IsError(reply) ? reply : std::string(kMalformed);
  if (--missing_ == 0) NextRound();
}

}  // namespace orrery::commands
