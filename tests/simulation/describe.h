#pragma once

#include <string>
#include <string_view>

#include "orrery/causality/slot_clock.h"
#include "orrery/replication/cluster_view.h"

namespace orrery::simulation {

/// Short forms for traces: nodes as n0, n1, ..., the life that node 0 began after 250 ms as n0'250.17 (17
/// tells it from others of that millisecond), its third event in it as n0'250.17:3.
std::string DescribeNode(NodeId id);
std::string DescribeActor(const causality::Actor& actor);
std::string DescribeDot(const causality::Dot& dot);
std::string DescribeClock(const causality::SlotClock& clock);
std::string DescribeView(const replication::ClusterView& view);
/// A stored row: its key's text and its cells.
std::string DescribeRow(std::string_view row_key, std::string_view bytes);
/// One " | message" for each message of the frame.
std::string DescribeFrame(std::string_view frame);

}  // namespace orrery::simulation
