#include "cli/python_interpreter.h"

#include <gtest/gtest.h>

#include "os/temporary_directory_test.h"

namespace plz {
namespace {

using Command = std::vector<std::string>;

class PythonOfCommandTest : public testing::Test {
 protected:
  PythonOfCommandTest() {
    for (const char* name : {"bin/python3", "bin/python3.11", "bin/pythonista", "code/.venv/bin/python"})
      root_.write(name, "", 0755);
    root_.write("bin/torchrun", "#!" + root_.path("bin/python3.11") + " -s\nimport torch\n", 0755);
    root_.write("code/env.py", "#!/usr/bin/env -S python3 -u\n", 0755);
    root_.write("code/run.sh", "#!/bin/sh\npython3 x.py\n", 0755);
    root_.write("code/plain.py", "#!/usr/bin/env python3\n", 0644);
    root_.write("code/binary", std::string("#!\0\n", 4), 0755);
  }
  std::string python_of(const Command& command) {
    return python_of_command(command, {{"PATH", root_.path("bin") + ":/bin"}}, root_.path("code")).value_or("none");
  }

  TemporaryDirectory root_;
};

TEST_F(PythonOfCommandTest, FindsAnInterpreterByItsName) {
  EXPECT_EQ(python_of({"python3", "train.py"}), root_.path("bin/python3"));
  EXPECT_EQ(python_of({".venv/bin/python", "-m", "x"}), root_.path("code/.venv/bin/python"));
  EXPECT_EQ(python_of({root_.path("bin/python3.11")}), root_.path("bin/python3.11"));
  EXPECT_EQ(python_of({"python2"}), "none");
  EXPECT_EQ(python_of({"pythonista"}), "none");
  EXPECT_EQ(python_of({}), "none");
}

TEST_F(PythonOfCommandTest, FindsTheInterpreterOfAScript) {
  EXPECT_EQ(python_of({"torchrun", "x.py"}), root_.path("bin/python3.11"));
  EXPECT_EQ(python_of({"./env.py"}), root_.path("bin/python3"));
  EXPECT_EQ(python_of({"./run.sh"}), "none");
  EXPECT_EQ(python_of({"./plain.py"}), "none") << "not executable";
  EXPECT_EQ(python_of({"./binary"}), "none");
}

TEST_F(PythonOfCommandTest, LooksIntoWhatAShellIsGiven) {
  EXPECT_EQ(python_of({"sh", "-c", "A=1 exec python3 train.py | tee log"}), root_.path("bin/python3"));
  EXPECT_EQ(python_of({"/bin/sh", "-c", " torchrun x"}), root_.path("bin/python3.11"));
  EXPECT_EQ(python_of({"sh", "-c", "make"}), "none");
  EXPECT_EQ(python_of({"sh", "-c", ""}), "none");
  EXPECT_EQ(python_of({"sh", "python3"}), "none");
}

}  // namespace
}  // namespace plz
