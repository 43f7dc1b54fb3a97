#include "cluster/namespaces.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "orrery/base/check.h"

namespace orrery::cluster {
namespace {

const std::string kNet = "10.213.77.";
const std::string kTestHost = kNet + "254";
// Both switches have the same address on their side of the test, so that what nodes remember of it stays
// true.
const std::string kTestMac = "02:00:00:00:00:fe";

bool Try(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

void Do(const std::string& command) {
  if (Try(command)) return;
  std::fprintf(stderr, "cannot do: %s\n", command.c_str());
  std::abort();
}

std::string CableOf(size_t node) {
  return "node" + std::to_string(node);
}

bool Write(const std::string& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY);
  if (fd < 0) return false;
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  return written;
}

// Without root: as root of a user namespace of our own.
bool UnshareAsAnyone() {
  const std::string uid = std::to_string(::getuid()), gid = std::to_string(::getgid());
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
  Write("/proc/self/setgroups", "deny");
  return Write("/proc/self/uid_map", "0 " + uid + " 1") && Write("/proc/self/gid_map", "0 " + gid + " 1");
}

std::string EnterNow() {
  if (!Try("ip -V")) return "the program ip is not installed";
  if (::unshare(CLONE_NEWNET) != 0 && !UnshareAsAnyone()) {
    return std::string("no network namespaces here: ") + std::strerror(errno);
  }
  const bool can = Try("ip link set lo up") && Try("ip link add name probe type bridge") &&
                   Try("ip link add probe0 type veth peer name probe1");
  Try("ip link del probe");
  Try("ip link del probe0");
  return can ? "" : "this kernel gives no bridge or no cable (veth) to a network namespace";
}

}  // namespace

std::string Namespaces::Enter() {
  static const std::string missing = EnterNow();
  return missing;
}

Namespaces::Namespaces() {
  // What the switches have not in common must not be carried over by the test's own machine.
  Write("/proc/sys/net/ipv4/ip_forward", "0");
  for (const char* bridge : {"whole", "apart"}) {
    Do(std::string("ip link add name ") + bridge + " address " + kTestMac + " type bridge");
    Do(std::string("ip addr add ") + kTestHost + "/32 dev " + bridge);
    Do(std::string("ip link set ") + bridge + " up");
  }
}

Namespaces::~Namespaces() {
  for (const char* bridge : {"whole", "apart"}) Try(std::string("ip link del ") + bridge);
}

std::string Namespaces::HostOf(size_t node) const {
  return kNet + std::to_string(node + 1);
}

void Namespaces::Cut(const std::set<size_t>& side) {
  side_ = side;
  for (size_t node : plugged_) Connect(node);
}

void Namespaces::Connect(size_t node) {
  const std::string bridge = side_.contains(node) ? "apart" : "whole";
  // A node that has ended has taken its cable along.
  if (!Try("ip link set " + CableOf(node) + " master " + bridge)) return;
  Do("ip route replace " + HostOf(node) + "/32 dev " + bridge + " src " + kTestHost);
}

void Namespaces::LeaveHome(size_t) {
  ORRERY_CHECK(::unshare(CLONE_NEWNET) == 0);
}

void Namespaces::Plug(size_t node, pid_t process) {
  Try("ip link del " + CableOf(node));
  Do("ip link add " + CableOf(node) + " type veth peer name eth0 netns " + std::to_string(process));
  plugged_.insert(node);
  Connect(node);
  Do("ip link set " + CableOf(node) + " up");
}

void Namespaces::MoveIn(size_t node) {
  Do("ip link set lo up");
  Do("ip addr add " + HostOf(node) + "/24 dev eth0");
  Do("ip link set eth0 up");
}

}  // namespace orrery::cluster
