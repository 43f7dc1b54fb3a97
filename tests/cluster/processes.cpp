#include "cluster/processes.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "orrery/base/check.h"
#include "orrery/base/slot.h"

namespace orrery::cluster {
namespace {

constexpr int kPeerPortOffset = 10000;

std::string Text(const redisReply* reply) {
  switch (reply->type) {
    case REDIS_REPLY_ERROR:
      return "-" + std::string(reply->str, reply->len);
    case REDIS_REPLY_INTEGER:
      return std::to_string(reply->integer);
    case REDIS_REPLY_NIL:
      return "(nil)";
    case REDIS_REPLY_ARRAY: {
      std::string text;
      for (size_t i = 0; i < reply->elements; ++i) text += (i == 0 ? "" : "|") + Text(reply->element[i]);
      return text;
    }
    default:
      return std::string(reply->str, reply->len);
  }
}

void Tell(int pipe) {
  ORRERY_CHECK(::write(pipe, "!", 1) == 1);
}
void Wait(int pipe) {
  char byte = 0;
  ORRERY_CHECK(::read(pipe, &byte, 1) == 1);
}

bool IsFree(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return bound;
}

// A port that is free now, with its peer port. Both lie below the ports that the system gives out by itself,
// so nothing that runs beside the test gets one of them meanwhile; where to begin depends on the process, so
// neither does a twin.
int FreePort() {
  constexpr int kFirst = 11000, kCount = 10000;
  static int next = static_cast<int>(::getpid() * 97L % kCount);
  for (int tries = 0; tries < kCount; ++tries) {
    const int port = kFirst + next;
    next = (next + 1) % kCount;
    if (IsFree(port) && IsFree(port + kPeerPortOffset)) return port;
  }
  ORRERY_CHECK(!"no free port");
  return 0;
}

}  // namespace

std::string FieldOf(const std::string& info, const std::string& name) {
  const size_t at = info.find(name + ":");
  if (at == std::string::npos) return "";
  const size_t begin = at + name.size() + 1;
  return info.substr(begin, info.find_first_of("\r\n", begin) - begin);
}

bool Client::Send(const std::vector<std::string>& args) {
  const timeval timeout{timeout_seconds_, 0};
  if (!context_) context_.reset(redisConnectWithTimeout(host_.c_str(), port_, timeout));
  if (!context_ || context_->err != 0) return context_.reset(), false;
  redisSetTimeout(context_.get(), timeout);
  std::vector<const char*> pointers;
  std::vector<size_t> sizes;
  for (const std::string& arg : args) {
    pointers.push_back(arg.data());
    sizes.push_back(arg.size());
  }
  redisAppendCommandArgv(context_.get(), static_cast<int>(args.size()), pointers.data(), sizes.data());
  int done = 0;
  while (done == 0) {
    if (redisBufferWrite(context_.get(), &done) != REDIS_OK) return true;  // the reply says so
  }
  return true;
}

std::string Client::Receive() {
  void* reply = nullptr;
  if (!context_ || redisGetReply(context_.get(), &reply) != REDIS_OK) return context_.reset(), "-CONNECTION";
  std::string text = Text(static_cast<redisReply*>(reply));
  freeReplyObject(reply);
  return text;
}

bool Eventually(const std::function<bool()>& condition, int seconds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (std::chrono::steady_clock::now() < deadline) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return condition();
}

Processes::Processes(size_t nodes, std::vector<std::string> settings, Network* network)
    : Processes(nodes, std::move(settings), How{.network = network}) {}

Processes::Processes(size_t nodes, std::vector<std::string> settings, const How& how)
    : network_(how.network),
      nodes_(nodes),
      founders_(how.started == 0 ? nodes : how.started),
      settings_(std::move(settings)) {
  char pattern[] = "/tmp/orrery-cluster-XXXXXX";
  ORRERY_CHECK(::mkdtemp(pattern) != nullptr);
  root_ = pattern;
  for (Node& node : nodes_) {
    node.port = FreePort();
    node.dir = root_ + "/" + std::to_string(node.port);
    std::filesystem::create_directory(node.dir);
  }
  if (how.prepare) how.prepare(this);
  for (size_t i = 0; i < std::min(nodes, how.started); ++i) Start(i);
}

std::set<size_t> Processes::running() const {
  std::set<size_t> running;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].pid != 0) running.insert(i);
  }
  return running;
}

void Processes::MakeClocksSkewable(const std::string& preload) {
  clock_preload_ = preload;
  for (size_t i = 0; i < nodes_.size(); ++i) SetClockOffset(i, 0);
}

void Processes::SetClockOffset(size_t node, int64_t offset_ms) {
  // In place: the node has the file mapped.
  const int fd = ::open(ClockFile(node).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  ORRERY_CHECK(fd >= 0 && ::pwrite(fd, &offset_ms, sizeof offset_ms, 0) == sizeof offset_ms);
  ::close(fd);
}

std::string Processes::ClockFile(size_t node) const {
  return root_ + "/clock-" + std::to_string(nodes_[node].port);
}

Processes::~Processes() {
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].pid == 0) continue;
    Kill(i, SIGCONT);
    Crash(i);
  }
  if (keep_data_ || testing::Test::HasFailure()) {
    std::cout << "Data and logs of the nodes: " << root_ << std::endl;
    return;
  }
  std::filesystem::remove_all(root_);
}

