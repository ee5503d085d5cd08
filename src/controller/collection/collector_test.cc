#include "controller/collection/collector.h"

#include <future>

#include <gtest/gtest.h>

#include "controller/text_body_test.h"
#include "db/fault_injecting_database.h"
#include "db/memory/memory_database.h"
#include "logs/memory_log_store.h"
#include "store/chunker.h"
#include "store/hasher.h"
#include "store/memory/fault_injecting_pack_store.h"
#include "store/memory/memory_pack_store.h"
#include "store/pack_format.h"
#include "store/tree.h"

namespace plz {
namespace {

// Calls back, once, before a read.
class InterruptedPackStore final : public PackStore {
 public:
  explicit InterruptedPackStore(PackStore& store) : store_(store) {}
  std::function<void()> before_read;

  Result<std::unique_ptr<PackWriter>> create(PackId id) override { return store_.create(id); }
  Result<void> read(PackId id, uint64_t offset, void* buffer, size_t size) override {
    if (auto call = std::exchange(before_read, nullptr)) call();
    return store_.read(id, offset, buffer, size);
  }
  Result<uint64_t> size(PackId id) override { return store_.size(id); }
  Result<void> remove(PackId id) override { return store_.remove(id); }
  Result<std::vector<PackId>> list() override { return store_.list(); }
  Result<void> settle(PackId id) override { return store_.settle(id); }
  Result<std::vector<PackId>> unsettled() override { return store_.unsettled(); }

 private:
  PackStore& store_;
};

class CollectorTest : public testing::Test {
 protected:
  CollectorTest() : memory_(make_memory_database()), database_(*memory_) {}

  // One pack of what `fill` puts together.
  void send(const std::string& pack) {
    TextBody body(pack);
    ASSERT_TRUE(blobs_.receive_pack(body, false));
  }

  static Digest put(std::string& pack, const std::string& bytes) {
    Digest digest = digest_of(bytes);
    append_blob_to_pack(pack, digest, bytes);
    return digest;
  }

  static TreeEntry entry(const std::string& name, EntryKind kind, const Digest& digest) {
    TreeEntry entry;
    entry.name = name;
    entry.kind = kind;
    entry.digest = digest;
    if (kind == EntryKind::directory) entry.mode = 0755;
    return entry;
  }

  // A directory in a directory, with a file and a large file of two chunks.
  static Digest put_tree(std::string& pack, const std::string& seed) {
    std::vector<ChunkReference> chunks;
    for (const char* part : {"first", "second"}) chunks.push_back({put(pack, seed + part), 100});
    Digest list = put(pack, encode_chunk_list(chunks));
    Tree below{{entry("file", EntryKind::file, put(pack, seed + std::string(500, 'f'))),
                entry("large", EntryKind::chunked_file, list)}};
    Tree top{{entry("below", EntryKind::directory, put(pack, encode_tree(below)))}};
    return put(pack, encode_tree(top));
  }

  Digest send_tree(const std::string& seed) {
    std::string pack;
    Digest tree = put_tree(pack, seed);
    send(pack);
    return tree;
  }

  void record_image(ExecutionId id, const std::string& image) {
    ASSERT_TRUE(executions_.change(
        id,
        [&](Execution& e) -> Result<void> {
          e.image = ImageIdentity{image, ""};
          return {};
        },
        Durability::durable));
  }

  ExecutionId submit(const Digest& code, std::optional<Digest> input = {}, const std::string& metadata = "{}") {
    Submission submission;
    submission.spec.user = "ada";
    submission.spec.command = {"true"};
    submission.spec.snapshot.code_tree = code;
    submission.spec.metadata.text = metadata;
    if (input) submission.spec.input = Input{*input, "input_id://x", 1};
    auto id = executions_.submit(std::move(submission), "");
    EXPECT_TRUE(id) << id.error().message;
    return id.value_or(ExecutionId());
  }

