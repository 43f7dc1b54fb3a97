#pragma once

#include <string>
#include <vector>

#include "commands/internal_requests.h"
#include "commands/operation.h"

namespace orrery::commands {

/// An operation that visits a list of slots, many at once but no more than a bound, so that neither the
/// routers nor the memory of this node are flooded. After an error no further slot is visited; the reply is
/// the error of the earliest slot, when those under way have come back.
class SlotFanOperation : public Operation {
 public:
  using Operation::Operation;

 protected:
  static constexpr size_t kParallelMax = 256;

  void VisitAll(std::vector<SlotId> slots);
  /// Sends the slot's request. Calls SlotDone or SlotFailed once, later.
  virtual void Visit(SlotId slot) = 0;
  void SlotDone(SlotId slot);
  void SlotFailed(SlotId slot, std::string error);
  /// No more slots than those under way are needed.
  void SkipRest() { next_ = slots_.size(); }
  /// Every slot is done and none failed; finishes the operation.
  virtual void AllDone() = 0;

 private:
  void Continue();

  std::vector<SlotId> slots_;
  size_t next_ = 0;
  size_t under_way_ = 0;
  uint32_t failed_slot_ = kSlotCount;
  std::string error_;
};

/// Walks all keys of its slots, page by page, and answers with the keys or with their number. KEYS, and what
/// counts.
class WalkOperation final : public SlotFanOperation {
 public:
  enum class Answer : uint8_t { kKeys, kCount };

  using SlotFanOperation::SlotFanOperation;

  struct Plan {
    std::vector<SlotId> slots;
    ScanQuery query;
    Answer answer = Answer::kKeys;
    uint64_t counted_before = 0;            ///< added to the count
    uint64_t keys_max = uint64_t{1} << 62;  ///< of kKeys
  };
  void Start(Plan plan);

 protected:
  void Visit(SlotId slot) override { Ask(slot, 0); }
  void AllDone() override;

 private:
  void Ask(SlotId slot, uint64_t order);
  void OnPage(SlotId slot, const std::string& reply);
  void TakeKeys(const ScanPage& page);

  Plan plan_;
  std::string keys_;
  uint64_t key_count_ = 0;
};

/// FLUSHDB and FLUSHALL.
class FlushOperation final : public SlotFanOperation {
 public:
  using SlotFanOperation::SlotFanOperation;

  void Start(bool all_databases);

 protected:
  void Visit(SlotId slot) override;
  void AllDone() override { Finish("+OK\r\n"); }

 private:
  bool all_databases_ = false;
};

/// The slots of a survey that may have keys, in order.
std::vector<SlotId> SlotsWithKeys(const KeySurvey& survey);

}  // namespace orrery::commands
