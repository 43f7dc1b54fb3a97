#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace orrery::cluster {

/// What becomes of the packets of one link in one direction.
struct LinkQuality {
  bool cut = false;
  int delay_ms = 0;
  int jitter_ms = 0;  ///< up to so much more, by chance: packets may overtake each other
  int lost_percent = 0;
};

/// A switch in this process. At each port is a TUN device, mostly of another network namespace; IPv4 packets
/// that leave it are carried to the port of their destination, as the quality of that link allows: so links
/// can be slow, lossy, or cut in one direction whatever the kernel knows of such things. It works on a thread
/// of its own; all calls are for any thread.
class Switchboard {
 public:
  explicit Switchboard(uint64_t seed);
  ~Switchboard();
  Switchboard(const Switchboard&) = delete;
  Switchboard& operator=(const Switchboard&) = delete;

  /// A device of this process's network namespace; -1 and errno if that cannot be.
  static int MakeDevice(const std::string& name);

  /// Owns the device from now on, in place of the one that was there.
  void Plug(size_t port, uint32_t address, int device);
  void SetLink(size_t from, size_t to, const LinkQuality& quality);
  /// All links are as good as new.
  void Heal();
  /// Packets that were lost, by chance or by cuts.
  uint64_t dropped() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Port {
    uint32_t address = 0;
    int device = -1;
  };
  struct Packet {
    size_t to = 0;
    std::string bytes;
  };

  void Work();
  void Receive(size_t from);
  void Route(size_t from, std::string bytes);
  void SendDue();
  int MillisUntilDue() const;
  void Wake();

  mutable std::mutex mutex_;
  std::mt19937_64 random_;
  std::map<size_t, Port> ports_;
  std::map<std::pair<size_t, size_t>, LinkQuality> links_;
  std::multimap<Clock::time_point, Packet> delayed_;
  uint64_t dropped_ = 0;
  bool stop_ = false;
  int wake_ = -1;
  std::thread thread_;
};

}  // namespace orrery::cluster
