#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "orrery/resp/input_buffer.h"
#include "orrery/resp/value_parser.h"

namespace orrery::server {

/// A blocking client over a plain socket: sends bytes as they are and reads replies as trees. Every wait has
/// an end, so a broken server fails a test instead of hanging it.
class TestClient {
 public:
  explicit TestClient(uint16_t port, int receive_buffer = 0) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~TestClient() { Close(); }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }
  void EndInput() { shutdown(fd_, SHUT_WR); }

  /// False when the server has closed.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }
  /// Sends what the socket takes now, and says how much.
  size_t SendSome(std::string_view bytes) {
    const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return n < 0 ? 0 : static_cast<size_t>(n);
  }

  /// Any bytes, as they come; empty at the end of the connection.
  std::string ReadSome() {
    if (!WaitReadable()) return {};
    char bytes[65536];
    const ssize_t n = recv(fd_, bytes, sizeof(bytes), 0);
    return n <= 0 ? std::string() : std::string(bytes, static_cast<size_t>(n));
  }
  std::string ReadToEnd() {
    std::string all;
    for (std::string some = ReadSome(); !some.empty(); some = ReadSome()) all += some;
    return all;
  }
  bool IsClosedByServer() { return ReadToEnd().empty() && !timed_out_; }

  std::optional<resp::Value> ReadReply() {
    resp::Value value;
    while (true) {
      switch (parser_.Next(&input_, &value)) {
        case resp::ValueParser::Outcome::kValue:
          return value;
        case resp::ValueParser::Outcome::kError:
          ADD_FAILURE() << "not a reply: " << parser_.error();
          return std::nullopt;
        case resp::ValueParser::Outcome::kIncomplete:
          break;
      }
      const std::string some = ReadSome();
      if (some.empty()) return std::nullopt;
      input_.Append(some);
    }
  }
  /// The reply as text: strings and errors as they are, integers as digits, "(nil)", "[a b]", "(closed)".
  std::string Reply() {
    const auto reply = ReadReply();
    return reply ? ToText(*reply) : "(closed)";
  }

  static std::string Encode(const std::vector<std::string>& args) {
    std::string bytes = "*" + std::to_string(args.size()) + "\r\n";
    for (const std::string& arg : args) bytes += "$" + std::to_string(arg.size()) + "\r\n" + arg + "\r\n";
    return bytes;
  }
  /// Words separated by blanks.
  static std::string Encode(std::string_view line) {
    std::vector<std::string> args;
    size_t at = 0;
    while (at < line.size()) {
      const size_t end = std::min(line.find(' ', at), line.size());
      if (end > at) args.emplace_back(line.substr(at, end - at));
      at = end + 1;
    }
    return Encode(args);
  }
  std::string Ask(std::string_view line) {
    Send(Encode(line));
    return Reply();
  }
  std::string Ask(const std::vector<std::string>& args) {
    Send(Encode(args));
    return Reply();
  }

  static std::string ToText(const resp::Value& value) {
    if (value.is_null()) return "(nil)";
    if (value.is_text()) return std::string(value.text());
    if (value.type() == resp::Value::Type::kInteger) return std::to_string(value.integer());
    if (value.type() == resp::Value::Type::kBool) return value.boolean() ? "true" : "false";
    if (value.type() == resp::Value::Type::kDouble) return std::to_string(value.number());
    std::string text = "[";
    for (const resp::Value& element : value.elements())
      text += (text.size() > 1 ? " " : "") + ToText(element);
    return text + "]";
  }

  int fd() const { return fd_; }

 private:
  bool WaitReadable() {
    pollfd ready{fd_, POLLIN, 0};
    const int n = poll(&ready, 1, 20'000);
    if (n == 0) {
      timed_out_ = true;
      ADD_FAILURE() << "the server said nothing for 20 seconds";
    }
    return n > 0;
  }

  int fd_;
  bool timed_out_ = false;
  resp::InputBuffer input_;
  resp::ValueParser parser_;
};

}  // namespace orrery::server
