#include "orrery/server/node.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "orrery/replication/slot_loss.h"
#include "orrery/runtime/uv/listen_address.h"
#include "orrery/runtime/uv/peer_listener.h"
#include "orrery/server/server.h"
#include "orrery/storage/row_key.h"
#include "server/config/announced_host.h"
#include "server/node/node_files.h"
#include "server/node/node_loop.h"
#include "server/node/node_reset.h"
#include "server/process.h"

namespace orrery::server {
namespace {

constexpr uint64_t kHeartbeatUs = 100'000;

replication::ClusterOptions ClusterOptionsOf(const Config& config) {
  replication::ClusterOptions options;
  options.host = AnnouncedHost(config);
  options.client_port = config.announce_port != 0 ? config.announce_port : config.port;
  options.peer_port = config.announce_peer_port != 0 ? config.announce_peer_port : config.PeerPort();
  options.weight = config.weight;
  options.zone = config.zone;
  options.replication_factor = config.replication_factor;
  options.read_quorum = config.read_quorum;
  options.write_quorum = config.write_quorum;
  options.transfer = config.slot_transfer;
  options.failure_detector.heartbeat_interval_us =
      std::min<uint64_t>(kHeartbeatUs, config.failure_detection_timeout_ms * 100);
  options.failure_detector.silence_max_us = uint64_t{config.failure_detection_timeout_ms} * 900;
  // Who is to be patient does not take short pauses for news, however regular heartbeats were.
  options.failure_detector.deviation_min_us = uint64_t{config.failure_detection_timeout_ms} * 100;
  return options;
}

}  // namespace

struct Node::Impl {
  ConfigStore* config = nullptr;
  Log* log = nullptr;
  std::unique_ptr<storage::RocksDatabase> database;
  NodeShared shared;
  std::unique_ptr<replication::ClusterControl> control;
  std::unique_ptr<runtime::PeerListener> listener;
  std::unique_ptr<Server> server;
  NodeEnd end = NodeEnd::kStopped;
  bool stopping = false;
  NodeOrigin origin = NodeOrigin::kProcess;
  uint64_t heartbeat_us = 0;
  std::unique_ptr<NodeReset> reset;

  NodeLoop& first() { return *shared.loops.front(); }
  ~Impl();

