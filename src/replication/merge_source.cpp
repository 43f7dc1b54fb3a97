#include "orrery/replication/merge_source.h"

#include <algorithm>
#include <string>

#include "orrery/base/marks.h"
#include "orrery/replication/merge_answer.h"
#include "orrery/storage/row_key.h"
#include "replication/merge_bytes.h"

namespace orrery::replication {

using storage::Table;

namespace {

bool HasEqualRows(const MergeRequestMessage& request, const SlotReplica& replica) {
  return request.rows == replica.row_count() && request.digest == replica.digest();
}

}  // namespace

void MergeSource::OnRequest(NodeId from, const MergeRequestMessage& request) {
  const Key key{from, request.slot};
  if (request.part == 0) {
    images_.erase(key);
    if (images_.size() + asked_.size() >= kImagesMax && !asked_.contains(key)) {
      return SendGone(from, request.slot, request.merge_id);
    }
    asked_[key] = request;
    return;
  }
  if (MustWait(key)) return late_.push_back({from, request});
  Serve(from, request);
}

void MergeSource::Serve(NodeId from, const MergeRequestMessage& request) {
  const Key key{from, request.slot};
  const auto it = images_.find(key);
  if (it == images_.end() || it->second.merge_id != request.merge_id ||
      it->second.next_part != request.part) {
    return SendGone(from, request.slot, request.merge_id);
  }
  SendPart(key, &it->second);
}

// In the order in which they asked: what waits already is served first.
bool MergeSource::MustWait(const Key& key) {
  return IsTransfer(key) && (!late_.empty() || !context_.pace.TryTake());
}

void MergeSource::Count(const Key& key, size_t bytes) {
  if (!IsTransfer(key)) return;
  context_.stats.given_bytes += bytes;
  context_.pace.Spend(bytes);
}

void MergeSource::AfterCommit() {
  if (asked_.empty() || context_.store->HasPending()) return;
  std::map<Key, MergeRequestMessage> now;
  for (auto it = asked_.begin(); it != asked_.end();) {
    const auto next = std::next(it);
    if (!IsTransfer(it->first) || context_.pace.TryTake()) now.insert(asked_.extract(it));
    it = next;
  }
  if (now.empty()) return;
  const std::shared_ptr<const storage::Snapshot> snapshot = context_.store->TakeSnapshot();
  for (const auto& [key, request] : now) Fix(key, request, snapshot);
}

void MergeSource::Fix(const Key& key, const MergeRequestMessage& request,
                      const std::shared_ptr<const storage::Snapshot>& snapshot) {
  const SlotReplica& replica = context_.slots->At(key.second);
  if (replica.is_aside() && replica.aside() == nullptr)
    return SendGone(key.first, key.second, request.merge_id);
  Image image;
  image.merge_id = request.merge_id;
  image.clock =
      ORRERY_MUTATION("snapshot-and-clock-of-different-instants") ? replica.synced() : replica.clock();
  image.voided = replica.voided();
  if (replica.is_aside()) {
    ORRERY_MARK("image of a damaged slot");
    image.clock = replica.aside()->clock;
    image.voided = replica.aside()->voided;
    image.unknown = replica.unknown_rows();
  }
  image.snapshot = snapshot;
  const auto scan = [snapshot](std::string_view prefix, std::string_view from) {
    return snapshot->Scan(Table::kRows, prefix, from);
  };
  bool compare = request.compare && !replica.is_aside();
  if (compare && !HasEqualRows(request, replica)) {
    const auto worth = IsWorthComparing(image, key.second);
    if (!worth.ok()) return DropDamaged(key, request.merge_id, worth.status());
    compare = *worth;
  }
  if (!compare) image.rows = std::make_unique<ReadableRows>(key.second, scan, replica.is_aside());
  const auto it = images_.insert_or_assign(key, std::move(image)).first;
  compare ? SendRoot(key, request, &it->second) : SendPart(key, &it->second);
}

// A little image costs less than to find out what of it is needed.
Result<bool> MergeSource::IsWorthComparing(const Image& image, SlotId slot) const {
  const auto cursor = image.snapshot->Scan(Table::kRows, storage::SlotPrefix(slot));
  size_t bytes = 0;
  for (; cursor->Valid(); cursor->Next()) {
    bytes += cursor->key().size() + cursor->value().size();
    if (bytes > context_.options.merge_whole_bytes) return true;
  }
  if (!cursor->status().ok()) return cursor->status();
  return false;
}

void MergeSource::SendRoot(const Key& key, const MergeRequestMessage& request, Image* image) {
  ORRERY_MARK("merge compares");
  const SlotReplica& replica = context_.slots->At(key.second);
  MergeTreeMessage answer;
  answer.clock = std::move(image->clock);
  answer.voided = std::move(image->voided);
  answer.image_rows = replica.row_count();
  answer.image_digest = replica.digest();
  std::vector<MergeAskMessage::Want> wants;
  if (!HasEqualRows(request, replica)) {
    const uint64_t fanout = std::max<uint64_t>(context_.options.merge_fanout, 2);
    wants.push_back({KeyRange(), std::max<uint64_t>(1, (answer.image_rows + fanout - 1) / fanout)});
  }
  SendTree(key, image, wants, &answer);
}

void MergeSource::OnAsk(NodeId from, const MergeAskMessage& ask) {
  if (!ask.wants.empty() && MustWait({from, ask.slot})) return late_.push_back({from, ask});
  Serve(from, ask);
}

void MergeSource::Serve(NodeId from, const MergeAskMessage& ask) {
  const Key key{from, ask.slot};
  const auto it = images_.find(key);
  const bool known = it != images_.end() && it->second.merge_id == ask.merge_id && !it->second.rows &&
                     it->second.next_part == ask.step;
  if (ask.wants.empty()) {
    if (known) images_.erase(it);
    return;
  }
  if (!known) return SendGone(from, ask.slot, ask.merge_id);
  MergeTreeMessage answer;
  SendTree(key, &it->second, ask.wants, &answer);
}

void MergeSource::SendTree(const Key& key, Image* image, const std::vector<MergeAskMessage::Want>& wants,
                           MergeTreeMessage* answer) {
  answer->slot = key.second;
  answer->merge_id = image->merge_id;
  answer->step = image->next_part++;
  image->used_us = context_.clock->MonotonicUs();
  const Status status =
      MergeAnswer(*image->snapshot, key.second, context_.options.merge_part_bytes, answer).Fill(wants);
  if (!status.ok()) return DropDamaged(key, image->merge_id, status);
  Count(key, DataBytes(*answer));
  context_.outbox->Send(key.first, std::move(*answer));
}

void MergeSource::DropDamaged(const Key& key, uint64_t merge_id, const Status& damage) {
  damaged_.emplace_back(key.second, damage);
  SendGone(key.first, key.second, merge_id);
  images_.erase(key);
}

void MergeSource::SendPart(const Key& key, Image* image) {
  const auto [peer, slot] = key;
  MergePartMessage part;
  part.slot = slot;
  part.merge_id = image->merge_id;
  part.part = image->next_part++;
  if (part.part == 0) {
    part.clock = std::move(image->clock);
    part.voided = std::move(image->voided);
  }
  image->used_us = context_.clock->MonotonicUs();
  const Status status = FillPart(image, &part);
  if (!status.ok()) return DropDamaged(key, part.merge_id, status);
  Count(key, DataBytes(part));
  context_.outbox->Send(peer, part);
  if (part.last) images_.erase(key);
}

Status MergeSource::FillPart(Image* image, MergePartMessage* part) const {
  ReadableRows& rows = *image->rows;
  size_t bytes = 0;
  for (; rows.Valid() && bytes < context_.options.merge_part_bytes; rows.Next()) {
    part->rows.emplace_back(rows.row_key(), rows.bytes());
    bytes += storage::kSlotPrefixBytes + part->rows.back().first.size() + part->rows.back().second.size();
  }
  if (!rows.status().ok()) return rows.status();
  part->last = !rows.Valid();
  if (!part->last) return Status::Ok();
  part->holes = rows.TakeHoles();
  part->holes.insert(part->holes.end(), image->unknown.begin(), image->unknown.end());
  return Status::Ok();
}

void MergeSource::SendGone(NodeId to, SlotId slot, uint64_t merge_id) {
  MergePartMessage gone;
  gone.slot = slot;
  gone.merge_id = merge_id;
  gone.gone = true;
  context_.outbox->Send(to, gone);
}

void MergeSource::OnPeerDown(NodeId peer) {
  std::erase_if(asked_, [&](const auto& entry) { return entry.first.first == peer; });
  std::erase_if(images_, [&](const auto& entry) { return entry.first.first == peer; });
  std::erase_if(late_, [&](const Late& late) { return late.from == peer; });
}

void MergeSource::Tick(uint64_t now_us) {
  while (!late_.empty() && context_.pace.TryTake()) {
    const Late late = std::move(late_.front());
    late_.pop_front();
    std::visit([&](const auto& message) { Serve(late.from, message); }, late.message);
  }
  std::erase_if(images_, [&](const auto& entry) { return now_us > entry.second.used_us + kIdleUs; });
}

}  // namespace orrery::replication
