#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/commands/blocked_call.h"
#include "orrery/resp/input_buffer.h"
#include "orrery/resp/request_parser.h"
#include "orrery/runtime/uv/tcp.h"
#include "server/reply_queue.h"
#include "server/session.h"

namespace orrery::server {

class Worker;

/// One client on one loop: cuts its bytes into commands, hands them on as they come, and sends the replies in
/// the order of the commands, whatever the order in which they are ready. Belongs to its Worker, which
/// destroys it once it is closed and no command of it is under way any more: callbacks may therefore point to
/// it.
///
/// Bounded: while so many replies are owed, or so much output waits for the client to read, that more would
/// only pile up, nothing more is read from it. How large a reply will be nobody knows before it comes, so the
/// window begins narrow, widens with small replies and narrows with large ones. Beyond that,
/// client-output-buffer-limit, client-query-buffer-limit and timeout close it.
class ClientConnection final : public runtime::TcpHandler {
 public:
  ClientConnection(Worker& worker, uint64_t id, int fd);
  ~ClientConnection() override;

  uint64_t id() const { return id_; }
  Session& session() { return session_; }
  const Session& session() const { return session_; }
  Worker& worker() { return worker_; }
  const std::string& address() const { return address_; }
  const std::string& local_address() const { return local_address_; }
  bool IsLocal() const;
  uint64_t AgeSeconds() const;

  /// The line of CLIENT LIST, without its line end.
  std::string Describe() const;

  /// Answers a command that was deferred. Any later call, also after the connection was closed.
  void Answer(uint64_t number, std::string reply);
  /// Sends the error and closes when it has left; for clients that are not let in.
  void Refuse(std::string_view error);
  /// No more commands; closes when all replies have left.
  void CloseAfterReplies();
  /// Ends it now.
  void Close();
  bool closed() const { return closed_; }
  /// Commands under way: while there are any the object must live.
  size_t under_way() const { return under_way_; }

  /// Goes on with what waited for the end of CLIENT PAUSE.
  void OnUnpaused();
  bool is_postponed() const { return !postponed_.empty(); }
  /// For INFO's blocked_clients: in BLPOP and the like, in WAIT, or until CLIENT PAUSE is over.
  bool is_blocked() const { return is_waiting() || is_paused(); }
  bool is_waiting() const { return blocked_ != nullptr && blocked_->waits(); }
  /// CLIENT UNBLOCK: false if no command of it waits for a key.
  bool Unblock(commands::BlockedCall::End end) { return blocked_ != nullptr && blocked_->Unblock(end); }
  /// Called once a second: timeout, soft output limit, memory.
  void OnTick(uint64_t now_us);
  /// Brings the session back to its start, for RESET.
  void ResetSession();
  /// The password was right, or the opposite.
  void SetAuthenticated(bool authenticated);
  /// Whether commands are run: it said the password, or none is asked for.
  bool may_run_commands() const { return session_.authenticated || !asks_for_password(); }
  /// The settings have changed.
  void OnConfig();

  size_t input_bytes() const { return input_.capacity(); }
  size_t output_bytes() const;

 private:
  std::span<char> PrepareRead(size_t hint) override;
  void OnRead(size_t n) override;
  void OnDrained() override;
  bool OnEnd() override;
  void OnClosed(const Status& reason) override;

  bool is_paused() const;
  bool asks_for_password() const;
  void WakeUp();
  void StopWaiting();

  // connection_process.cpp: from bytes to commands.
  void Process();
  bool MayTakeCommand();
  bool TakeNext();
  void Take(commands::Args args, size_t request_bytes);
  bool MustWait(const CommandEntry& entry) const;
  void Postpone(commands::Args args);
  bool RunPostponed();
  void Run(const CommandEntry& entry, commands::Args args, size_t request_bytes, uint64_t started_us);
  void RunHere(const CommandEntry& entry, commands::Args args, size_t request_bytes, uint64_t started_us,
               bool silent);
  void Hand(const CommandEntry& entry, commands::Args args, size_t request_bytes, uint64_t started_us,
            bool silent);
  void Reject(const CommandEntry* entry, std::string_view error);
  void RejectProtocol();
  void CloseForeign();
  void NoteWrites(const CommandEntry& entry, commands::Args args);
  void UpdateReading();

