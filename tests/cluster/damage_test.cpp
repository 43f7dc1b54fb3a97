// Table files of one node are damaged or missing: it is noticed, repaired from the other homes and reported,
// and nothing that was acknowledged is lost.

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cluster/load.h"

namespace orrery::cluster {
namespace {

constexpr size_t kVictim = 2;
constexpr int kKeys = 1'500;

class DamageTest : public ::testing::Test {
 protected:
  DamageTest() : nodes_(3, {"--appendfsync", "always"}) {}

  std::string Key(int i) const { return "kept:" + std::to_string(i); }
  // What LZ4 cannot make smaller: the rows' file is the largest.
  std::string Value(int i) const {
    std::string value;
    uint64_t state = static_cast<uint64_t>(i) + 1;
    while (value.size() < 200) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      value += static_cast<char>('!' + (state >> 33) % 90);
    }
    return value;
  }
  /// Writes rows, and has the victim put them into table files, which a start does.
  void Fill() {
    ASSERT_TRUE(nodes_.WaitUntilServing());
    Client client = nodes_.ClientOf(0);
    for (int i = 0; i < kKeys; ++i) ASSERT_EQ(client.Run({"SET", Key(i), Value(i)}), "OK");
    Stop(SIGTERM);
    nodes_.Start(kVictim);
    ASSERT_TRUE(nodes_.WaitUntilServing());
  }
  void Stop(int signal) {
    nodes_.Kill(kVictim, signal);
    nodes_.Reap(kVictim);
  }

  std::filesystem::path LargestFile() const {
    std::filesystem::path largest;
    uintmax_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(nodes_.dir(kVictim) + "/rows")) {
      if (entry.path().extension() != ".sst" || entry.file_size() <= bytes) continue;
      bytes = entry.file_size();
      largest = entry.path();
    }
    return largest;
  }
  static void Flip(const std::filesystem::path& file) {
    const auto offset = static_cast<std::streamoff>(std::filesystem::file_size(file) / 2);
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(offset);
    const char byte = static_cast<char>(stream.get() ^ 0x55);
    stream.seekp(offset);
    stream.put(byte);
    ASSERT_TRUE(stream.good());
  }

  uint64_t Info(const std::string& section, const std::string& field) {
    return std::strtoull(FieldOf(nodes_.Run(kVictim, {"INFO", section}), field).c_str(), nullptr, 10);
  }
  std::string LogText() const {
    std::ifstream file(nodes_.dir(kVictim) + "/log");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  void ExpectRepaired() {
    EXPECT_TRUE(Eventually(
        [&] {
          const uint64_t damaged = Info("dynamo", "corrupt_slots");
          return damaged > 0 && Info("dynamo", "repaired_slots") == damaged;
        },
        60))
        << "corrupt_slots " << Info("dynamo", "corrupt_slots") << ", repaired_slots "
        << Info("dynamo", "repaired_slots");
    EXPECT_NE(LogText().find("took the damaged table file"), std::string::npos);
    ASSERT_TRUE(nodes_.WaitUntilServing());
    std::vector<std::string> keys;
    for (size_t node = 0; node < nodes_.size(); ++node) {
      Client client = nodes_.ClientOf(node);
      for (int i = 0; i < kKeys; i += 7) {
        EXPECT_EQ(client.Run({"GET", Key(i)}), Value(i)) << "through node " << node;
        keys.push_back(Key(i));
      }
    }
    EXPECT_TRUE(Eventually([&] { return nodes_.HaveConverged(keys); }, 60));
  }

  Processes nodes_;
};

TEST_F(DamageTest, AByteThatFlipsWhileTheNodeIsDownIsFoundByTheScrub) {
  Fill();
  Stop(SIGTERM);
  Flip(LargestFile());
  nodes_.Start(kVictim);
  ASSERT_TRUE(nodes_.WaitUntilServing());
  Load load(nodes_);
  ASSERT_EQ(nodes_.Run(kVictim, {"CONFIG", "SET", "scrub-interval", "1"}), "OK");
  EXPECT_TRUE(Eventually([&] { return Info("rocksdb", "damaged_files_kept") == 1; }, 60));
  WaitForWrites(load, 200);
  load.Stop();
  ExpectRepaired();
  ExpectNothingLost(&nodes_, load);
}

TEST_F(DamageTest, AByteThatFlipsWhileTheNodeRunsIsFoundByTheScrub) {
  Fill();
  Load load(nodes_);
  WaitForWrites(load, 100);
  Flip(LargestFile());
  ASSERT_EQ(nodes_.Run(kVictim, {"CONFIG", "SET", "scrub-interval", "1"}), "OK");
  EXPECT_TRUE(Eventually([&] { return Info("rocksdb", "damaged_files_kept") == 1; }, 60));
  WaitForWrites(load, 200);
  load.Stop();
  ExpectRepaired();
  ExpectNothingLost(&nodes_, load);
}

TEST_F(DamageTest, AFileThatIsGoneIsMadeUpForFromTheOtherNodes) {
  Fill();
  Stop(SIGKILL);
  Load load(nodes_);
  WaitForWrites(load, 100);
  std::filesystem::remove(LargestFile());
  nodes_.Start(kVictim);
  ASSERT_TRUE(nodes_.WaitUntilServing());
  WaitForWrites(load, 200);
  load.Stop();
  ExpectRepaired();
  ExpectNothingLost(&nodes_, load);
}

TEST_F(DamageTest, ANodeWithoutItsManifestSaysWhatToDo) {
  Fill();
  Stop(SIGTERM);
  for (const auto& entry : std::filesystem::directory_iterator(nodes_.dir(kVictim) + "/rows")) {
    if (entry.path().filename().string().starts_with("MANIFEST"))
      std::filesystem::resize_file(entry.path(), 20);
  }
  nodes_.Start(kVictim);
  EXPECT_EQ(nodes_.Reap(kVictim), 1);
  EXPECT_NE(LogText().find("Restore the directory from a checkpoint"), std::string::npos);
  EXPECT_EQ(nodes_.Run(0, {"GET", Key(1)}), Value(1)) << "the others go on";
}

}  // namespace
}  // namespace orrery::cluster
