#include "replication/test_net.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace orrery::replication {

using causality::EventPtr;

namespace {

constexpr uint64_t kTickUs = 100'000;
constexpr size_t kStepsMax = 10'000;

ClusterViewPtr MakeView(size_t nodes, int replication_factor) {
  std::vector<ring::RingMember> members;
  auto view = std::make_shared<ClusterView>();
  for (size_t i = 1; i <= nodes; ++i) {
    ring::RingMember member;
    member.id = NodeId{i};
    members.push_back(member);
    view->alive.insert(member.id);
  }
  view->ring = std::make_shared<const ring::Ring>(ring::Ring::Build(std::move(members), replication_factor));
  view->replication_factor = static_cast<uint8_t>(replication_factor);
  return view;
}

}  // namespace

std::optional<uint64_t> RowCounter::CountKeys(SlotId slot, uint8_t db, const storage::RowStore& store) const {
  uint64_t rows = 0;
  auto cursor = store.Scan(storage::Table::kRows, storage::SlotPrefix(slot) + storage::DbPrefix(db));
  for (; cursor->Valid(); cursor->Next()) ++rows;
  return rows;
}

TestNode::TestNode(TestNet* net, NodeId node_id, const ClusterViewPtr& view, const ShardOptions& options)
    : id(node_id),
      net_(net),
      store_(database.OpenShard()),
      outbox_(this),
      slots_(store_.get(), &observer_, options.backlog_bytes_max),
      hint_store_(std::move(*storage::HintStore::Open(store_.get(), {options.hint_bytes_max, nullptr}))),
      random_(node_id.value),
      catch_up(&context, this),
      hints(&context, hint_store_.get()),
      survey(&context, &catch_up, &hints, &observer_, nullptr),
      copies(&context, &hints) {
  context.options = options;
  context.clock = &net->clock;
  context.random = &random_;
  context.timers = &timers_;
  context.store = store_.get();
  context.self = {node_id, 1};
  context.view = view;
  context.seats.SetFounders(view->ring);
  context.outbox = &outbox_;
  context.slots = &slots_;
  context.foreign = &foreign_;
  slots_.CountForeign(&foreign_);
  context.log = [this](const std::string& line) { logged.push_back(line); };
}

EventPtr TestNode::Run(SlotId slot_id, const TestReplica::Work& work) {
  SlotReplica& replica = slot(slot_id);
  storage::Transaction transaction(*store_, {slot_id,
                                             &replica.clock(),
                                             {context.self, replica.clock().Get(context.self) + 1},
                                             replica.newest() + 1,
                                             context.clock->WallMs(),
                                             0});
  work(&transaction);
  const causality::Event event = transaction.TakeEvent();
  EventPtr encoded = causality::MakeEventPtr(event);
  EXPECT_TRUE(slots_.Apply(event, encoded).ok());
  return encoded;
}

EventPtr TestNode::Set(SlotId slot_id, const std::string& key, const std::string& value) {
  return Run(slot_id, [&](storage::Transaction* transaction) {
    transaction->Clear(StringRow(key));
    transaction->AddValue(StringRow(key), value);
  });
}

void TestNode::Handle(NodeId from, const Message& message) {
  ++received[message.index()];
  if (const auto* event = std::get_if<EventMessage>(&message)) catch_up.OnEvent(from, *event);
  if (const auto* clock = std::get_if<ClockMessage>(&message)) catch_up.OnClock(from, *clock);
  if (const auto* behind = std::get_if<BehindMessage>(&message)) catch_up.OnBehind(from, *behind);
  if (const auto* request = std::get_if<MergeRequestMessage>(&message))
    catch_up.OnMergeRequest(from, *request);
  if (const auto* part = std::get_if<MergePartMessage>(&message)) catch_up.OnMergePart(from, *part);
  if (const auto* ask = std::get_if<MergeAskMessage>(&message)) catch_up.OnMergeAsk(from, *ask);
  if (const auto* tree = std::get_if<MergeTreeMessage>(&message)) catch_up.OnMergeTree(from, *tree);
  if (const auto* summary = std::get_if<SummaryMessage>(&message)) catch_up.OnSummary(from, *summary);
  if (const auto* hint = std::get_if<HintMessage>(&message)) hints.OnHint(from, *hint);
  if (const auto* offer = std::get_if<HintOfferMessage>(&message)) hints.OnHintOffer(from, *offer);
  if (const auto* want = std::get_if<HintWantMessage>(&message)) hints.OnHintWant(from, *want);
  if (const auto* question = std::get_if<SurveyMessage>(&message)) survey.OnSurvey(from, *question);
  if (const auto* reply = std::get_if<SurveyReplyMessage>(&message)) survey.OnReply(from, *reply);
  if (const auto* ask = std::get_if<ClockAskMessage>(&message)) copies.OnAsk(from, *ask);
  if (const auto* tell = std::get_if<ClockTellMessage>(&message)) copies.OnTell(from, *tell);
  if (const auto* ack = std::get_if<AckMessage>(&message)) acks.emplace_back(from, *ack);
  if (const auto* ack = std::get_if<HintAckMessage>(&message)) hint_acks.emplace_back(from, *ack);
}

