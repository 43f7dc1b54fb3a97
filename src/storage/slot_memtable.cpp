#include "storage/slot_memtable.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <new>
#include <utility>

#include "orrery/base/prefetch.h"
#include "orrery/base/slot.h"
#include "storage/bucket_set.h"
#include "storage/entry_memory.h"

namespace orrery::storage {
namespace {

using rocksdb::Slice;

// One in so many entries of a level of a skip list is in the next level too. Wide and low, since most buckets
// hold a handful of entries; six levels still do for the million rows of one collection.
constexpr uint32_t kBranching = 8;
constexpr int kMaxHeight = 6;
// A slot's share of the buckets: up to 16. Buckets may take a sixteenth of what the memtable may.
constexpr int kMaxHashBits = 4;
constexpr size_t kBucketBytesShare = 16;

/// Gives the protected way to memory of an arena whose class RocksDB keeps to itself.
class ArenaMemory final : public rocksdb::MemTableRep {
 public:
  // Contract of GetIterator: an iterator lives in the arena that comes with the call. Arena is an Allocator
  // (RocksDB's memory/arena.h, its only base), though the public headers declare both without saying so.
  explicit ArenaMemory(rocksdb::Arena* arena) : MemTableRep(reinterpret_cast<rocksdb::Allocator*>(arena)) {}

  void* Allocate(size_t bytes) {
    char* memory = nullptr;
    MemTableRep::Allocate(bytes + alignof(std::max_align_t), &memory);
    void* aligned = memory;
    size_t space = bytes + alignof(std::max_align_t);
    return std::align(alignof(std::max_align_t), bytes, aligned, space);
  }

  void Insert(rocksdb::KeyHandle /*handle*/) override {}
  bool Contains(const char* /*key*/) const override { return false; }
  size_t ApproximateMemoryUsage() override { return 0; }
  Iterator* GetIterator(rocksdb::Arena* /*arena*/) override { return nullptr; }
};

/// An entry: its key and value as RocksDB wrote them (a length, the internal key, the value) behind the
/// tower.
struct Node {
  const char* entry;
  size_t bytes;  ///< of its memory

  using Link = std::atomic<Node*>;
  Link* tower() { return reinterpret_cast<Link*>(this + 1); }
  int height() {
    return static_cast<int>((entry - reinterpret_cast<const char*>(tower())) /
                            static_cast<long>(sizeof(Link)));
  }
};
static_assert(sizeof(Node::Link) == sizeof(Node*) && alignof(Node) == alignof(Node::Link));

/// The heads of a bucket's upper levels.
struct Tower {
  Node::Link heads[kMaxHeight - 1];
};

/// Its first entry stands in the bucket itself, since that is all that most writes and reads need.
struct Bucket {
  Node::Link first{nullptr};
  std::atomic<Tower*> tower{nullptr};  // null until an entry is higher than one level

  int height() const { return tower.load(std::memory_order_acquire) == nullptr ? 1 : kMaxHeight; }
  /// REQUIRES: level < height().
  Node::Link* Head(int level) {
    return level == 0 ? &first : &tower.load(std::memory_order_acquire)->heads[level - 1];
  }
  /// The link of that level that leads on from the entry, or from the begin if it is null.
  Node::Link* LinkFrom(Node* node, int level) {
    return node != nullptr ? &node->tower()[level] : Head(level);
  }
};

}  // namespace

/// The buckets of a memtable.
struct MemTableBuckets {
  explicit MemTableBuckets(int bits)
      : hash_bits(bits), count(size_t{kSlotCount} << bits), buckets(new Bucket[count]) {}

  // Monotone in the bytes of the key, so that buckets are in the order of keys: slot, then the hash's first
  // bits. Other databases than the first, few in most clusters, share the last bucket of a slot. Keys of no
  // slot have the last bucket of all, for themselves if there is more than one for a slot.
  size_t NumberOf(const Slice& user_key) const {
    const size_t slot = SlotOf(user_key);
    if (slot >= kSlotCount) return count - 1;
    const size_t last = (size_t{1} << hash_bits) - 1;
    const size_t share = ByteAt(user_key, 2) > 0 ? last : ByteAt(user_key, 3) >> (8 - hash_bits);
    return std::min((slot << hash_bits) | share, hash_bits == 0 ? count - 1 : count - 2);
  }
  // Whether one thread alone reads single keys of the bucket: that of the slot, or none.
  bool IsOfOneThread(const Slice& key) const { return SlotOf(key) < kSlotCount || hash_bits > 0; }

