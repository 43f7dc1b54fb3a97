#include "replication/sample_messages.h"

namespace orrery::replication {
namespace {

using causality::Actor;
using causality::Dot;

constexpr SlotId kSlot = 12345;
const Actor kFirst{NodeId{11}, 3};
const Actor kSecond{NodeId{22}, uint64_t{1} << 50};

causality::SlotClock SampleClock() {
  causality::VersionVector counters;
  counters.Raise(kFirst, 5);
  counters.Raise(kSecond, 300);
  causality::SlotClock clock;
  clock.JoinCounters(counters);
  clock.RaiseFloor(NodeId{33}, 9);
  return clock;
}

causality::EventPtr SampleEvent() {
  causality::Event event;
  event.slot = kSlot;
  event.dot = {kFirst, 6};
  event.hlc = uint64_t{77} << 16;
  event.scopes.push_back({"prefix", SampleClock()});
  causality::RowChange change;
  change.row_key = "row";
  change.removed.push_back({Dot{kSecond, 300}, causality::CellKind::kIncrement});
  change.added.push_back({causality::CellKind::kValue, event.dot, 6, event.hlc, "payload", {}});
  event.changes.push_back(std::move(change));
  return causality::MakeEventPtr(event);
}

Request SampleRequest() {
  Request request;
  request.slot = kSlot;
  request.db = 3;
  request.resp = 3;
  request.traits = {true, true, false, true};
  request.read_quorum = 2;
  request.write_quorum = 3;
  request.timeout_ms = 700;
  request.args = Arguments({"SET", "", "value"});
  request.attachments.emplace_back("other row", "its bytes");
  request.place = "first of all";
  request.traits.parks = true;
  return request;
}

MergePartMessage SamplePart(uint32_t part) {
  MergePartMessage message;
  message.slot = kSlot;
  message.merge_id = 0xfeedfacecafebeef;
  message.part = part;
  message.last = part > 0;
  message.gone = part > 1;
  message.rows = {{"row a", "bytes a"}, {"row b", ""}};
  if (part > 0) return message;
  message.clock = SampleClock();
  message.voided.Add("row c", {{kSecond, 301}, causality::CellKind::kValue});
  message.voided.Add(causality::ScopeRemoval{"collection", SampleClock()});
  return message;
}

EndedLives SampleLives() {
  EndedLives lives;
  lives.spans = {{kFirst.node, 0, 7}, {NodeId{kFirst.node.value + 100}, 3, 4}};
  lives.counters.Raise(kFirst, 9);
  return lives;
}

MergeTreeMessage SampleTree(uint32_t step) {
  MergeTreeMessage message;
  message.slot = kSlot;
  message.merge_id = 0xfeedfacecafebeef;
  message.step = step;
  message.complete = step > 1;
  if (!message.complete) message.until = "until";
  message.pieces = {{"end", {300, 70'000, 0x0123456789abcdef}}, {"", {}}};
  message.rows = {{"row a", "bytes a"}, {"row b", ""}};
  if (step > 0) return message;
  message.clock = SampleClock();
  message.voided.Add("row c", {{kSecond, 301}, causality::CellKind::kValue});
  message.image_rows = 1'000;
  message.image_digest = 0xfedcba9876543210;
  return message;
}

SurveyReplyMessage SampleSurveyReply() {
  SurveyReplyMessage message{0xfeedfacecafebeef, 1, 2, {}, {{1, 2, 3}, {kSlot, 4, 500}}, {7, kSlot}};
  message.standing.set(1);
  message.standing.set(kSlot);
  return message;
}

}  // namespace

std::vector<Message> SampleMessages() {
  return {
      ForwardMessage{9, 1, 300, 0xfedcba9876543213, SampleRequest()},
      ForwardReplyMessage{9, {Outcome::kUnknown, "+OK\r\n"}, {}},
      ForwardReplyMessage{9, {Outcome::kReply, "+OK\r\n"}, {kSecond, 300}},
      CommitAskMessage{kSlot, {kSecond, 300}},
      CommitTellMessage{kSlot, {kSecond, 301}},
      EventMessage{4, SampleEvent()},
      AckMessage{kSlot, {kSecond, 300}},
      ProbeMessage{kSlot, 17, true, SampleClock()},
      ProbeReplyMessage{kSlot, 17, true, {}},
      ProbeReplyMessage{kSlot, 17, false, SampleClock()},
      TurnProbeMessage{300, 1, 2},
      TurnProbeReplyMessage{300, 1, 0xfedcba9876543211},
      CountedReplyMessage{{kSlot, 17, true, {}}, 0xfedcba9876543211},
      CountedReplyMessage{{kSlot, 17, false, SampleClock()}, 0xfedcba9876543211},
      ClockMessage{kSlot, true, SampleClock()},
      BehindMessage{kSlot},
      MergeRequestMessage{kSlot, 0xfeedfacecafebeef, 4},
      MergeRequestMessage{kSlot, 0xfeedfacecafebeef, 0, true, 300, 0xfedcba9876543210},
      SamplePart(0),
      SamplePart(1),
      SamplePart(2),
      HintMessage{NodeId{44}, 5, SampleEvent()},
      HintAckMessage{NodeId{44}, kSlot, {kFirst, 6}, true},
      HintOfferMessage{kSlot},
      HintWantMessage{kSlot, SampleClock(), {}},
      SummaryMessage{{{1, 2, 3}, {kSlot, 5, 6}}},
      GossipMessage{std::string("\0\x01gossip", 8)},
      SurveyMessage{0xfeedfacecafebeef, 3},
      SampleSurveyReply(),
      SeatsMessage{{{kSlot, 2, {7, NodeId{44}, false, NodeId{43}}}, {3, 0, {1, NodeId{45}, true, {}}}}},
      SeatHashMessage{0xfeedfacecafebeef},
      SeatDigestsMessage{true, {1, 2, 3}},
      SeatAskMessage{kSlot, 2, 6, SampleClock()},
      SeatGivenMessage{kSlot, 2, 7, SampleClock()},
      SeatReachMessage{kSlot, 3},
      CloseAskMessage{
          0xfeedfacecafebeef, CloseAskMessage::Step::kConfirm, 77, {{3, 4, SampleLives()}, {kSlot, 5, {}}}},
      CloseAnswerMessage{0xfeedfacecafebeef, CloseAskMessage::Step::kClose, {{3, true}, {kSlot, false}}},
      MergeAskMessage{kSlot, 0xfeedfacecafebeef, 2, {{{"a", "b"}, 0}, {{"b", ""}, 300}}},
      SampleTree(0),
      SampleTree(1),
      SampleTree(2),
      ClockAskMessage{kSlot, 300},
      ClockTellMessage{kSlot, 300, true, SampleClock()}};
}

}  // namespace orrery::replication
