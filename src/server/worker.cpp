#include "server/worker.h"

#include <algorithm>

namespace orrery::server {
namespace {

constexpr uint64_t kTickUs = 1'000'000;

}  // namespace

Worker::Worker(ServerState& state, size_t index, const LoopParts& parts)
    : state_(state), index_(index), parts_(parts), self_(std::make_shared<Worker*>(this)) {
  metrics_.commands_by_id.resize(CommandIndex::Get().entries().size());
  SetConfig(state.config->Get());
  last_tick_us_ = loop().MonotonicUs();
  ScheduleTick();
}

Worker::~Worker() {
  *self_ = nullptr;
  loop().Cancel(tick_timer_);
  loop().Cancel(unpause_timer_);
  state_.client_count.fetch_sub(static_cast<uint32_t>(clients_.size()));
}

void Worker::SetConfig(ConfigPtr config) {
  config_ = std::move(config);
  request_limits_.bulk_bytes_max = static_cast<int64_t>(config_->proto_max_bulk_len);
  request_limits_.request_bytes_max = config_->client_query_buffer_limit;
  for (const auto& [id, client] : clients_) client->OnConfig();
}

void Worker::Adopt(int fd, uint64_t id) {
  ++metrics_.connections_received;
  auto owned = std::make_unique<ClientConnection>(*this, id, fd);
  ClientConnection& client = *owned;
  clients_.emplace(id, std::move(owned));
  log().Verbose("Accepted {}", client.address());
  Admit(client);
}

bool Worker::Admit(ClientConnection& client) {
  if (draining_) {
    client.Close();
    return false;
  }
  if (!config_->protected_mode || !config_->requirepass.empty() || client.IsLocal()) return true;
  ++metrics_.connections_rejected;
  client.Refuse(
      "DENIED Orrery is running in protected mode because protected mode is enabled and no password is set "
      "for the "
      "default user. In this mode connections are only accepted from the loopback interface. To connect from "
      "elsewhere, "
      "set a password with requirepass, or, where the network itself keeps strangers out, turn "
      "protected-mode off in the "
      "configuration file and restart the server, or with CONFIG SET protected-mode no from this host.");
  return false;
}

ClientConnection* Worker::FindClient(uint64_t id) {
  const auto found = clients_.find(id);
  return found == clients_.end() ? nullptr : found->second.get();
}

void Worker::Pause(uint64_t until_us, bool writes_only) {
  // As in Redis, a second pause never shortens or weakens the first.
  if (pause_.active()) {
    until_us = std::max(until_us, pause_.until_us);
    writes_only = writes_only && pause_.writes_only;
  }
  pause_ = {until_us, writes_only};
  ArmUnpause();
}

void Worker::ArmUnpause() {
  loop().Cancel(unpause_timer_);
  const uint64_t now_us = loop().MonotonicUs();
  const uint64_t wait_us = pause_.until_us > now_us ? pause_.until_us - now_us : 0;
  unpause_timer_ = loop().After(wait_us, [this] { Unpause(); });
}

void Worker::Unpause() {
  loop().Cancel(std::exchange(unpause_timer_, runtime::kNoTimer));
  pause_ = {};
  std::vector<uint64_t> waiting;
  for (const auto& [id, client] : clients_) {
    if (client->is_postponed()) waiting.push_back(id);
  }
  for (uint64_t id : waiting) {
    if (ClientConnection* client = FindClient(id)) client->OnUnpaused();
  }
}

void Worker::OnClientClosed(ClientConnection& client) {
  const auto found = clients_.find(client.id());
  if (found == clients_.end()) return;
  dead_.emplace(client.id(), std::move(found->second));
  clients_.erase(found);
  state_.client_count.fetch_sub(1);
  ScheduleBurial();
}

void Worker::OnAnswerForClosed(ClientConnection& client) {
  if (client.under_way() == 0) ScheduleBurial();
}

void Worker::ScheduleBurial() {
  if (std::exchange(burial_scheduled_, true)) return;
  // In a task of its own, for the connection may be in the middle of a call.
  loop().Post([self = self_] {
    if (*self != nullptr) (*self)->Bury();
  });
}

void Worker::Bury() {
  burial_scheduled_ = false;
  std::erase_if(dead_, [](const auto& entry) { return entry.second->under_way() == 0; });
  if (on_drained_ && clients_.empty()) std::exchange(on_drained_, nullptr)();
}

void Worker::Drain(std::function<void()> done) {
  draining_ = true;
  on_drained_ = std::move(done);
  Unpause();
  std::vector<ClientConnection*> all;
  for (const auto& [id, client] : clients_) all.push_back(client.get());
  for (ClientConnection* client : all) {
    // What waits for a key would wait on; its client asks elsewhere.
    if (client->is_waiting()) client->Close();
    client->CloseAfterReplies();
  }
  ScheduleBurial();
}

void Worker::CloseAll() {
  std::vector<ClientConnection*> all;
  for (const auto& [id, client] : clients_) all.push_back(client.get());
  for (ClientConnection* client : all) client->Close();
}

LoopMetrics Worker::SnapshotMetrics() {
  metrics_.connections_now = clients_.size();
  metrics_.blocked_clients = metrics_.pending_replies = 0;
  metrics_.input_buffer_bytes = metrics_.output_buffer_bytes = 0;
  metrics_.input_buffer_max = metrics_.output_buffer_max = 0;
  for (const auto& [id, client] : clients_) {
    metrics_.blocked_clients += client->is_blocked() ? 1 : 0;
    metrics_.pending_replies += client->under_way();
    const uint64_t input = client->input_bytes();
    const uint64_t output = client->output_bytes();
    metrics_.input_buffer_bytes += input;
    metrics_.output_buffer_bytes += output;
    metrics_.input_buffer_max = std::max(metrics_.input_buffer_max, input);
    metrics_.output_buffer_max = std::max(metrics_.output_buffer_max, output);
  }
  return metrics_;
}

void Worker::ScheduleTick() {
  tick_due_us_ = loop().MonotonicUs() + kTickUs;
  tick_timer_ = loop().After(kTickUs, [this] { Tick(); });
}

void Worker::Tick() {
  const uint64_t now_us = loop().MonotonicUs();
  const uint64_t late_ms = (now_us - std::min(now_us, tick_due_us_)) / 1000;
  const uint64_t threshold_ms = config_->latency_monitor_threshold_ms;
  if (threshold_ms != 0 && late_ms >= threshold_ms)
    state_.latency.Add("loop-turn", loop().WallMs() / 1000, late_ms);
  UpdateRates(now_us);
  TickClients(now_us);
  ScheduleTick();
}

void Worker::TickClients(uint64_t now_us) {
  std::vector<ClientConnection*> all;
  all.reserve(clients_.size());
  for (const auto& [id, client] : clients_) all.push_back(client.get());
  for (ClientConnection* client : all) client->OnTick(now_us);
}

void Worker::UpdateRates(uint64_t now_us) {
  const double seconds = static_cast<double>(now_us - last_tick_us_) / 1e6;
  const auto rate = [&](uint64_t now, uint64_t* last) {
    const uint64_t before = std::exchange(*last, now);
    return now < before || seconds <= 0 ? 0.0 : static_cast<double>(now - before) / seconds;
  };
  metrics_.commands_rate = rate(metrics_.commands, &last_commands_);
  metrics_.input_rate = rate(metrics_.net_input_bytes, &last_input_);
  metrics_.output_rate = rate(metrics_.net_output_bytes, &last_output_);
  const ActivityFacts activity = node().Activity();
  metrics_.peer_input_rate = rate(activity.peer_bytes_received, &last_peer_input_);
  metrics_.peer_output_rate = rate(activity.peer_bytes_sent, &last_peer_output_);
  last_tick_us_ = now_us;
}

}  // namespace orrery::server
