#include "orrery/replication/key_survey.h"

#include <algorithm>
#include <utility>

#include "orrery/base/marks.h"
#include "orrery/replication/router.h"

namespace orrery::replication {

// ---- the tally ----

void SurveyTally::Add(NodeId from, const SurveyReplyMessage& reply) {
  Node& node = nodes_[from];
  if (node.entries.empty()) {
    node.entries.resize(kSlotCount, SurveyReplyMessage::Entry{0, causality::SlotClock().Hash(), 0});
  }
  for (uint32_t slot = reply.loop; slot < kSlotCount; slot += reply.loops) {
    node.heard.set(slot);
    if (reply.standing[slot]) node.standing.set(slot);
  }
  for (const auto& entry : reply.entries) node.entries[entry.slot] = entry;
  for (SlotId slot : reply.hinted) hinted_.set(slot);
}

KeySurvey SurveyTally::Result(const ShardContext& context, const SurveyQuery& query) const {
  KeySurvey survey;
  for (uint32_t slot = 0; slot < kSlotCount; ++slot)
    Judge(static_cast<SlotId>(slot), context, query, &survey);
  return survey;
}

void SurveyTally::Judge(SlotId slot, const ShardContext& context, const SurveyQuery& query, KeySurvey* survey) const {
  survey->may_have_keys.set(slot);
  if (hinted_[slot]) return;
  const SurveyReplyMessage::Entry* said = nullptr;
  size_t answers = 0;
  for (NodeId home : context.Homes(slot)) {
    const auto it = nodes_.find(home);
    if (it == nodes_.end() || !it->second.heard[slot]) continue;
    // It merges, was damaged, or knows of another ring: it may yet learn of keys.
    if (!it->second.standing[slot]) return;
    const SurveyReplyMessage::Entry& entry = it->second.entries[slot];
    if (said != nullptr && (said->clock_hash != entry.clock_hash || said->keys != entry.keys)) return;
    said = &entry;
    ++answers;
  }
  const size_t agreeing = std::max(context.R(slot, query.read_quorum), context.W(slot, query.write_quorum));
  if (said == nullptr || answers < agreeing) return;
  survey->may_have_keys[slot] = said->keys > 0;
  survey->counted.set(slot);
  survey->keys += said->keys;
}

// ---- asking ----

KeySurveyor::KeySurveyor(ShardContext* context, const CatchUp* catch_up, const HintService* hints,
                         storage::RowObserver* observer, LoopMesh* mesh)
    : context_(*context), catch_up_(*catch_up), hints_(*hints), observer_(observer), mesh_(mesh) {}

void KeySurveyor::Ask(const SurveyQuery& query, Done done) {
  const uint64_t id = (uint64_t{context_.options.loop_index} << 48) | next_id_++;
  Survey survey;
  survey.query = query;
  survey.done = std::move(done);
  survey.deadline_us = context_.clock->MonotonicUs() + kPatienceUs;
  survey.seats = context_.seats.Hash();
  survey.founders = context_.view->founders ? context_.view->founders : context_.view->ring;
  const SurveyMessage message{id, query.db.value_or(SurveyMessage::kAllDatabases)};
  for (NodeId peer : context_.linked) {
    if (!context_.InReach(peer)) continue;
    survey.awaited.insert(peer);
    context_.outbox->Send(peer, message);
  }
  survey.awaited.insert(context_.self.node);
  surveys_.emplace(id, std::move(survey));
  questions_.push_back({context_.self.node, message});
  for (size_t loop = 0; loop < context_.options.loop_count; ++loop) {
    if (loop != context_.options.loop_index) mesh_->PostMessage(loop, context_.self.node, message);
  }
}

void KeySurveyor::OnReply(NodeId from, const SurveyReplyMessage& message) {
  const auto it = surveys_.find(message.survey_id);
  if (it == surveys_.end() || !it->second.awaited.contains(from)) return;
  Survey& survey = it->second;
  survey.tally.Add(from, message);
  std::set<size_t>& loops = survey.answered[from];
  loops.insert(message.loop);
  if (loops.size() >= message.loops) survey.awaited.erase(from);
}

void KeySurveyor::OnPeerDown(NodeId peer) {
  for (auto& [id, survey] : surveys_) survey.awaited.erase(peer);
}

void KeySurveyor::OnTick(uint64_t now_us) {
  for (auto& [id, survey] : surveys_) {
    if (survey.deadline_us > now_us || survey.awaited.empty()) continue;
    ORRERY_MARK("survey ended without an answer of every node");
    survey.awaited.clear();
  }
}

KeySurvey KeySurveyor::Conclude(const Survey& survey) const {
  KeySurvey result;
  const auto& founders = context_.view->founders ? context_.view->founders : context_.view->ring;
  if (survey.founders != founders || survey.seats != context_.seats.Hash()) {
    ORRERY_MARK("homes changed during a survey");
    result.may_have_keys.set();
    return result;
  }
  result = survey.tally.Result(context_, survey.query);
  if (!survey.query.db) {
    result.counted.reset();
    result.keys = 0;
  }
  return result;
}

// ---- answering ----

void KeySurveyor::OnSurvey(NodeId from, const SurveyMessage& message) {
  questions_.push_back({from, message});
}

void KeySurveyor::AfterCommit() {
  for (const Question& question : std::exchange(questions_, {}))
    Reply(question.from, Describe(question.message));
  for (auto it = surveys_.begin(); it != surveys_.end();) {
    if (!it->second.awaited.empty()) {
      ++it;
      continue;
    }
    const Survey survey = std::move(it->second);
    it = surveys_.erase(it);
    survey.done(Conclude(survey));
  }
}

void KeySurveyor::Reply(NodeId to, SurveyReplyMessage reply) {
  if (to != context_.self.node) return context_.outbox->SendDurable(to, reply);
  const size_t loop = LoopOfSurvey(reply.survey_id);
  if (loop == context_.options.loop_index) return OnReply(to, reply);
  mesh_->PostMessage(loop, to, std::move(reply));
}

SurveyReplyMessage KeySurveyor::Describe(const SurveyMessage& question) const {
  SurveyReplyMessage reply;
  reply.survey_id = question.survey_id;
  reply.loop = static_cast<uint16_t>(context_.options.loop_index);
  reply.loops = static_cast<uint16_t>(context_.options.loop_count);
  for (uint32_t slot = reply.loop; slot < kSlotCount; slot += reply.loops) {
    const auto id = static_cast<SlotId>(slot);
    if (context_.InService(id)) AddSlot(id, question.db, &reply);
  }
  reply.hinted = hints_.HintedSlots();
  return reply;
}

void KeySurveyor::AddSlot(SlotId slot, uint8_t db, SurveyReplyMessage* reply) const {
  const SlotReplica* replica = context_.slots->Find(slot);
  if (replica == nullptr) {
    reply->standing.set(slot);
    return;
  }
  if (replica->is_aside() || catch_up_.Merging(slot)) return;
  std::optional<uint64_t> keys = replica->row_count();
  if (*keys > 0 && db != SurveyMessage::kAllDatabases) {
    keys = observer_ == nullptr ? std::nullopt : observer_->CountKeys(slot, db, *context_.store);
  }
  if (!keys) return;
  reply->standing.set(slot);
  reply->entries.push_back({slot, replica->clock().Hash(), *keys});
}

}  // namespace orrery::replication
