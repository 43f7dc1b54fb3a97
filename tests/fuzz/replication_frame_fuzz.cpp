// Invariants of frames between nodes: reading never fails in any way but ok() == false, a reader that has
// ended stays ended, and what was read is written and read back unchanged: a message has one form.

#include "fuzz/fuzz_target.h"
#include "orrery/base/check.h"
#include "orrery/causality/event.h"
#include "orrery/replication/messages.h"
#include "replication/sample_messages.h"

namespace orrery::replication {
namespace {

std::string Written(const Message& message) {
  std::string bytes;
  AppendMessage(message, &bytes);
  return bytes;
}

void CheckRoundTrip(const Message& message) {
  const std::string bytes = Written(message);
  const std::string frame = BeginFrame(1, 2) + bytes;
  FrameReader reader(frame);
  Message again;
  ORRERY_CHECK(reader.Next(&again));
  ORRERY_CHECK(again.index() == message.index() && Written(again) == bytes);
  Message none;
  ORRERY_CHECK(!reader.Next(&none) && reader.ok());
}

// A replica decodes events whole before it applies them.
void CheckEvent(const causality::EventPtr& encoded) {
  causality::Event event;
  if (!causality::DecodeEvent(encoded->bytes, &event)) return;
  ORRERY_CHECK(event.slot == encoded->slot && event.dot == encoded->dot);
  causality::Event again;
  ORRERY_CHECK(causality::DecodeEvent(causality::EncodeEvent(event), &again) && again == event);
}

void CheckFrame(std::string_view frame) {
  FrameReader reader(frame);
  Message message;
  while (reader.Next(&message)) {
    if (const auto slot = SlotOfMessage(message)) ORRERY_CHECK(*slot < kSlotCount);
    if (const auto* event = std::get_if<EventMessage>(&message)) CheckEvent(event->event);
    if (const auto* hint = std::get_if<HintMessage>(&message)) CheckEvent(hint->event);
    CheckRoundTrip(message);
    message = Message();
  }
  ORRERY_CHECK(!reader.Next(&message));
}

}  // namespace
}  // namespace orrery::replication

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  orrery::replication::CheckFrame({reinterpret_cast<const char*>(data), size});
  return 0;
}

namespace orrery::fuzz {

Seeds MakeSeeds() {
  Seeds seeds;
  std::string all = replication::BeginFrame(77, 78);
  for (const auto& message : replication::SampleMessages()) {
    std::string bytes;
    replication::AppendMessage(message, &bytes);
    seeds.inputs.push_back(replication::BeginFrame(77, 78) + bytes);
    seeds.tokens.push_back(bytes);
    all += bytes;
  }
  seeds.inputs.push_back(all);
  return seeds;
}

}  // namespace orrery::fuzz
