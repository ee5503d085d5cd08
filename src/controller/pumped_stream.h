// A stream whose bytes come from disk or database: a Producer makes them on a pool's thread, one
// piece ahead of the event loop, which never waits for it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "controller/task_pool.h"
#include "net/http_types.h"

namespace plz {

class Producer {
 public:
  virtual ~Producer() = default;
  enum class State { data, waiting, end, failed };
  // Appends about `target_bytes` to `piece`, which is empty. May block for a short read. `waiting`:
  // wake() of on_wake will be called when there may be more. Called by one thread at a time.
  virtual State produce(std::string& piece, size_t target_bytes) = 0;
  // Called once, before the first produce. `wake` may be called from any thread at any time.
  virtual void on_wake(std::function<void()> wake) { (void)wake; }
};

// `pool` outlives the stream.
std::shared_ptr<StreamSource> pump(TaskPool& pool, std::unique_ptr<Producer> producer);

}  // namespace plz
