#include "simulation/replay.h"

#include <utility>
#include <vector>

#include "orrery/replication/slot_replica.h"
#include "orrery/storage/memory_row_store.h"

namespace orrery::simulation {
namespace {

class NoObserver final : public storage::RowObserver {
 public:
  Status OnRowChange(const storage::ObservedChange&, storage::RowStore*) override { return Status::Ok(); }
};

}  // namespace

std::optional<std::string> ReplayInRandomOrder(const History::Actors& actors, SlotId slot,
                                               const Expected& expected, runtime::Random* random) {
  storage::MemoryDatabase disk;
  const auto store = disk.OpenShard();
  NoObserver observer;
  replication::SlotReplica replica(slot, store.get(), &observer);
  std::vector<std::pair<const std::vector<causality::Event>*, size_t>> streams;
  for (const auto& [actor, events] : actors) {
    if (!events.empty()) streams.emplace_back(&events, 0);
  }
  while (!streams.empty()) {
    auto& [events, next] = streams[random->Below(streams.size())];
    const causality::Event& event = (*events)[next++];
    if (!replica.Apply(event, causality::MakeEventPtr(event)).ok()) return "an event could not be applied";
    std::erase_if(streams, [](const auto& stream) { return stream.second == stream.first->size(); });
  }
  if (!replica.voided().empty()) return "cells stay voided though all events are there";
  if (replica.digest() != expected.digest) return "rows depend on the order of events";
  return std::nullopt;
}

}  // namespace orrery::simulation
