#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "orrery/base/status.h"
#include "orrery/runtime/uv/loop.h"
#include "orrery/server/command_runner.h"
#include "orrery/server/config.h"
#include "orrery/server/log.h"
#include "orrery/server/node_access.h"

namespace orrery::server {

/// What one loop brings to the server. All of it is there as long as the Server is, and calls back no more
/// once the Server is gone: commands under way hold pointers to their connections.
struct LoopParts {
  runtime::UvLoop* loop = nullptr;
  CommandRunner* runner = nullptr;
  NodeAccess* node = nullptr;
};

struct ServerOptions {
  ConfigStore* config = nullptr;
  Log* log = nullptr;
  std::vector<LoopParts> loops;
  /// Called once, on the first loop, when a shutdown that a client or BeginShutdown() asked for, or
  /// CloseClients(), has answered every client: what is left is to sync the store, tell the peers and stop
  /// the loops.
  std::function<void()> on_stopped;
};

/// The client side of a node: listens, spreads connections over the loops, and answers. The first loop
/// accepts and deals the sockets out in turn; from then on a connection stays on its loop.
///
/// Made and destroyed by main while the loops do not run (before their threads start, after they were
/// joined). What else it does is said of each call.
class Server {
 public:
  explicit Server(ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds every address of `bind`. Before the loops run, or on the first loop. kIoError with the address and
  /// reason.
  Status Listen();
  /// The port that clients connect to; the system's choice if the setting is 0. After Listen().
  uint16_t port() const;

  /// Any thread: stops accepting, finishes what is under way within shutdown-timeout, closes the connections,
  /// then calls on_stopped. Harmless twice.
  void BeginShutdown();
  /// Any thread: the same, but nobody asked for a shutdown: the process is to go on with another Server. A
  /// shutdown may still be asked for meanwhile.
  void CloseClients();
  /// Whether a client or BeginShutdown() has asked for a shutdown. Any thread.
  bool is_shutting_down() const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace orrery::server
