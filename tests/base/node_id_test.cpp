#include "orrery/base/node_id.h"

#include <gtest/gtest.h>

namespace orrery {
namespace {

TEST(NodeIdTest, NamesReadBackAndManglingIsSeen) {
  const NodeId id{0x00c0ffee12345678};
  EXPECT_EQ(id.ToHex(), "00c0ffee12345678");
  EXPECT_EQ(id.ToName().size(), 40u);
  EXPECT_EQ(NodeId::FromName(id.ToName()), id);
  EXPECT_EQ(NodeId::FromName(id.ToHex()), id);

  std::string mangled = id.ToName();
  mangled.back() = mangled.back() == '0' ? '1' : '0';
  EXPECT_EQ(NodeId::FromName(mangled), std::nullopt);
  EXPECT_EQ(NodeId::FromName("xyz"), std::nullopt);
  EXPECT_EQ(NodeId::FromHex("00c0ffee1234567g"), std::nullopt);
}

}  // namespace
}  // namespace orrery
