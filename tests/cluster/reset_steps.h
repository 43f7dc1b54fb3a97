#pragma once

#include <string>

#include "cluster/processes.h"

namespace orrery::cluster {

// What tests of CLUSTER RESET share.

inline const std::string kHasKeys = "-ERR CLUSTER RESET can't be called with master nodes containing keys";
inline const std::string kWasRemoved = "-CLUSTERDOWN this node was removed from the cluster";

inline const std::string kAwaitsMeeting =
    "-CLUSTERDOWN this node belongs to no cluster yet: it waits for its seeds or CLUSTER MEET";

inline std::string Id(const Processes& nodes, size_t node) {
  return nodes.ClientOf(node).Run({"CLUSTER", "MYID"});
}

/// As the node sees it; empty while it does not answer.
inline std::string KnownNodes(const Processes& nodes, size_t node) {
  return FieldOf(nodes.ClientOf(node).Run({"CLUSTER", "INFO"}), "cluster_known_nodes");
}

/// The node is another one, and alone.
inline bool IsNew(const Processes& nodes, size_t node, const std::string& old_id) {
  const std::string id = Id(nodes, node);
  return !id.starts_with("-") && id != old_id && KnownNodes(nodes, node) == "1";
}
/// And serves, without keys.
inline bool IsNewAndServes(const Processes& nodes, size_t node, const std::string& old_id) {
  return IsNew(nodes, node, old_id) && nodes.ClientOf(node).Run({"GET", "key0"}) == "(nil)" &&
         nodes.ClientOf(node).Run({"DBSIZE"}) == "0";
}
/// And waits to be met.
inline bool IsNewAndWaits(const Processes& nodes, size_t node, const std::string& old_id) {
  return IsNew(nodes, node, old_id) && nodes.ClientOf(node).Run({"SET", "key0", "lost"}) == kAwaitsMeeting &&
         nodes.ClientOf(node).Run({"CLUSTER", "SLOTS"}).empty();
}

/// It may have to leave first.
inline std::string Reset(const Processes& nodes, size_t node) {
  return nodes.ClientOf(node, 60).Run({"CLUSTER", "RESET"});
}

}  // namespace orrery::cluster
