#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "cluster/processes.h"

namespace orrery::cluster {
namespace {

/// 0 if there is none.
pid_t PidIn(const std::string& path) {
  pid_t pid = 0;
  std::ifstream(path) >> pid;
  return pid;
}

/// Starts one more process on the first node's place, and waits for its end: its exit code, or -1.
int StartRival(const Processes& nodes, const std::string& pidfile) {
  const char* server = std::getenv("ORRERY_SERVER");
  std::vector<std::string> args = {server != nullptr ? server : ORRERY_SERVER,
                                   "--port",
                                   std::to_string(nodes.port(0)),
                                   "--dir",
                                   nodes.dir(0),
                                   "--logfile",
                                   nodes.dir(0) + "/rival.log",
                                   "--pidfile",
                                   pidfile};
  std::vector<char*> pointers;
  for (std::string& arg : args) pointers.push_back(arg.data());
  pointers.push_back(nullptr);
  const pid_t rival = ::fork();
  if (rival == 0) {
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(rival, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ProcessTest, ThePidFileIsTheServingNodesOwn) {
  const std::string pidfile = testing::TempDir() + "orrery_serving_" + std::to_string(::getpid());
  {
    Processes nodes(1, {"--pidfile", pidfile});
    ASSERT_TRUE(nodes.WaitUntilServing());
    EXPECT_EQ(PidIn(pidfile), nodes.pid(0));
    // A second start by mistake fails, and changes nothing.
    EXPECT_EQ(StartRival(nodes, pidfile), 1);
    EXPECT_EQ(PidIn(pidfile), nodes.pid(0));
    nodes.Kill(0, SIGTERM);
    EXPECT_EQ(nodes.Reap(0), 0);
  }
  EXPECT_NE(::access(pidfile.c_str(), F_OK), 0);
}

TEST(ProcessTest, AHangUpDoesNotEndANode) {
  Processes nodes(1, {});
  ASSERT_TRUE(nodes.WaitUntilServing());
  nodes.Kill(0, SIGHUP);
  // A signal that is not ignored ends the process before it could answer a later request.
  EXPECT_EQ(nodes.Run(0, {"SET", "k", "v"}), "OK");
  EXPECT_EQ(nodes.Run(0, {"GET", "k"}), "v");
  nodes.Kill(0, SIGTERM);
  EXPECT_EQ(nodes.Reap(0), 0);
}

}  // namespace
}  // namespace orrery::cluster
