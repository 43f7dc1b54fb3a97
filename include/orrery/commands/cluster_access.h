#pragma once

#include <cstdint>
#include <functional>

#include "orrery/replication/survey_result.h"

namespace orrery::commands {

using replication::KeySurvey;
using replication::SurveyQuery;

/// What commands over the whole keyspace need of the node beside single-slot requests. One per loop, used on
/// its thread; implemented where the nodes' links are known, and by fakes in tests. Outlives the Dispatcher.
class ClusterAccess {
 public:
  virtual ~ClusterAccess() = default;

  /// Asks every member and every loop at once. Calls done exactly once, on this loop and never inside
  /// SurveyKeys, at the latest when the cluster's timeout has passed; nodes that were silent until then are
  /// doubt, not an error.
  virtual void SurveyKeys(const SurveyQuery& query, std::function<void(const KeySurvey&)> done) = 0;

  /// Runs the task on this loop, later.
  virtual void Post(std::function<void()> task) = 0;

  /// Runs the task once on this loop, that long from now or later. Never 0.
  virtual uint64_t StartTimer(uint64_t ms, std::function<void()> task) = 0;
  /// Forgets the task; harmless when it has run.
  virtual void StopTimer(uint64_t id) = 0;
  /// Milliseconds since the epoch, to compare with those of other nodes.
  virtual uint64_t WallMs() = 0;
};

}  // namespace orrery::commands
