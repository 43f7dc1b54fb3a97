// That the ledgers of the soak find what they are for: here the test itself loses and brings back.

#include "cluster/workload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orrery::cluster {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class WorkloadTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(nodes_.WaitUntilServing());
    workloads_ = MakeWorkloads(1, 2);
    std::mt19937_64 random(1);
    Client client = nodes_.ClientOf(0);
    for (const auto& workload : workloads_) {
      for (int step = 0; step < 200; ++step) workload->Step(static_cast<size_t>(step % 2), &client, &random);
      EXPECT_GE(workload->outcomes().acknowledged, 200) << workload->name();
    }
  }
  std::string ComplaintsOf(const char* name) {
    std::string text;
    for (const auto& workload : workloads_) {
      if (workload->name() != std::string(name)) continue;
      for (const std::string& complaint : workload->Verify(nodes_)) text += complaint + "\n";
    }
    return text;
  }

  Processes nodes_{1, {}};
  std::vector<std::unique_ptr<Workload>> workloads_;
};

TEST_F(WorkloadTest, FindNothingWhereNothingWasLost) {
  for (const auto& workload : workloads_) {
    EXPECT_THAT(workload->Verify(nodes_), IsEmpty()) << workload->name();
    EXPECT_FALSE(workload->Keys().empty()) << workload->name();
  }
}

TEST_F(WorkloadTest, FindEveryKindOfLoss) {
  for (const auto& workload : workloads_) {
    for (const std::string& key : workload->Keys()) nodes_.Run(0, {"DEL", key});
    EXPECT_THAT(ComplaintsOf(workload->name()), HasSubstr("LOST"));
  }
}

TEST_F(WorkloadTest, FindWhatReturnsAndWhatNobodyWrote) {
  // Values, members and elements are numbered from 0, so some of these were replaced, removed and popped.
  for (int i = 0; i < 200; ++i) {
    const std::string number = std::to_string(i);
    for (const std::string key : {"0", "1", "2", "3"}) {
      nodes_.Run(0, {"DPUT", "r1:versions:" + key, "", "c" + std::to_string(i % 2) + "." + number});
      nodes_.Run(0, {"SADD", "r1:set:" + key, "m" + number});
      nodes_.Run(0, {"HSET", "r1:hash:" + key, "m" + number, "v"});
      nodes_.Run(0, {"ZADD", "r1:zset:" + key, "1", "m" + number});
      nodes_.Run(0, {"RPUSH", "r1:list:" + key, "e" + number});
    }
  }
  for (const char* name : {"versions", "set", "hash", "zset", "list"})
    EXPECT_THAT(ComplaintsOf(name), HasSubstr("RETURNED")) << name;
  EXPECT_THAT(ComplaintsOf("versions"), HasSubstr("NEVER WRITTEN"));
  EXPECT_THAT(ComplaintsOf("list"), HasSubstr("TWICE"));
  nodes_.Run(0, {"INCRBY", "r1:counter:0s", "1000"});
  EXPECT_THAT(ComplaintsOf("counter"), HasSubstr("COUNTED TWICE"));
}

}  // namespace
}  // namespace orrery::cluster
