#pragma once

namespace orrery::ring {

/// The natural logarithm out of + - * / only, which IEEE 754 defines to the last bit. The C library's differs
/// between versions and machines, and two nodes whose rings differ in one slot are two clusters. This folder
/// is compiled without fused multiply-add for the same reason. REQUIRES: x > 0 and finite.
double PortableLn(double x);

}  // namespace orrery::ring
