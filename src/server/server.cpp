#include "orrery/server/server.h"

#include <sys/socket.h>

#include <atomic>
#include <optional>
#include <string>

#include "orrery/runtime/random.h"
#include "orrery/runtime/uv/listen_address.h"
#include "orrery/runtime/uv/tcp.h"
#include "server/memory_facts.h"
#include "server/process.h"
#include "server/worker.h"

namespace orrery::server {
namespace {

std::string MakeRunId() {
  std::string id;
  runtime::SeededRandom random(runtime::SystemSeed());
  while (id.size() < 40) id += NodeId{random.Next64()}.ToHex();
  return id.substr(0, 40);
}

std::optional<ConfigStore::Refusal> MakeRoomForClients(const Config& now, const Config& next) {
  if (next.maxclients <= now.maxclients) return std::nullopt;
  if (const uint64_t room = ClientsThatFit(); next.maxclients > room) {
    return ConfigStore::Refusal{"maxclients",
                                "The operating system is not able to handle the specified number of clients, "
                                "try with " +
                                    std::to_string(room)};
  }
  const Status raised = RaiseFileLimit(next.maxclients);
  if (raised.ok()) return std::nullopt;
  return ConfigStore::Refusal{"maxclients", raised.message()};
}

}  // namespace

void ServerState::Post(size_t index, std::function<void(Worker&)> task) {
  Worker& worker = *workers[index];
  worker.loop().Post([&worker, task = std::move(task)] { task(worker); });
}

void ServerState::PostAll(const std::function<void(Worker&)>& task) {
  for (size_t i = 0; i < workers.size(); ++i) Post(i, task);
}

struct Server::Impl {
  explicit Impl(ServerOptions o);

  Status ListenOn(const runtime::ListenAddress& address);
  void OnAccept(int fd);
  void RefuseTooMany(int fd);
  void BeginShutdown(ServerState::Shutdown how);
  void BeginDraining(ServerState::Shutdown how);
  void StartDraining(ServerState::Shutdown how);
  void OnWorkerDrained();

  ServerOptions options;
  ServerState state;
  std::vector<std::unique_ptr<runtime::TcpListener>> listeners;
  uint64_t next_client_id = 1;
  std::atomic<bool> shutting_down{false};
  std::atomic<bool> draining{false};
  runtime::TimerId shutdown_timer = runtime::kNoTimer;
  size_t undrained = 0;
};

Server::Impl::Impl(ServerOptions o) : options(std::move(o)) {
  runtime::UvLoop& first = *options.loops.front().loop;
  state.config = options.config;
  state.config->SetCheck(MakeRoomForClients);
  state.log = options.log;
  state.started_us = first.MonotonicUs();
  state.started_wall_ms = first.WallMs();
  state.run_id = MakeRunId();
  state.startup_memory_bytes = ReadMemoryFacts().allocated;
  state.checkpoint.last_save_s = state.started_wall_ms / 1000;
  state.begin_shutdown = [this](ServerState::Shutdown how) { BeginShutdown(how); };
  for (size_t i = 0; i < options.loops.size(); ++i) {
    state.workers.push_back(std::make_unique<Worker>(state, i, options.loops[i]));
  }
}

Status Server::Impl::ListenOn(const runtime::ListenAddress& address) {
  const Config& config = state.workers.front()->config();
  runtime::TcpListener::Options listen;
  listen.host = address.host;
  listen.port = state.port != 0 ? state.port : config.port;
  listen.backlog = static_cast<int>(config.tcp_backlog);
  auto listener =
      runtime::TcpListener::Listen(*options.loops.front().loop, listen, [this](int fd) { OnAccept(fd); });
  if (!listener.ok()) return listener.status();
  state.port = (*listener)->port();
  listeners.push_back(std::move(*listener));
  return Status::Ok();
}

void Server::Impl::OnAccept(int fd) {
  const Config& config = state.workers.front()->config();
  if (state.client_count.fetch_add(1) >= config.maxclients) {
    state.client_count.fetch_sub(1);
    return RefuseTooMany(fd);
  }
  const uint64_t id = next_client_id++;
  const size_t index = id % state.workers.size();
  if (index == 0) return state.workers[0]->Adopt(fd, id);
  state.Post(index, [fd, id](Worker& worker) { worker.Adopt(fd, id); });
}

void Server::Impl::RefuseTooMany(int fd) {
  static constexpr std::string_view kError = "-ERR max number of clients reached\r\n";
  [[maybe_unused]] const ssize_t sent = send(fd, kError.data(), kError.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ++state.workers.front()->metrics().connections_rejected;
  runtime::CloseSocket(fd);
}

void Server::Impl::BeginShutdown(ServerState::Shutdown how) {
  if (!shutting_down.exchange(true)) state.log->Warning("User requested shutdown...");
  BeginDraining(how);
}

void Server::Impl::BeginDraining(ServerState::Shutdown how) {
  if (draining.exchange(true)) return;
  state.Post(0, [this, how](Worker&) { StartDraining(how); });
}

void Server::Impl::StartDraining(ServerState::Shutdown how) {
  Worker& first = *state.workers.front();
  listeners.clear();
  undrained = state.workers.size();
  state.PostAll([this, how](Worker& worker) {
    worker.Drain([this] { state.Post(0, [this](Worker&) { OnWorkerDrained(); }); });
    if (how == ServerState::Shutdown::kNow) worker.CloseAll();
  });
  const uint64_t patience_us = uint64_t{first.config().shutdown_timeout_s} * 1'000'000;
  shutdown_timer = first.loop().After(patience_us, [this] {
    state.log->Warning("Clients were still waiting for replies after shutdown-timeout: closing them");
    state.PostAll([](Worker& worker) { worker.CloseAll(); });
  });
}

void Server::Impl::OnWorkerDrained() {
  if (--undrained > 0) return;
  state.workers.front()->loop().Cancel(shutdown_timer);
  state.log->Notice("All client connections are closed");
  if (options.on_stopped) options.on_stopped();
}

Server::Server(ServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Server::~Server() {
  impl_->listeners.clear();
  impl_->state.workers.clear();
}

Status Server::Listen() {
  for (const std::string& text : impl_->state.workers.front()->config().bind) {
    const runtime::ListenAddress address = runtime::ParseListenAddress(text);
    const Status bound = impl_->ListenOn(address);
    if (bound.ok()) continue;
    if (!address.optional || bound.code() != StatusCode::kUnavailable) return bound;
    impl_->state.log->Notice("Not listening on {}: {}", address.host, bound.message());
  }
  if (impl_->listeners.empty()) return Status::IoError("Configured to not listen anywhere, exiting.");
  return Status::Ok();
}

uint16_t Server::port() const {
  return impl_->state.port;
}

void Server::BeginShutdown() {
  impl_->BeginShutdown(ServerState::Shutdown::kGraceful);
}

void Server::CloseClients() {
  impl_->BeginDraining(ServerState::Shutdown::kGraceful);
}

bool Server::is_shutting_down() const {
  return impl_->shutting_down;
}

}  // namespace orrery::server
