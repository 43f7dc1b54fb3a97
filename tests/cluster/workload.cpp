#include "cluster/workload.h"

#include <algorithm>

#include "cluster/load.h"
#include "cluster/workload_kinds.h"

namespace orrery::cluster {

void Workload::Step(size_t client, Client* connection, std::mt19937_64* random) {
  DoStep(client, connection, random);
}

std::vector<std::string> Workload::Verify(const Processes& nodes) {
  const std::scoped_lock lock(mutex_);
  complaints_.clear();
  DoVerify(nodes);
  complaints_.insert(complaints_.end(), unexpected_.begin(), unexpected_.end());
  return complaints_;
}

std::vector<std::string> Workload::Keys() {
  const std::scoped_lock lock(mutex_);
  return KeyList();
}

Outcomes Workload::outcomes() {
  const std::scoped_lock lock(mutex_);
  return outcomes_;
}

Workload::Outcome Workload::Judge(const std::string& reply) {
  if (!reply.starts_with("-")) return ++outcomes_.acknowledged, Outcome::kAcknowledged;
  if (NothingWasApplied(reply)) return ++outcomes_.refused, Outcome::kRefused;
  // Errors of a command itself would be a bug of the workload or of the server, and must not pass for bad
  // weather.
  for (const char* error : {"-ERR", "-WRONGTYPE"}) {
    if (reply.starts_with(error)) unexpected_.push_back(prefix_ + name() + ": UNEXPECTED " + reply);
  }
  return ++outcomes_.unknown, Outcome::kUnknown;
}

std::vector<std::string> SplitReply(const std::string& reply, char at) {
  std::vector<std::string> parts;
  if (reply.empty()) return parts;
  for (size_t begin = 0; begin <= reply.size();) {
    const size_t end = std::min(reply.find(at, begin), reply.size());
    parts.push_back(reply.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::vector<std::unique_ptr<Workload>> MakeWorkloads(int round, size_t clients) {
  const std::string prefix = "r" + std::to_string(round) + ":";
  std::vector<std::unique_ptr<Workload>> all;
  all.push_back(std::make_unique<Registers>(prefix, clients));
  all.push_back(std::make_unique<Versions>(prefix));
  all.push_back(std::make_unique<Carts>(prefix));
  all.push_back(std::make_unique<Counters>(prefix));
  all.push_back(std::make_unique<Members>(prefix, Members::kSet));
  all.push_back(std::make_unique<Members>(prefix, Members::kHash));
  all.push_back(std::make_unique<Members>(prefix, Members::kSortedSet));
  all.push_back(std::make_unique<Lists>(prefix));
  return all;
}

}  // namespace orrery::cluster
