#pragma once

#include <hiredis/hiredis.h>
#include <signal.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace orrery::cluster {

/// A connection that dials again when it was lost. One thread each.
class Client {
 public:
  explicit Client(int port) : Client("127.0.0.1", port) {}
  Client(std::string host, int port, int timeout_seconds = 10)
      : host_(std::move(host)), port_(port), timeout_seconds_(timeout_seconds) {}
  /// The reply as text: a bulk or status as it is, an integer in digits, an error with its leading "-", an
  /// array's elements joined by '|', nil as "(nil)"; "-NOCONNECTION" if nothing was sent, "-CONNECTION" if no
  /// reply came.
  std::string Run(const std::vector<std::string>& args) { return Send(args) ? Receive() : "-NOCONNECTION"; }
  /// The halves of Run: any number of commands may be sent before their replies are asked for, one by one.
  bool Send(const std::vector<std::string>& args);
  std::string Receive();
  bool connected() const { return context_ != nullptr; }

 private:
  struct Closer {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  std::string host_;
  int port_;
  int timeout_seconds_ = 10;
  std::unique_ptr<redisContext, Closer> context_;
};

/// A field of an INFO-like text; empty if it is not there.
std::string FieldOf(const std::string& info, const std::string& name);

/// Polls until the condition holds; false after the time is up.
bool Eventually(const std::function<bool()>& condition, int seconds = 30);

/// Where the nodes of a cluster live, if not on 127.0.0.1 all together.
class Network {
 public:
  virtual ~Network() = default;
  virtual std::string HostOf(size_t node) const = 0;
  /// A node starts: first its process leaves the test's network, then the test connects it, then the process
  /// sets up its end. The first and last are called in the node's process.
  virtual void LeaveHome(size_t node) = 0;
  virtual void Plug(size_t node, pid_t process) = 0;
  virtual void MoveIn(size_t node) = 0;
};

/// Nodes of one cluster as child processes, each with a directory of its own that goes with the fixture,
/// unless the test failed: then it stays and its name is printed. Ports are chosen so that runs
/// side by side do not meet. In the environment, ORRERY_SERVER names another program than the one of this
/// build.
class Processes {
 public:
  /// The network outlives this.
  Processes(size_t nodes, std::vector<std::string> settings, Network* network = nullptr);
  struct How {
    Network* network = nullptr;
    std::function<void(Processes*)> prepare = {};  ///< done before any node starts
    size_t started = SIZE_MAX;  ///< the first so many start at once, the others with Start()
  };
  Processes(size_t nodes, std::vector<std::string> settings, const How& how);
  ~Processes();
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  /// All nodes that run know each other and serve.
  bool AllServe();
  bool WaitUntilServing() {
    return Eventually([this] { return AllServe(); });
  }
  /// No seats are on their way, and nobody keeps slots that it has given away.
  bool AllSettled();
  void Start(size_t node);
  /// From the node's next Start() on.
  void SetEnvironment(size_t node, const std::string& name, const std::string& value) {
    nodes_[node].environment[name] = value;
  }
  void ForgetEnvironment(size_t node) { nodes_[node].environment.clear(); }
  /// From the next Start() on, the wall clocks of all nodes are off by what SetClockOffset() says, from then
  /// on and at once. `preload` is the library that does it (skewed_clock.cpp).
  void MakeClocksSkewable(const std::string& preload);
  void SetClockOffset(size_t node, int64_t offset_ms);
  /// Data and logs stay when this goes, as if a test had failed.
  void KeepData() { keep_data_ = true; }
  void Kill(size_t node, int signal);
  /// After a deadly signal: until the process is gone. Its exit code, or -1 if the signal ended it.
  int Reap(size_t node);
  /// kill -9; the process is gone when this returns.
  void Crash(size_t node) {
    Kill(node, SIGKILL);
    Reap(node);
  }

  size_t size() const { return nodes_.size(); }
  std::set<size_t> running() const;
  int port(size_t node) const { return nodes_[node].port; }
  pid_t pid(size_t node) const { return nodes_[node].pid; }
  std::string host(size_t node) const { return network_ == nullptr ? "127.0.0.1" : network_->HostOf(node); }
  std::string address(size_t node) const { return host(node) + ":" + std::to_string(port(node)); }
  Client ClientOf(size_t node, int timeout_seconds = 10) const {
    return {host(node), port(node), timeout_seconds};
  }
  /// Where the node keeps its rows, its log and what it printed.
  const std::string& dir(size_t node) const { return nodes_[node].dir; }
  /// Addresses of the key's homes, as the first node that runs sees them.
  std::vector<std::string> HomesOf(const std::string& key);
  std::string Run(size_t node, const std::vector<std::string>& args) { return ClientOf(node).Run(args); }
  /// No hints anywhere, and for each of the slots, all homes have the same digest.
  bool HaveConverged(const std::vector<std::string>& keys);

 private:
  struct Node {
    int port = 0;
    pid_t pid = 0;
    std::string dir;
    bool has_run = false;
    std::map<std::string, std::string> environment;
  };
  std::string ClockFile(size_t node) const;
  void AddSeeds(size_t node, std::vector<std::string>* args);

  Network* network_;
  std::vector<Node> nodes_;
  size_t founders_;  ///< the first so many are seeds themselves, until their disks are wiped
  std::vector<std::string> settings_;
  std::string root_;
  std::string clock_preload_;
  bool keep_data_ = false;
};

}  // namespace orrery::cluster
