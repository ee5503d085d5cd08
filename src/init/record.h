// Records of an attempt: how it started, how it ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "init/file.h"

namespace plz::init {

// Builds a record's text.
class RecordText {
 public:
  explicit RecordText(const char* magic);
  void add(const char* key, const char* value);  // a newline in the value becomes a space
  void add(const char* key, int64_t value);
  std::string finish();  // with its last line

 private:
  std::string text_;
};

// A record's file with its place on disk taken beforehand, so that it can be written when the disk
// is full.
class ReservedRecord {
 public:
  // False: no room even now; errno says.
  bool reserve(int directory, const char* name);
  // In one write, and onto the disk unless told otherwise. Tries again, without limit, while it is full.
  void write(const std::string& text, bool sync = true);

 private:
  Fd fd_;
};

// The last of an attempt: its log is complete. Tries again, without limit, while the disk is full.
void write_end_record(int attempt_directory, int64_t log_bytes);

struct Moment {
  int64_t realtime_us = 0;
  int64_t boottime_us = 0;  // does not jump; counts while the machine sleeps
  static Moment now();
};

// How often the kernel killed for lack of memory since it started; 0 where it does not tell.
int64_t kernel_oom_kills();
// The same of the container's own cgroup; nullopt where it is not seen from inside.
std::optional<int64_t> container_oom_kills();

}  // namespace plz::init
