// Cursors that read a snapshot. While one is held the write-ahead log cannot start anew and grows
// with every write; when it has grown too far, all of them are asked to let go.
#pragma once

#include <mutex>
#include <set>

namespace plz {

class SnapshotHolder {
 public:
  virtual ~SnapshotHolder() = default;
  // From any thread; does not block. One that is not just reading holds no snapshot afterwards, and
  // goes on from where it was in a newer one.
  virtual void release_snapshot() = 0;
};

// Thread-safe.
class OpenCursors {
 public:
  void add(SnapshotHolder& holder) {
    std::lock_guard lock(mutex_);
    holders_.insert(&holder);
  }
  void remove(SnapshotHolder& holder) {
    std::lock_guard lock(mutex_);
    holders_.erase(&holder);
  }
  void release_all() {
    std::lock_guard lock(mutex_);
    for (SnapshotHolder* holder : holders_) holder->release_snapshot();
  }

 private:
  std::mutex mutex_;
  std::set<SnapshotHolder*> holders_;
};

}  // namespace plz
