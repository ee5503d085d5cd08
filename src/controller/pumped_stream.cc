#include "controller/pumped_stream.h"

#include "base/caught.h"
#include "base/log.h"

namespace plz {
namespace {

constexpr size_t kPieceBytes = 512u << 10;

class PumpedStream final : public StreamSource, public std::enable_shared_from_this<PumpedStream> {
 public:
  PumpedStream(TaskPool& pool, std::unique_ptr<Producer> producer) : pool_(pool), producer_(std::move(producer)) {}

  void on_wake(std::function<void()> wake) override {
    {
      std::lock_guard lock(mutex_);
      wake_ = std::move(wake);
    }
    producer_->on_wake([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->schedule();
    });
  }

  State pull(std::string& buffer, size_t) override {
    std::unique_lock lock(mutex_);
    if (!ready_.empty()) {
      buffer.swap(ready_);
      ready_.clear();
      if (last_ == Producer::State::data) schedule_locked(lock);
      return State::data;
    }
    if (last_ == Producer::State::end) return State::end;
    if (last_ == Producer::State::failed) return State::failed;
    if (!waiting_) schedule_locked(lock);
    return State::waiting;
  }

 private:
  void schedule() {
    std::unique_lock lock(mutex_);
    waiting_ = false;
    schedule_locked(lock);
  }

  void schedule_locked(std::unique_lock<std::mutex>&) {
    if (last_ == Producer::State::end || last_ == Producer::State::failed) return;
    if (running_ || !ready_.empty()) {
      again_ = true;
      return;
    }
    running_ = true;
    pool_.post([self = shared_from_this()] { self->run(); });
  }

  void run() {
    std::string piece;
    const auto produced = caught([&]() -> Result<Producer::State> { return producer_->produce(piece, kPieceBytes); });
    if (!produced) log_error("a stream is broken off: {}", produced.error().message);
    const Producer::State state = produced.value_or(Producer::State::failed);
    std::function<void()> wake;
    {
      std::unique_lock lock(mutex_);
      running_ = false;
      last_ = state;
      ready_ = std::move(piece);
      bool again = std::exchange(again_, false);
      waiting_ = state == Producer::State::waiting && !again;
      if (state == Producer::State::waiting && ready_.empty()) {
        if (again) schedule_locked(lock);
        return;
      }
      wake = wake_;
    }
    if (wake) wake();
  }

  TaskPool& pool_;
  std::unique_ptr<Producer> producer_;
  std::mutex mutex_;
  std::function<void()> wake_;
  std::string ready_;
  Producer::State last_ = Producer::State::data;
  bool running_ = false;
  bool again_ = false;    // asked for while running
  bool waiting_ = false;  // the producer has nothing and has not woken us since
};

}  // namespace

std::shared_ptr<StreamSource> pump(TaskPool& pool, std::unique_ptr<Producer> producer) {
  return std::make_shared<PumpedStream>(pool, std::move(producer));
}

}  // namespace plz