  // Some keys begin with more than any slot.
  static size_t SlotOf(const Slice& key) { return ByteAt(key, 0) << 8 | ByteAt(key, 1); }
  static size_t ByteAt(const Slice& key, size_t i) {
    return i < key.size() ? static_cast<uint8_t>(key[i]) : 0;
  }

  const int hash_bits;
  const size_t count;
  const std::unique_ptr<Bucket[]> buckets;
};

namespace {

class SlotMemTable final : public rocksdb::MemTableRep {
 public:
  SlotMemTable(const KeyComparator& compare, rocksdb::Allocator* allocator,
               std::shared_ptr<MemTableBuckets> buckets, std::shared_ptr<const SnapshotCount> snapshots)
      : MemTableRep(allocator),
        compare_(compare),
        buckets_(std::move(buckets)),
        snapshots_(std::move(snapshots)),
        occupied_(buckets_->count) {}

  rocksdb::KeyHandle Allocate(size_t bytes, char** entry) override;
  void Insert(rocksdb::KeyHandle handle) override;
  bool Contains(const char* entry) const override;
  size_t ApproximateMemoryUsage() override {
    return buckets_->count * sizeof(Bucket) + occupied_.memory_bytes();
  }
  Iterator* GetIterator(rocksdb::Arena* arena) override;
  Iterator* GetDynamicPrefixIterator(rocksdb::Arena* arena) override;

 private:
  class Walk;
  class CountedWalk;
  class PointRead;

  void* AllocateAligned(size_t bytes);
  void* NodeMemory(size_t bytes);
  bool MayDropVersions(const Slice& internal_key) const;
  void DropOlderVersions(Node* node, const Slice& internal_key, Node::Link** before);
  int RandomHeight();
  static Slice UserKeyOf(const Slice& internal_key) {
    return {internal_key.data(), internal_key.size() - sizeof(uint64_t)};
  }
  size_t BucketOf(const Slice& internal_key) const { return buckets_->NumberOf(UserKeyOf(internal_key)); }
  Bucket& BucketAt(size_t number) const { return buckets_->buckets[number]; }
  Node* FirstOf(size_t number) const { return BucketAt(number).first.load(std::memory_order_acquire); }

  // Whether the key stands before all others of the bucket, as the newest version of the only key of a bucket does.
  bool IsBeforeAll(const Bucket& bucket, const Slice& internal_key) const {
    const Node* const first = bucket.first.load(std::memory_order_acquire);
    return first == nullptr || compare_(first->entry, internal_key) > 0;
  }
  // In a bucket. `before`, if given, gets the links that lead over the place, one for each level that the
  // bucket has.
  Node* FirstNotBefore(Bucket* bucket, const Slice& internal_key, Node::Link** before) const;
  Node* LastBefore(Bucket* bucket, const Slice& internal_key) const;
  static Node* Last(Bucket* bucket);

