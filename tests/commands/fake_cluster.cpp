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

void FakeCluster::Start(const std::vector<std::string_view>& args, std::optional<std::string>* reply) {
  // The arguments live only during the call.
  std::vector<std::string> copies(args.begin(), args.end());
  const std::vector<std::string_view> views(copies.begin(), copies.end());
  dispatcher_.Dispatch(session, views, [reply](std::string bytes) {
    ORRERY_CHECK(!reply->has_value());
    *reply = std::move(bytes);
  });
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
  const Request& request = waiting.request;
  if (on_run) on_run(request);
  log_.push_back(std::string(request.args[0]) + " " + std::to_string(request.slot));
  last_request_ = request;
  const auto failure = failures_.find(request.slot);
  Response response = failure != failures_.end() ? failure->second : Execute(request);
  Post([this, done = std::move(waiting.done), response = std::move(response)] {
    --under_way_;
    done(response);
  });
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
