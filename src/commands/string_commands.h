#pragma once

#include "orrery/replication/request.h"

namespace orrery::commands {

/// Whether this SET's options make it depend on what the key holds.
bool SetDependsOnValue(const replication::Arguments& args);

}  // namespace orrery::commands
