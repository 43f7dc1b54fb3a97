#pragma once

#include <string>

#include "cluster/processes.h"

namespace orrery::cluster {

// What tests of CLUSTER RESET share.

inline const std::string kHasKeys = "-ERR CLUSTER RESET can't be called with master nodes containing keys";
inline const std::string kWasRemoved = "-CLUSTERDOWN this node was removed from the cluster";

inline std::string Id(const Processes& nodes, size_t node) {
  return nodes.ClientOf(node).Run({"CLUSTER", "MYID"});
}

/// As the node sees it; empty while it does not answer.
inline std::string KnownNodes(const Processes& nodes, size_t node) {
  return FieldOf(nodes.ClientOf(node).Run({"CLUSTER", "INFO"}), "cluster_known_nodes");
}

/// The node is another one, alone, that has no keys and serves.
inline bool IsNew(const Processes& nodes, size_t node, const std::string& old_id) {
  const std::string id = Id(nodes, node);
  return !id.starts_with("-") && id != old_id && KnownNodes(nodes, node) == "1" &&
         nodes.ClientOf(node).Run({"DBSIZE"}) == "0";
}

/// It may have to leave first.
inline std::string Reset(const Processes& nodes, size_t node) {
  return nodes.ClientOf(node, 60).Run({"CLUSTER", "RESET"});
}

}  // namespace orrery::cluster
