#include "cli/capture_filter.h"

#include <algorithm>
#include <functional>
#include <unordered_set>

#include <fmt/core.h>

#include "base/text.h"
#include "cli/git_checkout.h"
#include "cli/virtual_environments.h"
#include "os/file.h"
#include "os/glob.h"

namespace plz {
namespace {

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
using PathSet = std::unordered_set<std::string, TextHash, std::equal_to<>>;

// What tools leave beside the code when they read it. Directories, by their names.
constexpr std::string_view kCaches[] = {"__pycache__",
                                        ".ipynb_checkpoints",
                                        ".mypy_cache",
                                        ".pytest_cache",
                                        ".ruff_cache",
                                        ".hypothesis",
                                        ".pytype",
                                        ".pyre",
                                        ".tox",
                                        ".nox",
                                        ".virtual_documents"};

bool is_cache(std::string_view name) {
  return std::find(std::begin(kCaches), std::end(kCaches), name) != std::end(kCaches);
}

// Whether one of the path's names is that of a cache.
bool names_cache(std::string_view path) {
  const auto names = split(path, '/');
  return std::any_of(names.begin(), names.end(), is_cache);
}

struct Rules {
  std::vector<Glob> excluded, included;
  std::vector<Glob> included_caches;  // those of `included` that name one
  PathSet needed;                     // exact paths
  PathSet left_out;                   // exact paths: what git ignores, directories of output
  bool git_names = false;             // whatever is named .git
};

class RulesFilter final : public CaptureFilter {
 public:
  explicit RulesFilter(Rules rules) : rules_(std::move(rules)) {}

  Verdict judge(std::string_view path, bool is_directory) const override {
    if (!rules_.needed.empty() && rules_.needed.contains(path)) return Verdict::include;
    // Where nothing is included in spite of a rule, no directory that is left out is ever entered, so
    // that those above need not be asked about again.
    if (rules_.included.empty()) return leaves_out(path) ? Verdict::exclude : Verdict::include;
    // Whoever includes `src` does not mean what tools leave there.
    const auto& included = names_cache(path) ? rules_.included_caches : rules_.included;
    for (const auto& glob : included)
      if (glob.matches_or_covers(path)) return Verdict::include;
    if (!leaves_out_or_above(path)) return Verdict::include;
    if (!is_directory) return Verdict::exclude;
    for (const auto& glob : included)
      if (glob.may_match_below(path)) return Verdict::look_inside;
    return Verdict::exclude;
  }

 private:
  bool leaves_out(std::string_view path) const {
    if (is_cache(path.substr(path.rfind('/') + 1))) return true;
    if (rules_.git_names && (path == ".git" || path.ends_with("/.git"))) return true;
    if (!rules_.left_out.empty() && rules_.left_out.contains(path)) return true;
    return std::any_of(rules_.excluded.begin(), rules_.excluded.end(),
                       [&](const Glob& glob) { return glob.matches(path); });
  }

  bool leaves_out_or_above(std::string_view path) const {
    for (;;) {
      if (leaves_out(path)) return true;
      size_t slash = path.rfind('/');
      if (slash == path.npos) return false;
      path = path.substr(0, slash);
    }
  }

  const Rules rules_;
};

std::vector<Glob> globs(std::string_view key, const std::vector<std::string>& patterns, const std::string& context,
                        std::vector<std::string>& warnings) {
  std::vector<Glob> result;
  for (const auto& pattern : patterns) {
    if (auto glob = Glob::make(pattern, context)) result.push_back(std::move(*glob));
    else
      warnings.push_back(fmt::format("\"{}\" in {} matches nothing: it lies outside of {}", printable(pattern), key,
                                     printable(context)));
  }
  return result;
}

// The directory above the first name with a %e, or the directory itself.
std::string output_root(std::string_view output_template) {
  size_t id = output_template.find("%e");
  if (id == output_template.npos) return std::string(output_template);
  size_t slash = output_template.rfind('/', id);
  return std::string(output_template.substr(0, slash));
}

// A template as a glob, with what an id looks like in place of %e.
std::string output_pattern(std::string_view output_template) {
  std::string digits = "[0-9a-f]";
  std::string id;
  for (char c : std::string_view("xxxxxxxx-xxxx-7xxx-xxxx-xxxxxxxxxxxx")) id += c == 'x' ? digits : std::string(1, c);
  std::string pattern;
  for (size_t i = 0; i < output_template.size(); ++i) {
    if (output_template.substr(i, 2) == "%e") {
      pattern += id;
      ++i;
    } else if (std::string_view("*?[").find(output_template[i]) != std::string_view::npos) {
      pattern += fmt::format("[{}]", output_template[i]);
    } else {
      pattern += output_template[i];
    }
  }
  return pattern;
}

void leave_out_output(const CaptureFilterSources& sources, Rules& rules) {
  std::string above = sources.context_path == "/" ? "/" : sources.context_path + "/";
  auto leave_out = [&](const std::string& path) {
    if (path.starts_with(above)) rules.left_out.insert(path.substr(above.size()));
  };
  for (const auto& directory : sources.output_directories) leave_out(directory);
  for (const auto& output_template : sources.output_templates) {
    leave_out(absolute_path(output_root(output_template), sources.context_path));
    // `-o %e` puts outputs beside the code: then it is their names that tell them.
    if (auto glob = Glob::make(output_pattern(output_template), sources.context_path);
        glob && output_template.find("%e") != std::string::npos)
      rules.excluded.push_back(std::move(*glob));
  }
}

}  // namespace

struct PendingCodeFilter::State {
  CaptureFilterSources sources;
  std::optional<std::string> checkout;
  std::optional<Result<PendingGitIgnored>> git;  // none: git is not asked
  std::vector<std::string> warnings;

