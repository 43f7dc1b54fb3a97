#pragma once

#include <utility>

#include "orrery/commands/dispatcher.h"
#include "orrery/server/command_runner.h"

namespace orrery::server {

/// A loop's Dispatcher as the server sees it. The Dispatcher outlives it.
class DispatcherRunner final : public CommandRunner {
 public:
  explicit DispatcherRunner(commands::Dispatcher* dispatcher) : dispatcher_(dispatcher) {}

  void Run(const commands::CommandSpec& command, std::span<const std::string_view> args, const Caller& caller,
           Done done) override {
    commands::SessionOptions session;
    session.db = caller.db;
    session.resp = caller.resp;
    session.read_quorum = caller.read_quorum;
    session.write_quorum = caller.write_quorum;
    dispatcher_->Dispatch(command, session, args, std::move(done));
  }

 private:
  commands::Dispatcher* dispatcher_;
};

}  // namespace orrery::server