void Processes::Start(size_t index) {
  Node& node = nodes_[index];
  const char* server = std::getenv("ORRERY_SERVER");
  std::vector<std::string> args = {server != nullptr ? server : ORRERY_SERVER,
                                   "--port",
                                   std::to_string(node.port),
                                   "--bind",
                                   host(index),
                                   "--dir",
                                   node.dir,
                                   "--logfile",
                                   node.dir + "/log",
                                   "--threads",
                                   "1",
                                   "--enable-debug-command",
                                   "yes"};
  AddSeeds(index, &args);
  args.insert(args.end(), settings_.begin(), settings_.end());
  std::vector<char*> pointers;
  for (std::string& arg : args) pointers.push_back(arg.data());
  pointers.push_back(nullptr);
  int left[2], plugged[2];  // the child has left the test's network; its cable is plugged
  ORRERY_CHECK(::pipe2(left, O_CLOEXEC) == 0 && ::pipe2(plugged, O_CLOEXEC) == 0);
  node.pid = ::fork();
  ORRERY_CHECK(node.pid >= 0);
  if (node.pid != 0) {
    if (network_ != nullptr) {
      Wait(left[0]);
      network_->Plug(index, node.pid);
      Tell(plugged[1]);
    }
    for (int end : {left[0], left[1], plugged[0], plugged[1]}) ::close(end);
    return;
  }
  if (network_ != nullptr) {
    network_->LeaveHome(index);
    Tell(left[1]);
    Wait(plugged[0]);
    network_->MoveIn(index);
  }
  if (!clock_preload_.empty()) {
    ::setenv("LD_PRELOAD", clock_preload_.c_str(), 1);
    ::setenv("ORRERY_CLOCK_OFFSET_FILE", ClockFile(index).c_str(), 1);
  }
  for (const auto& [name, value] : node.environment) ::setenv(name.c_str(), value.c_str(), 1);
  const int out = ::open((node.dir + "/out").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::execv(pointers[0], pointers.data());
  ::_exit(127);
}

// As operators write them: all addresses, but who comes later, or on an emptied disk, does not name itself,
// as it is not to found a cluster.
void Processes::AddSeeds(size_t node, std::vector<std::string>* args) {
  const bool is_wiped = nodes_[node].has_run && !std::filesystem::exists(dir(node) + "/rows");
  nodes_[node].has_run = true;
  const bool founds = node < founders_ && !is_wiped;
  std::vector<std::string> seeds;
  for (size_t seed = 0; seed < nodes_.size(); ++seed) {
    if (seed != node || founds) seeds.push_back(address(seed));
  }
  if (seeds.empty()) return;
  args->push_back("--seeds");
  args->insert(args->end(), seeds.begin(), seeds.end());
}

void Processes::Kill(size_t node, int signal) {
  ::kill(nodes_[node].pid, signal);
}

int Processes::Reap(size_t node) {
  int status = 0;
  ::waitpid(nodes_[node].pid, &status, 0);
  nodes_[node].pid = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool Processes::AllServe() {
  const std::set<size_t> nodes = running();
  return std::all_of(nodes.begin(), nodes.end(), [&](size_t node) {
    return FieldOf(Run(node, {"CLUSTER", "INFO"}), "cluster_state") == "ok" &&
           FieldOf(Run(node, {"INFO", "dynamo"}), "members_alive") == std::to_string(nodes.size());
  });
}

bool Processes::AllSettled() {
  const std::set<size_t> nodes = running();
  return std::all_of(nodes.begin(), nodes.end(), [&](size_t node) {
    const std::string info = Run(node, {"INFO", "dynamo"});
    const auto is_zero = [&](const char* field) { return FieldOf(info, field) == "0"; };
    return is_zero("seats_waiting") && is_zero("seats_under_way") && is_zero("seats_to_give") &&
           is_zero("slots_to_drop");
  });
}

std::vector<std::string> Processes::HomesOf(const std::string& key) {
  std::istringstream lines(Run(*running().begin(), {"RING", "PREFLIST", key}));
  std::vector<std::string> homes;
  for (std::string line; std::getline(lines, line, '|');) {
    std::string role, address;
    std::istringstream(line) >> role >> address;
    if (role == "home") homes.push_back(address);
  }
  return homes;
}

bool Processes::HaveConverged(const std::vector<std::string>& keys) {
  std::set<SlotId> slots;
  for (const std::string& key : keys) slots.insert(SlotOf(key));
  for (size_t i : running()) {
    if (FieldOf(Run(i, {"INFO", "dynamo"}), "hints") != "0") return false;
  }
  for (SlotId slot : slots) {
    std::map<std::string, int> facts;
    for (size_t i : running()) {
      const std::string text = Run(i, {"RING", "SLOT", std::to_string(slot)});
      if (text.find("is-home|yes") == std::string::npos) continue;
      const size_t digest = text.find("digest|");
      ++facts[text.substr(digest, text.find("|rows|") - digest)];
    }
    if (facts.size() > 1) return false;
  }
  return true;
}

}  // namespace orrery::cluster
