#include "cluster/switchboard.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "orrery/base/check.h"

namespace orrery::cluster {
namespace {

constexpr size_t kPacketBytesMax = 65536;
constexpr size_t kDestinationOffset = 16;  // in an IPv4 header
constexpr size_t kHeaderBytes = 20;
constexpr int kPacketsAtOnce = 64;

}  // namespace

Switchboard::Switchboard(uint64_t seed) : random_(seed), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  ORRERY_CHECK(wake_ >= 0);
  thread_ = std::thread([this] { Work(); });
}

Switchboard::~Switchboard() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  Wake();
  thread_.join();
  for (const auto& [index, port] : ports_) ::close(port.device);
  ::close(wake_);
}

int Switchboard::MakeDevice(const std::string& name) {
  const int device = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (device < 0) return -1;
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  std::memcpy(request.ifr_name, name.data(), std::min<size_t>(name.size(), IFNAMSIZ - 1));
  if (::ioctl(device, TUNSETIFF, &request) == 0) return device;
  ::close(device);
  return -1;
}

void Switchboard::Plug(size_t port, uint32_t address, int device) {
  {
    const std::scoped_lock lock(mutex_);
    Port& plugged = ports_[port];
    if (plugged.device >= 0) ::close(plugged.device);
    plugged = {address, device};
  }
  Wake();
}

void Switchboard::SetLink(size_t from, size_t to, const LinkQuality& quality) {
  const std::scoped_lock lock(mutex_);
  links_[{from, to}] = quality;
}

void Switchboard::Heal() {
  const std::scoped_lock lock(mutex_);
  links_.clear();
}

uint64_t Switchboard::dropped() const {
  const std::scoped_lock lock(mutex_);
  return dropped_;
}

void Switchboard::Wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
}

void Switchboard::Work() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    std::vector<pollfd> waits = {{wake_, POLLIN, 0}};
    std::vector<size_t> at;
    for (const auto& [index, port] : ports_) {
      waits.push_back({port.device, POLLIN, 0});
      at.push_back(index);
    }
    const int timeout = MillisUntilDue();
    lock.unlock();
    ::poll(waits.data(), waits.size(), timeout);
    lock.lock();
    uint64_t woken = 0;
    [[maybe_unused]] const ssize_t got = ::read(wake_, &woken, sizeof woken);
    // Read whatever poll said: a port may have been plugged anew meanwhile, and reading never waits.
    for (size_t port : at) Receive(port);
    SendDue();
  }
}

int Switchboard::MillisUntilDue() const {
  if (delayed_.empty()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(delayed_.begin()->first - Clock::now());
  return static_cast<int>(std::max<int64_t>(0, left.count()));
}

void Switchboard::Receive(size_t from) {
  static thread_local std::string buffer(kPacketBytesMax, '\0');
  for (int i = 0; i < kPacketsAtOnce; ++i) {
    const ssize_t got = ::read(ports_[from].device, buffer.data(), buffer.size());
    if (got <= 0) return;
    Route(from, buffer.substr(0, static_cast<size_t>(got)));
  }
}

void Switchboard::Route(size_t from, std::string bytes) {
  if (bytes.size() < kHeaderBytes || (static_cast<uint8_t>(bytes[0]) >> 4) != 4) return;
  uint32_t destination = 0;
  std::memcpy(&destination, bytes.data() + kDestinationOffset, sizeof destination);
  destination = ntohl(destination);
  const auto found = std::find_if(ports_.begin(), ports_.end(),
                                  [&](const auto& entry) { return entry.second.address == destination; });
  if (found == ports_.end()) return;
  const auto link = links_.find({from, found->first});
  const LinkQuality quality = link == links_.end() ? LinkQuality{} : link->second;
  if (quality.cut || static_cast<int>(random_() % 100) < quality.lost_percent) {
    ++dropped_;
    return;
  }
  int delay_ms = quality.delay_ms;
  if (quality.jitter_ms > 0)
    delay_ms += static_cast<int>(random_() % static_cast<uint64_t>(quality.jitter_ms));
  delayed_.emplace(Clock::now() + std::chrono::milliseconds(delay_ms),
                   Packet{found->first, std::move(bytes)});
}

void Switchboard::SendDue() {
  const Clock::time_point now = Clock::now();
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    const Packet& packet = delayed_.begin()->second;
    // What the other side has no room for is lost, as on any wire.
    [[maybe_unused]] const ssize_t sent =
        ::write(ports_[packet.to].device, packet.bytes.data(), packet.bytes.size());
    delayed_.erase(delayed_.begin());
  }
}

}  // namespace orrery::cluster
