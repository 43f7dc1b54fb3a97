#pragma once

#include <string>

#include "orrery/server/config.h"

namespace orrery::server {

/// What peers and clients are told: cluster-announce-ip; else the first address of `bind` that is one, those
/// that the machine may lack after the others; else, where all addresses are listened on, the machine's own.
/// Never an address that only means "any".
std::string AnnouncedHost(const Config& config);

}  // namespace orrery::server