  bool wants_git() const { return sources.exclude_gitignored_files.value_or(checkout.has_value()); }
  // An error where git's rules were asked for, else a warning.
  Result<void> do_without_git(Error error) {
    if (sources.exclude_gitignored_files == true)
      return fail(std::move(error).with_context("exclude_gitignored_files is true, but"));
    warnings.push_back(fmt::format("Files that git ignores are captured too: {}", error.message));
    return {};
  }
  Result<void> check_rules_above() const;
  Result<void> add_ignored(Rules& rules);
};

// Those below the context are part of the code.
Result<void> PendingCodeFilter::State::check_rules_above() const {
  for (std::string at = sources.context_path;; at = parent_path(at)) {
    PLZ_TRY(check_trusted_file(join_path(at, ".gitignore"), sources.trust));
    if (at == *checkout || at == "/") break;
  }
  return check_trusted_file(join_path(*checkout, ".git/info/exclude"), sources.trust);
}

Result<void> PendingCodeFilter::State::add_ignored(Rules& rules) {
  if (!git) return {};
  rules.git_names = true;
  if (!*git) return do_without_git(git->error());
  auto ignored = (*git)->finish();
  if (!ignored) return do_without_git(std::move(ignored).error());
  PLZ_TRY(check_rules_above());
  if (ignored->directory_itself)
    return do_without_git(
        Error{ErrorCode::invalid,
              fmt::format("git ignores {} itself, with all that is in it", printable(sources.context_path)),
              "set exclude_gitignored_files to false"});
  for (auto& path : ignored->paths) rules.left_out.insert(std::move(path));
  return {};
}

PendingCodeFilter::PendingCodeFilter(std::unique_ptr<State> state) : state_(std::move(state)) {}
PendingCodeFilter::PendingCodeFilter(PendingCodeFilter&&) noexcept = default;
PendingCodeFilter& PendingCodeFilter::operator=(PendingCodeFilter&&) noexcept = default;
PendingCodeFilter::~PendingCodeFilter() = default;

Result<PendingCodeFilter> PendingCodeFilter::start(CaptureFilterSources sources) {
  auto state = std::make_unique<State>();
  state->sources = std::move(sources);
  state->checkout = find_git_checkout(state->sources.context_path);
  if (state->wants_git()) {
    if (!state->checkout)
      return fail(ErrorCode::invalid,
                  fmt::format("exclude_gitignored_files is true, but {} is not in a git checkout",
                              printable(state->sources.context_path)),
                  "set it to null to have git's rules followed where there are some");
    PLZ_TRY(check_trusted_file(join_path(*state->checkout, ".gitmodules"), state->sources.trust));
    state->git = PendingGitIgnored::start(state->sources.context_path, *state->checkout, state->sources.environment);
  }
  return PendingCodeFilter(std::move(state));
}

Result<CodeFilter> PendingCodeFilter::finish() {
  const CaptureFilterSources& sources = state_->sources;
  Rules rules;
  rules.excluded = globs("excluded_paths", sources.excluded_paths, sources.context_path, state_->warnings);
  rules.included = globs("included_paths", sources.included_paths, sources.context_path, state_->warnings);
  for (const auto& pattern : sources.included_paths)
    if (auto glob = Glob::make(pattern, sources.context_path); glob && names_cache(pattern))
      rules.included_caches.push_back(std::move(*glob));
  rules.needed.insert(sources.needed_paths.begin(), sources.needed_paths.end());
  leave_out_output(sources, rules);
  PLZ_TRY(state_->add_ignored(rules));

  CodeFilter code{std::make_unique<RulesFilter>(std::move(rules)), std::move(state_->warnings)};
  for (const auto& name : find_virtual_environments(sources.context_path))
    if (code.filter->judge(name, true) == CaptureFilter::Verdict::include)
      code.warnings.push_back(fmt::format(
          "{} is a virtual environment and is captured with the code: unless the job needs it there, add it to "
          "excluded_paths",
          printable(name)));
  return code;
}

}  // namespace plz
