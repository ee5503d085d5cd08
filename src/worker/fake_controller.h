// For this folder's tests: a controller in memory.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "os/temporary_directory_test.h"
#include "store/memory/memory_blob_channel.h"
#include "worker/controller_access.h"

namespace plz::testing_worker {

// Where a directory of a test costs no disk: for TemporaryDirectory.
std::string in_memory();
void write_text(const std::string& path, std::string_view text);
// Looks until it is true, or for 90 s.
bool eventually(const std::function<bool()>& condition);

// Thread-safe. Keeps what it is told, checks what a controller would check, and can be away.
class FakeController final : public ControllerAccess {
 public:
  std::unique_ptr<WorkerApi> connect() override;
  BlobSource& blobs() override { return *source_; }
  std::unique_ptr<BlobSource> blobs_until(std::stop_token stop) override;
  std::unique_ptr<BlobSink> capture_sink(LeaseId lease) override;

  FakeController();
  ~FakeController() override;

  MemoryBlobChannel& store() { return store_; }
  Digest put_tree(const std::map<std::string, std::string>& files);

  void give(Assignment assignment);
  void order_stop(AttemptId attempt, int64_t grace_milliseconds = 5'000);
  void order_capture(AttemptId attempt, std::string request_id);
  void order_collection(CollectionOrder order);
  void shut_down();
  void forget(AttemptId attempt);                   // at the next registration
  void set_away(bool away);                         // every call is `unavailable`, the store's too
  void set_sink_error(std::optional<Error> error);  // of every pack
  void fail_next(const std::string& call, ErrorCode code, int times);
  void hold_fetches();                            // from now on they get no answer, but can be stopped
  void release_fetches();                         // those that were held go on
  void connection_breaks();                       // the poll under way fails
  void cut_log(AttemptId attempt, size_t bytes);  // as if its end had never arrived

  std::optional<FinishReport> finished(AttemptId attempt);
  std::vector<std::string> waits(AttemptId attempt);  // what it was told to wait for
  FinishReport wait_for_finish(AttemptId attempt);
  std::string log(AttemptId attempt);
  std::string preparation_log(AttemptId attempt);
  std::optional<AttemptMoment> started(AttemptId attempt);
  std::map<uint64_t, MeasureEvent> measures(AttemptId attempt);
  std::map<std::string, CaptureReport> captures();
  std::vector<LeaseId> leases();  // under which packs came, each once for each pack
  std::map<std::string, WorkerCollection> collections();
  std::vector<WorkerRegistration> registrations();
  size_t count(const std::string& call);  // "finish", "append_log", …
  size_t finishes(AttemptId attempt);

 private:
  class Api;
  class Source;
  class Sink;
  Result<void> enter(const std::string& call);  // with mutex_ held
  template <typename Change>
  void change(Change change);

  MemoryBlobChannel store_;
  std::unique_ptr<BlobSource> source_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  WorkerOrders orders_;  // guarded by mutex_, as what follows
  bool away_ = false;
  uint64_t breaks_ = 0;
  bool holds_fetches_ = false;
  std::optional<Error> sink_error_;
  std::map<std::string, std::pair<ErrorCode, int>> failures_;
  std::set<AttemptId> forgotten_;
  std::map<AttemptId, std::string> logs_, preparation_logs_;
  std::map<AttemptId, AttemptMoment> started_;
  std::map<AttemptId, std::map<uint64_t, MeasureEvent>> measures_;
  std::map<AttemptId, FinishReport> finished_;
  std::map<AttemptId, size_t> finishes_;
  std::map<std::string, CaptureReport> captures_;
  std::map<AttemptId, std::vector<std::string>> waits_;
  std::vector<LeaseId> leases_;
  std::map<std::string, WorkerCollection> collections_;
  std::vector<WorkerRegistration> registrations_;
  std::map<std::string, size_t> counts_;
};

}  // namespace plz::testing_worker
