#include "orrery/replication/merge_source.h"

#include <string>

#include "orrery/base/marks.h"
#include "orrery/storage/row_key.h"

namespace orrery::replication {

using storage::Table;

void MergeSource::OnRequest(NodeId from, const MergeRequestMessage& request) {
  const Key key{from, request.slot};
  if (request.part == 0) {
    images_.erase(key);
    if (images_.size() + asked_.size() >= kImagesMax && !asked_.contains(key)) {
      return SendGone(from, request.slot, request.merge_id);
    }
    asked_[key] = request.merge_id;
    return;
  }
  const auto it = images_.find(key);
  if (it == images_.end() || it->second.merge_id != request.merge_id ||
      it->second.next_part != request.part) {
    return SendGone(from, request.slot, request.merge_id);
  }
  SendPart(key, &it->second);
}

void MergeSource::AfterCommit() {
  if (asked_.empty() || context_.store->HasPending()) return;
  const std::shared_ptr<const storage::Snapshot> snapshot = context_.store->TakeSnapshot();
  for (const auto& [key, merge_id] : std::exchange(asked_, {})) Fix(key, merge_id, snapshot);
}

void MergeSource::Fix(const Key& key, uint64_t merge_id,
                      const std::shared_ptr<const storage::Snapshot>& snapshot) {
  const SlotReplica& replica = context_.slots->At(key.second);
  if (replica.is_aside() && replica.aside() == nullptr) return SendGone(key.first, key.second, merge_id);
  Image image;
  image.merge_id = merge_id;
  image.clock = ORRERY_MUTATION("snapshot-and-clock-of-different-instants") ? replica.synced() : replica.clock();
  image.voided = replica.voided();
  if (replica.is_aside()) {
    ORRERY_MARK("image of a damaged slot");
    image.clock = replica.aside()->clock;
    image.voided = replica.aside()->voided;
  }
  image.snapshot = snapshot;
  const auto scan = [snapshot, slot = key.second](std::string_view from) {
    return snapshot->Scan(Table::kRows, storage::SlotPrefix(slot), from);
  };
  image.rows = std::make_unique<ReadableRows>(key.second, scan, replica.is_aside());
  const auto it = images_.insert_or_assign(key, std::move(image)).first;
  SendPart(key, &it->second);
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
  if (!status.ok()) {
    damaged_.emplace_back(slot, status);
    SendGone(peer, slot, part.merge_id);
    images_.erase(key);
    return;
  }
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
  if (part->last) part->holes = rows.TakeHoles();
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
}

void MergeSource::Tick(uint64_t now_us) {
  std::erase_if(images_, [&](const auto& entry) { return now_us > entry.second.used_us + kIdleUs; });
}

}  // namespace orrery::replication
