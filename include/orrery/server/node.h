#pragma once

#include <functional>
#include <memory>

#include "orrery/base/status.h"
#include "orrery/server/config.h"
#include "orrery/server/log.h"

namespace orrery::server {

/// Why Node::Run returned.
enum class NodeEnd {
  kStopped,  ///< a shutdown was asked for, and everything is on disk
  kNewLife,  ///< the node must begin a new life: its disk works again, or a peer knows a later life of it
  kReset,    ///< CLUSTER RESET: the node is over, another one begins over the same directory, wiped
};

/// A whole node on libuv and RocksDB: loops, store, links, shards, clients. Made, run and destroyed on the
/// main thread; a new life is a new Node over the same directory.
class Node {
 public:
  /// Opens the store, takes a new incarnation, binds both ports. Errors are for the log, then exit.
  /// dials_seeds: whether it joins whom the configuration names; without, it waits until somebody meets it.
  static Result<std::unique_ptr<Node>> Open(ConfigStore* config, Log* log, bool dials_seeds);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// Serves until a shutdown (SIGTERM, SIGINT, SHUTDOWN), a reset, or until a new life is due.
  NodeEnd Run();

 private:
  struct Impl;
  explicit Node(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace orrery::server