  const KeyComparator& compare_;
  const std::shared_ptr<MemTableBuckets> buckets_;
  const std::shared_ptr<const SnapshotCount> snapshots_;
  mutable std::atomic<size_t> walks_{0};
  EntryMemory dropped_;
  BucketSet occupied_;
  uint32_t random_ = 0x2545f491;
};

void* SlotMemTable::AllocateAligned(size_t bytes) {
  char* memory = nullptr;
  size_t space = bytes + alignof(Node);
  MemTableRep::Allocate(space, &memory);
  void* aligned = memory;
  return std::align(alignof(Node), bytes, aligned, space);
}

int SlotMemTable::RandomHeight() {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 17;
  random_ ^= random_ << 5;
  int height = 1;
  for (uint32_t bits = random_; height < kMaxHeight && bits % kBranching == 0; bits /= kBranching) ++height;
  return height;
}

rocksdb::KeyHandle SlotMemTable::Allocate(size_t bytes, char** entry) {
  const auto height = static_cast<size_t>(RandomHeight());
  const size_t before_entry = sizeof(Node) + height * sizeof(Node::Link);
  const size_t node_bytes = EntryMemory::RoundUp(before_entry + bytes);
  char* const memory = static_cast<char*>(NodeMemory(node_bytes));
  Node* const node = new (memory) Node{memory + before_entry, node_bytes};
  for (size_t i = 0; i < height; ++i) new (node->tower() + i) Node::Link(nullptr);
  *entry = memory + before_entry;
  return node;
}

// A walk that began before an entry was dropped may still stand on it. One that is counted after this look
// has begun after all that was dropped so far, and does not meet it.
void* SlotMemTable::NodeMemory(size_t bytes) {
  if (dropped_.empty() || walks_.fetch_add(0, std::memory_order_acq_rel) != 0) return AllocateAligned(bytes);
  void* const memory = dropped_.Take(bytes);
  return memory != nullptr ? memory : AllocateAligned(bytes);
}

void SlotMemTable::Insert(rocksdb::KeyHandle handle) {
  Node* const node = static_cast<Node*>(handle);
  const Slice internal_key = compare_.decode_key(node->entry);
  const size_t number = BucketOf(internal_key);
  Bucket& bucket = BucketAt(number);
  const bool is_first = bucket.first.load(std::memory_order_relaxed) == nullptr;
  if (node->height() > bucket.height()) {
    bucket.tower.store(new (AllocateAligned(sizeof(Tower))) Tower{}, std::memory_order_release);
  }

  Node::Link* before[kMaxHeight];
  if (IsBeforeAll(bucket, internal_key)) {
    for (int level = 0; level < bucket.height(); ++level) before[level] = bucket.Head(level);
  } else {
    FirstNotBefore(&bucket, internal_key, before);
  }
  for (int level = 0; level < node->height(); ++level) {
    node->tower()[level].store(before[level]->load(std::memory_order_relaxed), std::memory_order_relaxed);
    before[level]->store(node, std::memory_order_release);
  }
  if (is_first) {
    occupied_.Add(number);
  } else if (MayDropVersions(internal_key)) {
    DropOlderVersions(node, internal_key, before);
  }
}

// Not where another thread may read a key of the bucket at this moment, uncounted.
bool SlotMemTable::MayDropVersions(const Slice& internal_key) const {
  return snapshots_ != nullptr && snapshots_->none() && walks_.load(std::memory_order_acquire) == 0 &&
         buckets_->IsOfOneThread(UserKeyOf(internal_key));
}

// They stand just behind it. before: the links that led over its place, which on its own levels lead to it
// now.
void SlotMemTable::DropOlderVersions(Node* node, const Slice& internal_key, Node::Link** before) {
  while (Node* const older = node->tower()[0].load(std::memory_order_relaxed)) {
    if (UserKeyOf(compare_.decode_key(older->entry)) != UserKeyOf(internal_key)) return;
    for (int level = 0; level < older->height(); ++level) {
      Node::Link* const link = level < node->height() ? &node->tower()[level] : before[level];
      link->store(older->tower()[level].load(std::memory_order_relaxed), std::memory_order_release);
    }
    dropped_.Give(older, older->bytes);
  }
}

bool SlotMemTable::Contains(const char* entry) const {
  const Slice internal_key = compare_.decode_key(entry);
  Node* const found = FirstNotBefore(&BucketAt(BucketOf(internal_key)), internal_key, nullptr);
  return found != nullptr && compare_(found->entry, internal_key) == 0;
}

Node* SlotMemTable::FirstNotBefore(Bucket* bucket, const Slice& internal_key, Node::Link** before) const {
  Node* last = nullptr;
  Node* not_before = nullptr;
  for (int level = bucket->height() - 1; level >= 0; --level) {
    Node::Link* link = bucket->LinkFrom(last, level);
    Node* next = link->load(std::memory_order_acquire);
    while (next != nullptr && next != not_before && compare_(next->entry, internal_key) < 0) {
      last = next;
      link = &last->tower()[level];
      next = link->load(std::memory_order_acquire);
    }
    not_before = next;
    if (before != nullptr) before[level] = link;
  }
  return not_before;
}

Node* SlotMemTable::LastBefore(Bucket* bucket, const Slice& internal_key) const {
  Node* last = nullptr;
  for (int level = bucket->height() - 1; level >= 0; --level) {
    Node* next = bucket->LinkFrom(last, level)->load(std::memory_order_acquire);
    while (next != nullptr && compare_(next->entry, internal_key) < 0) {
      last = next;
      next = last->tower()[level].load(std::memory_order_acquire);
    }
  }
  return last;
}

Node* SlotMemTable::Last(Bucket* bucket) {
  Node* last = nullptr;
  for (int level = bucket->height() - 1; level >= 0; --level) {
    for (Node* next = bucket->LinkFrom(last, level)->load(std::memory_order_acquire); next != nullptr;
         next = last->tower()[level].load(std::memory_order_acquire)) {
      last = next;
    }
  }
  return last;
}

class SlotMemTable::Walk : public MemTableRep::Iterator {
 public:
  explicit Walk(const SlotMemTable& table) : table_(table) {}