  // connection_replies.cpp: from replies to bytes.
  uint64_t AddPlace(const CommandEntry& entry, commands::Args args, size_t request_bytes, uint64_t started_us,
                    bool silent);
  void ReplyNow(std::string_view reply, bool silent);
  void SendReady();
  void Send(std::string reply);
  void Account(const CommandEntry& entry, std::string_view reply, uint64_t started_us,
               const ArgumentPreview* preview, commands::Args args);
  void NarrowWindow(size_t reply_bytes);
  bool CheckOutputLimit(uint64_t now_us);
  void FinishIfDone();
  void AbandonBlocked();

  Worker& worker_;
  const uint64_t id_;
  const int fd_;
  std::unique_ptr<runtime::TcpConnection> tcp_;
  std::string address_;
  std::string local_address_;
  const uint64_t connected_us_;
  uint64_t last_active_us_;
  uint64_t batch_us_ = 0;  ///< when Process() began

  resp::InputBuffer input_;
  resp::RequestParser parser_;
  Session session_;
  const CommandEntry* last_command_ = nullptr;

  ReplyQueue replies_;
  size_t under_way_ = 0;        ///< places not done
  size_t under_way_bytes_ = 0;  ///< of their requests
  size_t running_bytes_ = 0;    ///< of the request that a handler is at
  size_t held_bytes_ = 0;       ///< of replies that are ready but not first
  size_t window_ = 0;           ///< replies owed at most
  size_t typical_reply_bytes_ = 0;
  uint64_t soft_limit_since_us_ = 0;

  std::vector<std::string> postponed_;  ///< a command that waits for its moment; empty: none
  size_t postponed_bytes_ = 0;
  std::optional<uint64_t> alone_;                   ///< the place of the command that runs alone
  std::shared_ptr<commands::BlockedCall> blocked_;  ///< of that one, if it is a blocking command
  bool processing_ = false;
  bool stalled_ = false;  ///< commands may be waiting in the input
  bool reading_ = true;
  bool ended_ = false;    ///< the client sends no more
  bool closing_ = false;  ///< takes no more commands
  bool closed_ = false;

  friend struct ServerCall;
};

/// Where a deferred answer goes.
struct ReplyTicket {
  ClientConnection* client;
  uint64_t number;
  void Answer(std::string reply) const { client->Answer(number, std::move(reply)); }
};

/// One command that a ServerHandler answers. Lives for the handler's call; args as long.
struct ServerCall {
  ClientConnection& client;
  Worker& worker;
  const CommandEntry& entry;
  commands::Args args;
  size_t request_bytes;
  resp::ReplyWriter& reply;
  uint64_t started_us;

  /// Instead of writing to `reply`: gives the ticket with which the answer comes later.
  ReplyTicket Defer();
  /// After Defer: how CLIENT UNBLOCK, and the client's end, end the wait for the answer.
  const std::shared_ptr<commands::BlockedCall>& Unblockable();
  /// CLIENT REPLY OFF and SKIP are not answered themselves.
  void SuppressReply() { silent = true; }
  /// What turns replies on is answered although they were off.
  void AnswerAnyway() { silent = false; }

  Session& session() { return client.session(); }
  std::string_view arg(size_t i) const { return args[i]; }
  size_t argc() const { return args.size(); }
  bool ArgIs(size_t i, std::string_view word) const { return commands::EqualsIgnoringCase(args[i], word); }

  bool deferred = false;
  bool silent = false;  ///< the reply is to be dropped, now or when it comes
};

}  // namespace orrery::server
