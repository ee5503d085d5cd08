// Keeps apart those who are about to start a container in an image, which nothing shows to be in use yet,
// and those who remove images.
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

namespace plz {

// Thread-safe. Outlives the passes.
class ImageGate {
 public:
  // Images stay as long as it lives.
  class Pass {
   public:
    Pass() = default;
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&& other) noexcept {
      std::swap(gate_, other.gate_);
      return *this;
    }
    ~Pass() {
      if (gate_) gate_->leave();
    }

   private:
    friend class ImageGate;
    explicit Pass(ImageGate* gate) : gate_(gate) {}
    ImageGate* gate_ = nullptr;
  };

  // Waits while an image is being removed.
  Pass enter() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return !closed_; });
    ++inside_;
    return Pass(this);
  }
  // False while anybody is inside. Who closed it opens it, soon.
  bool try_close() {
    std::lock_guard lock(mutex_);
    if (inside_ > 0 || closed_) return false;
    return closed_ = true;
  }
  void open() {
    std::lock_guard lock(mutex_);
    closed_ = false;
    opened_.notify_all();
  }

 private:
  void leave() {
    std::lock_guard lock(mutex_);
    --inside_;
  }

  std::mutex mutex_;
  std::condition_variable opened_;
  int inside_ = 0;  // guarded by mutex_, as is
  bool closed_ = false;
};

}  // namespace plz
