#include "simulation/workload.h"

#include <algorithm>
#include <utility>

#include "orrery/base/check.h"
#include "simulation/describe.h"

namespace orrery::simulation {
namespace {

constexpr uint64_t kClientPatienceUs = 4'000'000;
constexpr size_t kNoClient = SIZE_MAX;

// The first bulk string of a reply.
std::string FirstBulk(const std::string& reply) {
  const size_t dollar = reply.find('$');
  const size_t begin = reply.find("\r\n", dollar) + 2;
  const size_t end = reply.find("\r\n", begin);
  return dollar == std::string::npos || end == std::string::npos ? std::string()
                                                                 : reply.substr(begin, end - begin);
}

std::string OneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\r', ' ');
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

Workload::Workload(Cluster* cluster, Checkers* checkers) : cluster_(*cluster), checkers_(*checkers) {
  cluster->SetListener(this);
  for (SlotId slot : cluster->slots()) {
    for (std::string& key : cluster->KeysOf(slot)) keys_[key[0]].push_back(std::move(key));
  }
}

void Workload::Start() {
  for (size_t client = 0; client < cluster_.options().clients; ++client) PlanNext(client);
}

size_t Workload::under_way() const {
  return under_way_;
}

void Workload::PlanNext(size_t client) {
  if (client == kNoClient) return;
  const uint64_t pause_us = cluster_.random().Below(2 * cluster_.options().think_us + 1);
  cluster_.scheduler().After(1 + pause_us, [this, client] { Next(client); });
}

// ---- what clients do ----

void Workload::Next(size_t client) {
  if (stopped_) return;
  runtime::Random& random = cluster_.random();
  const SlotId slot = cluster_.slots()[random.Below(cluster_.slots().size())];
  const auto keys = cluster_.KeysOf(slot);
  const std::string& key = keys[random.Below(keys.size())];
  const size_t entry = ChooseEntry(slot);
  Send(Make(client, entry, Choose(key)));
}

// Like clients that know the slots, or do not, or know them badly.
size_t Workload::ChooseEntry(SlotId slot) {
  runtime::Random& random = cluster_.random();
  for (int tries = 0; tries < 20; ++tries) {
    size_t node = cluster_.members()[random.Below(cluster_.members().size())];
    if (random.Below(3) == 0) {
      const auto homes = cluster_.Homes(slot);
      if (!homes.empty()) node = cluster_.IndexOf(homes[random.Below(homes.size())]);
    }
    if (cluster_.IsServing(node)) return node;
  }
  return 0;
}

std::string Workload::AnyKey(char kind) {
  const auto keys = keys_.find(kind);
  if (keys != keys_.end()) return keys->second[cluster_.random().Below(keys->second.size())];
  // A run with few keys may have none of that kind: one of a slot that is watched.
  const std::string& other = keys_.begin()->second.front();
  return std::string(1, kind) + other.substr(other.find('{'));
}

std::vector<std::string> Workload::Choose(const std::string& key) {
  const Draw draw{cluster_.random(), calls_.size() + 1, NodeClock(&cluster_.scheduler()).WallMs(),
                  contexts_[key], [this](char kind) { return AnyKey(kind); }};
  for (const KeyKind& kind : KeyKinds()) {
    if (kind.letter == key[0]) return kind.choose(draw, key);
  }
  ORRERY_CHECK(!"a kind of key");
}

// ---- commands and what they are made of ----

Call* Workload::Make(size_t client, size_t entry, std::vector<std::string> args) {
  Call& call = calls_.emplace_back();
  call.id = calls_.size();
  call.client = client;
  call.entry = entry;
  call.args = std::move(args);
  ++under_way_;
  return &call;
}

Call* Workload::Submit(size_t entry, std::vector<std::string> args) {
  Call* call = Make(kNoClient, entry, std::move(args));
  Send(call);
  return call;
}

void Workload::Send(Call* call) {
  SimNode& node = cluster_.node(call->entry);
  // A client's connection is one loop's.
  const size_t loop = node.up() ? (call->client == kNoClient ? call->id : call->client) % node.loops() : 0;
  node.Run(loop, [this, call, loop, &node] {
    if (call->given_up) return;
    node.loop(loop).gate().Call(call->id, call->args,
                     [this, call](std::string reply) { OnReply(call, std::move(reply)); });
  });
  cluster_.scheduler().After(kClientPatienceUs, [this, call] { GiveUp(call); });
}

void Workload::GiveUp(Call* call) {
  if (call->reply || call->given_up) return;
  call->given_up = true;
  --under_way_;
  for (Operation* operation : call->operations) operation->given_up = true;
  cluster_.Note("give up", call->id, 0, [&] { return "call " + std::to_string(call->id); });
  PlanNext(call->client);
}

uint64_t Workload::OnRequest(uint64_t call, const replication::Request& request) {
  ORRERY_CHECK(call != 0 && call <= calls_.size());
  Operation& operation = operations_.emplace_back();
  operation.id = operations_.size();
  operation.call = call;
  operation.caller = &calls_[call - 1];
  operation.entry = calls_[call - 1].entry;
  operation.given_up = calls_[call - 1].given_up;
  operation.slot = request.slot;
  operation.traits = request.traits;
  for (size_t i = 0; i < request.args.size(); ++i) operation.args.emplace_back(request.args[i]);
  operation.invoked_us = cluster_.scheduler().now_us();
  calls_[call - 1].operations.push_back(&operation);
  checkers_.OnInvoke(&operation);
  cluster_.Note("invoke", operation.id, operation.entry, [&] { return Describe(operation); });
  return operation.id;
}

void Workload::OnResponse(uint64_t op, const replication::Response& response) {
  Operation& operation = operations_[op - 1];
  if (operation.response) return cluster_.Fail("twice: " + Describe(operation) + " was answered twice");
  cluster_.Note("reply", op, static_cast<uint64_t>(response.outcome),
                [&] { return Describe(operation) + ": " + OneLine(replication::ErrorText(response)); });
  operation.response = response;
  operation.replied_us = cluster_.scheduler().now_us();
  checkers_.OnReply(&operation);
}

void Workload::OnReply(Call* call, std::string reply) {
  if (call->reply) return cluster_.Fail("twice: call " + std::to_string(call->id) + " was answered twice");
  call->reply = std::move(reply);
  if (call->given_up) return;
  --under_way_;
  Remember(*call);
  PlanNext(call->client);
}

void Workload::Remember(const Call& call) {
  if (call.args[0] != "DGET" && call.args[0] != "DPUT") return;
  if (call.reply->front() != '-') contexts_[call.args[1]].push_back(FirstBulk(*call.reply));
}

}  // namespace orrery::simulation
