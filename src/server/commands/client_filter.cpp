#include "server/commands/client_filter.h"

#include "orrery/resp/numbers.h"

namespace orrery::server {
namespace {

using commands::EqualsIgnoringCase;

/// All clients are of type normal.
std::string ParseType(std::string_view type, ClientFilter* filter) {
  if (EqualsIgnoringCase(type, "normal")) return {};
  for (std::string_view other : {"master", "replica", "slave", "pubsub"}) {
    if (EqualsIgnoringCase(type, other)) {
      filter->nobody = true;
      return {};
    }
  }
  return "ERR Unknown client type '" + std::string(type.substr(0, 128)) + "'";
}

std::string ParseKillOption(std::string_view option, std::string_view value, bool* skip_me,
                            ClientFilter* filter) {
  if (EqualsIgnoringCase(option, "id")) {
    const auto id = resp::ParseInteger(value);
    if (!id || *id < 1) return "ERR client-id should be greater than 0";
    filter->ids = {static_cast<uint64_t>(*id)};
  } else if (EqualsIgnoringCase(option, "type")) {
    return ParseType(value, filter);
  } else if (EqualsIgnoringCase(option, "addr")) {
    filter->address = value;
  } else if (EqualsIgnoringCase(option, "laddr")) {
    filter->local_address = value;
  } else if (EqualsIgnoringCase(option, "user")) {
    if (value != "default") return "ERR No such user '" + std::string(value.substr(0, 128)) + "'";
  } else if (EqualsIgnoringCase(option, "maxage")) {
    const auto age = resp::ParseInteger(value);
    if (!age) return "ERR maxage is not an integer or out of range";
    if (*age <= 0) return "ERR maxage should be greater than 0";
    filter->age_min_s = static_cast<uint64_t>(*age);
  } else if (EqualsIgnoringCase(option, "skipme")) {
    *skip_me = EqualsIgnoringCase(value, "yes");
    if (!*skip_me && !EqualsIgnoringCase(value, "no")) return "ERR syntax error";
  } else {
    return "ERR syntax error";
  }
  return {};
}

}  // namespace

bool ClientFilter::Matches(const ClientConnection& client) const {
  return !nobody && (ids.empty() || ids.contains(client.id())) &&
         (address.empty() || client.address() == address) &&
         (local_address.empty() || client.local_address() == local_address) &&
         (!age_min_s || client.AgeSeconds() >= *age_min_s) && (!spared_id || client.id() != *spared_id);
}

std::string ParseListFilter(commands::Args args, ClientFilter* filter) {
  if (args.empty()) return {};
  if (args.size() == 2 && EqualsIgnoringCase(args[0], "type")) return ParseType(args[1], filter);
  if (args.size() < 2 || !EqualsIgnoringCase(args[0], "id")) return "ERR syntax error";
  for (std::string_view text : args.subspan(1)) {
    const auto id = resp::ParseInteger(text);
    if (!id) return "ERR Invalid client ID";
    if (*id > 0) filter->ids.insert(static_cast<uint64_t>(*id));
  }
  filter->nobody = filter->ids.empty();
  return {};
}

std::string ParseKillFilter(commands::Args args, uint64_t asking_id, ClientFilter* filter) {
  bool skip_me = true;
  if (args.size() % 2 != 0) return "ERR syntax error";
  for (size_t i = 0; i < args.size(); i += 2) {
    std::string error = ParseKillOption(args[i], args[i + 1], &skip_me, filter);
    if (!error.empty()) return error;
  }
  if (skip_me) filter->spared_id = asking_id;
  return {};
}

}  // namespace orrery::server
