// orrery-server: reads the command line and the configuration, prepares the process, and runs a node.

#include <clocale>
#include <cstdio>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "orrery/server/config.h"
#include "orrery/server/log.h"
#include "orrery/server/version.h"
#include "server/node_main.h"
#include "server/process.h"

namespace orrery::server {
namespace {

int Fail(const std::string& text) {
  std::fprintf(stderr, "%s\n", text.c_str());
  return 1;
}

int RunWith(const Startup& startup) {
  const Config& config = startup.config;
  if (config.daemonize) {
    if (const Status status = Daemonize(); !status.ok()) return Fail(status.message());
  }
  IgnoreHangUps();
  auto log = Log::Open(config.logfile, config.loglevel);
  if (!log.ok()) return Fail(log.status().message());
  (*log)->Notice("Orrery {} is starting, {} loops, configuration {}", kReleaseVersion, LoopCount(config),
                 startup.file.empty() ? "by command line" : startup.file);
  for (const std::string& note : startup.notes) (*log)->Notice("{}", note);
  if (const Status status = RaiseFileLimit(config.maxclients); !status.ok())
    (*log)->Warning("{}", status.message());
  ConfigStore store(config, startup.file);
  std::optional<PidFile> pid_file;
  const int code = RunNode(store, **log, [&] {
    if (pid_file) return;  // a new life of the same process
    pid_file.emplace(config.pidfile);
    if (!pid_file->status().ok()) (*log)->Warning("{}", pid_file->status().message());
    NotifyReady(config.supervised);
  });
  NotifyStopping(config.supervised);
  (*log)->Warning("Orrery is now ready to exit, bye bye...");
  return code;
}

int Main(int argc, char** argv) {
  std::setlocale(LC_ALL, "C");
  const std::vector<std::string> args(argv + 1, argv + argc);
  const auto startup = LoadStartup(args, std::cin);
  if (!startup.ok()) return Fail(startup.status().message());
  switch (startup->action) {
    case Startup::Action::kHelp:
      std::fputs(UsageText().c_str(), stdout);
      return 0;
    case Startup::Action::kVersion:
      std::fputs(VersionText().c_str(), stdout);
      return 0;
    case Startup::Action::kRun:
      break;
  }
  return RunWith(*startup);
}

}  // namespace
}  // namespace orrery::server

// What jemalloc begins with; its environment variable MALLOC_CONF goes before. A node's memory is met here
// and there, slot by slot and row by row: with pages of 4 KB a good part of the time went to finding the
// pages. And what tables and logs free they soon take again: for five minutes it is kept, since a page that
// comes back from the kernel is cleared first.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "thp:always,dirty_decay_ms:300000";
}

int main(int argc, char** argv) {
  return orrery::server::Main(argc, argv);
}
