#include <fmt/format.h>

#include <cmath>
#include <numbers>
#include <string>

#include "orrery/server/version.h"
#include "server/commands/cluster_map.h"
#include "server/commands/handler_tools.h"

namespace orrery::server {
namespace {

constexpr int kHeight = 21;
constexpr int kWidth = 2 * kHeight;  // characters are about twice as high as wide
constexpr std::string_view kMarks = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

struct Share {
  char mark;
  const membership::Member* member;
  uint32_t slots;
};

/// The mark of the node whose arc covers this part of the circle: arcs go clockwise from the top, as long as
/// their shares of the slots.
char MarkAt(const std::vector<Share>& shares, double turn) {
  double at = 0;
  for (const Share& share : shares) {
    at += static_cast<double>(share.slots) / kSlotCount;
    if (turn < at) return share.mark;
  }
  return '.';
}

std::string DrawCircle(const std::vector<Share>& shares) {
  std::string picture;
  const double radius = kHeight / 2.0 - 0.5;
  for (int row = 0; row < kHeight; ++row) {
    std::string line;
    for (int column = 0; column < kWidth; ++column) {
      const double x = (column + 0.5) / 2 - kHeight / 2.0;
      const double y = row + 0.5 - kHeight / 2.0;
      const double distance = std::hypot(x, y);
      if (std::abs(distance - radius) < 0.6) {
        double turn = std::atan2(x, -y) / (2 * std::numbers::pi);
        if (turn < 0) turn += 1;
        line += MarkAt(shares, turn);
      } else {
        line += distance < 0.5 ? '*' : ' ';
      }
    }
    while (line.ends_with(' ')) line.pop_back();
    picture += line + "\n";
  }
  return picture;
}

std::vector<Share> Shares(const NodeAccess& node) {
  const auto view = node.View();
  auto slots = CoordinatedSlots(node);
  std::vector<Share> shares;
  for (const membership::Member* member : PresentMembers(*view)) {
    shares.push_back({kMarks[shares.size() % kMarks.size()], member, CountSlots(slots[member->id])});
  }
  return shares;
}

}  // namespace

/// An orrery: the members around the ring, each with the share of the slots that it coordinates now.
void Lolwut(ServerCall& call) {
  const auto view = call.worker.node().View();
  const std::vector<Share> shares = Shares(call.worker.node());
  std::string text = DrawCircle(shares) + "\n";
  for (const Share& share : shares) {
    text += fmt::format("{} {} {:5.1f}% of the slots, {}{}\n", share.mark, ClientAddress(*share.member),
                        100.0 * share.slots / kSlotCount, view->IsAlive(share.member->id) ? "alive" : "down",
                        share.member->id == view->self ? ", you are here" : "");
  }
  text += fmt::format("\nOrrery ver. {}\n", kReleaseVersion);
  call.reply.Verbatim("txt", text);
}

}  // namespace orrery::server
