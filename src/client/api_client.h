// The HTTP API, as a person's tool uses it. See docs/api for each call.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/execution.h"
#include "net/http_client.h"
#include "wire/check_json.h"
#include "wire/collection_json.h"
#include "wire/execution_json.h"
#include "wire/instance_json.h"
#include "wire/worker_api.h"

namespace plz {

struct HistoryRequest {
  std::optional<std::string> user, project;
  std::string where;
  std::optional<uint64_t> limit;
  std::string format = "json";  // json or jsonl
};

struct LogsRequest {
  ExecutionId id;
  uint64_t offset = 0;
  std::string since;      // empty: from `offset`; else "start", RFC 3339 or epoch seconds
  bool from_now = false;  // only what comes from now on
  bool follow = true;
};

struct ListRequest {
  std::optional<std::string> user, project;
  bool unfinished = false;
  std::optional<ExecutionId> cursor;
  uint64_t limit = 100;
};

// One connection. Not thread-safe, but cancel() is. Errors are the controller's own, as it worded
// them; unavailable when it cannot be reached.
class ApiClient {
 public:
  using OnData = std::function<Result<void>(std::string_view)>;
  using OnBegin = std::function<void(std::optional<uint64_t> offset)>;

  explicit ApiClient(Endpoint endpoint, ClientSettings settings = {});
  ~ApiClient();

  Result<Ping> ping(std::chrono::milliseconds timeout = std::chrono::seconds(5));
  Result<void> shut_down(std::string_view reason);

  // never_met, with what there is, where no instance could ever give that; also what submit() says.
  Result<void> check_resources(const Resources& wanted);
  Result<ExecutionId> submit(const Submission& submission, const std::string& idempotency_key);
  Result<Execution> execution(ExecutionId id);
  // Blocks until it has finished or the time is over: look at its state.
  Result<Execution> wait(ExecutionId id, std::chrono::seconds at_most);
  Result<ExecutionId> last(const std::string& user, const std::optional<std::string>& project);
  Result<ExecutionPage> list(const ListRequest& request);
  // Of a composite, by their indices, those after `cursor`, which a page gives where there are more. They come without
  // what they have from the composite: wire/execution_json.h.
  Result<ExecutionPage> parts(ExecutionId id, std::optional<ExecutionId> cursor);
  Result<std::string> attempts_json(ExecutionId id);
  // Returns at the log's end (not following) or when the execution has finished. `on_begin` is told where in
  // the log the bytes to come begin, as soon as the controller has answered; of a composite, none.
  Result<void> logs(const LogsRequest& request, const OnData& on_data, const OnBegin& on_begin = {});
  // Reads the log from this byte on, where the controller has it, and says what of it is damaged; of a composite, its
  // parts' logs. None of an older controller, which cannot tell.
  Result<std::vector<DamagedLog>> log_damage(ExecutionId id, uint64_t offset);
  // What is printed while the environment is prepared, from this byte on; returns when the job has
  // started or the execution has finished.
  Result<void> preparation_log(ExecutionId id, uint64_t offset, const OnData& on_data);
  Result<std::string> measures(ExecutionId id, std::string_view prefix = {});  // JSON text, not indented
  Result<void> stop(ExecutionId id, std::chrono::seconds grace);
  Result<CaptureReport> capture_output(ExecutionId id);
  // `user`: only if it is this user's (conflict).
  Result<void> remove(ExecutionId id, const std::optional<std::string>& user);
  // Blocks to the end of the collection.
  Result<CollectionReport> collect(const CollectionRequest& request);
  // Lines of JSON: check_json.h.
  Result<void> check(const CheckRequest& check, const OnData& on_data);
  Result<void> history(const HistoryRequest& request, const OnData& on_data);
  Result<std::vector<Instance>> instances();
  Result<KillAnswer> kill(const KillRequest& request);
  // Any request: for what has no call of its own. A status other than 2xx is an error.
  Result<std::string> call(const ClientRequest& request);

  void cancel();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace plz
