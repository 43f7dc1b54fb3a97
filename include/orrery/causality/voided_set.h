#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "orrery/causality/event.h"

namespace orrery::causality {

/// What events have removed before this replica saw it made: when the addition arrives late, it is not added. Entries
/// leave once the slot clock covers them, so without partitions the set is empty. Part of the slot's durable state.
class VoidedSet {
 public:
  bool Contains(std::string_view row_key, const CellId& id) const;
  void Add(std::string_view row_key, const CellId& id);
  void Add(ScopeRemoval scope);
  void Join(const VoidedSet& other);
  /// Forgets what the clock covers.
  void Prune(const SlotClock& clock);

  bool empty() const { return cells_.empty() && scopes_.empty(); }
  size_t size() const { return cells_.size() + scopes_.size(); }
  bool operator==(const VoidedSet&) const = default;
  const std::set<std::pair<std::string, CellId>, std::less<>>& cells() const { return cells_; }
  const std::vector<ScopeRemoval>& scopes() const { return scopes_; }

  void Encode(Encoder* out) const;
  static VoidedSet Decode(Decoder* in);

 private:
  std::set<std::pair<std::string, CellId>, std::less<>> cells_;
  std::vector<ScopeRemoval> scopes_;  // canonical order: by prefix, then encoded clock
};

void EncodeScope(const ScopeRemoval& scope, Encoder* out);
ScopeRemoval DecodeScope(Decoder* in);
void EncodeCellId(const CellId& id, Encoder* out);
CellId DecodeCellId(Decoder* in);

}  // namespace orrery::causality
