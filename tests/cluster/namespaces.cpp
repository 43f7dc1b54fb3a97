#include "cluster/namespaces.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "orrery/base/check.h"

namespace orrery::cluster {
namespace {

const std::string kNet = "10.213.77.";
constexpr uint32_t kNetBits = (10U << 24) + (213U << 16) + (77U << 8);
constexpr uint32_t kTestHost = 254;
constexpr size_t kTestPort = 1000;  // no node's
const std::string kDevice = "orrery0";

bool Try(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

void Do(const std::string& command) {
  if (Try(command)) return;
  std::fprintf(stderr, "cannot do: %s\n", command.c_str());
  std::abort();
}

// Long packets are cheap here, and TCP makes them as long as the device takes them.
void SetUp(const std::string& address) {
  Do("ip addr add " + address + "/24 dev " + kDevice + " && ip link set " + kDevice + " mtu 16000 up");
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
  const int device = Switchboard::MakeDevice("probe");
  if (device < 0) return std::string("no TUN devices here: ") + std::strerror(errno);
  ::close(device);
  return Try("ip link set lo up") ? "" : "a network namespace cannot be set up here";
}

// One descriptor as the only content of a message, as unix(7) has it.
struct DeviceMessage {
  char byte = '!';
  iovec content{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  DeviceMessage() {
    header.msg_iov = &content;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
  }
};

void SendDevice(int socket, int device) {
  DeviceMessage message;
  cmsghdr* part = CMSG_FIRSTHDR(&message.header);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof device);
  std::memcpy(CMSG_DATA(part), &device, sizeof device);
  ORRERY_CHECK(::sendmsg(socket, &message.header, 0) == 1);
}

int TakeDevice(int socket) {
  DeviceMessage message;
  ORRERY_CHECK(::recvmsg(socket, &message.header, MSG_CMSG_CLOEXEC) == 1);
  const cmsghdr* part = CMSG_FIRSTHDR(&message.header);
  ORRERY_CHECK(part != nullptr && part->cmsg_type == SCM_RIGHTS);
  int device = -1;
  std::memcpy(&device, CMSG_DATA(part), sizeof device);
  return device;
}

}  // namespace

std::string Namespaces::Enter() {
  static const std::string missing = EnterNow();
  return missing;
}

Namespaces::Namespaces(uint64_t seed) : switchboard_(seed) {
  int ends[2];
  ORRERY_CHECK(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) == 0);
  take_device_ = ends[0];
  send_device_ = ends[1];
  const int device = Switchboard::MakeDevice(kDevice);
  ORRERY_CHECK(device >= 0);
  SetUp(kNet + std::to_string(kTestHost));
  switchboard_.Plug(kTestPort, kNetBits + kTestHost, device);
}

Namespaces::~Namespaces() {
  ::close(take_device_);
  ::close(send_device_);
}

std::string Namespaces::HostOf(size_t node) const {
  return kNet + std::to_string(node + 1);
}

void Namespaces::SetLink(size_t a, size_t b, const LinkQuality& quality) {
  switchboard_.SetLink(a, b, quality);
  switchboard_.SetLink(b, a, quality);
}

void Namespaces::Connect(size_t nodes, const std::vector<std::set<size_t>>& groups) {
  for (size_t a = 0; a < nodes; ++a) {
    for (size_t b = 0; b < a; ++b) {
      bool together = false;
      for (const std::set<size_t>& group : groups) together |= group.contains(a) && group.contains(b);
      SetLink(a, b, {.cut = !together});
    }
  }
}

void Namespaces::Cut(size_t nodes, const std::set<size_t>& side) {
  std::set<size_t> others;
  for (size_t node = 0; node < nodes; ++node) {
    if (!side.contains(node)) others.insert(node);
  }
  Connect(nodes, {side, others});
}

void Namespaces::LeaveHome(size_t) {
  ORRERY_CHECK(::unshare(CLONE_NEWNET) == 0);
  const int device = Switchboard::MakeDevice(kDevice);
  ORRERY_CHECK(device >= 0);
  SendDevice(send_device_, device);
}

void Namespaces::Plug(size_t node, pid_t) {
  switchboard_.Plug(node, kNetBits + static_cast<uint32_t>(node + 1), TakeDevice(take_device_));
}

void Namespaces::MoveIn(size_t node) {
  Do("ip link set lo up");
  SetUp(HostOf(node));
}

}  // namespace orrery::cluster
