#include "worker/attempt_directory.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <charconv>

#include "base/text.h"
#include "os/file.h"
#include "wire/worker_api.h"

namespace plz {
namespace {

constexpr char kAssignment[] = "/assignment";
constexpr char kImage[] = "/image";
constexpr uint64_t kMostBytes = 256u << 20;

}  // namespace

Result<void> AttemptDirectory::create(const Assignment& assignment, const std::string& runtime) {
  if (mkdir(paths_.directory.c_str(), 0700) != 0) return fail_errno("cannot make " + paths_.directory);
  PLZ_ASSIGN(UniqueFd file, open_file(paths_.directory + kAssignment, O_WRONLY | O_CREAT | O_EXCL, 0600));
  return write_all(file.get(), runtime + "\n" + assignment_to_json(assignment));
}

Result<AttemptDirectory::Kept> AttemptDirectory::load() const {
  PLZ_ASSIGN(std::string text, read_file(paths_.directory + kAssignment, kMostBytes));
  const size_t line_end = text.find('\n');
  if (line_end == text.npos) return fail(ErrorCode::invalid, paths_.directory + " holds no whole assignment");
  PLZ_ASSIGN(Assignment assignment, assignment_from_json(std::string_view(text).substr(line_end + 1)));
  return Kept{text.substr(0, line_end), std::move(assignment)};
}

Result<void> AttemptDirectory::note_stop(Timestamp when) {
  return write_file_atomically(paths_.directory + "/stop", std::to_string(when.time_since_epoch().count()), 0600,
                               Sync::no);
}

std::optional<Timestamp> AttemptDirectory::stop_requested() const {
  auto text = read_file(paths_.directory + "/stop");
  if (!text) return std::nullopt;
  int64_t microseconds = 0;
  std::from_chars(text->data(), text->data() + text->size(), microseconds);
  return Timestamp(std::chrono::microseconds(microseconds));
}

Result<void> AttemptDirectory::keep_image(const ImageIdentity& image) {
  return write_file_atomically(paths_.directory + kImage, image.id + "\n" + image.digest + "\n", 0600, Sync::no);
}

std::optional<ImageIdentity> AttemptDirectory::image() const {
  auto text = read_file(paths_.directory + kImage);
  if (!text) return std::nullopt;
  auto lines = split(*text, '\n');
  if (lines.size() < 2) return std::nullopt;
  return ImageIdentity{std::string(lines[0]), std::string(lines[1])};
}

Result<void> AttemptDirectory::remove() { return remove_tree(paths_.directory); }

std::vector<AttemptDirectory> find_attempt_directories(const std::string& directory) {
  std::vector<AttemptDirectory> found;
  auto names = list_directory(directory);
  if (!names) return found;
  for (const auto& name : *names)
    if (AttemptId::parse(name)) found.emplace_back(join_path(directory, name));
  return found;
}

}  // namespace plz
