#pragma once

#include "orrery/base/numbers.h"

namespace orrery::resp {

// Numbers on the wire are the numbers of base; whoever writes replies finds them here.
using orrery::AppendInteger;
using orrery::DoubleToText;
using orrery::FormatInteger;
using orrery::kIntegerTextMax;
using orrery::LongDoubleToText;
using orrery::ParseDouble;
using orrery::ParseInteger;
using orrery::ParseLongDouble;

}  // namespace orrery::resp
