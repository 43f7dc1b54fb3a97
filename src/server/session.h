#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <string>

#include "orrery/base/slot.h"
#include "orrery/resp/reply_writer.h"

namespace orrery::server {

/// What a client has told its connection. RESET brings most of it back to this.
struct Session {
  std::string name;
  std::string lib_name;
  std::string lib_version;
  uint8_t db = 0;
  resp::Protocol protocol = resp::Protocol::kResp2;
  uint8_t read_quorum = 0;   ///< CLIENT QUORUM; 0: the cluster's
  uint8_t write_quorum = 0;  ///< likewise
  /// The password was right, or there was none when it connected.
  bool authenticated = false;
  bool replies_off = false;  ///< CLIENT REPLY OFF
  bool skip_next = false;    ///< CLIENT REPLY SKIP
  bool no_evict = false;
  bool no_touch = false;
  bool readonly = false;
  /// Slots that this connection has written to, for WAIT. Made by the first write.
  std::unique_ptr<std::bitset<kSlotCount>> written;
};

}  // namespace orrery::server
