#include "portable_math.h"

namespace orrery::ring {

double PortableLn(double x) {
  constexpr double kLn2 = 0.6931471805599453;
  int exponent = 0;
  for (; x > 1.5; x /= 2) ++exponent;
  for (; x < 0.75; x *= 2) --exponent;
  const double z = (x - 1) / (x + 1);  // ln x = 2 artanh z
  double power = z;
  double sum = 0;
  for (int i = 1; i < 40; i += 2) {
    sum += power / i;
    power = power * z * z;
  }
  return 2 * sum + exponent * kLn2;
}

}  // namespace orrery::ring
