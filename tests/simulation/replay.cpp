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

std::optional<std::string> ReplayInRandomOrder(const History& history, SlotId slot, const Expected& expected,
                                               runtime::Random* random) {
  storage::MemoryDatabase disk;
  const auto store = disk.OpenShard();
  NoObserver observer;
  replication::SlotReplica replica(slot, store.get(), &observer);
  struct Stream {
    const std::vector<causality::Event>* events;
    size_t next;
    size_t end;
  };
  const causality::SlotClock all = history.Everything(slot);
  const causality::VersionVector applied = history.Applied(slot, all);
  std::vector<Stream> streams;
  for (const auto& [actor, events] : history.actors(slot)) {
    if (const uint64_t end = applied.Get(actor); end > 0) streams.push_back({&events, 0, end});
  }
  while (!streams.empty()) {
    Stream& stream = streams[random->Below(streams.size())];
    const causality::Event& event = (*stream.events)[stream.next++];
    if (!replica.Apply(event, causality::MakeEventPtr(event)).ok()) return "an event could not be applied";
    std::erase_if(streams, [](const Stream& s) { return s.next == s.end; });
  }
  for (const auto& floor : all.floors()) replica.CloseLives(floor.node, floor.incarnation);
  if (!replica.voided().empty()) return "cells stay voided though all events are there";
  if (replica.digest() != expected.digest) return "rows depend on the order of events";
  return std::nullopt;
}

}  // namespace orrery::simulation
