#include "cli/capture_filter.h"

#include <stdlib.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/background_command.h"
#include "cli/git_checkout.h"
#include "os/temporary_directory_test.h"

namespace plz {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Verdict = CaptureFilter::Verdict;

// What a walk that obeys the filter captures: files, and directories with a final slash.
void walk(const CaptureFilter& filter, const std::string& root, const std::string& prefix,
          std::vector<std::string>& captured) {
  const std::string directory = join_path(root, prefix);
  const auto names = list_directory(directory);
  for (const auto& name : *names) {
    std::string path = prefix + name;
    struct stat status {};
    ASSERT_EQ(lstat(join_path(root, path).c_str(), &status), 0);
    bool is_directory = S_ISDIR(status.st_mode);
    Verdict verdict = filter.judge(path, is_directory);
    if (verdict == Verdict::include) captured.push_back(is_directory ? path + "/" : path);
    if (is_directory && verdict != Verdict::exclude) walk(filter, root, path + "/", captured);
  }
}

class CaptureFilterTest : public testing::Test {
 protected:
  CaptureFilterTest() {
    sources_.context_path = root_.path();
    sources_.trust.owners = trusted_owners("");
    sources_.environment = {{"PATH", getenv("PATH")}, {"HOME", root_.path("../nobody")}};
  }

  void git(const std::string& arguments, const std::string& below = "") {
    std::string quiet = "cd '" + root_.path(below) +
                        "' && git -c user.email=a@b -c user.name=a -c protocol.file.allow=always " + arguments +
                        " >/dev/null 2>&1";
    ASSERT_EQ(system(quiet.c_str()), 0) << arguments;
  }
  CodeFilter filter() {
    auto pending = PendingCodeFilter::start(sources_);
    EXPECT_TRUE(pending) << pending.error().message;
    auto code = pending->finish();
    EXPECT_TRUE(code) << code.error().message;
    return std::move(*code);
  }
  std::vector<std::string> captured() {
    auto code = filter();
    EXPECT_THAT(code.warnings, IsEmpty());
    std::vector<std::string> paths;
    walk(*code.filter, sources_.context_path, "", paths);
    return paths;
  }

