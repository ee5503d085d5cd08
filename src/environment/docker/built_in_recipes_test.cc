#include "environment/docker/built_in_recipes.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "environment/build/build_sight.h"
#include "os/process.h"
#include "os/temporary_directory_test.h"

namespace plz {
namespace {

using testing::ElementsAre;

TEST(BuiltInRecipes, AreTwo) {
  EXPECT_TRUE(built_in_recipe("plz/python"));
  EXPECT_TRUE(built_in_recipe("plz/pytorch"));
  for (const char* other : {"plz/other", "plz/python:3", "python", "plz"})
    EXPECT_FALSE(built_in_recipe(other)) << other;
}

TEST(BuiltInRecipes, SeeOnlyTheFileOfRequirements) {
  auto sight = [](const RecipeLayer& layer) {
    std::string text = "FROM a\n";
    for (const auto& line : layer.lines) text += line + "\n";
    return sight_of(text);
  };
  EXPECT_TRUE(sight(*built_in_recipe("plz/pytorch")).sees_nothing());
  EXPECT_FALSE(sight(requirements_layer("requirements.txt")).whole_context);
  EXPECT_THAT(sight(requirements_layer("requirements.txt")).sources, ElementsAre("requirements.txt"));
  EXPECT_FALSE(sight(requirements_layer("environment.yml")).whole_context);
  EXPECT_THAT(sight(requirements_layer("environment.yml")).sources,
              ElementsAre("environment.yml", "plz-environment.py"));
}

TEST(BuiltInRecipes, WhatPipCanInstallOfAnEnvironmentFile) {
  TemporaryDirectory directory;
  directory.write("script.py", requirements_layer("environment.yml").texts.at("plz-environment.py"));
  directory.write("environment.yml", R"(name: training
channels:
  - conda-forge
dependencies:
  - python=3.11
  - numpy
  - pandas=2.1  # a comment
  - scipy==1.10.1
  - conda-forge::pytorch>=2.0
  - matplotlib=3.7=py311_0
  - _libgcc_mutex=0.1
  - pip
  - pip:
      - tqdm
      - "einops>=0.6"
  - 'rich >= 13'
variables:
  A: b
)");
  PipeEnds pipe = *make_pipe();
  SpawnOptions options{.program = *find_program("python3", "/usr/bin:/usr/local/bin"),
                       .arguments = {"python3", directory.path() + "/script.py", directory.path() + "/environment.yml"},
                       .stdout_fd = pipe.in.get(),
                       .stderr_fd = 2};
  auto exit = run_process(options, std::chrono::seconds(60));
  ASSERT_TRUE(exit && exit->status == 0);
  pipe.in.reset();
  std::string output(4096, '\0');
  output.resize(*read_up_to(pipe.out.get(), output.data(), output.size()));
  EXPECT_EQ(output,
            "numpy\npandas==2.1.*\nscipy==1.10.1\ntorch>=2.0\nmatplotlib==3.7.*\ntqdm\neinops>=0.6\nrich>=13\n");
}

}  // namespace
}  // namespace plz
