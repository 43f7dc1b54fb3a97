#include "server/process.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "orrery/server/log.h"

namespace orrery::server {
namespace {

std::string TemporaryPath(const std::string& name) {
  return testing::TempDir() + "orrery_" + std::to_string(getpid()) + "_" + name;
}

TEST(PidFileTest, ExistsAsLongAsTheObject) {
  const std::string path = TemporaryPath("pid");
  {
    const PidFile file(path);
    EXPECT_TRUE(file.status().ok());
    pid_t pid = 0;
    std::ifstream(path) >> pid;
    EXPECT_EQ(pid, getpid());
  }
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

TEST(PidFileTest, OfAnotherProcessStays) {
  const std::string path = TemporaryPath("pid");
  {
    const PidFile file(path);
    std::ofstream(path) << getpid() + 1 << "\n";
  }
  EXPECT_EQ(access(path.c_str(), F_OK), 0);
  unlink(path.c_str());
}

TEST(PidFileTest, FailureIsToldAndHarmless) {
  const PidFile file("/nonexistent/folder/pid");
  EXPECT_FALSE(file.status().ok());
  EXPECT_TRUE(PidFile("").status().ok());
}

TEST(TerminationTest, IsRememberedBetweenTwoLives) {
  EXPECT_FALSE(WasToldToTerminate());
  RememberTermination();
  std::raise(SIGTERM);
  EXPECT_TRUE(WasToldToTerminate());
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
}

TEST(SupervisedTest, TellsSystemdThroughItsSocket) {
  const std::string path = TemporaryPath("notify");
  const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof(address.sun_path));
  std::strcpy(address.sun_path, path.c_str());
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  setenv("NOTIFY_SOCKET", path.c_str(), 1);
  NotifyReady(Supervised::kSystemd);
  char bytes[128] = {};
  EXPECT_GT(recv(fd, bytes, sizeof(bytes) - 1, MSG_DONTWAIT), 0);
  EXPECT_TRUE(std::string(bytes).starts_with("READY=1\n"));
  NotifyStopping(Supervised::kAuto);
  std::memset(bytes, 0, sizeof(bytes));
  EXPECT_GT(recv(fd, bytes, sizeof(bytes) - 1, MSG_DONTWAIT), 0);
  EXPECT_EQ(std::string(bytes), "STOPPING=1\n");
  NotifyReady(Supervised::kNo);
  EXPECT_LT(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT), 0);
  unsetenv("NOTIFY_SOCKET");
  close(fd);
  unlink(path.c_str());
}

TEST(LoopCountTest, FollowsTheSettingOrTheCores) {
  Config config;
  config.threads = 3;
  EXPECT_EQ(LoopCount(config), 3u);
  config.threads = 0;
  EXPECT_GE(LoopCount(config), 1u);
}

TEST(LogTest, WritesRedisLikeLinesFromItsLevelOn) {
  const std::string path = TemporaryPath("log");
  {
    auto log = Log::Open(path, LogLevel::kNotice);
    ASSERT_TRUE(log.ok());
    (*log)->Verbose("not shown {}", 1);
    (*log)->Notice("shown {}", 2);
    (*log)->SetLevel(LogLevel::kDebug);
    (*log)->Debug("{}", "debug");
    (*log)->Warning("careful");
  }
  std::ifstream in(path);
  std::string first;
  std::string second;
  std::string third;
  std::getline(in, first);
  std::getline(in, second);
  std::getline(in, third);
  EXPECT_TRUE(first.starts_with(std::to_string(getpid()) + ":M ")) << first;
  EXPECT_TRUE(first.ends_with(" * shown 2")) << first;
  EXPECT_TRUE(second.ends_with(" . debug")) << second;
  EXPECT_TRUE(third.ends_with(" # careful")) << third;
  unlink(path.c_str());
}

TEST(LogTest, ReportsAFileThatCannotBeOpened) {
  EXPECT_FALSE(Log::Open("/proc/nonexistent/log", LogLevel::kNotice).ok());
}

}  // namespace
}  // namespace orrery::server
