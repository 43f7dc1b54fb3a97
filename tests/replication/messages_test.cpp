#include "orrery/replication/messages.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "replication/sample_messages.h"

namespace orrery::replication {
namespace {

constexpr causality::HybridTime kTime = 0x0102030405060708;
constexpr uint64_t kSentMs = 12345;

std::string FrameOf(const Message& message) {
  std::string frame = BeginFrame(kTime, kSentMs);
  AppendMessage(message, &frame);
  return frame;
}

TEST(MessagesTest, SamplesCoverEveryType) {
  std::set<size_t> types;
  for (const Message& message : SampleMessages()) types.insert(message.index());
  EXPECT_EQ(types.size(), std::variant_size_v<Message>);
}

// A decoded message is the one that was sent if it has the same type and the same bytes again: fields that
// are not part of the bytes do not exist for a peer.
TEST(MessagesTest, EveryTypeSurvivesTheWire) {
  for (const Message& message : SampleMessages()) {
    SCOPED_TRACE(message.index());
    const std::string frame = FrameOf(message);
    FrameReader reader(frame);
    EXPECT_EQ(reader.time(), kTime);
    EXPECT_EQ(reader.sent_ms(), kSentMs);
    Message read;
    ASSERT_TRUE(reader.Next(&read));
    EXPECT_EQ(read.index(), message.index());
    EXPECT_EQ(FrameOf(read), frame);
    EXPECT_FALSE(reader.Next(&read));
    EXPECT_TRUE(reader.ok());
  }
}

TEST(MessagesTest, FieldsComeBackAsTheyWereSent) {
  const auto samples = SampleMessages();
  const auto sample = std::find_if(samples.begin(), samples.end(), [](const Message& message) {
    return std::holds_alternative<MergePartMessage>(message);
  });
  const std::string frame = FrameOf(*sample);
  FrameReader reader(frame);
  Message read;
  ASSERT_TRUE(reader.Next(&read));
  const auto& part = std::get<MergePartMessage>(read);
  EXPECT_EQ(part.slot, 12345);
  EXPECT_EQ(part.merge_id, 0xfeedfacecafebeefu);
  EXPECT_FALSE(part.last);
  EXPECT_EQ(part.rows.size(), 2u);
  EXPECT_EQ(part.rows[0].second, "bytes a");
  EXPECT_EQ(part.clock.Get({NodeId{11}, 3}), 5u);
  EXPECT_EQ(part.clock.FloorOf(NodeId{33}), 9u);
  EXPECT_EQ(part.voided.size(), 2u);
}

TEST(MessagesTest, AFrameHoldsManyMessagesInOrder) {
  std::string frame = BeginFrame(kTime, kSentMs);
  const std::vector<Message> samples = SampleMessages();
  for (const Message& message : samples) AppendMessage(message, &frame);
  FrameReader reader(frame);
  for (const Message& message : samples) {
    Message read;
    ASSERT_TRUE(reader.Next(&read));
    EXPECT_EQ(FrameOf(read), FrameOf(message));
  }
  Message none;
  EXPECT_FALSE(reader.Next(&none));
  EXPECT_TRUE(reader.ok());
}

TEST(MessagesTest, BodiesOfAnyLengthStandBetweenOthers) {
  const Message before = AckMessage{7, {{NodeId{1}, 2}, 3}};
  for (const size_t size : {0, 1, 126, 127, 128, 129, 16'383, 16'384, 100'000}) {
    const std::string bytes(size, 'b');
    std::string frame = BeginFrame(kTime, kSentMs);
    AppendMessage(before, &frame);
    AppendMessage(GossipMessage{bytes}, &frame);
    AppendMessage(before, &frame);
    FrameReader reader(frame);
    Message read;
    ASSERT_TRUE(reader.Next(&read));
    ASSERT_TRUE(reader.Next(&read));
    EXPECT_EQ(std::get<GossipMessage>(read).bytes, bytes);
    ASSERT_TRUE(reader.Next(&read));
    EXPECT_EQ(FrameOf(read), FrameOf(before));
    EXPECT_EQ(reader.time(), kTime);
  }
}

// Large ones are written in another way: around the sizes where their length takes another byte, and with so much beside
// the value that the guess at it is wrong.
TEST(MessagesTest, LargeMessagesOfAllSizesSurvive) {
  const Message after = AckMessage{7, {{NodeId{1}, 2}, 3}};
  for (const size_t middle : {Encoder::kLargeBytes, size_t{1} << 21}) {
    for (size_t size = middle - 300; size < middle + 20; size += 10) {
      ForwardMessage forward;
      forward.request.args = Arguments({"SET", "key", std::string(size, 'v')});
      if (size % 20 == 0) forward.request.place = std::string(1000, 'p');
      ForwardReplyMessage reply{7, {Outcome::kReply, std::string(size, 'r')}};
      std::string frame = BeginFrame(kTime, kSentMs);
      for (const Message& message : {Message(forward), Message(reply), after}) AppendMessage(message, &frame);
      FrameReader reader(frame);
      Message read;
      ASSERT_TRUE(reader.Next(&read));
      EXPECT_TRUE(std::get<ForwardMessage>(read).request.args[2] == forward.request.args[2]);
      EXPECT_EQ(std::get<ForwardMessage>(read).request.place, forward.request.place);
      ASSERT_TRUE(reader.Next(&read));
      EXPECT_TRUE(std::get<ForwardReplyMessage>(read).response.reply == reply.response.reply);
      ASSERT_TRUE(reader.Next(&read));
      EXPECT_EQ(FrameOf(read), FrameOf(after));
    }
  }
}

// A copy of a large value costs a node more than all else that is done with it.
TEST(MessagesTest, ALargeValueIsCopiedIntoItsFrameOnce) {
  ForwardMessage forward;
  forward.request.args = Arguments({"SET", "key", std::string(1 << 20, 'v')});
  std::string frame = BeginFrame(kTime, kSentMs);
  AppendMessage(forward, &frame);
  EXPECT_LT(frame.capacity(), frame.size() + 1024);
}

TEST(MessagesTest, RequestsOfAnyNumberOfWordsSurvive) {
  for (const size_t count : {1, 7, 8, 9, 1000}) {
    ForwardMessage message;
    for (size_t i = 0; i < count; ++i) message.request.args.Append("word " + std::to_string(i));
    const std::string frame = FrameOf(message);
    FrameReader reader(frame);
    Message read;
    ASSERT_TRUE(reader.Next(&read));
    const Arguments& args = std::get<ForwardMessage>(read).request.args;
    ASSERT_EQ(args.size(), count);
    for (size_t i = 0; i < count; ++i) EXPECT_EQ(args[i], "word " + std::to_string(i));
  }
}

TEST(MessagesTest, EveryTruncationIsNoticed) {
  for (const Message& message : SampleMessages()) {
    const std::string frame = FrameOf(message);
    for (size_t size = 0; size < frame.size(); ++size) {
      SCOPED_TRACE(size);
      FrameReader reader(std::string_view(frame).substr(0, size));
      Message read;
      EXPECT_FALSE(reader.Next(&read));
      // Just the times are a frame without messages.
      EXPECT_EQ(reader.ok(), size == sizeof(kTime) + sizeof(kSentMs));
    }
  }
}

// The body's length is right but the body is not: each shorter or longer body of each type.
TEST(MessagesTest, ABodyOfTheWrongLengthIsMalformed) {
  for (const Message& message : SampleMessages()) {
    if (std::holds_alternative<GossipMessage>(message)) continue;  // any bytes are gossip to us
    std::string framed;
    AppendMessage(message, &framed);
    Decoder in(framed);
    const uint8_t type = in.GetU8();
    const std::string body(in.GetBytes());
    for (size_t size = 0; size <= body.size() + 1; ++size) {
      if (size == body.size()) continue;
      std::string frame = BeginFrame(kTime, kSentMs);
      Encoder out(&frame);
      out.PutU8(type);
      out.PutBytes((body + "x").substr(0, size));
      FrameReader reader(frame);
      Message read;
      EXPECT_FALSE(reader.Next(&read)) << "type " << int{type} << " size " << size;
      EXPECT_FALSE(reader.ok());
    }
  }
}

TEST(MessagesTest, MessagesOfANewerPeerAreSkipped) {
  std::string frame = BeginFrame(kTime, kSentMs);
  Encoder out(&frame);
  out.PutU8(200);
  out.PutBytes("whatever this will mean");
  AppendMessage(BehindMessage{77}, &frame);
  FrameReader reader(frame);
  Message read;
  ASSERT_TRUE(reader.Next(&read));
  EXPECT_EQ(std::get<BehindMessage>(read).slot, 77);
  EXPECT_EQ(reader.unknown(), 1u);
  EXPECT_FALSE(reader.Next(&read));
  EXPECT_TRUE(reader.ok());
}

TEST(MessagesTest, SlotsThatDoNotExistAreMalformed) {
  for (const Message& message :
       {Message(BehindMessage{16384}), Message(AckMessage{16384, {{NodeId{1}, 1}, 1}}),
        Message(SummaryMessage{{{1, 1, 1}, {65535, 1, 1}}}),
        Message(SurveyReplyMessage{1, 0, 1, {}, {{16384, 1, 1}}, {}}),
        Message(SurveyReplyMessage{1, 0, 1, {}, {}, {16384}}),
        Message(CloseAskMessage{1, CloseAskMessage::Step::kHints, 1, {{16384, 1, {}}}}),
        Message(CloseAnswerMessage{1, CloseAskMessage::Step::kHints, {{16384, true}}})}) {
    const std::string frame = FrameOf(message);
    FrameReader reader(frame);
    Message read;
    EXPECT_FALSE(reader.Next(&read));
    EXPECT_FALSE(reader.ok());
  }
}

TEST(MessagesTest, KnowsTheSlotOfEachMessage) {
  size_t with_slot = 0;
  for (const Message& message : SampleMessages()) {
    const auto slot = SlotOfMessage(message);
    if (slot) {
      EXPECT_EQ(*slot, 12345);
      ++with_slot;
    }
  }
  EXPECT_EQ(with_slot, SampleMessages().size() - 13);  // those of many slots or of none
}

}  // namespace
}  // namespace orrery::replication