  TemporaryDirectory root_;
  CaptureFilterSources sources_;
};

TEST_F(CaptureFilterTest, CapturesEverythingByDefault) {
  root_.write("a.py", "");
  root_.write(".hidden/b", "");
  ASSERT_TRUE(make_directories(root_.path("empty")));
  EXPECT_THAT(captured(), ElementsAre(".hidden/", ".hidden/b", "a.py", "empty/"));
}

TEST_F(CaptureFilterTest, LeavesOutWhatToolsLeaveBesideTheCode) {
  for (const char* path : {"a.py", "__pycache__/a.pyc", "src/b.py", "src/__pycache__/b.pyc", ".mypy_cache/3.11/x",
                           "notes/.ipynb_checkpoints/n.ipynb", "notes/n.ipynb", "my__pycache__/kept"})
    root_.write(path, "");
  EXPECT_THAT(captured(), ElementsAre("a.py", "my__pycache__/", "my__pycache__/kept", "notes/", "notes/n.ipynb", "src/",
                                      "src/b.py"));
  // Not named: the directory above is.
  sources_.included_paths = {"src", "notes/**"};
  sources_.excluded_paths = {"**"};
  EXPECT_THAT(captured(), ElementsAre("notes/", "notes/n.ipynb", "src/", "src/b.py"));
  sources_.included_paths = {"src/__pycache__", "**/.ipynb_checkpoints/*.ipynb"};
  EXPECT_THAT(captured(), ElementsAre("notes/.ipynb_checkpoints/n.ipynb", "src/__pycache__/", "src/__pycache__/b.pyc"));
  sources_.excluded_paths = {};
  sources_.included_paths = {"**/__pycache__"};
  EXPECT_THAT(captured(),
              ElementsAre("__pycache__/", "__pycache__/a.pyc", "a.py", "my__pycache__/", "my__pycache__/kept", "notes/",
                          "notes/n.ipynb", "src/", "src/__pycache__/", "src/__pycache__/b.pyc", "src/b.py"));
}

TEST_F(CaptureFilterTest, FindsTheCheckoutWhateverGitsVariablesName) {
  TemporaryDirectory other;
  ASSERT_EQ(system(("git init -q " + other.path()).c_str()), 0);
  git("init");
  root_.write(".gitignore", "*.ckpt");
  root_.write("a.py", "");
  root_.write("a.ckpt", "");
  for (const EnvironmentVariables& leaked :
       {EnvironmentVariables{{"GIT_DIR", other.path(".git")}},
        EnvironmentVariables{{"GIT_DIR", ".git"}, {"GIT_WORK_TREE", "/"}},
        EnvironmentVariables{{"GIT_INDEX_FILE", other.path(".git/index")}},
        EnvironmentVariables{{"GIT_CONFIG_PARAMETERS", "'core.worktree'='" + other.path() + "'"}},
        EnvironmentVariables{{"GIT_CEILING_DIRECTORIES", parent_path(root_.path())}},
        EnvironmentVariables{{"GIT_LITERAL_PATHSPECS", "1"}, {"GIT_PREFIX", "x/"}}}) {
    auto clean = sources_.environment;
    sources_.environment.insert(sources_.environment.end(), leaked.begin(), leaked.end());
    EXPECT_THAT(captured(), ElementsAre(".gitignore", "a.py")) << leaked.front().first;
    sources_.environment = std::move(clean);
  }
}

TEST_F(CaptureFilterTest, FollowsGitWhereNothingIsLeft) {
  git("init");
  root_.write(".gitignore", "*.ckpt\nout/");
  root_.write("all/a.ckpt", "");
  root_.write("all/deep/a.ckpt", "");
  root_.write("out/a", "");
  sources_.context_path = root_.path("all");
  EXPECT_THAT(captured(), ElementsAre("deep/"));
  sources_.context_path = root_.path("out");  // ignored itself: then git's rules say nothing of use
  EXPECT_THAT(filter().warnings, ElementsAre(HasSubstr("git ignores " + root_.path("out") + " itself")));
}

TEST_F(CaptureFilterTest, FollowsNoRulesThatAllCanWrite) {
  git("init");
  root_.write("code/a.py", "");
  root_.write("code/b.txt", "");
  root_.write(".gitignore", "*.py", 0646);
  sources_.context_path = root_.path("code");
  auto pending = PendingCodeFilter::start(sources_);
  ASSERT_TRUE(pending);
  auto refused = pending->finish();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr(root_.path(".gitignore") + " can be changed by everybody"));
  sources_.trust.safe_directories = {root_.path()};
  EXPECT_THAT(captured(), ElementsAre("b.txt"));
  sources_.trust.safe_directories.clear();
  sources_.exclude_gitignored_files = false;
  EXPECT_THAT(captured(), ElementsAre("a.py", "b.txt"));
}

TEST_F(CaptureFilterTest, LetsInclusionWin) {
  for (const char* path : {"a.py", "data/big/x", "data/big/y", "data/small/z", "data/t.csv", "other/u"})
    root_.write(path, "");
  sources_.excluded_paths = {"data", "other"};
  EXPECT_THAT(captured(), ElementsAre("a.py"));
  sources_.included_paths = {"data/small", "**/y"};
  EXPECT_THAT(captured(), ElementsAre("a.py", "data/big/y", "data/small/", "data/small/z"));
  sources_.excluded_paths = {"**"};
  sources_.included_paths = {"a.py"};
  EXPECT_THAT(captured(), ElementsAre("a.py"));
}

TEST_F(CaptureFilterTest, CapturesWhatIsNeededWhateverIsExcluded) {
  root_.write("plz.Dockerfile", "FROM x\n");
  root_.write("a.py", "");
  root_.write("below/plz.Dockerfile", "");
  sources_.excluded_paths = {"**"};
  EXPECT_THAT(captured(), IsEmpty());
  sources_.needed_paths = {"plz.Dockerfile"};
  EXPECT_THAT(captured(), ElementsAre("plz.Dockerfile"));
  sources_.included_paths = {"a.py"};
  EXPECT_THAT(captured(), UnorderedElementsAre("a.py", "plz.Dockerfile"));
}

