#include "server/process.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>

namespace orrery::server {
namespace {

/// Store files, links to peers, listeners, log.
constexpr uint64_t kOwnFiles = 2048;

volatile std::sig_atomic_t told_to_terminate = 0;

Status SystemError(const std::string& what) {
  return Status::IoError(what + ": " + std::strerror(errno));
}

/// The protocol of sd_notify(3): a datagram to the socket that systemd names.
void TellSystemd(std::string_view message) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (path == nullptr || std::strlen(path) >= sizeof(address.sun_path)) return;
  address.sun_family = AF_UNIX;
  const size_t length = std::strlen(path);
  std::memcpy(address.sun_path, path, length);
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // an abstract socket
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  sendto(fd, message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address), size);
  close(fd);
}

bool IsUnderSystemd(Supervised supervised) {
  return supervised == Supervised::kSystemd ||
         (supervised == Supervised::kAuto && std::getenv("NOTIFY_SOCKET") != nullptr);
}

bool IsUnderUpstart(Supervised supervised) {
  return supervised == Supervised::kUpstart ||
         (supervised == Supervised::kAuto && std::getenv("UPSTART_JOB") != nullptr);
}

}  // namespace

Status Daemonize() {
  const pid_t child = fork();
  if (child < 0) return SystemError("cannot go into the background");
  if (child > 0) std::_Exit(0);
  setsid();
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return SystemError("cannot open /dev/null");
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
  if (null > STDERR_FILENO) close(null);
  return Status::Ok();
}

PidFile::PidFile(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  const int fd = open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) {
    status_ = SystemError("cannot write the pid file '" + path_ + "'");
    path_.clear();
    return;
  }
  const std::string text = std::to_string(getpid()) + "\n";
  if (write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    status_ = SystemError("cannot write the pid file '" + path_ + "'");
  }
  close(fd);
}

PidFile::~PidFile() {
  // Another process may have put its own there.
  pid_t written = 0;
  if (!path_.empty() && std::ifstream(path_) >> written && written == getpid()) unlink(path_.c_str());
}

void IgnoreHangUps() {
  std::signal(SIGHUP, SIG_IGN);
}

void RememberTermination() {
  for (int signal : {SIGTERM, SIGINT}) std::signal(signal, [](int) { told_to_terminate = 1; });
}

bool WasToldToTerminate() {
  return told_to_terminate != 0;
}

void NotifyReady(Supervised supervised) {
  if (IsUnderSystemd(supervised)) TellSystemd("READY=1\nSTATUS=Ready to accept connections\n");
  if (IsUnderUpstart(supervised)) std::raise(SIGSTOP);
}

void NotifyStopping(Supervised supervised) {
  if (IsUnderSystemd(supervised)) TellSystemd("STOPPING=1\n");
}

Status RaiseFileLimit(uint32_t maxclients) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return SystemError("cannot read the limit of open files");
  const uint64_t wanted = uint64_t{maxclients} + kOwnFiles;
  if (limit.rlim_cur >= wanted) return Status::Ok();
  limit.rlim_cur = std::min<uint64_t>(wanted, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return SystemError("cannot raise the limit of open files");
  if (limit.rlim_cur >= wanted) return Status::Ok();
  return Status::Full("The system allows " + std::to_string(limit.rlim_cur) + " open files, " +
                      std::to_string(wanted) + " are needed for maxclients " + std::to_string(maxclients) +
                      ": raise it with 'ulimit -n'");
}

uint64_t ClientsThatFit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  return limit.rlim_max - std::min<uint64_t>(limit.rlim_max, kOwnFiles);
}

uint32_t LoopCount(const Config& config) {
  if (config.threads != 0) return config.threads;
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof(cores), &cores) != 0) return 1;
  return static_cast<uint32_t>(std::clamp(CPU_COUNT(&cores), 1, 128));
}

}  // namespace orrery::server
