#include "orrery/replication/merge_requester.h"

#include <utility>

#include "orrery/base/marks.h"
#include "orrery/storage/row_key.h"
#include "replication/merge_bytes.h"

namespace orrery::replication {

void MergeRequester::Want(SlotId slot, NodeId source, What what) {
  if (Has(slot)) return;
  waiting_.emplace(slot, Waiting{source, what});
  StartWaiting();
}

std::optional<NodeId> MergeRequester::SourceOf(SlotId slot) const {
  if (const auto it = under_way_.find(slot); it != under_way_.end()) return it->second.staging.source();
  if (const auto it = waiting_.find(slot); it != waiting_.end()) return it->second.source;
  return std::nullopt;
}

void MergeRequester::StartWaiting() {
  while (!waiting_.empty() && under_way_.size() < kUnderWayMax) {
    const auto [slot, wanted] = *waiting_.begin();
    waiting_.erase(waiting_.begin());
    if (!context_.linked.contains(wanted.source)) {
      stopped_.push_back(slot);
      continue;
    }
    UnderWay merge{MergeStaging(wanted.source, context_.random->Next64()), wanted.what, 0, nullptr};
    Request(slot, &under_way_.emplace(slot, std::move(merge)).first->second);
  }
}

void MergeRequester::Request(SlotId slot, UnderWay* merge) {
  merge->heard_us = context_.clock->MonotonicUs();
  const MergeStaging& staging = merge->staging;
  MergeRequestMessage request{slot, staging.merge_id(), staging.next_part()};
  const SlotReplica& replica = context_.slots->At(slot);
  if (request.part == 0 && merge->what == What::kDiffers && replica.row_count() > 0) {
    request.compare = true;
    request.rows = replica.row_count();
    request.digest = replica.digest();
  }
  context_.outbox->Send(staging.source(), request);
}

std::optional<MergeRequester::Fetched> MergeRequester::OnPart(NodeId from, const MergePartMessage& part) {
  const auto it = under_way_.find(part.slot);
  if (it == under_way_.end() || (it->second.tree && !part.gone)) return std::nullopt;
  Count(part.slot, DataBytes(part));
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
  Fetched fetched{from, std::move(it->second.staging.image()), {KeyRange()}};
  Cancel(part.slot);
  return fetched;
}

std::optional<MergeRequester::Fetched> MergeRequester::OnTree(NodeId from, const MergeTreeMessage& answer) {
  const auto it = under_way_.find(answer.slot);
  if (it == under_way_.end()) return std::nullopt;
  UnderWay& merge = it->second;
  const bool expected = from == merge.staging.source() && answer.merge_id == merge.staging.merge_id() &&
                        merge.what == What::kDiffers && answer.step == (merge.tree ? merge.tree->step() : 0);
  if (!expected || (answer.step == 0 && merge.tree)) return std::nullopt;
  merge.heard_us = context_.clock->MonotonicUs();
  MergeTree& tree = TreeOf(answer.slot, &merge);
  const SlotReplica& replica = context_.slots->At(answer.slot);
  Count(answer.slot, DataBytes(answer));
  switch (tree.Take(answer, {replica.row_count(), 0, replica.digest()})) {
    case MergeTree::Step::kAsk: {
      MergeAskMessage ask = tree.Ask();
      ask.merge_id = answer.merge_id;
      context_.outbox->Send(from, ask);
      return std::nullopt;
    }
    case MergeTree::Step::kMalformed:
      ++context_.stats.bad_frames;
      Stop(answer.slot);
      return std::nullopt;
    case MergeTree::Step::kDamaged:
      damaged_.emplace_back(answer.slot, tree.status());
      Stop(answer.slot);
      return std::nullopt;
    case MergeTree::Step::kComplete:
      break;
  }
  // The source need not keep its snapshot until it has been idle for long enough.
  context_.outbox->Send(from, MergeAskMessage{answer.slot, answer.merge_id, tree.step() + 1, {}});
  return Finish(answer.slot, from, &merge);
}

MergeTree& MergeRequester::TreeOf(SlotId slot, UnderWay* merge) {
  if (!merge->tree) {
    const MergeTree::Limits limits{context_.options.merge_leaf_bytes, context_.options.merge_fanout};
    merge->tree =
        std::make_unique<MergeTree>(slot, limits, [store = context_.store, slot](std::string_view from) {
          return store->Scan(storage::Table::kRows, storage::SlotPrefix(slot), from);
        });
    context_.slots->At(slot).Watch(merge->tree.get());
  }
  return *merge->tree;
}

MergeRequester::Fetched MergeRequester::Finish(SlotId slot, NodeId source, UnderWay* merge) {
  context_.stats.merge_rows_equal += merge->tree->rows_equal();
  Fetched fetched{source, std::move(merge->tree->image()), merge->tree->where()};
  Cancel(slot);
  return fetched;
}

// As they come: what a merge that stops has cost is counted, too.
void MergeRequester::Count(SlotId slot, size_t bytes) {
  context_.stats.merge_bytes += bytes;
  if (context_.transferring.Contains(slot)) context_.stats.copied_bytes += bytes;
}

void MergeRequester::OnPeerDown(NodeId peer) {
  std::vector<SlotId> lost;
  for (const auto& [slot, merge] : under_way_) {
    if (merge.staging.source() == peer) lost.push_back(slot);
  }
  for (const auto& [slot, wanted] : waiting_) {
    if (wanted.source == peer) lost.push_back(slot);
  }
  if (!lost.empty()) ORRERY_MARK("merge source went away");
  for (const SlotId slot : lost) Stop(slot);
}

void MergeRequester::OnPartOfFrame(NodeId peer) {
  for (auto& [slot, merge] : under_way_) {
    if (merge.staging.source() == peer) merge.heard_us = context_.clock->MonotonicUs();
  }
}

void MergeRequester::Tick(uint64_t now_us) {
  std::vector<SlotId> silent;
  for (const auto& [slot, merge] : under_way_) {
    if (now_us > merge.heard_us + kPatienceUs) silent.push_back(slot);
  }
  for (const SlotId slot : silent) Stop(slot);
}

void MergeRequester::Cancel(SlotId slot) {
  if (under_way_.erase(slot) > 0) context_.slots->At(slot).Watch(nullptr);
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