  Status Open();
  Status OpenStore();
  Status NoteLosses();
  void OnDamagedFile(const std::string& file, const std::string& why);
  Result<replication::NodeState> TakeIncarnation();
  void MakeControl(replication::NodeState state);
  void MakeReset();
  Status OpenLoops();
  Status OpenPorts();
  void DialSeeds();
  void Heartbeat();
  void PublishView(const replication::ClusterViewPtr& view);
  void KeepLinks(const std::vector<membership::Member>& members);
  void NewLife(const std::string& why);
  void Stop();
  void SyncAndStop();
};

// Everything that lives on a loop goes before its loop; what the loops share, last.
Node::Impl::~Impl() {
  if (database != nullptr) database->StopScrub();
  for (auto& owned : shared.loops) owned->thread().Stop();
  server.reset();
  listener.reset();
  control.reset();
  for (auto& owned : shared.loops) owned->Close();
  shared.loops.clear();
  if (end != NodeEnd::kStopped) RememberTermination();
}

Status Node::Impl::OpenStore() {
  const ConfigPtr settings = config->Get();
  storage::RocksOptions options;
  options.path = RowsPath(settings->dir);
  options.block_cache_bytes = settings->block_cache_bytes;
  options.write_buffer_bytes = settings->write_buffer_bytes;
  options.log = [log = log](std::string_view text) { log->Warning("rocksdb: {}", text); };
  options.on_damage = [this](const std::string& file, const std::string& why) {
    first().loop().Post([this, file, why] { OnDamagedFile(file, why); });
  };
  auto opened = storage::RocksDatabase::Open(options);
  if (!opened.ok()) return opened.status();
  database = std::move(*opened);
  return Status::Ok();
}

// What went with damaged table files is noted for each slot before anything of it is believed.
Status Node::Impl::NoteLosses() {
  if (database->lost_ranges().empty()) return Status::Ok();
  log->Warning("Table files were damaged or missing: what they had is made anew from other nodes");
  storage::RowStore& store = first().store();
  if (Status s = replication::NoteLosses(database->lost_ranges(), &store); !s.ok()) return s;
  if (Status s = store.Commit(storage::Durability::kDisk); !s.ok()) return s;
  return database->ForgetLostRanges();
}

// Alone, a node has nowhere to get the rows from: it keeps the file and what of it can be read, for as long
// as it goes.
void Node::Impl::OnDamagedFile(const std::string& file, const std::string& why) {
  if (stopping) return;
  if (control->view()->ring->Homes(0).size() < 2) {
    log->Warning("{} is damaged, and no other node has its rows: {}", file, why);
    return;
  }
  if (Status s = database->Suspect(why + " in " + file); !s.ok()) return log->Warning("{}", s.message());
  NewLife("a table file is damaged: " + why);
}

Status Node::Impl::Open() {
  if (Status s = OpenStore(); !s.ok()) return s;
  const size_t count = LoopCount(*config->Get());
  shared.config = config;
  shared.log = log;
  shared.database = database.get();
  shared.new_life = [this](const std::string& why) { first().loop().Post([this, why] { NewLife(why); }); };
  for (size_t i = 0; i < count; ++i) shared.loops.push_back(std::make_unique<NodeLoop>(&shared, i, count));
  if (Status s = NoteLosses(); !s.ok()) return s;
  auto state = TakeIncarnation();
  if (!state.ok()) return state.status();
  auto some_row = first().store().Scan(storage::Table::kSlots, "");
  shared.has_data = some_row->Valid();
  some_row.reset();
  MakeControl(std::move(*state));
  MakeReset();
  control->Start();
  if (Status s = first().store().Commit(storage::Durability::kDisk); !s.ok()) return s;
  if (Status s = OpenLoops(); !s.ok()) return s;
  database->SetScrub({config->Get()->scrub_interval_s, config->Get()->scrub_bytes_per_s});
  KeepLinks(control->members().Present());
  return OpenPorts();
}

// The new life is on disk before its first event can be made.
Result<replication::NodeState> Node::Impl::TakeIncarnation() {
  runtime::Random& random = first().random();
  auto state =
      replication::BeginLife(&first().store(), NodeId{random.Next64() | 1}, first().loop().WallMs(), &random);
  if (!state.ok()) return state;
  shared.self = {state->id, state->incarnation};
  log->Notice("Node {}, incarnation {:x}", state->id.ToName(), state->incarnation);
  return state;
}

void Node::Impl::MakeControl(replication::NodeState state) {
  replication::ClusterControl::Hooks hooks;
  hooks.on_view = [this](const replication::ClusterViewPtr& view) { PublishView(view); };
  hooks.set_peers = [this](const std::vector<membership::Member>& members) { KeepLinks(members); };
  hooks.send = [this](NodeId to, std::string bytes) { first().shard().SendGossip(to, std::move(bytes)); };
  hooks.send_committed = [this](NodeId to, std::string bytes) {
    first().shard().SendCommittedGossip(to, std::move(bytes));
  };
  hooks.has_data = [this] { return shared.has_data.load(std::memory_order_relaxed); };
  hooks.holdings = [this] {
    uint64_t sum = 0;
    for (const auto& loop : shared.loops) sum += loop->holdings();
    return sum;
  };
  hooks.requests = [this] {
    uint64_t sum = 0;
    for (const auto& loop : shared.loops) sum += loop->requests();
    return sum;
  };
  hooks.log = [this](const std::string& line) { log->Notice("cluster: {}", line); };
  hooks.sync_turn = [this] {
    if (first().opened()) first().shard().SyncTurn();
  };
  replication::ClusterOptions options = ClusterOptionsOf(*config->Get());
  const std::vector<SeedAddress>& seeds = config->Get()->seeds;
  options.has_seeds = origin == NodeOrigin::kProcess && !seeds.empty();
  // By the name that others use; else dialling it shows it.
  options.is_seed = std::any_of(seeds.begin(), seeds.end(), [&](const SeedAddress& seed) {
    return seed.host == options.host && seed.peer_port == options.peer_port;
  });
  options.awaits_meeting = origin == NodeOrigin::kTakenOut;
  heartbeat_us = options.failure_detector.heartbeat_interval_us;
  control = std::make_unique<replication::ClusterControl>(
      options, std::move(state), &first().store(), &first().loop(), &first().random(), std::move(hooks));
  shared.control = control.get();
}

void Node::Impl::MakeReset() {
  NodeReset::Hooks hooks;
  hooks.is_shutting_down = [this] { return server->is_shutting_down(); };
  hooks.end = [this](bool was_taken_out) {
    end = NodeEnd::kReset;
    origin = was_taken_out ? NodeOrigin::kTakenOut : NodeOrigin::kReset;
    stopping = true;
    server->CloseClients();
  };
  reset = std::make_unique<NodeReset>(&shared, config->Get()->dir, config->Get()->slot_transfer,
                                      std::move(hooks));
  shared.reset = [this](NodeReset::Done done) { reset->Ask(std::move(done)); };
}

// In the first loop's next turn: what the view rests on is committed by then.
void Node::Impl::PublishView(const replication::ClusterViewPtr& view) {
  first().loop().Post(
      [this, view] { shared.OnEachLoop([view](NodeLoop& each) { each.shard().SetView(view); }); });
}

void Node::Impl::KeepLinks(const std::vector<membership::Member>& members) {
  std::vector<runtime::PeerAddress> peers;
  for (const auto& member : members) {
    if (member.id != shared.self.node) peers.push_back({member.id, member.host, member.peer_port});
  }
  shared.OnEachLoop([peers](NodeLoop& each) { each.transport().SetPeers(peers); });
}

Status Node::Impl::OpenLoops() {
  for (auto& owned : shared.loops) {
    if (Status s = owned->Open(control->view()); !s.ok()) return s;
  }
  return Status::Ok();
}

Status Node::Impl::OpenPorts() {
  const ConfigPtr settings = config->Get();
  std::vector<runtime::PeerTransport*> transports;
  for (auto& owned : shared.loops) transports.push_back(&owned->transport());
  runtime::PeerListenerOptions options;
  options.addresses.clear();
  for (const std::string& word : settings->bind)
    options.addresses.push_back(runtime::ParseListenAddress(word));
  options.port = settings->PeerPort();
  auto opened =
      runtime::PeerListener::Listen(first().loop(), options, transports,
                                    [this](const std::string& note) { log->Notice("peers: {}", note); });
  if (!opened.ok()) return opened.status();
  listener = std::move(*opened);

  ServerOptions server_options;
  server_options.config = config;
  server_options.log = log;
  for (auto& owned : shared.loops) {
    server_options.loops.push_back({&owned->loop(), owned.get(), &owned->access()});
  }
  server_options.on_stopped = [this] { SyncAndStop(); };
  server = std::make_unique<Server>(std::move(server_options));
  return server->Listen();
}

void Node::Impl::DialSeeds() {
  // Who was taken out does not go back by itself.
  if (origin != NodeOrigin::kProcess) return;
  for (const SeedAddress& seed : config->Get()->seeds) {
    shared.OnEachLoop([seed](NodeLoop& each) { each.transport().Dial(seed.host, seed.peer_port); });
  }
}

void Node::Impl::Heartbeat() {
  if (stopping) return;
  control->Tick();
  first().loop().After(heartbeat_us, [this] { Heartbeat(); });
}

void Node::Impl::NewLife(const std::string& why) {
  if (stopping) return;
  log->Warning("Beginning a new life: {}", why);
  end = NodeEnd::kNewLife;
  stopping = true;
  Stop();
}

void Node::Impl::SyncAndStop() {
  stopping = true;
  auto left = std::make_shared<std::atomic<size_t>>(shared.loops.size());
  shared.OnEachLoop([this, left](NodeLoop& each) {
    each.shard().Sync([this, left](const Status& status) {
      if (!status.ok()) log->Warning("sync at shutdown failed: {}", status.message());
      if (left->fetch_sub(1) == 1) Stop();
    });
  });
}

void Node::Impl::Stop() {
  first().loop().Stop();
}

Result<std::unique_ptr<Node>> Node::Open(ConfigStore* config, Log* log, NodeOrigin origin) {
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  impl->log = log;
  impl->origin = origin;
  if (Status s = impl->Open(); !s.ok()) {
    // Bytes that are needed to start: the next try takes the file out that has them.
    if (s.code() == StatusCode::kCorruption && impl->database != nullptr) {
      if (Status noted = impl->database->Suspect(s.message()); !noted.ok())
        log->Warning("{}", noted.message());
    }
    return s;
  }
  return std::unique_ptr<Node>(new Node(std::move(impl)));
}

Node::Node(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Node::~Node() = default;

NodeOrigin Node::next_origin() const {
  return impl_->origin;
}

NodeEnd Node::Run() {
  Impl& impl = *impl_;
  runtime::UvLoop& loop = impl.first().loop();
  loop.OnTerminate([&impl](int) { impl.server->BeginShutdown(); });
  if (WasToldToTerminate()) impl.server->BeginShutdown();
  impl.DialSeeds();
  loop.Post([&impl] { impl.Heartbeat(); });
  for (size_t i = 1; i < impl.shared.loops.size(); ++i) impl.shared.loops[i]->thread().Start();
  impl.log->Notice("Ready to accept connections on port {}", impl.server->port());
  loop.Run();
  if (impl.server->is_shutting_down()) impl.end = NodeEnd::kStopped;
  return impl.end;
}

}  // namespace orrery::server
