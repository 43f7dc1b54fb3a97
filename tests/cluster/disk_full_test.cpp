#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "cluster/load.h"

namespace orrery::cluster {
namespace {

// A small file system in memory over one node's directory, for as long as it lives.
class SmallDisk {
 public:
  explicit SmallDisk(std::string dir) : dir_(std::move(dir)) {
    mounted_ = ::mount("tmpfs", dir_.c_str(), "tmpfs", 0, "size=64m") == 0;
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

TEST(DiskFullTest, ANodeWhoseDiskIsFullStopsTakingWritesAndTheOthersGoOn) {
  Processes nodes(3, {"--appendfsync", "always"});
  ASSERT_TRUE(nodes.WaitUntilServing());
  nodes.Kill(2, SIGTERM);
  nodes.Reap(2);
  const std::string aside = nodes.dir(2) + ".aside";
  std::filesystem::copy(nodes.dir(2), aside, std::filesystem::copy_options::recursive);
  const SmallDisk disk(nodes.dir(2));
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small file system takes root";
  std::filesystem::copy(aside, nodes.dir(2), std::filesystem::copy_options::recursive);
  nodes.Start(2);
  ASSERT_TRUE(nodes.WaitUntilServing());

  Load load(nodes);
  WaitForWrites(load, 200);
  disk.Fill();
  EXPECT_TRUE(Eventually([&] {
    return FieldOf(nodes.Run(2, {"INFO", "persistence"}), "writes_stopped") == "1";
  })) << "the node with the full disk goes on taking writes";
  const std::string refused = nodes.Run(2, {"SET", "k", "v"});
  EXPECT_TRUE(refused.starts_with("-MISCONF")) << refused;
  EXPECT_TRUE(Eventually([&] { return nodes.Run(0, {"SET", "other", "v"}) == "OK"; }));
  WaitForWrites(load, 200);
  disk.Free();
  ASSERT_TRUE(nodes.WaitUntilServing()) << "with room again, the node should come back by itself";
  EXPECT_EQ(FieldOf(nodes.Run(2, {"INFO", "persistence"}), "writes_stopped"), "0");
  load.Stop();
  ExpectNothingLost(&nodes, load);
  nodes.Kill(2, SIGTERM);
  nodes.Reap(2);
}

}  // namespace
}  // namespace orrery::cluster
