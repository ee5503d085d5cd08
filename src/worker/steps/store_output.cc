#include "worker/steps/store_output.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <memory>

#include <fmt/core.h>

#include "os/fd.h"
#include "os/file.h"
#include "store/capture.h"
#include "worker/steps/job_directory_access.h"

namespace plz {
namespace {

constexpr size_t kWarningsInANote = 5;

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

// Sentences of a capture, with names as the job knows them.
std::string clause_of(std::string sentence, const std::string& directory) {
  const std::string before = directory + "/";
  for (size_t at; (at = sentence.find(before)) != sentence.npos;) sentence.erase(at, before.size());
  if (sentence.ends_with('.')) sentence.pop_back();
  return sentence;
}

std::string note_of(std::string_view begin, const std::vector<std::string>& warnings, const std::string& directory) {
  if (warnings.empty()) return "";
  std::string note(begin);
  for (size_t i = 0; i < warnings.size() && i < kWarningsInANote; ++i)
    note += (i ? "; " : "") + clause_of(warnings[i], directory);
  if (warnings.size() > kWarningsInANote) note += fmt::format("; and {} more", warnings.size() - kWarningsInANote);
  return note;
}

std::string note_of(const CaptureResult& captured, const std::string& directory) {
  std::string note = note_of("not all of the output was kept: ", captured.warnings, directory);
  const std::string of_links = note_of("in the output, ", captured.link_warnings, directory);
  return note + (note.empty() || of_links.empty() ? "" : "; ") + of_links;
}

bool is_plain_directory(const std::string& path) {
  struct stat status;
  return lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

bool has_output(const std::string& directory) {
  UniqueFd fd = open_job_directory(AT_FDCWD, directory.c_str());
  // What cannot be looked at is no reason to say that there is nothing.
  if (!fd) return errno != ENOENT && errno != ENOTDIR && errno != ELOOP;
  std::unique_ptr<DIR, CloseDirectory> listing(fdopendir(fd.get()));
  if (listing) fd.release();
  while (dirent* entry = listing ? readdir(listing.get()) : nullptr)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) return true;
  return false;
}

Result<StoredOutput> store_output(const std::string& directory, BlobSink& sink, const std::atomic<bool>* cancelled) {
  StoredOutput stored;
  if (!has_output(directory)) {
    if (!is_plain_directory(directory)) stored.note = "the job removed its output directory";
    return stored;
  }
  CaptureOptions options;
  options.unreadable_is_warning = true;
  options.root_may_be_link = false;
  options.link_root = "/plz/output";
  options.link_places = {"/plz/output", "/plz/input", "/src"};
  options.cancelled = cancelled;
  PLZ_ASSIGN(CaptureResult captured, capture(directory, options, sink));
  stored.tree = captured.tree;
  stored.bytes = captured.total_bytes;
  stored.note = note_of(captured, directory);
  return stored;
}

}  // namespace plz
