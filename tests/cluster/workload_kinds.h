#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "cluster/workload.h"

namespace orrery::cluster {

/// SET of rising values, each key written by one client alone. The last acknowledged value, or one of unknown
/// outcome, is among the siblings: a stopped node may run a command late, over what came after it. Which of
/// the siblings GET shows is for the nodes' clocks to say, and these may be off.
class Registers final : public Workload {
 public:
  Registers(const std::string& prefix, size_t clients)
      : Workload(prefix), clients_(clients), values_(clients) {}
  const char* name() const override { return "register"; }

 private:
  static constexpr int kKeysOfClient = 6;
  struct Written {
    int64_t acknowledged = -1;
    std::set<int64_t> unknown;
  };
  void DoStep(size_t client, Client* connection, std::mt19937_64* random) override;
  void DoVerify(const Processes& nodes) override;
  std::vector<std::string> KeyList() const override;
  std::string KeyOf(size_t client, int64_t value) const;

  size_t clients_;
  std::vector<int64_t> values_;  // each used by its client only
  std::map<std::string, Written> keys_;
};

/// DGET, then DPUT or DDEL with its context, on keys that all share; every value is written once. A value is
/// there in the end unless somebody who had seen it replaced it, and a replaced one never returns.
class Versions final : public Workload {
 public:
  explicit Versions(const std::string& prefix) : Workload(prefix) {}
  const char* name() const override { return "versions"; }

 private:
  static constexpr int kKeys = 4;
  struct Known {
    std::set<std::string> acknowledged, maybe_written, gone, maybe_gone;
  };
  void DoStep(size_t client, Client* connection, std::mt19937_64* random) override;
  void DoVerify(const Processes& nodes) override;
  std::vector<std::string> KeyList() const override;
  void Note(Known* known, const std::string& reply, const std::vector<std::string>& seen,
            const std::string& value);

  int64_t next_ = 0;
  std::map<std::string, Known> keys_;
};

/// The paper's carts: all siblings are read, joined, and written back with one element more. No acknowledged
/// element is missing.
class Carts final : public Workload {
 public:
  explicit Carts(const std::string& prefix) : Workload(prefix) {}
  const char* name() const override { return "cart"; }

 private:
  static constexpr int kKeys = 3;
  static constexpr size_t kElementsMax = 80;  // then another cart is begun
  void DoStep(size_t client, Client* connection, std::mt19937_64* random) override;
  void DoVerify(const Processes& nodes) override;
  std::vector<std::string> KeyList() const override;

  int64_t next_ = 0;
  int64_t cart_ = 0;
  std::map<std::string, std::set<std::string>> acknowledged_;
};

/// INCR, HINCRBY and ZINCRBY on keys that all share: between what was acknowledged and what was tried.
class Counters final : public Workload {
 public:
  explicit Counters(const std::string& prefix) : Workload(prefix) {}
  const char* name() const override { return "counter"; }

 private:
  struct Count {
    int64_t acknowledged = 0, unknown = 0;
  };
  void DoStep(size_t client, Client* connection, std::mt19937_64* random) override;
  void DoVerify(const Processes& nodes) override;
  std::vector<std::string> KeyList() const override;

  std::map<std::string, Count> keys_;
};

/// Elements of a collection, each added once and perhaps removed once. Acknowledged ones are there, removed
/// ones are not.
class Members final : public Workload {
 public:
  struct Kind {
    const char* name;
    std::vector<std::string> add;  // KEY and MEMBER are filled in
    std::string remove;
    std::vector<std::string> show;
  };
  static const Kind kSet, kHash, kSortedSet;
  Members(const std::string& prefix, const Kind& kind) : Workload(prefix), kind_(kind) {}
  const char* name() const override { return kind_.name; }

 private:
  static constexpr int kKeys = 3;
  struct Known {
    std::set<std::string> present, maybe_present, gone, maybe_gone;
  };
  void DoStep(size_t client, Client* connection, std::mt19937_64* random) override;
  void DoVerify(const Processes& nodes) override;
  std::vector<std::string> KeyList() const override;
  void Add(const std::string& key, Client* connection);
  void Remove(const std::string& key, const std::string& member, Client* connection);

  const Kind& kind_;
  int64_t next_ = 0;
  std::map<std::string, Known> keys_;
};

/// Pushes and pops of elements that are pushed once. Each is there exactly once unless it was popped; two
/// sides of a cut may pop the same one.
class Lists final : public Workload {
 public:
  explicit Lists(const std::string& prefix) : Workload(prefix) {}
  const char* name() const override { return "list"; }

 private:
  static constexpr int kKeys = 3;
  struct Known {
    std::set<std::string> pushed, maybe_pushed, popped;
    size_t unknown_pops = 0;
  };
  void DoStep(size_t client, Client* connection, std::mt19937_64* random) override;
  void DoVerify(const Processes& nodes) override;
  std::vector<std::string> KeyList() const override;

  int64_t next_ = 0;
  std::map<std::string, Known> keys_;
};

}  // namespace orrery::cluster
