#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "orrery/causality/event.h"
#include "orrery/causality/slot_clock.h"
#include "orrery/causality/voided_set.h"
#include "orrery/replication/ended_lives.h"
#include "orrery/replication/request.h"
#include "orrery/replication/seats.h"
#include "orrery/replication/slot_image.h"

namespace orrery::replication {

/// What nodes say to each other about slots. A frame is a hybrid time and then messages; docs/peer-protocol.md has the
/// bytes. Numbers are part of the protocol: never reuse one.

/// A request on its way to the slot's coordinator.
struct ForwardMessage {
  static constexpr uint8_t kType = 1;
  uint64_t request_id = 0;  ///< the sender's; its upper 16 bits are the sender's loop
  uint8_t hops = 0;
  /// How old the request was when this frame left: a relay does not make it young again.
  uint64_t age_ms = 0;
  /// Of a sender that is a home of the slot itself: its count of foreign changes (ForeignChanges) for the
  /// receiver. So it has answered, without having been asked, what a quorum read would ask it. Else 0.
  uint64_t count = 0;
  Request request;
};

struct ForwardReplyMessage {
  static constexpr uint8_t kType = 2;
  uint64_t request_id = 0;
  Response response;
  /// If its counter is not 0, the reply is bound: the receiver, a home of the slot, may show it when it has
  /// committed this event of the sender's.
  causality::Dot after{};
};

/// "Are your events of the slot on W nodes up to this one?", asked where a reply is bound to it and it has
/// not come.
struct CommitAskMessage {
  static constexpr uint8_t kType = 38;
  SlotId slot = 0;
  causality::Dot upto;
};

/// "They are up to this one", which may be less.
struct CommitTellMessage {
  static constexpr uint8_t kType = 39;
  SlotId slot = 0;
  causality::Dot upto;
};

/// An event for a home, from its coordinator or from whoever sees that the home lacks it.
struct EventMessage {
  static constexpr uint8_t kType = 3;
  uint64_t committed = 0;  ///< of the event's actor: everything up to here is on W nodes
  causality::EventPtr event;
};

/// "I hold, durably, the actor's events up to here." Cumulative.
struct AckMessage {
  static constexpr uint8_t kType = 4;
  SlotId slot = 0;
  causality::Dot upto;
};

/// "Do you have anything that this clock lacks?" The quorum read.
struct ProbeMessage {
  static constexpr uint8_t kType = 5;
  SlotId slot = 0;
  uint64_t probe_id = 0;  ///< ascending per coordinator and slot
  bool as_fallback = false;  ///< asked in place of a home out of reach: compare your hints
  causality::SlotClock clock;
};

/// Answer to a probe. What the asker lacked was sent before it on the same link, if the backlog still had it.
struct ProbeReplyMessage {
  static constexpr uint8_t kType = 6;
  SlotId slot = 0;
  uint64_t probe_id = 0;
  bool equal = false;           ///< our clock is the probe's: `clock` is left out
  causality::SlotClock clock;   ///< our durable clock; for a fallback what its hints cover
};

/// "Has anything come to the slots of which I am the first home but from me?" Asked for all quorum reads of a turn of
/// the asking loop. A receiver with another number of loops says nothing.
struct TurnProbeMessage {
  static constexpr uint8_t kType = 28;
  uint64_t id = 0;  ///< ascending per asking loop
  uint16_t loop = 0;
  uint16_t loops = 1;  ///< that the asker has
};

/// The answer: not since the count was this one.
struct TurnProbeReplyMessage {
  static constexpr uint8_t kType = 29;
  uint64_t id = 0;
  uint16_t loop = 0;  ///< the asker's
  uint64_t count = 0;
};

/// A ProbeReplyMessage to the slot's first home, if it has asked for the count before.
struct CountedReplyMessage : ProbeReplyMessage {
  static constexpr uint8_t kType = 30;
  uint64_t count = 0;  ///< of foreign changes (ForeignChanges), when the answer was made; never 0
};

/// "This is my clock": sent to whoever may have what I lack, or lack what I have. Answered by events or BehindMessage.
struct ClockMessage {
  static constexpr uint8_t kType = 7;
  SlotId slot = 0;
  bool answer = false;  ///< sent in answer to a ClockMessage: not to be answered by another
  causality::SlotClock clock;
};

/// "What do you have of this slot?", asked for a client that waits for copies, by whoever it is connected to.
struct ClockAskMessage {
  static constexpr uint8_t kType = 26;
  SlotId slot = 0;
  uint64_t ask_id = 0;  ///< the asker's
};

/// The answer to it.
struct ClockTellMessage {
  static constexpr uint8_t kType = 27;
  SlotId slot = 0;
  uint64_t ask_id = 0;
  bool is_home = false;
  causality::SlotClock clock;  ///< our durable clock; of who is no home what its hints cover
};

/// "You lack more than my backlog has: merge the slot from me."
struct BehindMessage {
  static constexpr uint8_t kType = 8;
  SlotId slot = 0;
};

/// Asks for the next part of an image of the slot; part 0 fixes its instant. With `compare` the answer may also be the
/// first of the MergeTreeMessages: the asker has rows of its own.
struct MergeRequestMessage {
  static constexpr uint8_t kType = 9;
  SlotId slot = 0;
  uint64_t merge_id = 0;
  uint32_t part = 0;
  bool compare = false;  ///< in part 0
  uint64_t rows = 0;     ///< the asker's, if `compare`: how many, and the slot's digest
  uint64_t digest = 0;
};

struct MergePartMessage {
  static constexpr uint8_t kType = 10;
  SlotId slot = 0;
  uint64_t merge_id = 0;
  uint32_t part = 0;
  bool last = false;
  bool gone = false;  ///< the source has no such image (any more): start again
  /// In the last part of an image of a damaged slot: what could not be read of it.
  std::vector<KeyRange> holes;
  std::vector<std::pair<std::string, std::string>> rows;
  causality::SlotClock clock;    ///< of the image; in the first part
  causality::VoidedSet voided;
};

/// An event for a fallback, to be kept for a home that is away.
struct HintMessage {
  static constexpr uint8_t kType = 11;
  NodeId home;
  uint64_t since = 0;  ///< acknowledge only if you hold everything of the actor from here (exclusive) on
  causality::EventPtr event;
};

struct HintAckMessage {
  static constexpr uint8_t kType = 12;
  NodeId home;
  SlotId slot = 0;
  causality::Dot upto;
  bool refused = false;  ///< full, or a gap before the event
};

/// "I hold hints for you in this slot: what have you got?"
struct HintOfferMessage {
  static constexpr uint8_t kType = 13;
  SlotId slot = 0;
};

struct HintWantMessage {
  static constexpr uint8_t kType = 14;
  SlotId slot = 0;
  causality::SlotClock clock;   ///< send what follows this
  causality::SlotClock synced;  ///< drop what this covers
};

/// Asks for more of an image that is being compared. No wants: the asker has all that it needs.
struct MergeAskMessage {
  static constexpr uint8_t kType = 24;
  struct Want {
    KeyRange range;
    /// 0: the rows. Else what the rows amount to, in pieces of so many.
    uint64_t piece_rows = 0;
    bool operator==(const Want&) const = default;
  };
  SlotId slot = 0;
  uint64_t merge_id = 0;
  uint32_t step = 0;  ///< 1, 2, 3, ...
  std::vector<Want> wants;  ///< ascending, not meeting
};

/// Answers a MergeAskMessage in the order of its wants, as far as a message should go: hashes as pieces that lie end to end in
/// their want, rows in key order. Step 0 comes without having been asked for; it wants the whole slot in pieces.
struct MergeTreeMessage {
  static constexpr uint8_t kType = 25;
  struct Piece {
    std::string end;
    RangeHash hash;
  };
  SlotId slot = 0;
  uint64_t merge_id = 0;
  uint32_t step = 0;
  bool complete = false;  ///< all wants are answered; else only what they say of keys before `until`
  std::string until;
  std::vector<Piece> pieces;
  std::vector<std::pair<std::string, std::string>> rows;
  /// Of the image; in step 0.
  causality::SlotClock clock;
  causality::VoidedSet voided;
  uint64_t image_rows = 0;
  uint64_t image_digest = 0;
};

/// (slot, hash of the clock, digest) of many slots, of one instant: the cheap first step of anti-entropy.
struct SummaryMessage {
  static constexpr uint8_t kType = 15;
  struct Entry {
    SlotId slot = 0;
    uint64_t clock_hash = 0;
    uint64_t digest = 0;
  };
  std::vector<Entry> entries;
};

/// Bytes for the membership module; replication does not look inside.
struct GossipMessage {
  static constexpr uint8_t kType = 16;
  std::string bytes;
};

/// "How many keys do your slots hold?" To every loop of the receiver.
struct SurveyMessage {
  static constexpr uint8_t kType = 17;
  static constexpr uint8_t kAllDatabases = 255;
  uint64_t survey_id = 0;  ///< the asker's; its upper 16 bits are the asker's loop
  uint8_t db = 0;          ///< or kAllDatabases: then rows count instead of keys
};

/// One loop's answer, as of its last commit.
struct SurveyReplyMessage {
  static constexpr uint8_t kType = 18;
  struct Entry {
    SlotId slot = 0;
    uint64_t clock_hash = 0;
    uint64_t keys = 0;
    bool operator==(const Entry&) const = default;
  };
  uint64_t survey_id = 0;
  uint16_t loop = 0;
  uint16_t loops = 1;
  /// Slots that the loop is a home of, in service. Those without an entry are as if nothing ever was in them.
  std::bitset<kSlotCount> standing;
  std::vector<Entry> entries;  ///< ascending
  std::vector<SlotId> hinted;  ///< slots of which it keeps hints, for whatever home
};

/// One step of closing lives that are over, for many slots: docs/closing.md. To every loop that owns one of
/// the slots.
struct CloseAskMessage {
  static constexpr uint8_t kType = 19;
  enum class Step : uint8_t {
    kHints = 1,    ///< do you keep a hint that would follow these events? And, home: would you agree?
    kAgree = 2,    ///< home: do you have just these, on disk? Then take no more until the round is over
    kConfirm = 3,  ///< does that still hold, and do you keep no such hint? Then take none
    kClose = 4,    ///< home: all said yes; close the lives
    kGiveUp = 5,   ///< somebody said no
  };
  struct Entry {
    SlotId slot = 0;
    uint64_t homes_hash = 0;  ///< of the slot's homes, as the asker knows them
    EndedLives lives;
    bool operator==(const Entry&) const = default;
  };
  uint64_t round = 0;  ///< the asker's; its upper 16 bits are the asker's loop
  Step step = Step::kHints;
  uint64_t members_hash = 0;
  std::vector<Entry> entries;
};

struct CloseAnswerMessage {
  static constexpr uint8_t kType = 20;
  struct Entry {
    SlotId slot = 0;
    bool agrees = false;
    bool operator==(const Entry&) const = default;
  };
  uint64_t round = 0;
  CloseAskMessage::Step step = CloseAskMessage::Step::kHints;
  std::vector<Entry> entries;
};

/// "These are the latest versions of seats that I know." To every loop of the receiver.
struct SeatsMessage {
  static constexpr uint8_t kType = 32;
  std::vector<SeatRecord> records;
};

/// The hash of all seat records: whoever has another one answers with its digests.
struct SeatHashMessage {
  static constexpr uint8_t kType = 33;
  uint64_t hash = 0;
};

/// The hashes of all chunks of the seat table: the receiver sends the records of those that differ.
struct SeatDigestsMessage {
  static constexpr uint8_t kType = 34;
  bool answer = false;  ///< sent in answer to another: not to be answered by a third
  SeatTable::Digests digests{};
};

/// "Give me this seat, I have what this clock covers." From the taker to the giver.
struct SeatAskMessage {
  static constexpr uint8_t kType = 35;
  SlotId slot = 0;
  uint8_t index = 0;
  uint64_t version = 0;  ///< the one that the asker knows and that is to be replaced
  causality::SlotClock clock;
};

/// "It is yours; you may answer for it when you cover this clock." After the records of the slot.
struct SeatGivenMessage {
  static constexpr uint8_t kType = 36;
  SlotId slot = 0;
  uint8_t index = 0;
  uint64_t version = 0;
  causality::SlotClock clock;
};

/// "Do you reach me?", asked by whoever is to get a seat of the slot, and "I do".
struct SeatReachMessage {
  static constexpr uint8_t kType = 37;
  SlotId slot = 0;
  uint16_t loops = 0;  ///< 0: the question; in the answer, how many the answering node has
};

using Message = std::variant<ForwardMessage, ForwardReplyMessage, EventMessage, AckMessage, ProbeMessage,
                             ProbeReplyMessage, TurnProbeMessage, TurnProbeReplyMessage, CountedReplyMessage,
                             ClockMessage, ClockAskMessage, ClockTellMessage, BehindMessage, CommitAskMessage,
                             CommitTellMessage, MergeRequestMessage, MergePartMessage, HintMessage,
                             HintAckMessage, HintOfferMessage, HintWantMessage, SummaryMessage, GossipMessage,
                             SurveyMessage, SurveyReplyMessage, SeatsMessage, SeatHashMessage,
                             SeatDigestsMessage, SeatAskMessage, SeatGivenMessage, SeatReachMessage,
                             CloseAskMessage, CloseAnswerMessage, MergeAskMessage, MergeTreeMessage>;

/// Appends one message to a frame under construction.
void AppendMessage(const Message& message, std::string* frame);

/// Starts a frame with the sender's hybrid time, and the moment by its monotonic clock.
std::string BeginFrame(causality::HybridTime time, uint64_t sent_ms);

/// Walks a frame. Unknown message types (of a newer peer) are skipped and counted.
class FrameReader {
 public:
  explicit FrameReader(std::string_view frame);
  causality::HybridTime time() const { return time_; }
  uint64_t sent_ms() const { return sent_ms_; }
  /// The next known message; false at the end or at malformed bytes, which ok() tells apart.
  bool Next(Message* message);
  bool ok() const { return in_.ok(); }
  size_t unknown() const { return unknown_; }

 private:
  Decoder in_;
  causality::HybridTime time_ = 0;
  uint64_t sent_ms_ = 0;
  size_t unknown_ = 0;
};

/// The slot that a message is about, by which it finds its loop; nullopt for requests' replies and gossip.
std::optional<SlotId> SlotOfMessage(const Message& message);

}  // namespace orrery::replication