  void finish(ExecutionId id, std::optional<Digest> output = {}) {
    for (ExecutionState state :
         {ExecutionState::starting, ExecutionState::running, ExecutionState::finishing, ExecutionState::finished})
      ASSERT_TRUE(executions_.change(
          id,
          [&](Execution& e) -> Result<void> {
            e.state = state;
            if (state != ExecutionState::finished) return {};
            e.outcome = Outcome{OutcomeKind::succeeded, 0, {}, false, {}};
            e.output_tree = output;
            return {};
          },
          Durability::durable));
  }

  CollectionReport collect(bool dry_run = false) {
    CollectionRequest request{dry_run, false, false};
    return collector_.collect(request, std::stop_token());
  }

  uint64_t bytes_on_disk() {
    uint64_t bytes = 0;
    const auto ids = *packs_memory_.list();
    for (PackId id : ids) bytes += *packs_memory_.size(id);
    return bytes;
  }

  bool has(const Digest& digest) { return *blobs_.has(digest); }

  // Reads it and all that it refers to.
  void expect_whole(const Digest& digest) {
    auto found = *database_.blobs().find({&digest, 1});
    ASSERT_TRUE(found[0]) << digest.hex();
    std::string stored(found[0]->stored_bytes, '\0'), bytes;
    auto read = packs_memory_.read(PackId(found[0]->pack), found[0]->offset, stored.data(), stored.size());
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_TRUE(decode_blob(static_cast<Codec>(found[0]->codec), stored, found[0]->bytes, found[0]->checksum, bytes));
    ASSERT_EQ(digest_of(bytes), digest);
    if (auto tree = decode_tree(bytes))
      for (const TreeEntry& each : tree->entries) expect_whole(each.digest);
    if (auto chunks = decode_chunk_list(bytes))
      for (const ChunkReference& chunk : *chunks) expect_whole(chunk.digest);
  }

  // Whatever is said to be there has everything below it: captures rely on that.
  void expect_closed() {
    std::vector<Digest> all;
    ASSERT_TRUE(database_.blobs().each([&](const BlobRecord& blob) { return all.push_back(blob.digest), true; }));
    for (const Digest& digest : all) expect_whole(digest);
  }

