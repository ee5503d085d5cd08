#include "worker/steps/store_output.h"

#include <dirent.h>

#include <cstring>
#include <memory>

#include <fmt/core.h>

#include "os/file.h"
#include "store/capture.h"

namespace plz {
namespace {

constexpr size_t kWarningsInANote = 5;

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

std::string note_of(const std::vector<std::string>& warnings) {
  std::string note;
  for (size_t i = 0; i < warnings.size() && i < kWarningsInANote; ++i) note += (i ? "; " : "") + warnings[i];
  if (warnings.size() > kWarningsInANote) note += fmt::format("; and {} more", warnings.size() - kWarningsInANote);
  return note;
}

}  // namespace

bool has_output(const std::string& directory) {
  std::unique_ptr<DIR, CloseDirectory> listing(opendir(directory.c_str()));
  while (dirent* entry = listing ? readdir(listing.get()) : nullptr)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) return true;
  return false;
}

Result<StoredOutput> store_output(const std::string& directory, BlobSink& sink, const volatile bool* cancelled) {
  StoredOutput stored;
  if (!has_output(directory)) {
    if (!path_exists(directory)) stored.note = "the job removed its output directory";
    return stored;
  }
  CaptureOptions options;
  options.unreadable_is_warning = true;
  options.cancelled = cancelled;
  PLZ_ASSIGN(CaptureResult captured, capture(directory, options, sink));
  stored.tree = captured.tree;
  stored.bytes = captured.total_bytes;
  stored.note = note_of(captured.warnings);
  return stored;
}

}  // namespace plz
