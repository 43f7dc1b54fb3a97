#include "simulation/workload.h"

#include <algorithm>
#include <utility>

#include "simulation/describe.h"

namespace orrery::simulation {
namespace {

constexpr uint64_t kClientPatienceUs = 4'000'000;
constexpr size_t kNoClient = SIZE_MAX;

// The first bulk string of a reply.
std::string FirstBulk(const std::string& reply) {
  const size_t begin = reply.find("\r\n") + 2;
  const size_t end = reply.find("\r\n", begin);
  return end == std::string::npos ? std::string() : reply.substr(begin, end - begin);
}

}  // namespace

Workload::Workload(Cluster* cluster, Checkers* checkers) : cluster_(*cluster), checkers_(*checkers) {}

void Workload::Start() {
  for (size_t client = 0; client < cluster_.options().clients; ++client) PlanNext(client);
}

size_t Workload::under_way() const {
  return static_cast<size_t>(std::count_if(operations_.begin(), operations_.end(),
                                           [](const Operation& o) { return !o.response && !o.given_up; }));
}

void Workload::PlanNext(size_t client) {
  if (client == kNoClient) return;
  const uint64_t pause_us = cluster_.random().Below(2 * cluster_.options().think_us + 1);
  cluster_.scheduler().After(1 + pause_us, [this, client] { Next(client); });
}

void Workload::Next(size_t client) {
  if (stopped_) return;
  runtime::Random& random = cluster_.random();
  const SlotId slot = cluster_.slots()[random.Below(cluster_.slots().size())];
  const auto keys = cluster_.KeysOf(slot);
  const std::string& key = keys[random.Below(keys.size())];
  Send(Make(client, ChooseEntry(slot), key, Choose(key)));
}

// Like clients that know the slots, or do not, or know them badly.
size_t Workload::ChooseEntry(SlotId slot) {
  runtime::Random& random = cluster_.random();
  for (int tries = 0; tries < 20; ++tries) {
    size_t node = random.Below(cluster_.size());
    if (random.Below(3) == 0) {
      const auto homes = cluster_.ring().Homes(slot);
      node = cluster_.IndexOf(homes[random.Below(homes.size())]);
    }
    if (cluster_.node(node).up()) return node;
  }
  return 0;
}

std::string Workload::Context(const std::string& key) {
  runtime::Random& random = cluster_.random();
  const auto& known = contexts_[key];
  if (known.empty() || random.Below(6) == 0) return "";
  if (random.Below(2) == 0) return known.back();
  return known[random.Below(known.size())];
}

std::vector<std::string> Workload::Choose(const std::string& key) {
  runtime::Random& random = cluster_.random();
  const uint64_t dice = random.Below(100);
  const std::string value = "v" + std::to_string(++last_value_);
  const std::string field = std::string(1, static_cast<char>('p' + random.Below(3)));
  switch (key[0]) {
    case 'a':
      if (dice < 20) return {"SET", key, std::to_string(1000 * last_value_)};
      if (dice < 24) return {"MSET", key, std::to_string(1000 * last_value_), 'c' + key.substr(1), value};
      if (dice < 28) return {"SETX", key, std::to_string(1000 * last_value_)};
      if (dice < 32) return {"PERSIST", key};
      if (dice < 45) return {"DEL", key};
      if (dice < 75) return {"INCR", key, "1"};
      return {"GET", key};
    case 'b':
      if (dice < 70) return {"INCR", key, "1"};
      return {"GET", key};
    case 'c':
      if (dice < 30) return {"DGET", key};
      if (dice < 65) return {"DPUT", key, Context(key), value};
      if (dice < 80) return {"DDEL", key, Context(key)};
      return {"SET", key, value};
    default:
      if (dice < 45) return {"HSET", key, field, value};
      if (dice < 60) return {"HDEL", key, field};
      if (dice < 75) return {"HDELALL", key};
      return {"HGET", key, field};
  }
}

Operation* Workload::Make(size_t client, size_t entry, const std::string& key,
                          std::vector<std::string> args) {
  Operation& operation = operations_.emplace_back();
  operation.id = operations_.size();
  operation.client = client;
  operation.entry = entry;
  operation.slot = SlotOf(key);
  operation.traits = TraitsOf(args[0]);
  operation.args = std::move(args);
  operation.invoked_us = cluster_.scheduler().now_us();
  return &operation;
}

Operation* Workload::Submit(size_t entry, const std::string& key, std::vector<std::string> args) {
  Operation* operation = Make(kNoClient, entry, key, std::move(args));
  Send(operation);
  return operation;
}

void Workload::Send(Operation* operation) {
  checkers_.OnInvoke(operation);
  cluster_.Note("invoke", operation->id, operation->entry, [&] { return Describe(*operation); });
  replication::Request request;
  request.slot = operation->slot;
  request.traits = operation->traits;
  for (const std::string& arg : operation->args) request.args.Append(arg);
  TagRequest(operation->id, &request);
  SimNode& node = cluster_.node(operation->entry);
  node.Run([this, operation, &node, request = std::move(request)]() mutable {
    node.shard().router().Submit(std::move(request), [this, operation](replication::Response response) {
      OnReply(operation, std::move(response));
    });
  });
  cluster_.scheduler().After(kClientPatienceUs, [this, operation] {
    if (operation->response || operation->given_up) return;
    operation->given_up = true;
    cluster_.Note("give up", operation->id, 0, [&] { return Describe(*operation); });
    PlanNext(operation->client);
  });
}

void Workload::OnReply(Operation* operation, replication::Response response) {
  if (operation->response) return cluster_.Fail("twice: " + Describe(*operation) + " was answered twice");
  cluster_.Note("reply", operation->id, static_cast<uint64_t>(response.outcome), [&] {
    std::string text = replication::ErrorText(response);
    std::replace(text.begin(), text.end(), '\r', ' ');
    std::replace(text.begin(), text.end(), '\n', ' ');
    return Describe(*operation) + ": " + text;
  });
  if (operation->given_up) return;
  operation->response = std::move(response);
  operation->replied_us = cluster_.scheduler().now_us();
  checkers_.OnReply(operation);
  Remember(*operation);
  PlanNext(operation->client);
}

void Workload::Remember(const Operation& operation) {
  const std::string& command = operation.args[0];
  if (!operation.acknowledged() || (command != "DGET" && command != "DPUT")) return;
  contexts_[operation.args[1]].push_back(FirstBulk(operation.response->reply));
}

}  // namespace orrery::simulation
