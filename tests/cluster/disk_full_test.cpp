#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <iostream>
#include <string>

#include "cluster/load.h"
#include "cluster/small_disk.h"

namespace orrery::cluster {
namespace {

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
