#include "cluster/strict_clients.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>

namespace orrery::cluster {
namespace {

constexpr int kTimeoutSeconds = 30;
constexpr size_t kPipeline = 256;
constexpr size_t kFailuresTold = 10;
constexpr std::string_view kLeaves = "-CLUSTERDOWN this node is about to leave the cluster";
constexpr std::string_view kHasLeft = "-CLUSTERDOWN this node was removed from the cluster";

std::string CounterKey(size_t index) {
  return "visits:" + std::to_string(index);
}
std::string HashKey(const std::string& key) {
  return "hash:" + key;
}

}  // namespace

StrictClients::StrictClients(const Processes& nodes, const std::set<size_t>& in_use, const Options& options)
    : nodes_(nodes), options_(options), in_use_(in_use), seen_(options.clients, 0), own_(options.clients) {
  if (options_.ground_keys > 0) WriteGround(*in_use.begin());
  for (auto& own : own_) own.resize(options_.keys);
  for (size_t c = 0; c < options_.clients; ++c) threads_.emplace_back([this, c] { Work(c); });
}

void StrictClients::Stop() {
  stop_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void StrictClients::WriteGround(size_t node) {
  Client client = nodes_.ClientOf(node, kTimeoutSeconds);
  for (size_t first = 0; first < options_.ground_keys; first += kPipeline) {
    const size_t end = std::min(first + kPipeline, options_.ground_keys);
    for (size_t i = first; i < end; ++i) client.Send({"SET", "ground:" + std::to_string(i), Ground(i)});
    for (size_t i = first; i < end; ++i) ASSERT_EQ(client.Receive(), "OK");
  }
}

std::string StrictClients::Value(int64_t number) const {
  std::string value = std::to_string(number) + ":";
  if (value.size() < options_.value_bytes) value.resize(options_.value_bytes, 'v');
  return value;
}

// Does not compress, so that bytes on the way are bytes on the disk.
std::string StrictClients::Ground(size_t index) const {
  std::mt19937_64 random(index);
  std::string value(options_.ground_bytes, 0);
  for (char& byte : value) byte = static_cast<char>(random() >> 56);
  return value;
}

std::string StrictClients::KeyOf(size_t client, size_t index) const {
  return "key:" + std::to_string(client) + ":" + std::to_string(index);
}

std::vector<std::string> StrictClients::Keys() const {
  std::vector<std::string> keys;
  for (size_t i = 0; i < kCounters; ++i) keys.push_back(CounterKey(i));
  for (size_t c = 0; c < options_.clients; ++c) {
    for (size_t i = 0; i < options_.keys; ++i) keys.push_back(KeyOf(c, i));
  }
  return keys;
}

// ---- the clients ----

void StrictClients::Use(const std::set<size_t>& nodes) {
  {
    const std::scoped_lock lock(mutex_);
    in_use_ = nodes;
    ++generation_;
  }
  EXPECT_TRUE(Eventually([this] {
    const std::scoped_lock lock(mutex_);
    return std::all_of(seen_.begin(), seen_.end(), [this](int64_t seen) { return seen == generation_; });
  }));
}

Client StrictClients::NextClient(std::mt19937_64* random, size_t client) {
  const std::scoped_lock lock(mutex_);
  const auto at = std::next(in_use_.begin(), static_cast<std::ptrdiff_t>((*random)() % in_use_.size()));
  seen_[client] = generation_;
  return nodes_.ClientOf(*at, kTimeoutSeconds);
}

void StrictClients::Work(size_t c) {
  std::mt19937_64 random(c);
  Client client = NextClient(&random, c);
  int64_t generation = generation_;
  while (!stop_) {
    if (generation != generation_) {
      generation = generation_;
      client = NextClient(&random, c);
    }
    Step(c, &client, &random);
  }
}

void StrictClients::Step(size_t c, Client* client, std::mt19937_64* random) {
  const size_t index = (*random)() % options_.keys;
  const std::string key = KeyOf(c, index);
  Own& own = own_[c][index];
  const Asking ask = [&](const std::vector<std::string>& words) { return Ask(c, client, random, words); };
  switch ((*random)() % 6) {
    case 0:
      return Write(ask, {"SET", key, Value(own.value + 1)}, "OK", &own.value, &own.value_in_doubt);
    case 1:
      return Read(ask, {"GET", key}, &own.value, &own.value_in_doubt);
    case 2:
      return Write(ask, {"HSET", HashKey(key), "f", Value(own.field + 1)},
                   own.field_in_doubt ? ""
                   : own.field < 0    ? "1"
                                      : "0",
                   &own.field, &own.field_in_doubt);
    case 3:
      return Read(ask, {"HGET", HashKey(key), "f"}, &own.field, &own.field_in_doubt);
    case 4:
      return Count(ask, (*random)() % kCounters);
    default:
      if (options_.ground_keys == 0) return;
      const size_t ground = (*random)() % options_.ground_keys;
      const std::vector<std::string> words = {"GET", "ground:" + std::to_string(ground)};
      const std::string reply = ask(words);
      Judge(reply == Ground(ground), words, reply, Ground(ground));
  }
}

void StrictClients::Write(const Asking& ask, const std::vector<std::string>& words, const std::string& wanted,
                          int64_t* number, bool* in_doubt) {
  const std::string reply = ask(words);
  if (options_.may_be_unknown && reply.starts_with("-UNKNOWN")) {
    ++unknown_;
    *in_doubt = true;
    return;
  }
  const bool good = wanted.empty() ? !reply.starts_with("-") : reply == wanted;
  Judge(good, words, reply, wanted);
  if (!good) return;
  ++*number;
  *in_doubt = false;
}

// What was in doubt is not any more.
void StrictClients::Read(const Asking& ask, const std::vector<std::string>& words, int64_t* number,
                         bool* in_doubt) {
  const std::string reply = ask(words);
  if (*in_doubt && reply == Value(*number + 1)) {
    ++*number;
    *in_doubt = false;
  }
  const std::string wanted = *number < 0 ? "(nil)" : Value(*number);
  Judge(reply == wanted, words, reply, wanted);
}

void StrictClients::Count(const Asking& ask, size_t counter) {
  const std::vector<std::string> words = {"INCR", CounterKey(counter)};
  const std::string reply = ask(words);
  if (options_.may_be_unknown && reply.starts_with("-UNKNOWN")) {
    ++unknown_;
    ++perhaps_counted_[counter];
    return;
  }
  Judge(!reply.starts_with("-"), words, reply, "");
  if (!reply.starts_with("-")) ++counted_[counter];
}

std::string StrictClients::Ask(size_t c, Client* client, std::mt19937_64* random,
                               const std::vector<std::string>& words) {
  const double begin_s = Now();
  std::string reply = client->Run(words);
  while ((reply == kLeaves || reply == kHasLeft) && !stop_) {
    *client = NextClient(random, c);
    reply = client->Run(words);
  }
  const double end_s = Now();
  const std::scoped_lock lock(mutex_);
  answered_.push_back({end_s, (end_s - begin_s) * 1000});
  ++done_;
  return reply;
}

void StrictClients::Judge(bool good, const std::vector<std::string>& words, const std::string& reply,
                          const std::string& wanted) {
  if (good) return;
  const std::scoped_lock lock(mutex_);
  failures_.push_back(words[0] + " " + words[1] + " before " + std::to_string(Now()) +
                      " s: " + reply.substr(0, 100) + ", not " + wanted.substr(0, 40));
}

// ---- what came of it ----

void StrictClients::WaitForMore(int64_t more) const {
  const int64_t target = done_ + more;
  EXPECT_TRUE(Eventually([&] { return done_ >= target; }, 60)) << "the cluster has stopped answering";
}

StrictClients::Span StrictClients::Sum(const Answered* begin, const Answered* end, double begin_s,
                                       double end_s) const {
  Span span{begin_s, end_s - begin_s, static_cast<size_t>(end - begin), 0, 0};
  if (begin == end) return span;
  std::vector<double> times;
  std::transform(begin, end, std::back_inserter(times), [](const Answered& one) { return one.took_ms; });
  std::sort(times.begin(), times.end());
  span.p99_ms = times[times.size() * 99 / 100];
  span.longest_ms = times.back();
  return span;
}

StrictClients::Span StrictClients::Drain() {
  const std::scoped_lock lock(mutex_);
  const double begin_s = std::exchange(drained_s_, Now());
  const size_t first = std::exchange(drained_, answered_.size());
  return Sum(answered_.data() + first, answered_.data() + answered_.size(), begin_s, drained_s_);
}

std::vector<StrictClients::Span> StrictClients::Seconds() {
  const std::scoped_lock lock(mutex_);
  std::vector<Span> seconds;
  const Answered* const all_end = answered_.data() + answered_.size();
  for (const Answered* begin = answered_.data(); begin != all_end;) {
    const auto second = static_cast<double>(seconds.size());
    const Answered* end = begin;
    while (end != all_end && end->at_s < second + 1) ++end;
    seconds.push_back(Sum(begin, end, second, second + 1));
    begin = end;
  }
  return seconds;
}

std::vector<std::string> StrictClients::failures() {
  const std::scoped_lock lock(mutex_);
  return failures_;
}

void StrictClients::ExpectNoFailure() {
  const std::vector<std::string> all = failures();
  for (size_t i = 0; i < std::min(all.size(), kFailuresTold); ++i) ADD_FAILURE() << all[i];
  EXPECT_EQ(all.size(), 0u) << "of " << done_;
}

void StrictClients::ExpectAllThere(const std::set<size_t>& through) {
  for (const size_t node : through) {
    Client client = nodes_.ClientOf(node, kTimeoutSeconds);
    const Asking ask = [&](const std::vector<std::string>& words) { return client.Run(words); };
    for (size_t c = 0; c < options_.clients; ++c) {
      for (size_t i = 0; i < options_.keys; ++i) {
        Own& own = own_[c][i];
        Read(ask, {"GET", KeyOf(c, i)}, &own.value, &own.value_in_doubt);
        Read(ask, {"HGET", HashKey(KeyOf(c, i)), "f"}, &own.field, &own.field_in_doubt);
      }
    }
    for (size_t i = 0; i < kCounters; ++i) {
      const int64_t shown = std::atoll(client.Run({"GET", CounterKey(i)}).c_str());
      EXPECT_GE(shown, counted_[i]) << "on node " << node;
      EXPECT_LE(shown, counted_[i] + perhaps_counted_[i]) << "on node " << node;
    }
    EXPECT_EQ(WrongGround(&client), 0u)
        << "of " << options_.ground_keys << " that were there before, on node " << node;
  }
  ExpectNoFailure();
}

size_t StrictClients::WrongGround(Client* client) const {
  size_t wrong = 0;
  for (size_t first = 0; first < options_.ground_keys; first += kPipeline) {
    const size_t end = std::min(first + kPipeline, options_.ground_keys);
    for (size_t i = first; i < end; ++i) client->Send({"GET", "ground:" + std::to_string(i)});
    for (size_t i = first; i < end; ++i) wrong += client->Receive() == Ground(i) ? 0 : 1;
  }
  return wrong;
}

}  // namespace orrery::cluster
