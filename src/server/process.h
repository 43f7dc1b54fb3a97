#pragma once

#include <cstdint>
#include <string>

#include "orrery/base/status.h"
#include "orrery/server/config.h"

namespace orrery::server {

// What a node does with the process around it. Called by main, before threads start where that matters.

/// Goes into the background: forks, lets the parent exit, leaves the terminal. kIoError if the system
/// refuses.
Status Daemonize();

/// Writes the process id; the file goes when the object goes, if it still has that id. A file that cannot be
/// written is reported by status() and otherwise no obstacle, as in Redis. REQUIRES: the node serves, so that
/// a start that fails beside a running node leaves that one's file alone.
class PidFile {
 public:
  /// path: empty for none.
  explicit PidFile(std::string path);
  ~PidFile();
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;
  const Status& status() const { return status_; }

 private:
  std::string path_;
  Status status_;
};

/// From now on SIGHUP does nothing: a terminal that closes, or a logrotate that sends it to every daemon,
/// does not end a node.
void IgnoreHangUps();

/// Until a loop listens to signals again: SIGTERM and SIGINT are remembered, and do not end the process
/// between two lives.
void RememberTermination();
/// Whether one of them came meanwhile.
bool WasToldToTerminate();

/// Tells the supervisor (`supervised`) that clients are served now, or that the node is going down.
void NotifyReady(Supervised supervised);
void NotifyStopping(Supervised supervised);

/// Makes room for maxclients connections and the node's own files; says in the status how many fit if that is
/// less.
Status RaiseFileLimit(uint32_t maxclients);
/// How many clients fit beside the node's own files, however far the limit may be raised.
uint64_t ClientsThatFit();

/// The number of loops: `threads`, or the cores that this process may use.
uint32_t LoopCount(const Config& config);

}  // namespace orrery::server
