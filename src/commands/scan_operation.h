#pragma once

#include <optional>
#include <string>
#include <vector>

#include "commands/internal_requests.h"
#include "commands/operation.h"
#include "commands/scan_cursor.h"

namespace orrery::commands {

/// One call of SCAN. Visits slots in order from the cursor on, several at once, until about COUNT keys have
/// been looked at. Where keys are dense the first requests bring enough; where they are not, it asks once
/// which slots have any, and visits those alone, so that an almost empty keyspace takes one call.
///
/// A key that is there from the first call to the last is shown at least once, because pages are cut by the
/// keys' order and a slot is left only when its last page has come. A key may come twice; one that comes or
/// goes meanwhile may or may not be shown.
class ScanOperation final : public Operation {
 public:
  using Operation::Operation;

  void Start(ScanPosition position, ScanQuery query);

 private:
  /// Slots that may be visited at once.
  static constexpr size_t kRoundMax = 256;
  /// Slots that one call visits at most, where nobody can say which of them are empty.
  static constexpr size_t kVisitedMax = 4096;
  /// Slots that are visited before asking which have keys.
  static constexpr size_t kFirstRound = 4;
  /// Asking which have keys costs about as much as visiting so many.
  static constexpr size_t kWorthASurvey = 1024;

  void NextRound();
  bool EnoughDone() const;
  size_t SlotsExpected() const;
  std::vector<SlotId> SlotsOfRound() const;
  void AskSlot(size_t index);
  void OnPage(size_t index, std::string reply);
  void OnRoundDone();
  /// False if the operation has ended with an error.
  bool TakePage(const std::string& reply, SlotId slot);
  void FinishScan();

  ScanPosition position_;
  ScanQuery query_;
  std::optional<KeySurvey> survey_;
  std::vector<SlotId> round_;
  std::vector<std::string> replies_;  ///< of the round
  size_t missing_ = 0;
  size_t visited_ = 0;
  uint64_t examined_ = 0;
  std::string keys_;  ///< found so far, as bulk strings
  uint64_t key_count_ = 0;
};

}  // namespace orrery::commands
