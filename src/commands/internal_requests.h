#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "orrery/replication/request.h"

namespace orrery::commands {

/// The entry node's half of the internal single-slot commands: what the request says, and what its reply
/// means. Clients cannot send them. Each builder fills arguments and traits of a request whose slot, database
/// and options are set.

/// Rows as orrery.fetch sends them: (row key, encoded row).
using FetchedRows = std::vector<std::pair<std::string, std::string>>;

void BuildFetch(const std::vector<std::string_view>& keys, replication::Request* request);
/// Of a list only its first or last element; of a key of another type one row that shows it.
void BuildFetchEnd(bool last, std::string_view key, replication::Request* request);
/// nullopt if the reply is malformed.
std::optional<FetchedRows> ParseFetchReply(std::string_view reply);

/// The rows by which each key shows its string, or the one field of a hash that is named behind it ("": a string). A key
/// that shows another type has none. The reply is that of a fetch.
void BuildPick(const std::vector<std::pair<std::string, std::string>>& keys_and_fields, replication::Request* request);

/// Removes exactly the cells of these rows.
void BuildDrop(const FetchedRows& rows, replication::Request* request);

/// A page of a slot's keys.
struct ScanQuery {
  uint64_t order = 0;   ///< where to go on, 48 bits
  uint64_t count = 10;  ///< keys to look at, roughly
  std::string pattern = "*";  ///< every key, and need not be compared with any
  std::optional<std::string> type;  ///< none: every type
};
struct ScanPage {
  uint64_t next_order = 0;  ///< 0: the slot's end
  uint64_t examined = 0;    ///< keys looked at, those that did not match included
  uint64_t count = 0;
  std::string_view keys;  ///< `count` bulk strings, a part of the reply that was parsed
};

void BuildScan(const ScanQuery& query, replication::Request* request);
std::optional<ScanPage> ParseScanReply(std::string_view reply);

/// Removes all keys of the slot: those of the request's database, or of all.
void BuildFlush(bool all_databases, replication::Request* request);

/// One number for all that the slot's keys of the database show, their names included.
void BuildDigest(replication::Request* request);

/// Waits until one of the keys, all of the request's slot, has something; they are of that type. Its request has a place.
void BuildReady(std::string_view type, const std::vector<std::string>& keys, replication::Request* request);
/// The key that has something; nullopt if the reply is malformed.
std::optional<std::string> ParseReadyReply(std::string_view reply);
/// Ends the wait of the request's place.
void BuildLeave(replication::Request* request);

}  // namespace orrery::commands
