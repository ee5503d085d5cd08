// What becomes of the symbolic links that a capture finds. Thread-safe.
#pragma once

#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "store/capture/capture_run.h"
#include "store/capture/walked_tree.h"

namespace plz {

struct LinkFate {
  enum class Kind { link, file, directory };
  Kind kind = Kind::link;
  std::string target;       // of a link: its text, as it is stored
  struct stat status = {};  // of a file or directory that is captured in its place
  std::string real_path;    // of such a directory
};

class LinkPolicy {
 public:
  LinkPolicy(CaptureRun& run, const WalkedTree& tree) : run_(run), tree_(tree) {}

  // Of the link `name` in `directory`, which is open as `fd`. `says`: whether it is to be named if it leads out of
  // what is captured.
  LinkFate decide(const WalkedDirectory& directory, int fd, const std::string& name, const std::string& text,
                  bool says);
  // To the run's warnings of links: those that stayed links and lead to nothing that is captured.
  void warn();

 private:
  enum Reason { leads_out, left_out, not_followed };
  struct Place;  // what relative links are judged by

  Place place_of(const WalkedDirectory& directory) const;
  std::string stored_target(const Place& place, const std::string& text) const;
  bool is_left_out(const std::string& path, bool is_directory) const;
  bool is_followed(const Place& place, const std::string& text) const;
  const char* why_not(const WalkedDirectory& directory, const struct stat& target) const;
  void note(Reason reason, const std::string& path, const std::string& text, std::string_view why = {});

  CaptureRun& run_;
  const WalkedTree& tree_;
  struct Noted {
    size_t count = 0;
    std::set<std::string> first;
  };
  std::mutex mutex_;
  std::array<Noted, 3> noted_;  // by mutex_; by reason
};

}  // namespace plz
