#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "commands/internal_requests.h"
#include "commands/operation.h"
#include "commands/slot_split.h"

namespace orrery::commands {

/// A command of Spread::kGather whose keys lie in several slots: fetches the rows of the other keys, runs at
/// the slot of its home key with those rows attached, and then, if it moves a key (RENAME), removes from the
/// source's slot exactly what was fetched (SMOVE: of its member; LMOVE fetches no more than the element). Not atomic: what others write in between to the source stays
/// there, and between the last two steps the key can be seen under both names.
class GatherOperation final : public Operation {
 public:
  using Operation::Operation;

  /// place: of a blocking command that moves, while it has not waited yet; it takes nothing that is held for others.
  void Start(const CommandSpec& spec, Args args, const std::vector<SlotPart>& parts, std::string place = {});

 private:
  void Fetch(SlotId slot, const std::vector<std::string_view>& keys);
  void FetchEnd(SlotId slot, bool last, std::string_view key);
  void SubmitFetch(SlotId slot, replication::Request request);
  void OnFetched(size_t index, std::string reply);
  void Run();
  void OnRun(std::string reply);
  void DropSource();

  /// Rows of one other slot.
  struct Fetched {
    SlotId slot = 0;
    FetchedRows rows;
    std::string error;
  };
  std::vector<Fetched> fetched_;
  size_t missing_ = 0;
  replication::Request home_request_;
  std::string place_;
  bool moves_ = false;
  /// Of a moved key, only this element moves (SMOVE).
  std::optional<std::string> moved_element_;
  std::string reply_;
};

}  // namespace orrery::commands
