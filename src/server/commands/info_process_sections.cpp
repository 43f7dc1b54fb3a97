#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "orrery/server/version.h"
#include "server/commands/handler_tools.h"
#include "server/commands/info_data.h"

namespace orrery::server {
namespace {

std::string SystemName() {
  utsname name{};
  if (uname(&name) != 0) return "unknown";
  return fmt::format("{} {} {}", name.sysname, name.release, name.machine);
}

std::string ExecutablePath() {
  char path[PATH_MAX];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof(path));
  return n <= 0 ? std::string() : std::string(path, static_cast<size_t>(n));
}

std::string_view SupervisedName(Supervised supervised) {
  switch (supervised) {
    case Supervised::kNo:
      return "no";
    case Supervised::kAuto:
      return "auto";
    case Supervised::kSystemd:
      return "systemd";
    case Supervised::kUpstart:
      break;
  }
  return "upstart";
}

uint64_t Minus(uint64_t a, uint64_t b) {
  return a - std::min(a, b);
}
double Ratio(uint64_t a, uint64_t b) {
  return b == 0 ? 0 : static_cast<double>(a) / static_cast<double>(b);
}
double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

std::string InfoServer(const InfoData& data) {
  Worker& worker = data.worker;
  const ServerState& state = worker.state();
  const uint64_t uptime_s = (worker.loop().MonotonicUs() - state.started_us) / 1'000'000;
  const uint64_t now_ms = worker.loop().WallMs();
  return fmt::format(
      "redis_version:{}\r\norrery_version:{}\r\nredis_git_sha1:00000000\r\nredis_git_dirty:0\r\nredis_build_"
      "id:orrery-{}"
      "\r\nredis_mode:cluster\r\nos:{}\r\narch_bits:{}\r\nmonotonic_clock:POSIX "
      "clock_gettime\r\nmultiplexing_api:epoll"
      "\r\natomicvar_api:c11-builtin\r\ngcc_version:{}.{}.{}\r\nprocess_id:{}\r\nprocess_supervised:{}"
      "\r\nrun_id:{}\r\n"
      "tcp_port:{}\r\nserver_time_usec:{}\r\nuptime_in_seconds:{}\r\nuptime_in_days:{}\r\nhz:1\r\nconfigured_"
      "hz:1\r\n"
      "lru_clock:{}\r\nexecutable:{}\r\nconfig_file:{}\r\nio_threads_active:{}\r\nthreads:{}\r\n",
      kRedisVersion, kReleaseVersion, kReleaseVersion, SystemName(), sizeof(void*) * CHAR_BIT, __GNUC__,
      __GNUC_MINOR__, __GNUC_PATCHLEVEL__, getpid(), SupervisedName(worker.config().supervised), state.run_id,
      state.port, now_ms * 1000, uptime_s, uptime_s / 86400, now_ms / 1000 % (1 << 24), ExecutablePath(),
      state.config->file(), state.workers.size() > 1 ? 1 : 0, state.workers.size());
}

std::string InfoClients(const InfoData& data) {
  return fmt::format(
      "connected_clients:{}\r\ncluster_connections:{}\r\nmaxclients:{}\r\nclient_recent_max_input_buffer:{}"
      "\r\n"
      "client_recent_max_output_buffer:{}\r\nblocked_clients:{}\r\ntracking_clients:0\r\nclients_in_timeout_"
      "table:0\r\n",
      data.metrics.connections_now, data.facts.links.size(), data.worker.config().maxclients,
      data.metrics.input_buffer_max, data.metrics.output_buffer_max, data.metrics.blocked_clients);
}

std::string InfoMemory(const InfoData& data) {
  const MemoryFacts& memory = data.memory;
  auto& peak_memory = data.worker.state().peak_memory_bytes;
  peak_memory = std::max(peak_memory.load(), memory.allocated);
  const uint64_t peak = peak_memory;
  const uint64_t startup = data.worker.state().startup_memory_bytes;
  const uint64_t clients = data.metrics.input_buffer_bytes + data.metrics.output_buffer_bytes;
  uint64_t links = 0;
  for (const LinkFacts& link : data.facts.links) links += link.queued_bytes;
  const uint64_t overhead = startup + clients + links + data.facts.backlog_bytes;
  const uint64_t dataset = Minus(memory.allocated, overhead);
  std::string text = fmt::format(
      "used_memory:{}\r\nused_memory_human:{}\r\nused_memory_rss:{}\r\nused_memory_rss_human:{}\r\nused_"
      "memory_peak:{}\r\n"
      "used_memory_peak_human:{}\r\nused_memory_peak_perc:{:.2f}%\r\nused_memory_overhead:{}\r\nused_memory_"
      "startup:{}\r\n"
      "used_memory_dataset:{}\r\nused_memory_dataset_perc:{:.2f}%\r\nallocator_allocated:{}\r\nallocator_"
      "active:{}\r\n"
      "allocator_resident:{}\r\ntotal_system_memory:{}\r\ntotal_system_memory_human:{}\r\n",
      memory.allocated, HumanBytes(memory.allocated), memory.rss, HumanBytes(memory.rss), peak,
      HumanBytes(peak), 100 * Ratio(memory.allocated, peak), overhead, startup, dataset,
      100 * Ratio(dataset, Minus(memory.allocated, startup)), memory.allocated, memory.active,
      memory.resident, memory.total_system, HumanBytes(memory.total_system));
  text +=
      "used_memory_lua:0\r\nused_memory_vm_eval:0\r\nused_memory_lua_human:0B\r\nused_memory_scripts_eval:"
      "0\r\n"
      "number_of_cached_scripts:0\r\nnumber_of_functions:0\r\nnumber_of_libraries:0\r\n"
      "used_memory_vm_functions:0\r\nused_memory_vm_total:0\r\nused_memory_vm_total_human:0B\r\n"
      "used_memory_functions:0\r\nused_memory_scripts:0\r\nused_memory_scripts_human:0B\r\n"
      "maxmemory:0\r\nmaxmemory_human:0B\r\nmaxmemory_policy:noeviction\r\n";
  text += fmt::format(
      "allocator_frag_ratio:{:.2f}\r\nallocator_frag_bytes:{}\r\nallocator_rss_ratio:{:.2f}\r\nallocator_rss_"
      "bytes:{}\r\n"
      "rss_overhead_ratio:{:.2f}\r\nrss_overhead_bytes:{}\r\nmem_fragmentation_ratio:{:.2f}\r\n"
      "mem_fragmentation_bytes:{}\r\nmem_not_counted_for_evict:0\r\nmem_replication_backlog:{}\r\n"
      "mem_total_replication_buffers:{}\r\nmem_clients_slaves:0\r\nmem_clients_normal:{}\r\nmem_cluster_"
      "links:{}\r\n"
      "mem_aof_buffer:0\r\nmem_allocator:{}\r\nactive_defrag_running:0\r\nlazyfree_pending_objects:0\r\n"
      "lazyfreed_objects:0\r\n",
      Ratio(memory.active, memory.allocated), Minus(memory.active, memory.allocated),
      Ratio(memory.resident, memory.active), Minus(memory.resident, memory.active),
      Ratio(memory.rss, memory.resident), Minus(memory.rss, memory.resident),
      Ratio(memory.rss, memory.allocated), Minus(memory.rss, memory.allocated), data.facts.backlog_bytes,
      data.facts.backlog_bytes + links, clients, links, memory.allocator);
  return text;
}

std::string InfoPersistence(const InfoData& data) {
  CheckpointState& checkpoint = data.worker.state().checkpoint;
  const std::lock_guard lock(checkpoint.mutex);
  const uint64_t now_us = data.worker.loop().MonotonicUs();
  const int64_t running_s =
      checkpoint.in_progress ? static_cast<int64_t>((now_us - checkpoint.started_us) / 1'000'000) : -1;
  const auto properties = data.worker.node().StoreProperties();
  const auto wal = properties.find("wal_bytes");
  std::string text = fmt::format(
      "loading:0\r\nasync_loading:0\r\ncurrent_cow_peak:0\r\ncurrent_cow_size:0\r\ncurrent_cow_size_age:0\r\n"
      "current_fork_perc:0.00\r\ncurrent_save_keys_processed:0\r\ncurrent_save_keys_total:0\r\n"
      "rdb_changes_since_last_save:0\r\nrdb_bgsave_in_progress:{}\r\nrdb_last_save_time:{}\r\n"
      "rdb_last_bgsave_status:{}\r\nrdb_last_bgsave_time_sec:{}\r\nrdb_current_bgsave_time_sec:{}\r\nrdb_"
      "saves:{}\r\n"
      "rdb_last_cow_size:0\r\nrdb_last_load_keys_expired:0\r\nrdb_last_load_keys_loaded:0\r\n",
      checkpoint.in_progress ? 1 : 0, checkpoint.last_save_s, checkpoint.last_ok ? "ok" : "err",
      checkpoint.last_duration_s, running_s, checkpoint.saves);
  // The append-only file is the write-ahead log, which nothing rewrites.
  text += fmt::format(
      "aof_enabled:1\r\naof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0\r\naof_last_rewrite_time_sec:-"
      "1\r\n"
      "aof_current_rewrite_time_sec:-1\r\naof_last_bgrewrite_status:ok\r\naof_rewrites:0\r\n"
      "aof_rewrites_consecutive_failures:0\r\naof_last_write_status:{}\r\naof_last_cow_size:0\r\n"
      "module_fork_in_progress:0\r\nmodule_fork_last_cow_size:0\r\naof_current_size:{}\r\naof_base_size:0\r\n"
      "aof_pending_rewrite:0\r\naof_buffer_length:0\r\naof_pending_bio_fsync:0\r\naof_delayed_fsync:0\r\n"
      "writes_stopped:{}\r\nwrites_stopped_reason:{}\r\n",
      data.facts.writes_stopped ? "err" : "ok", wal == properties.end() ? 0 : wal->second,
      data.facts.writes_stopped ? 1 : 0, data.facts.writes_stopped_reason);
  return text;
}

std::string InfoCpu(const InfoData& data) {
  rusage self{};
  rusage children{};
  getrusage(RUSAGE_SELF, &self);
  getrusage(RUSAGE_CHILDREN, &children);
  return fmt::format(
      "used_cpu_sys:{:.6f}\r\nused_cpu_user:{:.6f}\r\nused_cpu_sys_children:{:.6f}\r\nused_cpu_user_children:"
      "{:.6f}\r\n"
      "used_cpu_sys_main_thread:{:.6f}\r\nused_cpu_user_main_thread:{:.6f}\r\n",
      Seconds(self.ru_stime), Seconds(self.ru_utime), Seconds(children.ru_stime), Seconds(children.ru_utime),
      Seconds(data.first_loop.system), Seconds(data.first_loop.user));
}

std::string InfoModules(const InfoData&) {
  return {};
}

}  // namespace orrery::server
