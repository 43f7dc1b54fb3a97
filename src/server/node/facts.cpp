#include "server/node/facts.h"

#include <string>

#include "orrery/causality/context.h"
#include "server/node/node_loop.h"

namespace orrery::server {
namespace {

constexpr size_t kDatabases = 16;

std::map<std::string, uint64_t> CountersOf(const replication::ShardStats& stats) {
  return {{"events_made", stats.events_made},
          {"events_applied", stats.events_applied},
          {"events_duplicate", stats.events_duplicate},
          {"events_early", stats.events_early},
          {"probes_sent", stats.probes_sent},
          {"probes_joined", stats.probes_joined},
          {"probes_spared", stats.probes_spared},
          {"reads_repaired", stats.reads_repaired},
          {"hints_stored", stats.hints_stored},
          {"hints_delivered", stats.hints_delivered},
          {"hints_refused", stats.hints_refused},
          {"merges_done", stats.merges_done},
          {"merge_rows", stats.merge_rows},
          {"merge_rows_equal", stats.merge_rows_equal},
          {"merge_bytes", stats.merge_bytes},
          {"lives_closed", stats.lives_closed},
          {"digest_mismatches", stats.digest_mismatches},
          {"corrupt_slots", stats.corrupt_slots},
          {"repaired_slots", stats.repaired_slots},
          {"bad_frames", stats.bad_frames},
          {"unknown_messages", stats.unknown_messages},
          {"clock_refused", stats.clock_refused},
          {"replies_bound", stats.replies_bound},
          {"requests_forwarded", stats.forwarded},
          {"requests_relayed", stats.relayed},
          {"requests_handed_over", stats.handed_over},
          {"unknown_outcomes", stats.unknown_outcomes},
          {"no_replicas", stats.no_replicas},
          {"cluster_down", stats.cluster_down},
          {"seats_taken", stats.seats_taken},
          {"seats_given", stats.seats_given},
          {"slots_dropped", stats.slots_dropped},
          {"seats_claimed", stats.seats_claimed},
          {"copied_bytes", stats.copied_bytes},
          {"given_bytes", stats.given_bytes}};
}

std::string ClockText(const causality::SlotClock& clock) {
  // A context without its check: for people, not for DPUT.
  const std::string text = causality::FormatContext("", clock.counters());
  return text.substr(0, text.rfind('~'));
}

void AddProgress(const std::string& prefix, const replication::TransferProgress::Facts& progress, LoopFacts* facts) {
  facts->counters[prefix + "_seats_done"] = progress.seats_done;
  facts->counters[prefix + "_seats_left"] = progress.seats_left;
  facts->counters[prefix + "_bytes_done"] = progress.bytes_done;
  facts->counters[prefix + "_bytes_left"] = progress.bytes_left;
  facts->counters[prefix + "_seats_per_second"] = progress.seats_per_second;
  facts->counters[prefix + "_bytes_per_second"] = progress.bytes_per_second;
  facts->counters[prefix + "_seconds_left"] = progress.seconds_left;
}

void AddSlots(NodeLoop* loop, LoopFacts* facts) {
  const auto& context = loop->shard().context();
  for (SlotId slot : loop->shard().slots().known()) {
    if (!context.IsHome(slot)) continue;
    const auto* replica = loop->shard().slots().Find(slot);
    if (replica == nullptr) continue;
    ++facts->slots_held;
    if (!loop->shard().catch_up().Merging(slot)) ++facts->slots_in_service;
    facts->rows += replica->row_count();
  }
}

void AddKeys(NodeLoop* loop, LoopFacts* facts) {
  const auto& context = loop->shard().context();
  types::VisitCounts(loop->store(), [&](SlotId slot, uint8_t db, const types::KeyCounts& counts) {
    if (!context.Owns(slot) || !context.IsHome(slot) || db >= kDatabases) return;
    facts->databases[db].keys += counts.keys;
    facts->databases[db].expires += counts.expires;
  });
}

}  // namespace

LoopFacts GatherFacts(NodeLoop* loop) {
  LoopFacts facts;
  facts.databases.resize(kDatabases);
  AddSlots(loop, &facts);
  AddKeys(loop, &facts);
  for (const auto& [home, totals] : loop->shard().hints().totals()) {
    facts.hints.push_back({home, totals.count, totals.bytes});
  }
  const uint64_t now_us = loop->loop().MonotonicUs();
  const uint64_t now_ms = loop->loop().WallMs();
  for (const auto& link : loop->transport().Links()) {
    facts.links.push_back(
        {link.peer, link.dialled, now_ms - (now_us - link.up_since_us) / 1000, link.queued_bytes});
  }
  facts.backlog_bytes = loop->shard().slots().backlog_bytes();
  facts.writes_stopped = loop->shard().failed();
  facts.writes_stopped_reason = loop->shard().disk_error();
  facts.counters = CountersOf(loop->shard().stats());
  const runtime::PeerTransportStats& links = loop->transport().stats();
  facts.counters["frames_sent"] = links.frames_sent;
  facts.counters["frames_received"] = links.frames_received;
  facts.counters["slow_links"] = links.slow_links;
  facts.counters["seats_waiting"] = loop->shard().taker().waiting();
  facts.counters["seats_under_way"] = loop->shard().taker().under_way();
  facts.counters["seats_to_give"] = loop->shard().giver().to_give();
  facts.counters["slots_to_drop"] = loop->shard().giver().leftovers();
  facts.counters["transfer_slices_per_second"] = loop->shard().context().pace.slices_per_second();
  if (loop->index() == 0) {
    AddProgress("taking", loop->shared().taking.facts(), &facts);
    AddProgress("giving", loop->shared().giving.facts(), &facts);
  }
  return facts;
}

SlotFacts GatherSlotFacts(NodeLoop* loop, SlotId slot) {
  SlotFacts facts;
  facts.slot = slot;
  facts.is_home = loop->shard().context().IsHome(slot);
  facts.in_service = facts.is_home && !loop->shard().catch_up().Merging(slot);
  const auto* replica = loop->shard().slots().Find(slot);
  if (replica == nullptr) return facts;
  facts.rows = replica->row_count();
  facts.digest = replica->digest();
  facts.clock = ClockText(replica->clock());
  facts.voided = replica->voided().size();
  facts.backlog = replica->backlog().size();
  return facts;
}

}  // namespace orrery::server
