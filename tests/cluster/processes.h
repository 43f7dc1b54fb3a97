#pragma once

#include <hiredis/hiredis.h>
#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace orrery::cluster {

/// A connection that dials again when it was lost. One thread each.
class Client {
 public:
  explicit Client(int port) : port_(port) {}
  /// The reply as text: a bulk or status as it is, an integer in digits, an error with its leading "-", an
  /// array's elements joined by '|', nil as "(nil)"; "-NOCONNECTION" if nothing was sent, "-CONNECTION" if no
  /// reply came.
  std::string Run(const std::vector<std::string>& args);

 private:
  struct Closer {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  int port_;
  std::unique_ptr<redisContext, Closer> context_;
};

/// A field of an INFO-like text; empty if it is not there.
std::string FieldOf(const std::string& info, const std::string& name);

/// Polls until the condition holds; false after the time is up.
bool Eventually(const std::function<bool()>& condition, int seconds = 30);

/// Nodes of one cluster as child processes, each with a directory of its own that goes with the fixture,
/// unless the test failed: then it stays and its name is printed. Ports are chosen so that runs
/// side by side do not meet.
class Processes {
 public:
  Processes(size_t nodes, std::vector<std::string> settings);
  ~Processes();
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  /// All nodes know each other and serve.
  bool WaitUntilServing();
  void Start(size_t node);
  void Kill(size_t node, int signal);
  /// After a deadly signal: until the process is gone. Its exit code, or -1 if the signal ended it.
  int Reap(size_t node);

  size_t size() const { return nodes_.size(); }
  int port(size_t node) const { return nodes_[node].port; }
  pid_t pid(size_t node) const { return nodes_[node].pid; }
  std::string address(size_t node) const { return "127.0.0.1:" + std::to_string(port(node)); }
  /// Where the node keeps its rows, its log and what it printed.
  const std::string& dir(size_t node) const { return nodes_[node].dir; }
  /// Addresses of the key's homes, as node 0 sees them.
  std::vector<std::string> HomesOf(const std::string& key);
  std::string Run(size_t node, const std::vector<std::string>& args) { return Client(port(node)).Run(args); }
  /// No hints anywhere, and for each of the slots, all homes have the same digest.
  bool HaveConverged(const std::vector<std::string>& keys);

 private:
  struct Node {
    int port = 0;
    pid_t pid = 0;
    std::string dir;
  };
  std::vector<Node> nodes_;
  std::vector<std::string> settings_;
  std::string root_;
};

}  // namespace orrery::cluster