  bool Valid() const override { return node_ != nullptr; }
  const char* key() const override { return node_->entry; }

  void Next() override {
    node_ = node_->tower()[0].load(std::memory_order_acquire);
    if (node_ == nullptr) {
      EnterFirstFrom(bucket_ + 1);
      if (++buckets_passed_ > kPrefetchAfter) PrefetchBuckets();
    }
  }
  void Prev() override {
    node_ = table_.LastBefore(&table_.BucketAt(bucket_), InternalKey());
    if (node_ == nullptr) EnterLastBefore(bucket_);
  }
  void Seek(const Slice& internal_key, const char* /*entry*/) override {
    bucket_ = table_.BucketOf(internal_key);
    node_ = table_.FirstNotBefore(&table_.BucketAt(bucket_), internal_key, nullptr);
    if (node_ == nullptr) EnterFirstFrom(bucket_ + 1);
  }
  void SeekForPrev(const Slice& internal_key, const char* entry) override {
    Seek(internal_key, entry);
    if (node_ == nullptr) {
      SeekToLast();
    } else if (table_.compare_(node_->entry, internal_key) > 0) {
      Prev();
    }
  }
  void SeekToFirst() override { EnterFirstFrom(0); }
  void SeekToLast() override { EnterLastBefore(table_.buckets_->count); }

 private:
  // A walk that has come so far will go on, as that of a flush does; then it asks for the entries of so many
  // buckets ahead.
  static constexpr size_t kPrefetchAfter = 32;
  static constexpr size_t kBucketsAhead = 32;

  Slice InternalKey() const { return table_.compare_.decode_key(node_->entry); }

  void PrefetchBuckets() {
    if (bucket_ == BucketSet::kNone) return;
    const size_t end = std::min(bucket_ + kBucketsAhead, table_.buckets_->count);
    for (prefetched_ = std::max(prefetched_, bucket_ + 1); prefetched_ < end; ++prefetched_) {
      PrefetchBytes(table_.FirstOf(prefetched_), 2 * kCacheLineBytes);
    }
  }

  void EnterFirstFrom(size_t number) {
    bucket_ = table_.occupied_.Next(number);
    node_ = bucket_ == BucketSet::kNone ? nullptr : table_.FirstOf(bucket_);
  }
  void EnterLastBefore(size_t number) {
    bucket_ = number == 0 ? BucketSet::kNone : table_.occupied_.Previous(number - 1);
    node_ = bucket_ == BucketSet::kNone ? nullptr : Last(&table_.BucketAt(bucket_));
  }

