#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace orrery::resp {

enum class Protocol : uint8_t { kResp2 = 2, kResp3 = 3 };

/// Writes replies in the protocol that a client has chosen with HELLO. Types that RESP2 lacks become what
/// Redis 7.0 sends there (a map is a flat array, a double a bulk string, ...), so commands are written once
/// for both. Appends to a string that belongs to the caller; cheap to make, holds nothing else. Any thread,
/// one at a time. An aggregate's header is followed by its elements, written by the caller: n of them, 2n for
/// Map and Attribute.
class ReplyWriter {
 public:
  explicit ReplyWriter(std::string* out, Protocol protocol = Protocol::kResp2)
      : out_(out), protocol_(protocol) {}

  Protocol protocol() const { return protocol_; }
  void set_protocol(Protocol protocol) { protocol_ = protocol; }
  bool resp3() const { return protocol_ == Protocol::kResp3; }
  const std::string& out() const { return *out_; }

  /// Line breaks in text become blanks, so that a reply cannot be forged by what it quotes. The same for
  /// Error.
  void SimpleString(std::string_view text) { Line('+', text); }
  void Ok() { out_->append("+OK\r\n"); }
  /// The line starts with its code: "ERR syntax error", "WRONGTYPE Operation ...".
  void Error(std::string_view line) { Line('-', line); }
  void Integer(int64_t value) { Header(':', value); }
  void Double(double value);
  /// A number that has been computed in long double, in INCRBYFLOAT's form.
  void LongDouble(long double value);
  void Bool(bool value);
  /// digits: an integer of any length, as text.
  void BigNumber(std::string_view digits);

  void BulkString(std::string_view bytes) { Blob('$', bytes); }
  void BulkInteger(int64_t value);
  /// extension: three letters that tell clients what the text is, "txt" or "mkd".
  void Verbatim(std::string_view extension, std::string_view text);
  /// An error with line breaks in RESP3; a plain Error in RESP2.
  void BlobError(std::string_view text);
  /// An absent value, and an absent array: the same in RESP3.
  void Null();
  void NullArray();

  void Array(size_t n) { Header('*', static_cast<int64_t>(n)); }
  void Map(size_t pairs) { resp3() ? Header('%', static_cast<int64_t>(pairs)) : Array(2 * pairs); }
  void Set(size_t n) { Header(resp3() ? '~' : '*', static_cast<int64_t>(n)); }
  void Push(size_t n) { Header(resp3() ? '>' : '*', static_cast<int64_t>(n)); }
  /// Remarks on the reply that follows. RESP2 has no place for them: false, write neither keys nor values
  /// then.
  [[nodiscard]] bool Attribute(size_t pairs);

  /// A complete reply, or several, encoded before.
  void Raw(std::string_view bytes) { out_->append(bytes); }
  /// For an array whose length is known only at its end: note Position() before the first element, then
  /// insert.
  size_t Position() const { return out_->size(); }
  void InsertArray(size_t position, size_t n);
  void InsertMap(size_t position, size_t pairs);
  void InsertSet(size_t position, size_t n);

 private:
  void Line(char type, std::string_view text);
  void Header(char type, int64_t n);
  void Blob(char type, std::string_view bytes);
  void InsertHeader(size_t position, char type, size_t n);

  std::string* out_;
  Protocol protocol_;
};

}  // namespace orrery::resp
