#include "cli/git_checkout.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/text.h"
#include "cli/git_environment.h"
#include "os/file.h"

namespace plz {
namespace {

constexpr auto kPatience = std::chrono::minutes(5);
constexpr int kMostNestedModules = 8;

Result<BackgroundCommand> start_git(std::vector<std::string> arguments, const std::string& directory,
                                    const EnvironmentVariables& given) {
  EnvironmentVariables environment = git_environment(given);
  std::string program = locate_program("git", environment, directory);
  if (program.empty()) return fail(ErrorCode::not_found, "git is not installed", "apt-get install git");
  // Answers in git's own words, and no write into the user's checkout.
  const EnvironmentVariables ours{{"LC_ALL", "C"}, {"GIT_OPTIONAL_LOCKS", "0"}};
  for (const auto& variable : ours) {
    std::erase_if(environment, [&](const auto& other) { return other.first == variable.first; });
    environment.push_back(variable);
  }
  return BackgroundCommand::start({program, std::move(arguments), std::move(environment), directory});
}

Result<std::string> output_of(BackgroundCommand& git) {
  PLZ_ASSIGN(auto ended, git.finish(kPatience));
  if (ended.exit_status == 0) return std::move(ended.output);
  auto words = split(trim(ended.errors), '\n').front();
  return fail(ErrorCode::invalid,
              fmt::format("git failed: {}",
                          words.empty() ? fmt::format("exit status {}", ended.exit_status) : printable(words)));
}

// Each file, tracked or not.
std::vector<std::string> all_ignored() {
  return {"ls-files", "-z", "--ignored", "--others", "--cached", "--exclude-standard"};
}

// Submodules of `checkout` that are there, and theirs.
void find_modules(const std::string& checkout, int depth, std::vector<std::string>& found) {
  auto text = read_file_if_exists(join_path(checkout, ".gitmodules"), 1 << 20);
  if (!text || !*text || depth > kMostNestedModules) return;
  for (const auto& path : parse_git_modules(**text)) {
    std::string module = absolute_path(path, checkout);
    if (!module.starts_with(checkout + "/") || !path_exists(join_path(module, ".git"))) continue;
    found.push_back(module);
    find_modules(module, depth + 1, found);
  }
}

}  // namespace

std::optional<std::string> find_git_checkout(const std::string& directory) {
  for (std::string at = directory;; at = parent_path(at)) {
    if (path_exists(join_path(at, ".git"))) return at;
    if (at == "/" || at == ".") return std::nullopt;
  }
}

Result<PendingGitIgnored> PendingGitIgnored::start(const std::string& directory, const std::string& checkout,
                                                   const EnvironmentVariables& environment) {
  std::vector<std::string> arguments = all_ignored();
  arguments.push_back("--directory");
  PendingGitIgnored pending;
  pending.directory_ = directory;
  pending.environment_ = environment;
  PLZ_ASSIGN(auto git, start_git(arguments, directory, environment));
  pending.questions_.push_back({"", std::move(git)});

  std::vector<std::string> modules;
  find_modules(checkout, 1, modules);
  std::string above = directory == "/" ? "/" : directory + "/";
  for (const auto& module : modules) {
    if (!module.starts_with(above)) continue;
    PLZ_ASSIGN(auto in_module, start_git(arguments, module, environment));
    pending.questions_.push_back({module.substr(above.size()) + "/", std::move(in_module)});
  }
  return pending;
}

// git lists the directory itself, too, where there happens to be nothing in it that is not ignored.
Result<void> PendingGitIgnored::look_closer(GitIgnored& ignored) const {
  PLZ_ASSIGN(auto asked, start_git({"check-ignore", "-q", "."}, directory_, environment_));
  PLZ_ASSIGN(const auto answer, asked.finish(kPatience));
  if (answer.exit_status != 1) return {};
  PLZ_ASSIGN(auto listing, start_git(all_ignored(), directory_, environment_));
  PLZ_ASSIGN(const std::string output, output_of(listing));
  ignored = parse_git_ignored(output);
  return {};
}

Result<GitIgnored> PendingGitIgnored::finish() {
  GitIgnored all;
  for (auto& question : questions_) {
    PLZ_ASSIGN(std::string output, output_of(question.git));
    GitIgnored ignored = parse_git_ignored(output);
    if (question.prefix.empty() && ignored.directory_itself) PLZ_TRY(look_closer(ignored));
    if (question.prefix.empty()) all.directory_itself = ignored.directory_itself;
    for (auto& path : ignored.paths) all.paths.push_back(question.prefix + path);
  }
  return all;
}

Result<PendingGitState> PendingGitState::start(const std::string& directory, const EnvironmentVariables& environment) {
  PLZ_ASSIGN(auto git, start_git({"status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal"}, directory,
                                 environment));
  return PendingGitState(std::move(git));
}

Result<GitState> PendingGitState::finish() {
  PLZ_ASSIGN(std::string output, output_of(git_));
  return parse_git_status(output);
}

GitState parse_git_status(std::string_view output) {
  constexpr std::string_view kCommit = "# branch.oid ", kBranch = "# branch.head ";
  GitState state;
  bool skip = false;
  for (auto entry : split(output, '\0')) {
    if (std::exchange(skip, false)) continue;
    if (entry.starts_with(kCommit) && entry != "# branch.oid (initial)") state.commit = entry.substr(kCommit.size());
    if (entry.starts_with(kBranch) && entry != "# branch.head (detached)") state.branch = entry.substr(kBranch.size());
    if (entry.starts_with("1 ") || entry.starts_with("2 ") || entry.starts_with("u ")) state.dirty = true;
    if (entry.starts_with("? ")) state.untracked_files = true;
    skip = entry.starts_with("2 ");  // a renamed file's former name follows, and may look like anything
  }
  return state;
}

GitIgnored parse_git_ignored(std::string_view output) {
  GitIgnored ignored;
  auto entries = split(output, '\0');
  std::sort(entries.begin(), entries.end());
  for (size_t i = 0; i < entries.size(); ++i) {
    std::string_view entry = entries[i];
    if (entry == "./") ignored.directory_itself = true;
    if (entry.empty() || entry == "./") continue;
    bool is_directory = entry.ends_with('/');
    if (is_directory && i + 1 < entries.size() && entries[i + 1].starts_with(entry) && entries[i + 1] != entry)
      continue;
    ignored.paths.emplace_back(is_directory ? entry.substr(0, entry.size() - 1) : entry);
  }
  return ignored;
}

std::vector<std::string> parse_git_modules(std::string_view text) {
  std::vector<std::string> paths;
  for (auto line : split(text, '\n')) {
    size_t equals = line.find('=');
    if (equals == line.npos || trim(line.substr(0, equals)) != "path") continue;
    auto path = trim(line.substr(equals + 1));
    if (path.size() >= 2 && path.front() == '"' && path.back() == '"') path = path.substr(1, path.size() - 2);
    if (!path.empty()) paths.emplace_back(path);
  }
  return paths;
}

}  // namespace plz
