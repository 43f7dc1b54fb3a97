#include "storage/slot_memtable.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <new>

#include "orrery/base/slot.h"
#include "storage/bucket_set.h"

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

  using Link = std::atomic<Node*>;
  Link* tower() { return reinterpret_cast<Link*>(this + 1); }
  int height() {
    return static_cast<int>((entry - reinterpret_cast<const char*>(tower())) /
                            static_cast<long>(sizeof(Link)));
  }
};
static_assert(sizeof(Node::Link) == sizeof(Node*) && alignof(Node) == alignof(Node::Link));

struct Bucket {
  Node::Link heads[kMaxHeight];
};

class SlotMemTable final : public rocksdb::MemTableRep {
 public:
  SlotMemTable(const KeyComparator& compare, rocksdb::Allocator* allocator, int hash_bits)
      : MemTableRep(allocator),
        compare_(compare),
        hash_bits_(hash_bits),
        bucket_count_(size_t{kSlotCount} << hash_bits),
        buckets_(new std::atomic<Bucket*>[bucket_count_]()),
        occupied_(bucket_count_) {}

  rocksdb::KeyHandle Allocate(size_t bytes, char** entry) override;
  void Insert(rocksdb::KeyHandle handle) override;
  bool Contains(const char* entry) const override;
  size_t ApproximateMemoryUsage() override {
    return bucket_count_ * sizeof(buckets_[0]) + occupied_.memory_bytes();
  }
  Iterator* GetIterator(rocksdb::Arena* arena) override;
  Iterator* GetDynamicPrefixIterator(rocksdb::Arena* arena) override;

 private:
  class Walk;
  class PointRead;

  void* AllocateAligned(size_t bytes);
  int RandomHeight();
  size_t BucketOf(const Slice& internal_key) const;
  Bucket* BucketAt(size_t number) const { return buckets_[number].load(std::memory_order_acquire); }

  // Whether the key stands before all others of the bucket, as the newest version of the only key of a bucket does.
  bool IsBeforeAll(const Bucket& bucket, const Slice& internal_key) const {
    const Node* const first = bucket.heads[0].load(std::memory_order_acquire);
    return first == nullptr || compare_(first->entry, internal_key) > 0;
  }
  // In a bucket. `before`, if given, gets the towers that stand before the place, one for each level.
  Node* FirstNotBefore(Bucket* bucket, const Slice& internal_key, Node::Link** before) const;
  Node* LastBefore(Bucket* bucket, const Slice& internal_key) const;
  static Node* Last(Bucket* bucket);

  const KeyComparator& compare_;
  const int hash_bits_;
  const size_t bucket_count_;
  const std::unique_ptr<std::atomic<Bucket*>[]> buckets_;  // null until something falls into it
  BucketSet occupied_;
  uint32_t random_ = 0x2545f491;
};

// Monotone in the bytes of the key, so that buckets are in the order of keys: slot, then the hash's first
// bits. Other databases than the first, few in most clusters, share the last bucket of a slot.
size_t SlotMemTable::BucketOf(const Slice& internal_key) const {
  const size_t user_bytes = internal_key.size() - sizeof(uint64_t);
  const auto byte = [&](size_t i) {
    return i < user_bytes ? static_cast<uint8_t>(internal_key[i]) : uint8_t{0};
  };
  const size_t slot = static_cast<size_t>(byte(0)) << 8 | byte(1);
  if (slot >= kSlotCount) return bucket_count_ - 1;
  const size_t last = (size_t{1} << hash_bits_) - 1;
  const size_t share = byte(2) > 0 ? last : static_cast<size_t>(byte(3)) >> (8 - hash_bits_);
  return (slot << hash_bits_) | share;
}

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
  char* const memory = static_cast<char*>(AllocateAligned(before_entry + bytes));
  Node* const node = new (memory) Node{memory + before_entry};
  for (size_t i = 0; i < height; ++i) new (node->tower() + i) Node::Link(nullptr);
  *entry = memory + before_entry;
  return node;
}

void SlotMemTable::Insert(rocksdb::KeyHandle handle) {
  Node* const node = static_cast<Node*>(handle);
  const Slice internal_key = compare_.decode_key(node->entry);
  const size_t number = BucketOf(internal_key);
  Bucket* bucket = buckets_[number].load(std::memory_order_relaxed);
  const bool is_new = bucket == nullptr;
  if (is_new) bucket = new (AllocateAligned(sizeof(Bucket))) Bucket{};

  Node::Link* before[kMaxHeight];
  if (is_new || IsBeforeAll(*bucket, internal_key)) {
    std::fill_n(before, kMaxHeight, &bucket->heads[0]);
  } else {
    FirstNotBefore(bucket, internal_key, before);
  }
  for (int level = 0; level < node->height(); ++level) {
    node->tower()[level].store(before[level][level].load(std::memory_order_relaxed),
                               std::memory_order_relaxed);
    before[level][level].store(node, std::memory_order_release);
  }
  if (is_new) {
    buckets_[number].store(bucket, std::memory_order_release);
    occupied_.Add(number);
  }
}

