#include "commands/fake_cluster.h"

#include <iterator>
#include <set>
#include <utility>

#include "orrery/base/check.h"
#include "orrery/storage/row_key.h"

namespace orrery::commands {

using replication::Request;
using replication::Response;

void FakeCluster::Submit(Request request, replication::Callback done) {
  std::string bytes;
  Encoder out(&bytes);
  replication::EncodeRequest(request, &out);
  Decoder in(bytes);
  Request received = replication::DecodeRequest(&in);
  ORRERY_CHECK(in.done());
  const SlotId slot = received.slot;
  requests_[slot].push_back({std::move(received), std::move(done)});
  under_way_max_ = std::max(under_way_max_, ++under_way_);
}

types::TestSlot& FakeCluster::slot(SlotId slot) {
  auto& replica = slots_[slot];
  if (replica == nullptr) {
    replica = std::make_unique<types::TestSlot>(1, slot);
    replica->set_observer(&index_);
  }
  replica->set_now_ms(now_ms_);
  return *replica;
}

void FakeCluster::SurveyKeys(const SurveyQuery& query, std::function<void(const KeySurvey&)> done) {
  ++surveys_;
  Post([this, db = query.db, done = std::move(done)] {
    KeySurvey survey;
    if (in_doubt) survey.may_have_keys.set();
    const std::string prefix = db ? storage::DbPrefix(*db) : std::string();
    for (const auto& [id, replica] : slots_) {
      uint64_t keys = 0;
      auto cursor = replica->store().Scan(storage::Table::kRows, storage::SlotPrefix(id) + prefix);
      for (; cursor->Valid(); cursor->Next()) ++keys;
      if (keys == 0) continue;
      survey.may_have_keys.set(id);
      if (!uncounted[id]) survey.keys += keys;
    }
    survey.counted = ~uncounted;
    done(survey);
  });
}

void FakeCluster::Start(const std::vector<std::string_view>& args, std::optional<std::string>* reply,
                        const std::shared_ptr<BlockedCall>& blocked) {
  // The arguments live only during the call.
  std::vector<std::string> copies(args.begin(), args.end());
  const std::vector<std::string_view> views(copies.begin(), copies.end());
  const auto done = [reply](std::string bytes) {
    ORRERY_CHECK(!reply->has_value());
    *reply = std::move(bytes);
  };
  if (blocked != nullptr) {
    dispatcher_.Block(*CommandTable::Get().Find(args[0]), session, views, blocked, done);
  } else {
    dispatcher_.Dispatch(session, views, done);
  }
  ORRERY_CHECK(!reply->has_value());
  for (std::string& copy : copies) copy.assign(copy.size(), '#');
}

std::string FakeCluster::Run(const std::vector<std::string_view>& args) {
  std::optional<std::string> reply;
  Start(args, &reply);
  Settle();
  ORRERY_CHECK(reply.has_value());
  return *reply;
}

std::string FakeCluster::Run(const CommandSpec& spec, const std::vector<std::string_view>& args) {
  std::optional<std::string> reply;
  dispatcher_.Dispatch(spec, session, args, [&](std::string bytes) { reply = std::move(bytes); });
  Settle();
  ORRERY_CHECK(reply.has_value());
  return *reply;
}

bool FakeCluster::Step() {
  const size_t choices = requests_.size() + tasks_.size();
  if (choices == 0) return false;
  const size_t choice = random_() % choices;
  if (choice < tasks_.size()) {
    std::swap(tasks_[choice], tasks_.back());
    const auto task = std::move(tasks_.back());
    tasks_.pop_back();
    task();
    return true;
  }
  const auto it = std::next(requests_.begin(), static_cast<ptrdiff_t>(choice - tasks_.size()));
  Waiting waiting = std::move(it->second.front());
  it->second.pop_front();
  if (it->second.empty()) requests_.erase(it);
  RunRequest(std::move(waiting));
  return true;
}

void FakeCluster::RunRequest(Waiting waiting) {
  Request& request = waiting.request;
  if (on_run) on_run(request);
  log_.push_back(std::string(request.args[0]) + " " + std::to_string(request.slot));
  last_request_ = request;
  const auto failure = failures_.find(request.slot);
  if (failure != failures_.end()) return Answer(std::move(waiting.done), failure->second);
  const SlotId slot = request.slot;
  if (!request.place.empty()) {
    if (auto done = parked_.Leave(slot, request.place)) Answer(std::move(done), {});
    request.holds = &parked_;
  }
  if (request.traits.parks) {
    Park(std::move(waiting));
  } else {
    Answer(std::move(waiting.done), Execute(request));
  }
  CallParked(slot);
}

// As Coordinator does it.
void FakeCluster::Park(Waiting waiting) {
  const uint64_t until_us = (now_ms_ + waiting.request.timeout_ms) * 1000;
  parked_.Park(std::move(waiting.request), std::move(waiting.done), until_us);
}

void FakeCluster::CallParked(SlotId slot) {
  std::vector<std::pair<std::string, Response>> called;
  for (const Request* request : parked_.Candidates(slot)) {
    Response response = Execute(*request);
    if (!response.reply.empty()) called.emplace_back(request->place, std::move(response));
  }
  for (auto& [place, response] : called)
    Answer(parked_.Call(slot, place, now_ms_ * 1000), std::move(response));
}

void FakeCluster::SendParkedAway(SlotId slot) {
  for (replication::Callback& done : parked_.LeaveAll(slot)) Answer(std::move(done), {});
}

void FakeCluster::Answer(replication::Callback done, Response response) {
  Post([this, done = std::move(done), response = std::move(response)] {
    --under_way_;
    done(response);
  });
}

void FakeCluster::Advance(uint64_t ms) {
  const uint64_t end_ms = now_ms_ + ms;
  Settle();
  while (!timers_.empty() && timers_.next_due_ms() <= end_ms) {
    now_ms_ = std::max(now_ms_, timers_.next_due_ms());
    timers_.TakeNext()();
    Settle();
  }
  now_ms_ = end_ms;
  for (replication::Callback& done : parked_.TakeLate(now_ms_ * 1000)) Answer(std::move(done), {});
  Settle();
  for (SlotId slot : parked_.slots()) CallParked(slot);
  Settle();
}

Response FakeCluster::Execute(const Request& request) {
  const bool known = slots_.contains(request.slot);
  Response response;
  const auto event = slot(request.slot).Run([&](storage::Transaction& transaction) {
    for (const auto& [row_key, bytes] : request.attachments) {
      causality::Row row;
      ORRERY_CHECK(causality::DecodeRow(bytes, &row));
      transaction.Attach(row_key, std::move(row));
    }
    executor_.Execute(request, &transaction, &response.reply);
  });
  if (event) ORRERY_CHECK(request.traits.writes);
  if (!event && !known) slots_.erase(request.slot);  // thousands of empty slots are asked
  return response;
}

void FakeCluster::Fail(SlotId slot, std::optional<Response> response) {
  failures_.erase(slot);
  if (response) failures_.emplace(slot, std::move(*response));
}

std::vector<std::string> KeysOfDistinctSlots(std::string_view name, size_t count) {
  std::vector<std::string> keys;
  std::set<SlotId> slots;
  for (size_t i = 0; keys.size() < count; ++i) {
    std::string key = std::string(name) + ":" + std::to_string(i);
    if (slots.insert(SlotOf(key)).second) keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace orrery::commands
