#pragma once

namespace orrery::simulation {

class Cluster;

/// Once all is at rest, a survey of the keys that any node makes counts exactly what the homes hold, and
/// leaves no slot in doubt but those of which somebody still keeps a hint. Fails the cluster if not.
void CheckSurveys(Cluster* cluster);

}  // namespace orrery::simulation
