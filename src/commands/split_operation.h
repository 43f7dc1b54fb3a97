#pragma once

#include <string>
#include <vector>

#include "commands/operation.h"
#include "commands/slot_split.h"

namespace orrery::commands {

/// A command of Spread::kSum, kEach or kAllOk whose keys lie in several slots: one request for each slot, all
/// at once, and their replies made into one.
class SplitOperation final : public Operation {
 public:
  using Operation::Operation;

  void Start(const CommandSpec& spec, Args args, std::vector<SlotPart> parts);

 private:
  void OnReply(size_t part, std::string reply);
  /// The reply to the client when all parts are here.
  std::string Join() const;
  std::string JoinSum() const;
  std::string JoinElements() const;

  Spread spread_ = Spread::kSum;
  std::vector<SlotPart> parts_;
  std::vector<std::string> replies_;  ///< by part
  size_t key_count_ = 0;
  size_t missing_ = 0;
};

/// MSETNX over several slots, which is not atomic: asks all slots whether a key exists, and writes when none
/// does.
class SetIfNoneExistsOperation final : public Operation {
 public:
  using Operation::Operation;

  void Start(const KeyRange& range, Args args, const std::vector<SlotPart>& parts);

 private:
  void OnExists(size_t part, const std::string& reply);
  void OnAllAnswered();
  void Write();
  void OnWritten(size_t part, std::string reply);

  std::vector<replication::Request> writes_;  ///< by part, until no key is known to exist
  std::vector<std::string> errors_;           ///< by part
  int64_t existing_ = 0;
  size_t missing_ = 0;
};

/// The integer of a ":n" reply; nullopt for anything else.
std::optional<int64_t> IntegerOfReply(std::string_view reply);

}  // namespace orrery::commands
