#pragma once

#include <string_view>

namespace orrery::server {

/// This release.
inline constexpr std::string_view kReleaseVersion = "0.1.0";
/// The Redis whose commands, replies and file syntax are followed; what clients are told in INFO and HELLO.
inline constexpr std::string_view kRedisVersion = "7.0.15";

}  // namespace orrery::server
