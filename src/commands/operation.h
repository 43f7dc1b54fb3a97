#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "orrery/commands/dispatcher.h"
#include "orrery/resp/reply_writer.h"

namespace orrery::commands {

/// What a survey for the session's database must make sure of.
inline SurveyQuery SurveyOf(const SessionOptions& session) {
  return {session.db, session.read_quorum, session.write_quorum};
}

/// A command that takes more than one request. Kept alive by the callbacks of its requests; finishes exactly
/// once. What comes back after that is ignored.
class Operation : public std::enable_shared_from_this<Operation> {
 public:
  Operation(DispatchEnvironment* environment, const SessionOptions& session, Dispatcher::Done done)
      : environment_(*environment), session_(session), done_(std::move(done)) {}
  virtual ~Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

 protected:
  /// Submits a request; the handler is called unless the operation has finished meanwhile.
  template <typename Handler>
  void Submit(replication::Request request, Handler handler) {
    environment_.router.Submit(std::move(request),
                               [self = shared_from_this(), this, handler](auto response) mutable {
                                 if (done_) handler(std::move(response));
                               });
  }

  /// REQUIRES: not finished.
  void Finish(std::string reply) { std::exchange(done_, nullptr)(std::move(reply)); }
  void FinishWithError(std::string_view text) {
    std::string reply;
    resp::ReplyWriter(&reply).Error(text);
    Finish(std::move(reply));
  }
  bool finished() const { return !done_; }

  DispatchEnvironment& environment() { return environment_; }
  const SessionOptions& session() const { return session_; }
  resp::Protocol protocol() const { return static_cast<resp::Protocol>(session_.resp); }
  /// A request of this session; slot, traits and arguments are left to fill in.
  replication::Request NewRequest(SlotId slot) const { return RequestOf(session_, slot); }

 public:
  static replication::Request RequestOf(const SessionOptions& session, SlotId slot) {
    replication::Request request;
    request.slot = slot;
    request.db = session.db;
    request.resp = session.resp;
    request.read_quorum = session.read_quorum;
    request.write_quorum = session.write_quorum;
    request.timeout_ms = session.timeout_ms;
    return request;
  }

 private:
  DispatchEnvironment& environment_;
  SessionOptions session_;
  Dispatcher::Done done_;
};

/// The reply of a finished request, errors of any kind as RESP. An error begins with '-'.
inline std::string TakeReply(replication::Response response) {
  if (response.outcome == replication::Outcome::kReply) return std::move(response.reply);
  return replication::ErrorText(response);
}
inline bool IsError(std::string_view reply) {
  return reply.empty() || reply[0] == '-' || reply[0] == '!';
}

}  // namespace orrery::commands
