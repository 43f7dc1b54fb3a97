#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/base/status.h"
#include "orrery/replication/messages.h"
#include "orrery/replication/slot_replica.h"
#include "orrery/storage/row_store.h"

namespace orrery::replication {

/// The asker's side of a merge that sends only what differs (Dynamo, section 4.7): compares its own rows with
/// a peer's image, range by range, divides ranges that differ, and fetches the rows of those that are small.
///
/// Each range is compared with our rows of that moment, and our rows go on changing. So from then on the tree
/// is told of every change (it is the replica's RowWatch): of a row in an equal range it keeps what the row
/// was before, which is what the image has there, as if it had been sent; what is erased unread is fetched
/// after all. In the end every row of the slot is either in image() or is still what the image has, and the
/// one merge rule gives what it would with the whole image (docs/catch-up.md has the proof). Owned by
/// MergeRequester; one loop.
class MergeTree final : public RowWatch {
 public:
  struct Limits {
    size_t leaf_bytes = 0;
    size_t fanout = 2;
  };
  /// Ranges asked for in one message.
  static constexpr size_t kWantsMax = 64;
  /// A cursor over our own rows of the slot, what is pending included, from that key of the table on.
  using Scan = std::function<std::unique_ptr<storage::Cursor>(std::string_view from)>;

  MergeTree(SlotId slot, Limits limits, Scan own) : slot_(slot), limits_(limits), own_(std::move(own)) {}

  enum class Step {
    kAsk,        ///< taken; send Ask()
    kComplete,   ///< image() and where() are all that is needed
    kMalformed,  ///< the peer is broken or hostile
    kDamaged,    ///< own rows cannot be read: status()
  };
  /// The next answer. `own` is what all our rows amount to now: how many, and the digest.
  Step Take(const MergeTreeMessage& answer, const RangeHash& own);
  /// What to ask for next; remembered as asked for.
  MergeAskMessage Ask();
  uint32_t step() const { return step_; }

  SlotImage& image() { return image_; }
  /// Where image() has all rows; elsewhere our rows are the image's.
  std::vector<KeyRange> where() const { return sent_.ranges(); }
  uint64_t rows_equal() const { return rows_equal_; }
  const Status& status() const { return status_; }

  void OnRowChange(std::string_view row_key, const causality::Row& before) override;
  void OnRangeErased(const KeyRange& range) override;

 private:
  using Want = MergeAskMessage::Want;
  struct Answer;

  void TakeRoot(const MergeTreeMessage& answer, const RangeHash& own);
  bool TakeWant(const Want& want, Answer* answer);
  bool TakePieces(const KeyRange& range, Answer* answer);
  bool TakeRows(const KeyRange& range, Answer* answer);
  bool Compare(const KeyRange& range, const RangeHash& theirs);
  void Divide(const KeyRange& range, const RangeHash& theirs, uint64_t own_rows);
  Status HashOwn(const KeyRange& range, uint64_t rows_max, RangeHash* hash) const;
  uint64_t PieceRows(uint64_t rows) const;
  void AskFor(KeyRange range, uint64_t piece_rows);

  const SlotId slot_;
  const Limits limits_;
  const Scan own_;
  SlotImage image_;
  KeyRangeSet equal_;                  ///< our rows are the image's
  KeyRangeSet sent_;                   ///< the image's rows are in image_
  std::map<std::string, Want> wants_;  ///< by begin; not asked for yet
  std::vector<Want> asked_;
  uint32_t step_ = 0;
  uint64_t rows_equal_ = 0;
  Status status_;
};

}  // namespace orrery::replication
