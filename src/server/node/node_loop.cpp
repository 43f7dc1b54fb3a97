#include "server/node/node_loop.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "server/node/access.h"

namespace orrery::server {

using replication::Callback;
using replication::Request;
using replication::Response;

namespace {

constexpr uint64_t kDiskRetryUs = 1'000'000;
constexpr uint64_t kHoldingsUs = 500'000;
// Large values take the store some time after they are committed: they fill memtables, which are written to files.
constexpr uint64_t kAfterLargeUs = 10'000'000;
// Not rarer than heartbeats; and what is being sent goes on meanwhile.
constexpr uint64_t kSignEveryUs = 20'000;
constexpr uint64_t kStepUsMax = 5'000'000;
constexpr size_t kProbeBytes = size_t{1} << 20;
// As much as a frame's header can say: what a frame holds is bounded where it is made (ShardOptions). The same on all
// nodes, whatever their settings, for one must take what another one has accepted.
constexpr size_t kFrameBytesMax = UINT32_MAX;
constexpr size_t kOutputBytesMax = size_t{2} << 30;
// What a turn touches for so much input still fits the processor's caches, and other nodes get their share of
// a large pipeline while we work on the rest of it.
constexpr size_t kTurnBytes = 8192;

replication::SyncPolicy SyncPolicyOf(AppendFsync fsync) {
  switch (fsync) {
    case AppendFsync::kAlways:
      return replication::SyncPolicy::kAlways;
    case AppendFsync::kEverySecond:
      return replication::SyncPolicy::kEverySecond;
    case AppendFsync::kNo:
      break;
  }
  return replication::SyncPolicy::kNo;
}

replication::ShardOptions ShardOptionsOf(const Config& config, size_t index, size_t count) {
  replication::ShardOptions options;
  options.loop_index = index;
  options.loop_count = count;
  options.sync = SyncPolicyOf(config.appendfsync);
  options.request_timeout_us = uint64_t{config.request_timeout_ms} * 1000;
  options.anti_entropy_interval_us = config.anti_entropy_interval_ms * 1000;
  options.transfer_latency_target_us = config.transfer_latency_target_ms * 1000;
  options.backlog_bytes_max = config.backlog_bytes / count;
  options.hint_bytes_max = config.hint_store_bytes / count;
  options.max_clock_ahead_ms = config.max_clock_drift_ms;
  options.forward_age_max_ms = std::min<uint64_t>(options.forward_age_max_ms, config.failure_detection_timeout_ms / 2);
  return options;
}

// Writes and syncs a small file, as a full or failing disk would refuse.
bool DiskTakesWrites(const std::string& dir) {
  const std::string path = dir + "/disk-probe";
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return false;
  const std::string block(kProbeBytes, 'x');
  bool written = std::fwrite(block.data(), 1, block.size(), file) == block.size();
  written = std::fflush(file) == 0 && written;
  written = ::fsync(::fileno(file)) == 0 && written;
  std::fclose(file);
  std::remove(path.c_str());
  return written;
}

}  // namespace

void NodeShared::OnEachLoop(const std::function<void(NodeLoop&)>& task) const {
  for (const auto& entry : loops) {
    NodeLoop* each = entry.get();
    if (each->opened()) each->loop().Post([each, task] { task(*each); });
  }
}

NodeLoop::NodeLoop(NodeShared* shared, size_t index, size_t count)
    : shared_(*shared), index_(index), count_(count), random_(runtime::SystemSeed()) {
  storage::ShardOptions options;
  options.row_cache_bytes = shared_.config->Get()->row_cache_bytes;
  options.post = [this](std::function<void()> task) { loop().Post(std::move(task)); };
  store_ = shared_.database->OpenShard(options);
}

NodeLoop::~NodeLoop() {
  Close();
}

runtime::PeerTransportOptions NodeLoop::TransportOptions() const {
  const ConfigPtr config = shared_.config->Get();
  runtime::PeerTransportOptions options;
  options.cluster = config->cluster_name;
  options.secret = config->peer_secret;
  options.id = shared_.self.node;
  options.incarnation = shared_.self.incarnation;
  options.loop_index = static_cast<uint16_t>(index_);
  options.loop_count = static_cast<uint16_t>(count_);
  options.versions = PretendedVersions().value_or(runtime::PeerVersions{});
  options.frame_max_bytes = kFrameBytesMax;
  options.output_max_bytes = kOutputBytesMax;
  return options;
}

runtime::PeerTransportHooks NodeLoop::TransportHooks() {
  runtime::PeerTransportHooks hooks;
  hooks.known_incarnation = [this](NodeId peer) -> uint64_t {
    const membership::Member* member = shard_->view()->Find(peer);
    return member == nullptr ? 0 : member->incarnation;
  };
  hooks.on_greeted = [this](const runtime::PeerGreeting& greeting) {
    const runtime::PeerAddress& at = greeting.dialled_address;
    if (index_ == 0 && greeting.dialled) shared_.control->OnDialled(greeting.id, at.host, at.port);
    if (greeting.known_incarnation > shared_.self.incarnation) {
      shared_.new_life("a peer knows a later life of this node: its disk is an old image");
    }
  };
  hooks.on_self = [this](const std::string& host, uint16_t port) {
    // Or an operator has told us to meet ourselves.
    const ConfigPtr config = shared_.config->Get();
    const auto is_it = [&](const SeedAddress& seed) { return seed.host == host && seed.peer_port == port; };
    const bool is_seed = std::any_of(config->seeds.begin(), config->seeds.end(), is_it);
    if (index_ == 0 && is_seed) shared_.control->OnOwnSeed();
  };
  hooks.on_note = [this](const std::string& note) { shared_.log->Notice("peers: {}", note); };
  return hooks;
}

Status NodeLoop::Open(replication::ClusterViewPtr view) {
  transport_ =
      std::make_unique<runtime::PeerTransport>(loop(), random_, TransportOptions(), *this, TransportHooks());
  replication::Shard::Parts parts;
  parts.clock = &loop();
  parts.timers = &loop();
  parts.random = &random_;
  parts.transport = transport_.get();
  if (PretendsUnknownMessages()) {
    later_ = std::make_unique<UnknownMessageTransport>(transport_.get());
    parts.transport = later_.get();
  }
  parts.store = store_.get();
  parts.observer = &observer_;
  parts.executor = &executor_;
  parts.mesh = this;
  parts.log = [this](const std::string& line) { shared_.log->Warning("{}", line); };
  parts.sign_of_life = [this] { SignOfLife(); };
  parts.run_step = [this](size_t bytes, const std::function<void()>& step) { RunStep(bytes, step); };
  if (index_ == 0) {
    parts.on_gossip = [this](NodeId from, std::string_view bytes) {
      shared_.control->OnMessage(from, bytes);
    };
  }
  const ConfigPtr config = shared_.config->Get();
  auto shard =
      replication::Shard::Open(ShardOptionsOf(*config, index_, count_), parts, shared_.self, std::move(view));
  if (!shard.ok()) return shard.status();
  shard_ = std::move(*shard);
  access_ = MakeNodeAccess(this);
  dispatcher_ = std::make_unique<commands::Dispatcher>(&shard_->router(), this, random_.Next64());
  dispatcher_->SetEncodingLimits(config->Encodings());
  OnConfig(*config);
  loop().OnTurnEnd([this] { EndTurn(); });
  CountHoldings();
  return Status::Ok();
}

void NodeLoop::Close() {
  if (shard_) shard_->Stop();
  dispatcher_.reset();
  access_.reset();
  shard_.reset();
  transport_.reset();
}

void NodeLoop::OnConfig(const Config& config) {
  if (dispatcher_) dispatcher_->SetEncodingLimits(config.Encodings());
  if (shard_) shard_->SetLiveOptions(ShardOptionsOf(config, index_, count_));
  // Where each turn waits for the disk, the more commands share it the better.
  loop().LimitTurn(config.appendfsync == AppendFsync::kAlways ? SIZE_MAX : kTurnBytes);
}

// ---- peers ----

void NodeLoop::OnPeerUp(NodeId peer, uint64_t incarnation) {
  if (index_ == 0) shared_.control->OnPeerUp(peer);
  shard_->OnPeerUp(peer, incarnation);
}

void NodeLoop::OnPeerDown(NodeId peer) {
  if (index_ == 0) shared_.control->OnPeerDown(peer);
  shard_->OnPeerDown(peer);
}

void NodeLoop::OnFrame(NodeId peer, std::string_view frame) {
  if (index_ == 0) shared_.control->OnHeard(peer);
  shard_->OnFrame(peer, frame);
}

void NodeLoop::OnPartOfFrame(NodeId peer) {
  if (index_ == 0) shared_.control->OnHeard(peer);
  shard_->OnPartOfFrame(peer);
}

// Within a long turn. What leaves early is worked on by others meanwhile.
void NodeLoop::SignOfLife() {
  if (index_ == 0) shared_.control->SignOfLife();
  shard_->SendEarly();
  transport_->PushOutput();
}

void NodeLoop::RunStep(size_t bytes, const std::function<void()>& step) {
  const bool is_long = bytes >= replication::ShardContext::kLongStepBytes;
  const uint64_t until_us = shared_.large_until_us.load(std::memory_order_relaxed);
  if (!is_long && until_us == 0) return step();
  const uint64_t now_us = loop().MonotonicUs();
  if (!is_long && now_us >= until_us) return step();
  if (is_long) shared_.large_until_us.store(now_us + kAfterLargeUs, std::memory_order_relaxed);
  // Who hangs for longer than its bytes account for is to be missed after all.
  const uint64_t silent_from_us = now_us + kStepUsMax + replication::ShardContext::TransportUs(bytes);
  side_thread_.Run(step, kSignEveryUs, [this, silent_from_us] {
    if (loop().MonotonicUs() < silent_from_us) SignOfLife();
  });
}

// ---- other loops ----

void NodeLoop::PostRequest(size_t to, Request request, uint8_t hops, Callback done) {
  NodeLoop* target = shared_.loops[to].get();
  auto carried = std::make_shared<std::pair<Request, Callback>>(std::move(request), std::move(done));
  target->loop().Post([this, target, hops, carried] {
    target->shard_->RouteFromLoop(std::move(carried->first), hops, [this, carried](Response response) {
      loop().Post(
          [carried, response = std::move(response)]() mutable { carried->second(std::move(response)); });
    });
  });
}

void NodeLoop::PostMessage(size_t to, NodeId from, replication::Message message) {
  NodeLoop* target = shared_.loops[to].get();
  auto carried = std::make_shared<replication::Message>(std::move(message));
  target->loop().Post([target, from, carried] { target->shard_->OnMessage(from, std::move(*carried)); });
}

// ---- clients ----

void NodeLoop::Run(const commands::CommandSpec& command, std::span<const std::string_view> args,
                   const Caller& caller, Done done) {
  if (shard_->failed()) {
    std::string reply = replication::ErrorText({replication::Outcome::kDiskError, shard_->disk_error()});
    loop().Post([done = std::move(done), reply = std::move(reply)] { done(reply); });
    return;
  }
  commands::SessionOptions options;
  options.db = caller.db;
  options.resp = caller.resp;
  options.read_quorum = caller.read_quorum;
  options.write_quorum = caller.write_quorum;
  if (caller.blocked) return dispatcher_->Block(command, options, args, caller.blocked, std::move(done));
  dispatcher_->Dispatch(command, options, args, std::move(done));
}

// The survey ends after a turn's commit; what the command does with it belongs to the next turn.
void NodeLoop::SurveyKeys(const commands::SurveyQuery& query,
                          std::function<void(const commands::KeySurvey&)> done) {
  shard_->survey().Ask(query, [this, done = std::move(done)](const commands::KeySurvey& survey) {
    loop().Post([survey, done] { done(survey); });
  });
}

void NodeLoop::EndTurn() {
  shard_->EndTurn();
  if (shard_->has_work()) loop().Post([] {});
  if (shard_->stats().events_made + shard_->stats().events_applied > 0) {
    shared_.has_data.store(true, std::memory_order_relaxed);
  }
  if (shard_->failed() && !std::exchange(watching_disk_, true)) {
    // Peers must not wait for us: without links they turn to the next home at once.
    std::set<NodeId> peers;
    for (const auto& member : shard_->view()->members) peers.insert(member.id);
    transport_->SetBlocked(peers);
    WatchDisk();
  }
}

void NodeLoop::CountHoldings() {
  if (!shard_) return;
  holdings_.store(shard_->Holdings(), std::memory_order_relaxed);
  requests_.store(shard_->pending(), std::memory_order_relaxed);
  CountTransfers();
  loop().After(kHoldingsUs, [this] { CountHoldings(); });
}

void NodeLoop::Transfers::AddTo(replication::TransferProgress::Totals* sum) const {
  sum->left += left.load(std::memory_order_relaxed);
  sum->done += done.load(std::memory_order_relaxed);
  sum->claimed += claimed.load(std::memory_order_relaxed);
  sum->bytes += bytes.load(std::memory_order_relaxed);
}

void NodeLoop::AddTransfers(replication::TransferProgress::Totals* taking,
                            replication::TransferProgress::Totals* giving) const {
  taking_.AddTo(taking);
  giving_.AddTo(giving);
}

void NodeLoop::CountTransfers() {
  const replication::ShardStats& stats = shard_->stats();
  taking_.left.store(shard_->taker().waiting() + shard_->taker().under_way(), std::memory_order_relaxed);
  taking_.done.store(stats.seats_taken, std::memory_order_relaxed);
  taking_.claimed.store(stats.seats_claimed, std::memory_order_relaxed);
  taking_.bytes.store(stats.copied_bytes, std::memory_order_relaxed);
  giving_.left.store(shard_->giver().to_give(), std::memory_order_relaxed);
  giving_.done.store(stats.seats_given, std::memory_order_relaxed);
  giving_.bytes.store(stats.given_bytes, std::memory_order_relaxed);
  if (index_ != 0) return;
  replication::TransferProgress::Totals taking, giving;
  for (const auto& each : shared_.loops) each->AddTransfers(&taking, &giving);
  for (const auto& line : {shared_.taking.Update(loop().MonotonicUs(), taking),
                           shared_.giving.Update(loop().MonotonicUs(), giving)}) {
    if (line) shared_.log->Notice("transfer: {}", *line);
  }
}

void NodeLoop::WatchDisk() {
  loop().After(kDiskRetryUs, [this] {
    if (DiskTakesWrites(shared_.config->Get()->dir)) {
      shared_.new_life("the disk takes writes again");
    } else {
      WatchDisk();
    }
  });
}

}  // namespace orrery::server
