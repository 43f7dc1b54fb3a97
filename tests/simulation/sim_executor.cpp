#include "simulation/sim_executor.h"

#include <cstdlib>
#include <utility>

#include "orrery/storage/row_key.h"

namespace orrery::simulation {
namespace {

using replication::Request;
using storage::RowTag;
using storage::Transaction;

constexpr std::string_view kTagPrefix = "op:";

void SetElement(Transaction* t, const std::string& row, std::string_view value) {
  t->Clear(row);
  t->AddValue(row, std::string(value));
}

std::string ShowElement(const causality::Row& row) {
  const causality::Cell* newest = row.NewestValue();
  if (newest == nullptr) return "$-1\r\n";
  return "$" + std::to_string(newest->payload.size()) + "\r\n" + newest->payload + "\r\n";
}

void ClearElements(Transaction* t, const std::string& prefix) {
  bool any = false;
  t->Scan(prefix, {}, [&](std::string_view, const causality::Row&) {
    any = true;
    return false;
  });
  if (any) t->RemoveScope(prefix);
}

std::string RunElementCommand(const Request& request, Transaction* t) {
  const std::string_view command = request.args[0], key = request.args[1];
  if (command == "ECLEAR") {
    ClearElements(t, storage::TagPrefix(0, key, RowTag::kHash));
    return "+OK\r\n";
  }
  const std::string row = storage::EncodeRowKey({0, key, RowTag::kHash, request.args[2]});
  if (command == "EGET") return ShowElement(t->Get(row));
  if (command == "ESET") SetElement(t, row, request.args[3]);
  if (command == "EREM") t->Clear(row);
  return "+OK\r\n";
}

}  // namespace

void SimExecutor::Execute(const Request& request, Transaction* transaction, std::string* reply) {
  if (IsElementCommand(request.args[0])) {
    *reply = RunElementCommand(request, transaction);
  } else {
    redis_.Execute(request, transaction, reply);
  }
  if (!transaction->status().ok()) return;
  Execution execution;
  execution.op = TagOf(request);
  execution.slot = request.slot;
  execution.before = *transaction->context().clock;
  if (transaction->changed()) execution.made = transaction->context().dot;
  observer_(execution);
}

bool IsElementCommand(std::string_view command) {
  return command == "ESET" || command == "EREM" || command == "ECLEAR" || command == "EGET";
}

replication::Traits TraitsOfElementCommand(std::string_view command) {
  if (command == "EGET") return {.reads = true};
  if (command == "ESET") return {.writes = true, .blind = true, .idempotent = true};
  return {.reads = true, .writes = true, .idempotent = true};
}

void TagRequest(uint64_t op, Request* request) {
  request->attachments.emplace_back(std::string(kTagPrefix) + std::to_string(op),
                                    causality::EncodeRow(causality::Row()));
}

uint64_t TagOf(const Request& request) {
  for (const auto& [row_key, bytes] : request.attachments) {
    if (row_key.starts_with(kTagPrefix))
      return std::strtoull(row_key.c_str() + kTagPrefix.size(), nullptr, 10);
  }
  return 0;
}

}  // namespace orrery::simulation
