#pragma once

#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

namespace orrery::cluster {

/// A small file system in memory over one node's directory, for as long as it lives. Takes root.
class SmallDisk {
 public:
  explicit SmallDisk(std::string dir, const std::string& size = "64m") : dir_(std::move(dir)) {
    mounted_ = ::mount("tmpfs", dir_.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
  }
  // Lazily: the node may still run. What was mounted goes with its last open file.
  ~SmallDisk() {
    if (mounted_) ::umount2(dir_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  void Fill() const {
    std::ofstream ballast(Ballast(), std::ios::binary);
    const std::string block(4096, 'x');
    while (ballast.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  void Free() const { std::filesystem::remove(Ballast()); }

 private:
  std::string Ballast() const { return dir_ + "/ballast"; }
  std::string dir_;
  bool mounted_ = false;
};

}  // namespace orrery::cluster