TEST_F(CaptureFilterTest, SaysWhichPatternsMatchNothing) {
  sources_.excluded_paths = {"../x"};
  sources_.included_paths = {"/etc"};
  EXPECT_THAT(filter().warnings, ElementsAre(HasSubstr("\"../x\" in excluded_paths matches nothing"),
                                             HasSubstr("\"/etc\" in included_paths matches nothing")));
}

TEST_F(CaptureFilterTest, LeavesOutOutput) {
  for (const char* path : {"a.py", "output/1/m", "results/m", "old/m", "0190aaaa-0000-7000-8000-000000000000/m",
                           "x-0190aaaa-0000-7000-8000-000000000000-y/m"})
    root_.write(path, "");
  sources_.output_templates = {root_.path("output/%e"), root_.path("results"), root_.path("%e"), "/elsewhere/%e",
                               root_.path("x-%e-y/z")};
  sources_.output_directories = {root_.path("old")};
  EXPECT_THAT(captured(), ElementsAre("a.py", "x-0190aaaa-0000-7000-8000-000000000000-y/",
                                      "x-0190aaaa-0000-7000-8000-000000000000-y/m"));
  sources_.output_templates = {root_.path("."), root_.path("output")};
  sources_.included_paths = {"output"};
  EXPECT_THAT(captured(), testing::IsSupersetOf({"a.py", "output/1/m", "results/m"})) << "never all of the code";
}

TEST_F(CaptureFilterTest, WarnsOfAVirtualEnvironment) {
  root_.write(".venv/pyvenv.cfg", "");
  EXPECT_THAT(filter().warnings, ElementsAre(HasSubstr(".venv is a virtual environment")));
  sources_.excluded_paths = {".venv"};
  EXPECT_THAT(filter().warnings, IsEmpty());
}

TEST_F(CaptureFilterTest, FollowsGitsRules) {
  git("init -q");
  root_.write(".gitignore", "*.log\nbuild/\n/data/*\n!/data/keep\n");
  for (const char* path : {"a.py", "b.log", "sub/c.py", "sub/d.log", "build/e", "data/f", "data/keep/g", "tracked.log",
                           "logs/only.log", "new\nline.log", "\xff.log", "build2/build/h", "sub/.git/odd"})
    root_.write(path, "");
  git("add -f a.py .gitignore tracked.log");
  const auto expected =
      ElementsAre(".gitignore", "a.py", "build2/", "data/", "data/keep/", "data/keep/g", "logs/", "sub/", "sub/c.py");
  EXPECT_THAT(captured(), expected);
  sources_.exclude_gitignored_files = true;
  EXPECT_THAT(captured(), expected);

  sources_.included_paths = {"build", "data/f", ".git/HEAD", "**/only.*"};
  EXPECT_THAT(captured(),
              ElementsAre(".git/HEAD", ".gitignore", "a.py", "build/", "build/e", "build2/", "data/", "data/f",
                          "data/keep/", "data/keep/g", "logs/", "logs/only.log", "sub/", "sub/c.py"));
  sources_.included_paths = {};
  sources_.exclude_gitignored_files = false;
  EXPECT_THAT(captured(), testing::IsSupersetOf({"b.log", ".git/HEAD", "build/e", "tracked.log"}));
}

TEST_F(CaptureFilterTest, FollowsGitsRulesBelowTheCheckoutsRoot) {
  git("init -q");
  root_.write(".gitignore", "*.log\n/sub/x\n");
  for (const char* path : {"sub/a.py", "sub/b.log", "sub/x/c", "sub/deep/x/d"}) root_.write(path, "");
  sources_.context_path = root_.path("sub");
  EXPECT_THAT(captured(), ElementsAre("a.py", "deep/", "deep/x/", "deep/x/d"));
}

