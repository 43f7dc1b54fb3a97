#pragma once

#include <vector>

#include "orrery/replication/messages.h"

namespace orrery::replication {

/// At least one message of each type, with every field in use.
std::vector<Message> SampleMessages();

}  // namespace orrery::replication
