#include "simulation/sim_loop.h"

#include <algorithm>
#include <utility>

#include "orrery/base/marks.h"
#include "simulation/sim_node.h"

namespace orrery::simulation {

using replication::Callback;
using replication::Message;
using replication::Request;
using replication::Response;

namespace {

constexpr uint64_t kPostUs = 30;

}  // namespace

class SimLoop::LoopTransport final : public runtime::Transport {
 public:
  LoopTransport(Port port, NodeHost* host) : port_(port), host_(*host) {}
  void Send(NodeId peer, std::string frame) override { host_.Send(port_, peer, std::move(frame), false); }

 private:
  Port port_;
  NodeHost& host_;
};

SimLoop::SimLoop(SimNode* node, size_t index, size_t count, uint64_t random_seed)
    : node_(*node),
      index_(index),
      count_(count),
      random_(random_seed),
      timers_(&node->scheduler(), [node, index](auto task) { node->Run(index, std::move(task)); }),
      transport_(std::make_unique<LoopTransport>(Port{node->index(), index}, &node->host())),
      executor_([node](Execution execution) {
        execution.seats = node->ShardOf(execution.slot).context().seats.SeatCount(execution.slot);
        node->host().OnExecution(node->index(), execution);
      }),
      store_(node->disk().OpenShard()) {}

SimLoop::~SimLoop() {
  if (shard_) shard_->Stop();
}

Status SimLoop::Open() {
  replication::Shard::Parts parts;
  parts.clock = &node_.clock();
  parts.timers = &timers_;
  parts.random = &random_;
  parts.transport = transport_.get();
  parts.store = store_.get();
  parts.observer = &observer_;
  parts.executor = &executor_;
  parts.mesh = this;
  parts.log = [this](const std::string& text) { node_.host().OnLog(node_.index(), text); };
  if (index_ == 0) {
    parts.on_gossip = [this](NodeId from, std::string_view bytes) { node_.control().OnMessage(from, bytes); };
  }
  replication::ShardOptions options = node_.options().shard;
  options.lone_backlog = true;  // the checkers take events from there
  options.loop_index = index_;
  options.loop_count = count_;
  auto shard = replication::Shard::Open(options, parts, node_.actor(), node_.control().view());
  if (!shard.ok()) return shard.status();
  shard_ = std::move(*shard);
  gate_ = std::make_unique<ClientGate>(shard_.get(), node_.host().listener(), random_.Next64(), &timers_,
                                       &node_.clock());
  return Status::Ok();
}

// Some microseconds later, as a mailbox is read; never out of order.
void SimLoop::Post(std::function<void()> task) {
  Scheduler& scheduler = node_.scheduler();
  last_post_us_ = std::max(last_post_us_, scheduler.now_us() + 1 + node_.chance().Below(kPostUs));
  scheduler.At(last_post_us_, [node = &node_, index = index_, life = node_.life(), task = std::move(task)] {
    if (life == node->life()) node->Run(index, task);
  });
}

void SimLoop::PostRequest(size_t to, Request request, uint8_t hops, Callback done) {
  ORRERY_MARK("request for another loop of the node");
  SimLoop* target = &node_.loop(to);
  auto carried = std::make_shared<std::pair<Request, Callback>>(std::move(request), std::move(done));
  target->Post([this, target, hops, carried] {
    target->shard().RouteFromLoop(std::move(carried->first), hops, [this, carried](Response response) {
      Post([carried, response = std::move(response)]() mutable { carried->second(std::move(response)); });
    });
  });
}

void SimLoop::PostMessage(size_t to, NodeId from, Message message) {
  ORRERY_MARK("message for another loop of the node");
  SimLoop* target = &node_.loop(to);
  auto carried = std::make_shared<Message>(std::move(message));
  target->Post([target, from, carried] { target->shard().OnMessage(from, std::move(*carried)); });
}

}  // namespace orrery::simulation