  FakeClock clock_;
  std::unique_ptr<Database> memory_;
  FaultInjectingDatabase database_;
  MemoryPackStore packs_memory_;
  FaultInjectingPackStore packs_failing_{packs_memory_};
  InterruptedPackStore packs_{packs_failing_};
  MemoryLogStore logs_;
  Notifier notifier_;
  EventLog events_{notifier_, clock_};
  ExecutionService executions_{database_, notifier_, events_, clock_};
  BlobService blobs_{database_.blobs(), packs_, clock_};
  WorkerService workers_{database_, executions_, notifier_, events_, clock_, ""};
  Collector collector_{database_, packs_, executions_, blobs_, workers_, clock_, {{}, {}, {}}};
};

TEST_F(CollectorTest, KeepsWhatExecutionsNeedAndFreesTheRest) {
  std::string inventory_pack;
  const Digest inventory = put(inventory_pack, "{\"packages\": {}}"), waste = put(inventory_pack, "waste");
  send(inventory_pack);
  const Digest code = send_tree("code"), input = send_tree("input"), output = send_tree("output");
  const Digest garbage = send_tree("garbage");
  std::string shared;
  const Digest kept = put_tree(shared, "kept"), dropped = put_tree(shared, "dropped");
  send(shared);
  finish(submit(code, input, "{\"python\": {\"inventory\": \"" + inventory.hex() + "\"}}"), output);
  submit(kept);

  const uint64_t before = bytes_on_disk();
  const CollectionReport foreseen = collect(true);
  EXPECT_EQ(bytes_on_disk(), before);
  const CollectionReport report = collect();
  EXPECT_EQ(report.error, "");
  EXPECT_EQ(report.held_up, "");
  EXPECT_EQ(report.bytes, before - bytes_on_disk());
  EXPECT_GT(report.bytes, 0u);
  EXPECT_EQ(report.blobs, 13u);
  EXPECT_EQ(report.packs_removed, 1u);
  EXPECT_EQ(report.packs_rewritten, 2u);
  EXPECT_EQ(foreseen.bytes, report.bytes);
  EXPECT_EQ(foreseen.blobs, report.blobs);
  EXPECT_EQ(foreseen.packs_removed, report.packs_removed);
  EXPECT_EQ(foreseen.packs_rewritten, report.packs_rewritten);
  for (const Digest& digest : {code, input, output, kept, inventory}) expect_whole(digest);
  for (const Digest& digest : {garbage, dropped, waste}) EXPECT_FALSE(has(digest));
  EXPECT_EQ(collect().bytes, 0u);
}

TEST_F(CollectorTest, AFileThatLooksLikeATreeIsBoth) {
  std::string pack;
  const Digest leaf = put(pack, "leaf");
  const Digest inner = put(pack, encode_tree({{entry("leaf", EntryKind::file, leaf)}}));
  const Digest as_file = put(pack, encode_tree({{entry("copy", EntryKind::file, inner)}}));
  const Digest as_tree = put(pack, encode_tree({{entry("below", EntryKind::directory, inner)}}));
  send(pack);
  submit(as_file);
  submit(as_tree);
  collect();
  expect_whole(as_tree);
}

TEST_F(CollectorTest, PartsOfACompositeKeepTheirOutput) {
  Submission submission;
  submission.spec.user = "ada";
  submission.spec.command = {"true"};
  submission.spec.snapshot.code_tree = send_tree("code");
  submission.spec.parallel_indices_range = IndexRange{0, 2};
  const ExecutionId whole = *executions_.submit(std::move(submission), "");
  const Digest output = send_tree("output");
  std::vector<ExecutionId> parts;
  ASSERT_TRUE(executions_.each_part(whole, std::nullopt, [&](const Execution& part) {
    parts.push_back(part.id);
    return true;
  }));
  finish(parts[0], output);
  collect();
  expect_whole(output);
  auto refused = executions_.remove(parts[0], logs_);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().hint.find(whole.to_string()), std::string::npos);
  EXPECT_EQ(executions_.remove(whole, logs_).error().code, ErrorCode::conflict);
  finish(parts[1]);
  ASSERT_TRUE(executions_.remove(whole, logs_));
  EXPECT_EQ(executions_.get(parts[0]).error().code, ErrorCode::not_found);
  collect();
  EXPECT_FALSE(has(output));
  EXPECT_EQ(bytes_on_disk(), 0u);
}

TEST_F(CollectorTest, ALeaseHoldsItUp) {
  const Digest garbage = send_tree("garbage");
  LeaseId lease = LeaseId::make(clock_);
  ASSERT_TRUE(blobs_.hold_lease(lease, std::chrono::hours(1)));
  EXPECT_NE(collect(true).held_up, "");
  const CollectionReport report = collect();
  EXPECT_NE(report.held_up.find("captures are under way"), std::string::npos) << report.held_up;
  EXPECT_EQ(report.error, "");
  EXPECT_EQ(report.bytes, 0u);
  expect_whole(garbage);
  ASSERT_TRUE(blobs_.end_lease(lease));
  EXPECT_EQ(collect().held_up, "");
  EXPECT_FALSE(has(garbage));
}

TEST_F(CollectorTest, WhatWasSubmittedMeanwhileIsKept) {
  submit(send_tree("code"));
  const Digest old = send_tree("old"), other = send_tree("other");
  // While it marks: a capture finds the old tree there, is over, and has not to be waited for.
  packs_.before_read = [&] {
    LeaseId lease = LeaseId::make(clock_);
    ASSERT_TRUE(blobs_.hold_lease(lease, std::chrono::hours(1)));
    ASSERT_TRUE(has(old));
    submit(old);
    ASSERT_TRUE(blobs_.end_lease(lease));
  };
  EXPECT_EQ(collect().held_up, "");
  expect_whole(old);
  EXPECT_FALSE(has(other));
}

TEST_F(CollectorTest, AnOutputThatComesMeanwhileIsKept) {
  const ExecutionId running = submit(send_tree("code"));
  const Digest output = send_tree("output");
  packs_.before_read = [&] { finish(running, output); };
  collect();
  expect_whole(output);
}

TEST_F(CollectorTest, WhatACaptureThatWasGivenUpLeavesIsWhole) {
  submit(send_tree("code"));
  const Digest old = send_tree("old");
  Digest fresh;
  packs_.before_read = [&] {
    std::string pack;
    fresh = put(pack, encode_tree({{entry("old", EntryKind::directory, old)}}));
    send(pack);
  };
  collect();
  ASSERT_TRUE(has(fresh));
  expect_closed();
  collect();
  EXPECT_FALSE(has(fresh));
  EXPECT_FALSE(has(old));
}

TEST_F(CollectorTest, APackWithoutRecordsGoesUnlessItIsOnItsWay) {
  std::string pack;
  put_tree(pack, "twice");
  send(pack);
  const uint64_t once = bytes_on_disk();
  send(pack);
  ASSERT_EQ(bytes_on_disk(), 2 * once);
  EXPECT_EQ(collect(true).bytes, 2 * once);
  EXPECT_EQ(collect().bytes, 2 * once);
  EXPECT_EQ(bytes_on_disk(), 0u);
}

TEST_F(CollectorTest, ADamagedTreeEndsItBeforeAnythingIsRemoved) {
  const Digest code = send_tree("code"), garbage = send_tree("garbage");
  submit(code);
  packs_failing_.fail_from(0);
  const CollectionReport report = collect();
  packs_failing_.work_again();
  EXPECT_NE(report.error.find("cannot be read"), std::string::npos) << report.error;
  expect_whole(garbage);
}

// Whichever call fails, or is the last one before a crash: nothing that is needed is lost, and what is left
// is in order after the next start.
TEST_F(CollectorTest, SurvivesFaultsAtAnyPoint) {
  for (bool of_database : {true, false}) {
    for (bool after : {false, true}) {
      bool failed = true;
      for (uint64_t nth = 0; failed; ++nth) {
        ASSERT_LT(nth, 200u);
        const std::string seed = std::to_string(nth) + (of_database ? "d" : "p") + (after ? "a" : "b");
        std::string shared;
        const Digest kept = put_tree(shared, "kept" + seed);
        put_tree(shared, "dropped" + seed);
        send(shared);
        send_tree("garbage" + seed);
        const ExecutionId id = submit(kept);
        const auto when = after ? FaultInjectingDatabase::When::after : FaultInjectingDatabase::When::before;
        if (of_database) database_.fail_call(nth + 1, Error{ErrorCode::unavailable, "on purpose", {}}, when);
        else packs_failing_.fail_from(nth);
        failed = !collect().error.empty();
        database_.heal();
        packs_failing_.work_again();
        ASSERT_TRUE(blobs_.sweep());
        expect_whole(kept);
        expect_closed();
        finish(id);
        ASSERT_TRUE(executions_.remove(id, logs_));
        ASSERT_EQ(collect().error, "");
        ASSERT_EQ(bytes_on_disk(), 0u);
      }
      if (!of_database) break;
    }
  }
}

TEST_F(CollectorTest, BlobsAreGivenOutWhileTheirPackIsWrittenAnew) {
  std::string shared;
  put_tree(shared, "dropped");
  const Digest file = put(shared, std::string(100, 'x'));
  const Digest kept = put(shared, encode_tree({{entry("file", EntryKind::file, file)}}));
  send(shared);
  submit(kept);
  auto producer = *blobs_.fetch(std::vector{kept, file});
  EXPECT_EQ(collect().packs_rewritten, 1u);
  std::string pack;
  Producer::State state;
  while ((state = producer->produce(pack, pack.size() + 64)) == Producer::State::data) {
  }
  EXPECT_EQ(state, Producer::State::end);
  std::vector<Digest> read;
  PackBlobReader reader([&](const Digest& digest, std::string_view bytes) -> Result<void> {
    EXPECT_EQ(digest_of(bytes), digest);
    read.push_back(digest);
    return {};
  });
  ASSERT_TRUE(reader.feed(pack));
  ASSERT_TRUE(reader.finish());
  EXPECT_EQ(read, (std::vector{kept, file}));
}

TEST_F(CollectorTest, AnImageThatIsRecordedMeanwhileIsNeeded) {
  const InstanceId there = workers_.register_worker(WorkerRegistration{.host_name = "box"})->instance_id;
  const ExecutionId running = submit(send_tree("code"));
  send_tree("garbage");
  // While it marks: a job starts in its image, and what it refers to is taken before garbage is removed.
  packs_.before_read = [&] { record_image(running, "sha256:1"); };
  Collector patient{database_, packs_, executions_, blobs_, workers_, clock_, {{}, std::chrono::seconds(90), {}}};
  std::promise<CollectionReport> report;
  ASSERT_TRUE(patient.start({}, [&](CollectionReport given) { report.set_value(std::move(given)); }));
  std::optional<WorkerOrders> orders;
  while (!orders) orders = *workers_.take_orders(there, *workers_.registration_of(there));
  ASSERT_EQ(orders->collections.size(), 1u);
  EXPECT_EQ(orders->collections[0].keep_images, std::vector<std::string>{"sha256:1"});
  EXPECT_EQ(orders->collections[0].kept_at, clock_.now());
  // The answer that carried the order was lost on its way.
  ASSERT_EQ(workers_.register_worker(WorkerRegistration{.instance_id = there, .host_name = "box"})->instance_id, there);
  auto again = *workers_.take_orders(there, *workers_.registration_of(there));
  ASSERT_TRUE(again);
  ASSERT_EQ(again->collections.size(), 1u);
  EXPECT_EQ(again->collections[0].request_id, orders->collections[0].request_id);
  workers_.answer_collection(orders->collections[0].request_id, {});
  EXPECT_EQ(report.get_future().get().error, "");
  ASSERT_TRUE(workers_.register_worker(WorkerRegistration{.instance_id = there, .host_name = "box"}));
  EXPECT_FALSE(*workers_.take_orders(there, *workers_.registration_of(there)));
}

TEST_F(CollectorTest, AsksTheWorkersThatAreThere) {
  const InstanceId there = workers_.register_worker(WorkerRegistration{.host_name = "box"})->instance_id;
  Instance expected;
  expected.id = InstanceId::make(clock_);
  expected.host_name = "absent";
  ASSERT_TRUE(workers_.expect(expected));
  const ExecutionId id = submit(send_tree("code"));
  record_image(id, "sha256:1");
  Collector patient{database_, packs_, executions_, blobs_, workers_, clock_, {{}, std::chrono::seconds(90), {}}};
  std::optional<CollectionReport> report;
  std::mutex mutex;
  std::condition_variable ended;
  ASSERT_TRUE(patient.start({true, true, false}, [&](CollectionReport given) {
    std::lock_guard lock(mutex);
    report = std::move(given);
    ended.notify_all();
  }));
  CollectionRequest impatient;
  impatient.wait = false;
  EXPECT_EQ(patient.start(impatient, [](const CollectionReport&) {}).error().code, ErrorCode::conflict);
  std::promise<bool> first_was_over;  // when the second answered
  CollectionRequest second;
  second.environments = false;
  ASSERT_TRUE(patient.start(second, [&](const CollectionReport&) {
    std::lock_guard lock(mutex);
    first_was_over.set_value(report.has_value());
  }));
  std::optional<WorkerOrders> orders;
  while (!orders) orders = *workers_.take_orders(there, *workers_.registration_of(there));
  ASSERT_EQ(orders->collections.size(), 1u);
  EXPECT_TRUE(orders->collections[0].dry_run);
  EXPECT_EQ(orders->collections[0].keep_images, std::vector<std::string>{"sha256:1"});
  workers_.answer_collection(orders->collections[0].request_id, {{{"sha256:2", "old", 9}}, {}, {}, 0, 0, ""});
  std::unique_lock lock(mutex);
  ended.wait(lock, [&] { return report.has_value(); });
  lock.unlock();
  EXPECT_TRUE(first_was_over.get_future().get());
  patient.stop();
  EXPECT_FALSE(patient.is_running());
  ASSERT_EQ(report->instances.size(), 2u);
  for (const auto& instance : report->instances) {
    if (instance.instance_id == there) EXPECT_EQ(instance.collection.images[0].bytes, 9u);
    else EXPECT_NE(instance.collection.error, "");
  }
}

}  // namespace
}  // namespace plz
