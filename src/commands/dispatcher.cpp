#include "orrery/commands/dispatcher.h"

#include "commands/blocking_operation.h"
#include "commands/first_of_operation.h"
#include "commands/gather_operation.h"
#include "commands/keyspace_commands.h"
#include "commands/operation.h"
#include "commands/request_builder.h"
#include "commands/slot_split.h"
#include "commands/sort_operation.h"
#include "commands/split_operation.h"
#include "orrery/commands/command_command.h"

namespace orrery::commands {
namespace {

/// MSETNX asks before it writes, whatever its spread says of its parts.
bool AsksFirst(const CommandSpec& spec) {
  return spec.name == "msetnx";
}

bool TakesEncodingLimits(const CommandSpec& spec) {
  return spec.name == "encoding";
}

/// MSET with a key that has no value.
bool HasHalfGroup(const CommandSpec& spec, size_t argc) {
  const KeyRange& range = spec.keys;
  if (range.last >= 0 || range.step <= 1) return false;
  return (argc - static_cast<size_t>(range.first)) % static_cast<size_t>(range.step) != 0;
}

}  // namespace

uint64_t DispatchEnvironment::NextRandom() {
  uint64_t z = random_state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

Dispatcher::Dispatcher(replication::RequestRouter* router, ClusterAccess* cluster, uint64_t random_seed)
    : environment_{*router, *cluster, random_seed, 0} {}

void Dispatcher::SetEncodingLimits(const EncodingLimits& limits) {
  encoding_limits_ = limits == EncodingLimits() ? std::string() : ToText(limits);
}

bool Dispatcher::RunsAlone(const CommandSpec& spec) {
  return spec.spread == Spread::kCluster || spec.spread == Spread::kGather ||
         spec.spread == Spread::kFirstOf || spec.spread == Spread::kBlocking ||
         spec.spread == Spread::kPatterns || AsksFirst(spec);
}

void Dispatcher::Dispatch(const SessionOptions& session, Args args, Done done) {
  const Resolved found = CommandTable::Get().Resolve(args);
  if (found) return Dispatch(*found.command, session, args, std::move(done));
  std::string reply;
  resp::ReplyWriter(&reply).Error(found.error);
  AnswerLater(std::move(reply), std::move(done));
}

void Dispatcher::Dispatch(const CommandSpec& spec, const SessionOptions& session, Args args, Done done) {
  switch (spec.spread) {
    case Spread::kServer:
      return AnswerHelp(session, args, std::move(done));
    case Spread::kCluster:
      return RunKeyspaceCommand(&environment_, spec, session, args, std::move(done));
    case Spread::kOneKey:
      return SubmitOne(spec, session, SlotOf(args[static_cast<size_t>(spec.keys.first)]), args,
                       std::move(done));
    case Spread::kBlocking:
      return Block(spec, session, args, nullptr, std::move(done));
    case Spread::kPatterns:
      return DispatchSort(spec, session, args, std::move(done));
    default:
      return DispatchKeys(spec, session, args, std::move(done));
  }
}

void Dispatcher::Block(const CommandSpec& spec, const SessionOptions& session, Args args,
                       std::shared_ptr<BlockedCall> blocked, Done done) {
  std::make_shared<BlockingOperation>(&environment_, session, std::move(done))
      ->Start(spec, args, std::move(blocked));
}

void Dispatcher::DispatchKeys(const CommandSpec& spec, const SessionOptions& session, Args args, Done done) {
  if (HasHalfGroup(spec, args.size())) {
    std::string reply;
    resp::ReplyWriter(&reply).Error(WrongArityText(spec.name));
    return AnswerLater(std::move(reply), std::move(done));
  }
  if (const auto slot = CommonSlot(spec, args)) return SubmitOne(spec, session, *slot, args, std::move(done));
  std::vector<SlotPart> parts = SplitBySlot(spec, args);
  if (AsksFirst(spec)) {
    std::make_shared<SetIfNoneExistsOperation>(&environment_, session, std::move(done))
        ->Start(spec.keys, args, parts);
  } else if (spec.spread == Spread::kGather) {
    std::make_shared<GatherOperation>(&environment_, session, std::move(done))->Start(spec, args, parts);
  } else if (spec.spread == Spread::kFirstOf) {
    std::make_shared<FirstOfOperation>(&environment_, session, std::move(done))->Start(spec, args);
  } else {
    std::make_shared<SplitOperation>(&environment_, session, std::move(done))
        ->Start(spec, args, std::move(parts));
  }
}

void Dispatcher::DispatchSort(const CommandSpec& spec, const SessionOptions& session, Args args, Done done) {
  if (!SortOperation::IsNeeded(spec, args)) return SubmitOne(spec, session, SlotOf(args[1]), args, std::move(done));
  std::make_shared<SortOperation>(&environment_, session, std::move(done))->Start(spec, args);
}

void Dispatcher::SubmitOne(const CommandSpec& spec, const SessionOptions& session, SlotId slot, Args args,
                           Done done) {
  uint32_t ticket = 0;
  if (free_tickets_.empty()) {
    ticket = static_cast<uint32_t>(waiting_.size());
    waiting_.push_back(std::move(done));
  } else {
    ticket = free_tickets_.back();
    free_tickets_.pop_back();
    waiting_[ticket] = std::move(done);
  }
  replication::Request request = WholeRequest(spec, session, slot, args);
  if (!encoding_limits_.empty() && TakesEncodingLimits(spec)) request.args.Append(encoding_limits_);
  environment_.router.Submit(std::move(request), [this, ticket](replication::Response response) {
    Complete(ticket, std::move(response));
  });
}

void Dispatcher::Complete(uint32_t ticket, replication::Response response) {
  const Done done = std::exchange(waiting_[ticket], nullptr);
  free_tickets_.push_back(ticket);
  done(TakeReply(std::move(response)));
}

/// OBJECT HELP is the one command here that needs neither keys nor the node.
void Dispatcher::AnswerHelp(const SessionOptions& session, Args args, Done done) {
  const CommandSpec* container = nullptr;
  const CommandSpec* spec = CommandTable::Get().Lookup(args, &container);
  std::string reply;
  resp::ReplyWriter writer(&reply, static_cast<resp::Protocol>(session.resp));
  if (spec != nullptr && container != nullptr && spec->name == "help") {
    WriteHelp(*container, &writer);
  } else {
    writer.Error("ERR this node cannot run the command");
  }
  AnswerLater(std::move(reply), std::move(done));
}

void Dispatcher::AnswerLater(std::string reply, Done done) {
  environment_.cluster.Post([reply = std::move(reply), done = std::move(done)] { done(reply); });
}

}  // namespace orrery::commands