void TestNode::EndTurn() {
  catch_up.FlushAcks();
  hints.FlushAcks();
  outbox_.FlushNow(0, 0);
  std::vector<SlotId> touched;
  slots_.SaveTouched(&touched);
  if (store_->HasPending()) {
    if (!store_->Commit(storage::Durability::kDisk).ok()) return outbox_.DropDurable();
    for (const SlotId changed : touched) slot(changed).MarkSynced(slot(changed).clock());
    slots_.TrimBacklogs(context.self, [](SlotId) {});
  }
  catch_up.AfterCommit();
  survey.AfterCommit();
  copies.AfterCommit();
  outbox_.FlushDurable(0, 0);
  outbox_.FlushNow(0, 0);
}

void TestNode::Tick() {
  catch_up.Tick(context.clock->MonotonicUs());
  hints.Tick(context.clock->MonotonicUs());
  survey.OnTick(context.clock->MonotonicUs());
  timers_.RunAll();
}

void TestNode::Link(NodeId peer) {
  context.linked.insert(peer);
  catch_up.OnPeerUp(peer);
  hints.OnPeerUp(peer);
}

void TestNode::Unlink(NodeId peer) {
  context.linked.erase(peer);
  catch_up.OnPeerDown(peer);
  hints.OnPeerDown(peer);
  survey.OnPeerDown(peer);
}

std::map<std::string, std::string> TestNode::Rows(SlotId slot_id) const {
  std::map<std::string, std::string> rows;
  auto cursor = store_->Scan(storage::Table::kRows, storage::SlotPrefix(slot_id));
  for (; cursor->Valid(); cursor->Next()) rows.emplace(cursor->key(), cursor->value());
  EXPECT_TRUE(cursor->status().ok());
  return rows;
}

void TestNode::Send(NodeId peer, std::string frame) {
  if (!net_->links_.contains({id, peer})) return;
  net_->bytes_sent += frame.size();
  net_->frames_[{id, peer}].push_back(std::move(frame));
}

TestNet::TestNet(size_t nodes, int replication_factor, const ShardOptions& options)
    : view(MakeView(nodes, replication_factor)) {
  for (size_t i = 1; i <= nodes; ++i)
    nodes_.push_back(std::make_unique<TestNode>(this, NodeId{i}, view, options));
}

SlotId TestNet::SlotOf(uint64_t number, bool is_home) const {
  for (SlotId slot = 0; slot < kSlotCount; ++slot) {
    if (view->ring->IsHome(slot, NodeId{number}) == is_home) return slot;
  }
  ADD_FAILURE() << "no such slot";
  return 0;
}

std::vector<uint64_t> TestNet::Homes(SlotId slot) const {
  std::vector<uint64_t> numbers;
  for (const NodeId home : view->ring->Homes(slot)) numbers.push_back(home.value);
  return numbers;
}

uint64_t TestNet::Fallback(SlotId slot) const {
  return view->ring->Fallbacks(slot).front().value;
}

void TestNet::Link(uint64_t a, uint64_t b) {
  links_.insert({NodeId{a}, NodeId{b}});
  links_.insert({NodeId{b}, NodeId{a}});
  node(a).Link(NodeId{b});
  node(b).Link(NodeId{a});
}

void TestNet::Unlink(uint64_t a, uint64_t b) {
  for (const auto& way : {std::pair{NodeId{a}, NodeId{b}}, std::pair{NodeId{b}, NodeId{a}}}) {
    links_.erase(way);
    frames_.erase(way);
  }
  node(a).Unlink(NodeId{b});
  node(b).Unlink(NodeId{a});
}

void TestNet::LinkAll() {
  for (uint64_t a = 1; a <= nodes_.size(); ++a) {
    for (uint64_t b = a + 1; b <= nodes_.size(); ++b) {
      if (!links_.contains({NodeId{a}, NodeId{b}})) Link(a, b);
    }
  }
}

bool TestNet::Step() {
  for (const auto& n : nodes_) n->EndTurn();
  const auto frames = std::exchange(frames_, {});
  for (const auto& [way, queue] : frames) {
    for (const std::string& frame : queue) {
      FrameReader reader(frame);
      Message message;
      while (reader.Next(&message)) node(way.second.value).Handle(way.first, std::exchange(message, {}));
      EXPECT_TRUE(reader.ok());
    }
  }
  return !frames.empty();
}

void TestNet::Settle() {
  size_t steps = 0;
  while (Step()) ASSERT_LT(++steps, kStepsMax) << "never quiet";
}

void TestNet::Pass(uint64_t us) {
  for (uint64_t passed = 0; passed < us; passed += kTickUs) {
    clock.Advance(kTickUs);
    for (const auto& n : nodes_) n->Tick();
    Settle();
  }
}

}  // namespace orrery::replication
