#include "orrery/replication/merge_requester.h"

#include <utility>

#include "orrery/base/marks.h"

namespace orrery::replication {

void MergeRequester::Want(SlotId slot, NodeId source) {
  if (Has(slot)) return;
  waiting_.emplace(slot, source);
  StartWaiting();
}

std::optional<NodeId> MergeRequester::SourceOf(SlotId slot) const {
  if (const auto it = under_way_.find(slot); it != under_way_.end()) return it->second.staging.source();
  if (const auto it = waiting_.find(slot); it != waiting_.end()) return it->second;
  return std::nullopt;
}

void MergeRequester::StartWaiting() {
  while (!waiting_.empty() && under_way_.size() < kUnderWayMax) {
    const auto [slot, source] = *waiting_.begin();
    waiting_.erase(waiting_.begin());
    if (!context_.linked.contains(source)) {
      stopped_.push_back(slot);
      continue;
    }
    const auto started =
        under_way_.emplace(slot, UnderWay{MergeStaging(source, context_.random->Next64()), 0, 0}).first;
    Request(slot, &started->second);
  }
}

void MergeRequester::Request(SlotId slot, UnderWay* merge) {
  merge->heard_us = context_.clock->MonotonicUs();
  const MergeStaging& staging = merge->staging;
  context_.outbox->Send(staging.source(), MergeRequestMessage{slot, staging.merge_id(), staging.next_part()});
}

std::optional<MergeRequester::Fetched> MergeRequester::OnPart(NodeId from, const MergePartMessage& part) {
  const auto it = under_way_.find(part.slot);
  if (it == under_way_.end()) return std::nullopt;
  for (const auto& [row_key, row] : part.rows) it->second.bytes += row_key.size() + row.size();
  switch (it->second.staging.Take(from, part)) {
    case MergeStaging::Step::kForeign:
      return std::nullopt;
    case MergeStaging::Step::kNextPart:
      Request(part.slot, &it->second);
      return std::nullopt;
    case MergeStaging::Step::kMalformed:
      ++context_.stats.bad_frames;
      Stop(part.slot);
      return std::nullopt;
    case MergeStaging::Step::kGone:
      ORRERY_MARK("merge source has dropped the image");
      Stop(part.slot);
      return std::nullopt;
    case MergeStaging::Step::kComplete:
      break;
  }
  Fetched fetched{from, std::move(it->second.staging.image()), it->second.bytes};
  Cancel(part.slot);
  return fetched;
}

void MergeRequester::OnPeerDown(NodeId peer) {
  std::vector<SlotId> lost;
  for (const auto& [slot, merge] : under_way_) {
    if (merge.staging.source() == peer) lost.push_back(slot);
  }
  for (const auto& [slot, source] : waiting_) {
    if (source == peer) lost.push_back(slot);
  }
  if (!lost.empty()) ORRERY_MARK("merge source went away");
  for (const SlotId slot : lost) Stop(slot);
}

void MergeRequester::Tick(uint64_t now_us) {
  std::vector<SlotId> silent;
  for (const auto& [slot, merge] : under_way_) {
    if (now_us > merge.heard_us + kPatienceUs) silent.push_back(slot);
  }
  for (const SlotId slot : silent) Stop(slot);
}

void MergeRequester::Cancel(SlotId slot) {
  under_way_.erase(slot);
  waiting_.erase(slot);
  StartWaiting();
}

void MergeRequester::Stop(SlotId slot) {
  Cancel(slot);
  stopped_.push_back(slot);
}

std::vector<SlotId> MergeRequester::TakeStopped() {
  return std::exchange(stopped_, {});
}

}  // namespace orrery::replication
