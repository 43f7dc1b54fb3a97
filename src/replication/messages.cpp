#include "orrery/replication/messages.h"

#include "replication/message_bodies.h"

namespace orrery::replication {
namespace {

// What a message takes beside the values that may make it large.
constexpr size_t kRestBytes = 256;

// Writes, into the bytes before it, how long the body is that ends the frame; it moves if that takes more or fewer bytes.
void SetLength(size_t begin, size_t width, std::string* frame) {
  PieceEncoder<Encoder::kVarintBytesMax> length;
  length.PutVarint(frame->size() - begin);
  frame->replace(begin - width, width, length.bytes());
}

// The bytes of what may make it large, of any number of bytes.
template <typename M>
size_t ValueBytes(const M& message) {
  if constexpr (requires { message.event; }) {
    return message.event->bytes.size();
  } else if constexpr (requires { message.request; }) {
    return RequestBytes(message.request);
  } else if constexpr (requires { message.response; }) {
    return message.response.reply.size();
  } else {
    return 0;
  }
}

// Room for the length of a large body. It gets its memory at once, and as many bytes for its length as that will take, as
// it must not move.
size_t BeginLargeBody(size_t value_bytes, Encoder* out, std::string* frame) {
  const size_t begin = frame->size();
  frame->reserve(begin + value_bytes + kRestBytes);
  out->PutVarint(value_bytes + kRestBytes / 4);
  return frame->size() - begin;
}

// Decodes as the alternative whose kType it is.
template <size_t I = 0>
bool ReadAs(uint8_t type, Decoder* in, Message* message) {
  if constexpr (I < std::variant_size_v<Message>) {
    using M = std::variant_alternative_t<I, Message>;
    if (type != M::kType) return ReadAs<I + 1>(type, in, message);
    bodies::Read(in, &message->emplace<M>());
    return true;
  } else {
    return false;
  }
}

}  // namespace

void AppendMessage(const Message& message, std::string* frame) {
  std::visit(
      [frame](const auto& m) {
        Encoder out(frame);
        out.PutU8(m.kType);
        frame->push_back(0);
        size_t width = 1;
        if (const size_t bytes = ValueBytes(m); bytes >= Encoder::kLargeBytes) {
          frame->pop_back();
          width = BeginLargeBody(bytes, &out, frame);
        }
        const size_t begin = frame->size();
        bodies::Body(m, &out);
        SetLength(begin, width, frame);
      },
      message);
}

std::string BeginFrame(causality::HybridTime time, uint64_t sent_ms) {
  std::string frame;
  Encoder encoder(&frame);
  encoder.PutU64(time);
  encoder.PutU64(sent_ms);
  return frame;
}

FrameReader::FrameReader(std::string_view frame) : in_(frame) {
  time_ = in_.GetU64();
  sent_ms_ = in_.GetU64();
}

bool FrameReader::Next(Message* message) {
  while (in_.ok() && in_.remaining() > 0) {
    const uint8_t type = in_.GetU8();
    Decoder body(in_.GetBytes());
    if (!in_.ok()) return false;
    if (!ReadAs(type, &body, message)) {
      ++unknown_;
      continue;
    }
    if (body.done()) return true;
    in_.Fail();
  }
  return false;
}

std::optional<SlotId> SlotOfMessage(const Message& message) {
  return std::visit(
      [](const auto& m) -> std::optional<SlotId> {
        if constexpr (requires { m.slot; }) {
          return m.slot;
        } else if constexpr (requires { m.event; }) {
          return m.event->slot;
        } else if constexpr (requires { m.request; }) {
          return m.request.slot;
        } else {
          return std::nullopt;
        }
      },
      message);
}

}  // namespace orrery::replication