TEST_F(CaptureFilterTest, FollowsASubmodulesOwnRules) {
  git("init -q library");
  root_.write("library/.gitignore", "*.o\n");
  git("add .gitignore", "library");
  git("commit -q -m x", "library");
  git("init -q app");
  git("submodule add ../library vendor/library", "app");
  for (const char* path : {"app/a.o", "app/vendor/library/b.o", "app/vendor/library/c.c"}) root_.write(path, "");
  sources_.context_path = root_.path("app");
  EXPECT_THAT(captured(), ElementsAre(".gitmodules", "a.o", "vendor/", "vendor/library/", "vendor/library/.gitignore",
                                      "vendor/library/c.c"));
}

TEST_F(CaptureFilterTest, CapturesADirectoryThatGitIgnoresItself) {
  git("init -q");
  root_.write(".gitignore", "scratch\n");
  root_.write("scratch/a.py", "");
  sources_.context_path = root_.path("scratch");
  auto code = filter();
  EXPECT_EQ(code.filter->judge("a.py", false), Verdict::include);
  EXPECT_THAT(code.warnings, ElementsAre(HasSubstr("git ignores " + root_.path("scratch") + " itself")));
  sources_.exclude_gitignored_files = true;
  auto strict = PendingCodeFilter::start(sources_)->finish();
  ASSERT_FALSE(strict);
  EXPECT_THAT(strict.error().message, HasSubstr("exclude_gitignored_files is true, but"));
}

TEST_F(CaptureFilterTest, NeedsACheckoutOnlyIfToldSo) {
  sources_.exclude_gitignored_files = true;
  auto pending = PendingCodeFilter::start(sources_);
  ASSERT_FALSE(pending);
  EXPECT_THAT(pending.error().message, HasSubstr("is not in a git checkout"));
}

TEST_F(CaptureFilterTest, DoesWithoutGitWhereItIsNotInstalledOrFails) {
  root_.write(".git", "damaged");
  root_.write("a.py", "");
  auto code = filter();
  EXPECT_THAT(code.warnings, ElementsAre(HasSubstr("Files that git ignores are captured too: git failed: fatal:")));
  EXPECT_EQ(code.filter->judge("a.py", false), Verdict::include);
  EXPECT_EQ(code.filter->judge(".git", true), Verdict::exclude);

  sources_.environment = {{"PATH", "/nowhere"}};
  EXPECT_THAT(filter().warnings, ElementsAre(HasSubstr("git is not installed")));
  sources_.exclude_gitignored_files = true;
  auto strict = PendingCodeFilter::start(sources_)->finish();
  ASSERT_FALSE(strict);
  EXPECT_THAT(strict.error().message, HasSubstr("git is not installed"));
}

TEST(GitIgnored, DropsDirectoriesThatAreListedForTheirParts) {
  using namespace std::string_view_literals;
  auto ignored = parse_git_ignored("only/\0only/build/\0only/x.log\0scratch/\0a.log\0"sv);
  EXPECT_THAT(ignored.paths, UnorderedElementsAre("only/build", "only/x.log", "scratch", "a.log"));
  EXPECT_FALSE(ignored.directory_itself);
  EXPECT_TRUE(parse_git_ignored("./\0"sv).directory_itself);
}

TEST(GitStatus, TellsWhatDiffers) {
  using namespace std::string_view_literals;
  GitState clean = parse_git_status("# branch.oid abc\0# branch.head main\0"sv);
  EXPECT_EQ(clean.commit, "abc");
  EXPECT_EQ(clean.branch, "main");
  EXPECT_FALSE(clean.dirty || clean.untracked_files);
  GitState fresh = parse_git_status("# branch.oid (initial)\0# branch.head (detached)\0? a\0"sv);
  EXPECT_EQ(fresh.commit + fresh.branch, "");
  EXPECT_TRUE(fresh.untracked_files && !fresh.dirty);
  GitState renamed = parse_git_status("2 R. N... 100644 100644 100644 a b R100 new\0? old\0"sv);
  EXPECT_TRUE(renamed.dirty && !renamed.untracked_files);
}

TEST(GitModules, AreFoundInTheirFile) {
  EXPECT_THAT(parse_git_modules("[submodule \"x\"]\n\tpath = a/b\n\turl = path\n path=\"c d\"\npath = \n"),
              ElementsAre("a/b", "c d"));
}

}  // namespace
}  // namespace plz
