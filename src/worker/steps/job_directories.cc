#include "worker/steps/job_directories.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "os/file.h"
#include "wire/job_configuration.h"

namespace plz {
namespace {

// Ranges come from people: one directory each must stay within reason.
constexpr int64_t kMostIndices = 1'000'000;

// One that an interrupted preparation left stays as it is: its container may be starting with it at this moment.
Result<void> make_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0777) == 0 || errno == EEXIST) return {};
  return make_directories(path, 0777);
}

}  // namespace

Result<void> make_job_directories(const AttemptPaths& paths, const std::optional<IndexRange>& indices,
                                  std::optional<uint32_t> umask) {
  PLZ_TRY(make_directory(paths.output()));
  PLZ_TRY(make_directory(paths.measures()));
  if (!indices) return {};
  if (indices->size() > kMostIndices) return fail(ErrorCode::invalid, "more than a million indices in one execution");
  for (int64_t index = indices->from; index < indices->to; ++index) {
    const std::string output = join_path(paths.output(), std::to_string(index));
    PLZ_TRY(make_directories(output, 0777));
    // It comes back with this mode.
    if (umask && chmod(output.c_str(), 0777 & ~*umask) != 0) return fail_errno("cannot set the mode of " + output);
    PLZ_TRY(make_directories(join_path(paths.measures(), std::to_string(index)), 0777));
  }
  return {};
}

Result<void> write_job_configuration(const AttemptPaths& paths, const ExecutionSpec& spec, const Runtime& runtime) {
  JobConfiguration configuration;
  if (spec.input) configuration.input_directory = runtime.job_path(paths, "input");
  configuration.directories = {runtime.job_path(paths, "output"), runtime.job_path(paths, "measures")};
  configuration.parameters = spec.parameters;
  configuration.indices = spec.indices;
  if (spec.indices)
    for (int64_t index = spec.indices->from; index < spec.indices->to; ++index)
      configuration.by_index[index] = {join_path(configuration.directories.output, std::to_string(index)),
                                       join_path(configuration.directories.measures, std::to_string(index))};
  const std::string text = job_configuration_json(configuration);
  if (auto there = read_file(paths.configuration(), text.size()); there && *there == text) return {};
  PLZ_ASSIGN(UniqueFd file, open_file(paths.configuration(), O_WRONLY | O_CREAT | O_TRUNC, 0644));
  return write_all(file.get(), text);
}

std::vector<MeasureRoot> measure_roots(const std::optional<IndexRange>& indices) {
  if (!indices) return {{"", std::nullopt}};
  std::vector<MeasureRoot> roots;
  for (int64_t index = indices->from; index < indices->to; ++index)
    roots.push_back({std::to_string(index) + "/", index});
  return roots;
}

}  // namespace plz
