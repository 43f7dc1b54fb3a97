#include "cluster/figure3.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace orrery::cluster {
namespace {

// The values of a DGET reply, sorted; the context is its first line.
std::vector<std::string> Siblings(const std::string& reply) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= reply.size();) {
    const size_t end = std::min(reply.find('|', begin), reply.size());
    parts.push_back(reply.substr(begin, end - begin));
    begin = end + 1;
  }
  parts.erase(parts.begin());
  std::sort(parts.begin(), parts.end());
  return parts;
}
std::string ContextOf(const std::string& reply) {
  return reply.substr(0, reply.find('|'));
}

}  // namespace

void ExpectBothVersionsStay(Processes* nodes, size_t one_side, size_t other_side,
                            const std::function<void()>& cut, const std::function<void()>& heal) {
  const std::string first = nodes->Run(0, {"DPUT", "cart", "", "milk"});
  ASSERT_FALSE(first.starts_with("-")) << first;
  cut();
  EXPECT_FALSE(nodes->Run(one_side, {"DPUT", "cart", first, "milk,bread"}).starts_with("-"));
  EXPECT_FALSE(nodes->Run(other_side, {"DPUT", "cart", first, "milk,eggs"}).starts_with("-"));
  heal();

  const std::vector<std::string> both = {"milk,bread", "milk,eggs"};
  for (size_t i = 0; i < nodes->size(); ++i) {
    EXPECT_TRUE(Eventually([&] {
      return Siblings(nodes->Run(i, {"DGET", "cart"})) == both;
    })) << i
        << ": " << nodes->Run(i, {"DGET", "cart"});
  }
  const std::string context = ContextOf(nodes->Run(2, {"DGET", "cart"}));
  EXPECT_FALSE(nodes->Run(2, {"DPUT", "cart", context, "milk,bread,eggs"}).starts_with("-"));
  for (size_t i = 0; i < nodes->size(); ++i) {
    EXPECT_EQ(Siblings(nodes->Run(i, {"DGET", "cart"})), std::vector<std::string>{"milk,bread,eggs"});
    EXPECT_EQ(nodes->Run(i, {"GET", "cart"}), "milk,bread,eggs");
  }
  EXPECT_TRUE(Eventually([&] { return nodes->HaveConverged({"cart"}); }));
}

}  // namespace orrery::cluster