bool SlotMemTable::Contains(const char* entry) const {
  const Slice internal_key = compare_.decode_key(entry);
  Bucket* const bucket = BucketAt(BucketOf(internal_key));
  if (bucket == nullptr) return false;
  Node* const found = FirstNotBefore(bucket, internal_key, nullptr);
  return found != nullptr && compare_(found->entry, internal_key) == 0;
}

Node* SlotMemTable::FirstNotBefore(Bucket* bucket, const Slice& internal_key, Node::Link** before) const {
  Node::Link* tower = bucket->heads;
  Node* not_before = nullptr;
  for (int level = kMaxHeight - 1; level >= 0; --level) {
    Node* next = tower[level].load(std::memory_order_acquire);
    while (next != nullptr && next != not_before && compare_(next->entry, internal_key) < 0) {
      tower = next->tower();
      next = tower[level].load(std::memory_order_acquire);
    }
    not_before = next;
    if (before != nullptr) before[level] = tower;
  }
  return not_before;
}

Node* SlotMemTable::LastBefore(Bucket* bucket, const Slice& internal_key) const {
  Node::Link* tower = bucket->heads;
  Node* last = nullptr;
  for (int level = kMaxHeight - 1; level >= 0; --level) {
    Node* next = tower[level].load(std::memory_order_acquire);
    while (next != nullptr && compare_(next->entry, internal_key) < 0) {
      last = next;
      tower = next->tower();
      next = tower[level].load(std::memory_order_acquire);
    }
  }
  return last;
}

Node* SlotMemTable::Last(Bucket* bucket) {
  Node::Link* tower = bucket->heads;
  Node* last = nullptr;
  for (int level = kMaxHeight - 1; level >= 0; --level) {
    for (Node* next = tower[level].load(std::memory_order_acquire); next != nullptr;
         next = tower[level].load(std::memory_order_acquire)) {
      last = next;
      tower = next->tower();
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
    if (node_ == nullptr) EnterFirstFrom(bucket_ + 1);
  }
  void Prev() override {
    node_ = table_.LastBefore(table_.BucketAt(bucket_), InternalKey());
    if (node_ == nullptr) EnterLastBefore(bucket_);
  }
  void Seek(const Slice& internal_key, const char* /*entry*/) override {
    bucket_ = table_.BucketOf(internal_key);
    Bucket* const bucket = table_.BucketAt(bucket_);
    node_ = bucket != nullptr ? table_.FirstNotBefore(bucket, internal_key, nullptr) : nullptr;
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
  void SeekToLast() override { EnterLastBefore(table_.bucket_count_); }

 private:
  Slice InternalKey() const { return table_.compare_.decode_key(node_->entry); }

  void EnterFirstFrom(size_t number) {
    bucket_ = table_.occupied_.Next(number);
    node_ = bucket_ == BucketSet::kNone ? nullptr
                                        : table_.BucketAt(bucket_)->heads[0].load(std::memory_order_acquire);
  }
  void EnterLastBefore(size_t number) {
    bucket_ = number == 0 ? BucketSet::kNone : table_.occupied_.Previous(number - 1);
    node_ = bucket_ == BucketSet::kNone ? nullptr : Last(table_.BucketAt(bucket_));
  }

  const SlotMemTable& table_;
  size_t bucket_ = BucketSet::kNone;
  Node* node_ = nullptr;
};

/// The walk by which MemTableRep::Get reads a point. RocksDB 7.8 never destroys it, and starts the next one
/// when the last is done with, so that one place for each thread does for all.
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
  if (arena == nullptr) return new Walk(*this);
  return new (ArenaMemory(arena).Allocate(sizeof(Walk))) Walk(*this);
}

rocksdb::MemTableRep::Iterator* SlotMemTable::GetDynamicPrefixIterator(rocksdb::Arena* arena) {
  if (arena == nullptr) return PointRead::In(*this);
  return GetIterator(arena);
}

class SlotMemTableFactory final : public rocksdb::MemTableRepFactory {
 public:
  explicit SlotMemTableFactory(int hash_bits) : hash_bits_(hash_bits) {}

  rocksdb::MemTableRep* CreateMemTableRep(const rocksdb::MemTableRep::KeyComparator& compare,
                                          rocksdb::Allocator* allocator,
                                          const rocksdb::SliceTransform* /*prefix_extractor*/,
                                          rocksdb::Logger* /*logger*/) override {
    return new SlotMemTable(compare, allocator, hash_bits_);
  }
  static const char* kClassName() { return "SlotMemTableFactory"; }
  const char* Name() const override { return kClassName(); }

 private:
  const int hash_bits_;
};

}  // namespace

std::shared_ptr<rocksdb::MemTableRepFactory> NewSlotMemTableFactory(size_t write_buffer_bytes) {
  int hash_bits = 0;
  const auto bytes_with = [](int bits) { return (size_t{kSlotCount} << bits) * sizeof(Bucket*); };
  while (hash_bits < kMaxHashBits && bytes_with(hash_bits + 1) <= write_buffer_bytes / kBucketBytesShare)
    ++hash_bits;
  return std::make_shared<SlotMemTableFactory>(hash_bits);
}

}  // namespace orrery::storage