  const SlotMemTable& table_;
  size_t bucket_ = BucketSet::kNone;
  Node* node_ = nullptr;
  size_t buckets_passed_ = 0;
  size_t prefetched_ = 0;  ///< up to which bucket
};

/// A walk that keeps entries where they are as long as it lives.
class SlotMemTable::CountedWalk final : public Walk {
 public:
  explicit CountedWalk(const SlotMemTable& table) : Walk(table), walks_(table.walks_) {
    walks_.fetch_add(1, std::memory_order_acq_rel);
  }
  ~CountedWalk() override { walks_.fetch_sub(1, std::memory_order_acq_rel); }
  CountedWalk(const CountedWalk&) = delete;
  CountedWalk& operator=(const CountedWalk&) = delete;

 private:
  std::atomic<size_t>& walks_;
};

/// The walk by which MemTableRep::Get reads a point. RocksDB 7.8 never destroys it, and starts the next one
/// when the last is done with, so that one place for each thread does for all. It is not counted: while a key
/// is read, nobody writes to its slot.
class SlotMemTable::PointRead final : public Walk {
 public:
  static PointRead* In(const SlotMemTable& table) {
    alignas(PointRead) static thread_local std::byte place[sizeof(PointRead)];
    return new (place) PointRead(table);
  }
  static void operator delete(void* /*place*/) {}

 private:
  using Walk::Walk;
  static void* operator new(size_t /*bytes*/, void* place) { return place; }
};

rocksdb::MemTableRep::Iterator* SlotMemTable::GetIterator(rocksdb::Arena* arena) {
  if (arena == nullptr) return new CountedWalk(*this);
  return new (ArenaMemory(arena).Allocate(sizeof(CountedWalk))) CountedWalk(*this);
}

rocksdb::MemTableRep::Iterator* SlotMemTable::GetDynamicPrefixIterator(rocksdb::Arena* arena) {
  if (arena == nullptr) return PointRead::In(*this);
  return GetIterator(arena);
}

class SlotMemTableFactory final : public rocksdb::MemTableRepFactory {
 public:
  SlotMemTableFactory(int hash_bits, std::shared_ptr<LatestBuckets> latest,
                      std::shared_ptr<const SnapshotCount> snapshots)
      : hash_bits_(hash_bits), latest_(std::move(latest)), snapshots_(std::move(snapshots)) {}

  rocksdb::MemTableRep* CreateMemTableRep(const rocksdb::MemTableRep::KeyComparator& compare,
                                          rocksdb::Allocator* allocator,
                                          const rocksdb::SliceTransform* /*prefix_extractor*/,
                                          rocksdb::Logger* /*logger*/) override {
    auto buckets = std::make_shared<MemTableBuckets>(hash_bits_);
    if (latest_ != nullptr) latest_->Set(buckets);
    return new SlotMemTable(compare, allocator, std::move(buckets), snapshots_);
  }
  static const char* kClassName() { return "SlotMemTableFactory"; }
  const char* Name() const override { return kClassName(); }

 private:
  const int hash_bits_;
  const std::shared_ptr<LatestBuckets> latest_;
  const std::shared_ptr<const SnapshotCount> snapshots_;
};

}  // namespace

void PrefetchBucket(const MemTableBuckets& buckets, std::string_view key) {
  PrefetchBytes(&buckets.buckets[buckets.NumberOf({key.data(), key.size()})], 1);
}

void PrefetchFirstEntry(const MemTableBuckets& buckets, std::string_view key) {
  const Bucket& bucket = buckets.buckets[buckets.NumberOf({key.data(), key.size()})];
  // The memtable may be gone by now: what the pointer points to is not looked at.
  PrefetchBytes(bucket.first.load(std::memory_order_relaxed), 2 * kCacheLineBytes);
}

std::shared_ptr<rocksdb::MemTableRepFactory> NewSlotMemTableFactory(
    size_t write_buffer_bytes, std::shared_ptr<LatestBuckets> latest,
    std::shared_ptr<const SnapshotCount> snapshots) {
  int hash_bits = 0;
  const auto bytes_with = [](int bits) { return (size_t{kSlotCount} << bits) * sizeof(Bucket); };
  while (hash_bits < kMaxHashBits && bytes_with(hash_bits + 1) <= write_buffer_bytes / kBucketBytesShare)
    ++hash_bits;
  return std::make_shared<SlotMemTableFactory>(hash_bits, std::move(latest), std::move(snapshots));
}

}  // namespace orrery::storage
