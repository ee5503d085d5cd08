// Captures a directory (or one file) into a store: walks it, hashes the files whose stat changed
// since the last time, asks which blobs are missing, and sends those, packed.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/digest.h"
#include "store/blob_channel.h"

namespace plz {

// Decides what of a directory is captured. Thread-safe.
class CaptureFilter {
 public:
  virtual ~CaptureFilter() = default;
  enum class Verdict {
    include,      // a file: captured; a directory: entered and captured
    exclude,      // a file: left out; a directory: left out with all that is in it
    look_inside,  // a directory that is left out, unless something in it is included
  };
  // `path` is relative to the root, without a leading slash.
  virtual Verdict judge(std::string_view path, bool is_directory) const = 0;
};

struct CaptureProgress {
  uint64_t files_seen = 0, bytes_hashed = 0, bytes_sent = 0, bytes_to_hash = 0;
};

// Which symbolic links are captured as the files and directories that they lead to. All others are captured as links.
enum class FollowLinks {
  never,         // of a tree that somebody else made: its links may lead anywhere
  hugging_face,  // from a snapshot in a Hugging Face cache to the blobs beside the snapshots
  outward,       // all that lead out of the root. What is found there is subject to the filter, by its path in the root
};

struct CaptureOptions {
  const CaptureFilter* filter = nullptr;  // none: everything
  std::string stat_cache_path;            // empty: no cache. A damaged cache is ignored
  int threads = 0;                        // 0: as many as there are processors, at most 8
  // What to do with a socket, fifo or device file: leave it out with a warning, or fail.
  bool special_files_are_errors = false;
  // The worker's capture of output: a file owned by another user or unreadable is a warning too.
  bool unreadable_is_warning = false;
  // Where another could put one in the place of the root, it is an error (not_found).
  bool root_may_be_link = true;
  FollowLinks follow_links = FollowLinks::never;
  // An absolute link to below one of link_places is stored as a relative one, from where the root is for whoever made
  // the links: link_root. One to below the root's own path is, too.
  std::string link_root;
  std::vector<std::string> link_places;
  // Called at most ten times a second, from any thread, and once when the capture has succeeded.
  std::function<void(const CaptureProgress&)> progress;
  const std::atomic<bool>* cancelled = nullptr;
};

struct CapturedFile {
  std::string path;
  bool is_directory = false;
};

struct CaptureResult {
  Digest tree;  // of a directory; of a single file: a tree with that one entry
  uint64_t total_bytes = 0;
  uint64_t files = 0;
  uint64_t bytes_sent = 0;            // as stored
  uint64_t content_bytes_sent = 0;    // of files, before compression; each content once
  std::vector<std::string> warnings;  // sentences: what was left out and why; at most 100, then a count
  // Sentences: links that were captured as links and lead to nothing that is captured, by count and the first few.
  std::vector<std::string> link_warnings;
};

// Hash and send. A file that changes while it is read is read again, three times at most, then it is
// an error that names it; one that vanishes between listing and reading is left out as if it had
// never been. Missing or unreadable input is an error that names the path. A crash at any moment
// leaves the cache and the store as they were or further on, never wrong.
Result<CaptureResult> capture(const std::string& root, const CaptureOptions& options, BlobSink& sink);

// The paths that would be captured, sorted, and those left out (a directory left out whole is one
// path ending in '/').
struct CaptureListing {
  std::vector<CapturedFile> captured;
  std::vector<CapturedFile> left_out;
};
Result<CaptureListing> list_capture(const std::string& root, const CaptureOptions& options);

}  // namespace plz
