#include "cli/python_inventory.h"

#include <stdlib.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/temporary_directory_test.h"
#include "store/hasher.h"

namespace plz {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PythonInventoryTest : public testing::Test {
 protected:
  PendingPythonInventory start(const std::string& interpreter, EnvironmentVariables environment = {}) {
    environment.emplace_back("PATH", getenv("PATH"));
    auto pending = PendingPythonInventory::start(interpreter, environment, root_.path(), root_.path("cache/plz"));
    EXPECT_TRUE(pending) << pending.error().message;
    return std::move(*pending);
  }
  PythonInventory ask(const std::string& interpreter, EnvironmentVariables environment = {}) {
    auto pending = start(interpreter, std::move(environment));
    was_cached_ = pending.was_cached();
    auto inventory = pending.finish();
    EXPECT_TRUE(inventory) << inventory.error().message;
    return inventory ? *inventory : PythonInventory{};
  }
  // A program that answers like an interpreter which depends on `needs`.
  std::string fake_python(const std::string& needs) {
    return root_.write("python3",
                       "#!/bin/sh\nprintf 'version 3.99.1\\nimplementation Fake\\nneeds " + needs +
                           "\\neditable my_tool /a b/c\\npath /d\\n\\n{\"packages\":{}}\\n'\n",
                       0755);
  }

  TemporaryDirectory root_;
  bool was_cached_ = false;
};

TEST_F(PythonInventoryTest, IsAskedOnceUntilSomethingChanges) {
  ASSERT_TRUE(make_directories(root_.path("site")));
  std::string python = fake_python(root_.path("site"));
  PythonInventory first = ask(python);
  EXPECT_FALSE(was_cached_);
  EXPECT_EQ(first.version, "3.99.1");
  EXPECT_EQ(first.implementation, "Fake");
  EXPECT_THAT(first.live, ElementsAre(LiveCode{"my_tool", "/a b/c"}, LiveCode{"", "/d"}));
  EXPECT_EQ(first.text, R"({"packages":{}})");
  EXPECT_EQ(first.digest, digest_of(first.text));

  PythonInventory second = ask(python);
  EXPECT_TRUE(was_cached_);
  EXPECT_EQ(second.version, first.version);
  EXPECT_EQ(second.live, first.live);
  EXPECT_EQ(second.text, first.text);

  root_.write("site/new.dist-info/METADATA", "");
  ask(python);
  EXPECT_FALSE(was_cached_);
  ask(python, {{"PYTHONPATH", "src"}});
  EXPECT_FALSE(was_cached_);
  ask(python);
  EXPECT_TRUE(was_cached_);
}

TEST_F(PythonInventoryTest, IsAskedAgainWhenTheCacheIsDamaged) {
  std::string python = fake_python(root_.path("site"));
  ask(python);
  auto names = list_directory(root_.path("cache/plz"));
  ASSERT_EQ(names->size(), 1u);
  std::string cache = "cache/plz/" + names->front();
  std::string text = *read_file(root_.path(cache));
  for (size_t size : {size_t{0}, text.size() / 2, text.size() - 1}) {
    root_.write(cache, text.substr(0, size));
    EXPECT_EQ(ask(python).version, "3.99.1");
    EXPECT_FALSE(was_cached_) << size;
  }
  ask(python);
  EXPECT_TRUE(was_cached_);
}

TEST_F(PythonInventoryTest, TellsHowTheInterpreterFailed) {
  auto pending = start(root_.write("python3", "#!/bin/sh\necho one >&2; echo no module >&2; exit 1\n", 0755));
  auto inventory = pending.finish();
  ASSERT_FALSE(inventory);
  EXPECT_EQ(inventory.error().message, "the interpreter failed with an exit status of 1: no module");
}

TEST_F(PythonInventoryTest, KnowsARealInterpreter) {
  const char* python = "/usr/bin/python3";
  if (!path_exists(python)) GTEST_SKIP() << "no " << python;
  root_.write("json.py", "raise SystemExit('imported from the working directory')\n");
  std::string live = root_.path("live");
  root_.write("site-packages/digits.libs/libopenblas-0123.so", "four");
  root_.write("site-packages/digits.libs/libpng.so", "four");
  root_.write("site/digits-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: digits\nVersion: 1.0\n");
  root_.write("site/digits-1.0.dist-info/direct_url.json",
              R"({"url": "file://)" + live + R"(%20x", "dir_info": {"editable": true}})");
  PythonInventory inventory = ask(python, {{"PYTHONPATH", "site:site-packages"}, {"PYTHONNOUSERSITE", "1"}});
  EXPECT_THAT(inventory.version, testing::StartsWith("3."));
  EXPECT_EQ(inventory.implementation, "CPython");
  EXPECT_THAT(inventory.text, HasSubstr(R"("digits":"1.0")"));
  EXPECT_THAT(inventory.text, HasSubstr(R"("digits.libs/libopenblas-0123.so":4)"));
  EXPECT_THAT(inventory.text, testing::Not(HasSubstr("libpng")));
  EXPECT_THAT(inventory.text, HasSubstr(R"("executable":"/usr/bin/python3)"));
  EXPECT_THAT(inventory.live, ElementsAre(LiveCode{"digits", live + " x"})) << "PYTHONPATH itself is no .pth file's";
  ask(python, {{"PYTHONPATH", "site:site-packages"}, {"PYTHONNOUSERSITE", "1"}});
  EXPECT_TRUE(was_cached_);
}

TEST_F(PythonInventoryTest, KnowsAVirtualEnvironmentWithAPthFile) {
  if (system(("/usr/bin/python3 -m venv --without-pip " + root_.path("venv") + " >/dev/null 2>&1").c_str()) != 0)
    GTEST_SKIP() << "no venv module";
  std::string python = root_.path("venv/bin/python3"), site;
  const auto versions = list_directory(root_.path("venv/lib"));
  site = "venv/lib/" + versions->front() + "/site-packages";
  ASSERT_TRUE(make_directories(root_.path("project/src")));
  EXPECT_THAT(ask(python).live, IsEmpty());
  root_.write(site + "/project.pth", root_.path("project/src") + "\n");
  EXPECT_THAT(ask(python).live, ElementsAre(LiveCode{"", root_.path("project/src")}));
  EXPECT_FALSE(was_cached_);
  EXPECT_THAT(ask(python).text, HasSubstr("\"prefix\":\"" + root_.path("venv") + "\""));
  EXPECT_TRUE(was_cached_);
}

TEST(PythonAnswer, ThatMakesNoSenseIsNone) {
  for (const char* wrong : {"", "version 3\n", "version 3\n\n", "\n\n{}", "implementation x\n\n{}"})
    EXPECT_FALSE(parse_python_answer(wrong)) << wrong;
  EXPECT_TRUE(parse_python_answer("noise\nversion 3\n\n{}\n"));
}

}  // namespace
}  // namespace plz
