#include "simulation/tiny_executor.h"

#include <cstdlib>
#include <utility>
#include <vector>

#include "orrery/base/check.h"
#include "orrery/causality/context.h"
#include "orrery/storage/row_key.h"

namespace orrery::simulation {
namespace {

using causality::Cell;
using causality::CellKind;
using causality::Row;
using replication::Request;
using storage::RowTag;
using storage::Transaction;

constexpr std::string_view kTagPrefix = "op:";

std::string StringRow(std::string_view key) {
  return storage::EncodeRowKey({0, key, RowTag::kString, {}});
}
std::string FieldRow(std::string_view key, std::string_view field) {
  return storage::EncodeRowKey({0, key, RowTag::kHash, field});
}

int64_t Number(std::string_view text) {
  return std::strtoll(std::string(text).c_str(), nullptr, 10);
}

std::string Bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

void Set(Transaction* t, const std::string& row, std::string_view value) {
  t->Clear(row);
  t->AddValue(row, std::string(value));
}

void Persist(Transaction* t, const std::string& row) {
  std::vector<causality::CellId> expiries;
  for (const Cell& cell : t->Get(row).cells) {
    if (cell.kind == CellKind::kExpiry) expiries.push_back(cell.id());
  }
  for (const auto& id : expiries) t->Remove(row, id);
}

std::string Incr(Transaction* t, const std::string& row, std::string_view by) {
  t->AddIncrement(row, [by](std::string_view old) { return std::to_string(Number(old) + Number(by)); });
  return ":" + std::to_string(CounterOf(t->Get(row))) + "\r\n";
}

std::string Show(const Row& row) {
  const Cell* newest = row.NewestValue();
  bool counts = false;
  for (const Cell& cell : row.cells) counts |= cell.kind == CellKind::kIncrement;
  if (counts) return Bulk(std::to_string(CounterOf(row)));
  return newest == nullptr ? "$-1\r\n" : Bulk(newest->payload);
}

std::string DGet(std::string_view key, const Row& row) {
  std::string reply = Bulk(causality::FormatContext(key, row.Clock()));
  for (const Cell& cell : row.cells) {
    if (cell.kind == CellKind::kValue) reply += Bulk(cell.payload);
  }
  return reply;
}

// Removes what the context covers, and gives what the writer had seen.
causality::VersionVector Cover(Transaction* t, std::string_view key, const std::string& row,
                               std::string_view text) {
  auto seen = causality::ParseContext(key, text).value_or(causality::VersionVector());
  seen.Meet(t->context().clock->counters());
  std::vector<causality::CellId> covered;
  for (const Cell& cell : t->Get(row).cells) {
    if (seen.Covers(cell.dot)) covered.push_back(cell.id());
  }
  for (const auto& id : covered) t->Remove(row, id);
  return seen;
}

std::string DPut(Transaction* t, std::string_view key, const std::string& row, std::string_view context,
                 std::string_view value) {
  auto seen = Cover(t, key, row, context);
  if (seen.entries().size() > causality::kPastEntriesMax) seen = causality::VersionVector();
  t->AddValue(row, std::string(value), std::move(seen));
  return Bulk(causality::FormatContext(key, t->Get(row).Clock()));
}

std::string Run(const Request& request, Transaction* t) {
  const std::string_view command = request.args[0];
  const std::string_view key = request.args[1];
  const std::string row = StringRow(key);
  if (command == "GET") return Show(t->Get(row));
  if (command == "DGET") return DGet(key, t->Get(row));
  if (command == "HGET") return Show(t->Get(FieldRow(key, request.args[2])));
  if (command == "INCR") return Incr(t, row, request.args[2]);
  if (command == "DPUT") return DPut(t, key, row, request.args[2], request.args[3]);
  if (command == "SET") {
    Set(t, row, request.args[2]);
  } else if (command == "DEL") {
    t->Clear(row);
  } else if (command == "DDEL") {
    Cover(t, key, row, request.args[2]);
  } else if (command == "MSET") {
    for (size_t i = 1; i + 1 < request.args.size(); i += 2)
      Set(t, StringRow(request.args[i]), request.args[i + 1]);
  } else if (command == "SETX") {
    Set(t, row, request.args[2]);
    t->AddExpiry(row, "4102444800000");
  } else if (command == "PERSIST") {
    Persist(t, row);
  } else if (command == "HSET") {
    Set(t, FieldRow(key, request.args[2]), request.args[3]);
  } else if (command == "HDEL") {
    t->Clear(FieldRow(key, request.args[2]));
  } else if (command == "HDELALL") {
    bool any = false;
    const std::string prefix = storage::TagPrefix(0, key, RowTag::kHash);
    t->Scan(prefix, {}, [&](std::string_view, const Row&) {
      any = true;
      return false;
    });
    if (any) t->RemoveScope(prefix);
  } else {
    ORRERY_CHECK(!"a command of the simulation");
  }
  return "+OK\r\n";
}

}  // namespace

void TinyExecutor::Execute(const Request& request, Transaction* transaction, std::string* reply) {
  *reply = Run(request, transaction);
  Execution execution;
  execution.op = TagOf(request);
  execution.slot = request.slot;
  execution.before = *transaction->context().clock;
  if (transaction->status().ok() && transaction->changed()) execution.made = transaction->context().dot;
  if (transaction->status().ok()) observer_(execution);
}

void TagRequest(uint64_t op, Request* request) {
  request->attachments.emplace_back(std::string(kTagPrefix) + std::to_string(op),
                                    causality::EncodeRow(Row()));
}

uint64_t TagOf(const Request& request) {
  for (const auto& [row_key, bytes] : request.attachments) {
    if (row_key.starts_with(kTagPrefix))
      return std::strtoull(row_key.c_str() + kTagPrefix.size(), nullptr, 10);
  }
  return 0;
}

int64_t CounterOf(const Row& row) {
  const Cell* newest = row.NewestValue();
  int64_t sum = newest == nullptr ? 0 : Number(newest->payload);
  for (const Cell& cell : row.cells) {
    if (cell.kind == CellKind::kIncrement) sum += Number(cell.payload);
  }
  return sum;
}

replication::Traits TraitsOf(std::string_view command) {
  const bool reads_only = command == "GET" || command == "DGET" || command == "HGET";
  if (reads_only) return {.reads = true};
  const bool blind = command == "SET" || command == "HSET" || command == "MSET" || command == "SETX";
  if (blind) return {.writes = true, .blind = true, .idempotent = true};
  if (command == "DPUT") return {.writes = true, .blind = true};
  if (command == "INCR") return {.reads = true, .writes = true};
  return {.reads = true, .writes = true, .idempotent = true};
}

}  // namespace orrery::simulation
