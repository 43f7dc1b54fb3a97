#include "replication/random_history.h"

#include <memory>
#include <string>

namespace orrery::replication {
namespace {

using causality::Actor;
using storage::Transaction;

constexpr uint64_t kKeys = 3;
constexpr uint64_t kElements = 4;

std::string Pick(runtime::Random* random, const char* name, uint64_t bound) {
  return name + std::to_string(random->Below(bound));
}

void Change(uint64_t what, const std::string& row_key, const std::string& payload, Transaction* transaction) {
  switch (what) {
    case 0:
      transaction->Clear(row_key);
      transaction->AddValue(row_key, payload);
      break;
    case 1:
      transaction->AddValue(row_key, payload);  // a sibling, as DPUT with an old context makes
      break;
    case 2:
      transaction->AddIncrement(row_key, [](std::string_view sum) { return std::string(sum) + "+"; });
      break;
    case 3:
      transaction->AddExpiry(row_key, payload);
      break;
    default:
      transaction->Clear(row_key);
      break;
  }
}

}  // namespace

size_t History::size() const {
  size_t size = 0;
  for (const auto& [actor, made] : events) size += made.size();
  return size;
}

TestReplica::Work RandomWork(runtime::Random* random) {
  return [random](Transaction* transaction) {
    const std::string payload = std::to_string(random->Below(1000));
    const std::string set = Pick(random, "set", kKeys);
    if (random->Below(10) == 0) {
      transaction->RemoveScope(storage::KeyPrefix(0, set));
      if (random->Below(2) == 0) transaction->AddValue(SetRow(set, "after"), payload);
      return;
    }
    for (uint64_t rows = 1 + random->Below(3); rows > 0; --rows) {
      const bool element = random->Below(2) == 0;
      const std::string row_key =
          element ? SetRow(set, Pick(random, "e", kElements)) : StringRow(Pick(random, "key", kKeys));
      Change(random->Below(6), row_key, payload, transaction);
    }
  };
}

History MakeHistory(runtime::Random* random, size_t actors, size_t events) {
  std::vector<std::unique_ptr<TestReplica>> origins;
  std::vector<Actor> names;
  for (size_t i = 0; i < actors; ++i) {
    names.push_back({NodeId{i + 1}, 1 + random->Below(3)});
    origins.push_back(std::make_unique<TestReplica>(names.back()));
  }
  History history;
  for (size_t tries = 0; history.size() < events && tries < 100 * events; ++tries) {
    const size_t who = random->Below(actors);
    if (random->Below(2) == 0) {
      if (auto event = origins[who]->Run(RandomWork(random)))
        history.events[names[who]].push_back(std::move(event));
      continue;
    }
    // Sees the next few events of somebody else.
    const auto& others = history.events[names[random->Below(actors)]];
    for (uint64_t n = random->Below(4); n > 0; --n) {
      for (const auto& event : others) {
        if (origins[who]->Take(event)) break;
      }
    }
  }
  return history;
}

}  // namespace orrery::replication
