// What executions come to refer to while a collection is under way.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "controller/collection/references.h"

namespace plz {

// Thread-safe.
class ReferenceWatch {
 public:
  // That an execution is about to be stored as it is; lives until it is, or is not. Outlived by the watch.
  class Announcement {
   public:
    Announcement(ReferenceWatch& watch, uint64_t number) : watch_(watch), number_(number) {}
    Announcement(const Announcement&) = delete;
    Announcement& operator=(const Announcement&) = delete;
    ~Announcement() { watch_.forget(number_); }

   private:
    ReferenceWatch& watch_;
    const uint64_t number_;
  };

  // Whoever began to watch before it is stored, and finds BlobRecords::reference_changes() gone up by that,
  // has it among what take() gave.
  [[nodiscard]] Announcement announce(const Execution& execution);

  // From now on what is announced is kept, until end(); what is announced at this moment too.
  void begin();
  void end();
  // What came since the last time.
  References take();
  // The images among all that came since begin(), taken or not.
  std::set<std::string> images() const;

 private:
  void forget(uint64_t number);

  void add(const References& references);

  mutable std::mutex mutex_;
  bool watching_ = false;  // guarded by mutex_, as is what follows
  References added_;
  std::set<std::string> images_;
  std::map<uint64_t, References> announced_;
  uint64_t last_number_ = 0;
};

}  // namespace plz
