#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "commands/handler_support.h"
#include "orrery/commands/command.h"
#include "orrery/types/collection_key.h"

namespace orrery::commands {

/// What the commands of hashes, sets and sorted sets share.

/// HSCAN, SSCAN, ZSCAN: key cursor [MATCH pattern] [COUNT count]. A cursor is the place in the hash order of elements
/// where to go on, so an element that is there all the time is shown whatever comes and goes meanwhile, and none twice;
/// one call looks at about COUNT elements, wherever it goes on. emit writes the replies of one element, as many as
/// replies_per_element; the key's type was not looked at before.
using EmitElement = void (*)(resp::ReplyWriter& reply, std::string_view element, const causality::Row& row);
void ReplyScan(CommandContext& context, const types::CollectionKey& key, size_t replies_per_element, EmitElement emit);

/// The count of HRANDFIELD, SRANDMEMBER and ZRANDMEMBER: so many different elements, or, if negative, that many chosen
/// one by one. Otherwise Redis's error reply. When each element is two replies, the range is half as wide.
std::optional<int64_t> SampleCountArg(CommandContext& context, size_t arg, bool two_replies_each);

/// What SPOP chooses: the count is not negative.
std::vector<std::string> SampleOf(CommandContext& context, const types::CollectionKey& key, int64_t count);

/// What they choose. One by one a small collection can give a reply of any size: where that would be too large for one
/// reply, the reply is an error. bytes_beside: of what is replied with an element; empty: nothing is.
std::optional<std::vector<std::string>> SampleToReply(
    CommandContext& context, const types::CollectionKey& key, int64_t count,
    const std::function<size_t(std::string_view element)>& bytes_beside = {});

}  // namespace orrery::commands
