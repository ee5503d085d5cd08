#include "worker/steps/job_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plz {
namespace {

using testing::ElementsAre;
using testing::Pair;

const JobPlaces kPlaces{"/src", "/plz/configuration.json"};

Assignment with_shell(EnvironmentVariables shell) {
  Assignment assignment;
  assignment.shell_environment = std::move(shell);
  return assignment;
}

TEST(JobEnvironment, IsTheShellsWithoutWhatIsNotTheJobs) {
  auto assignment =
      with_shell({{"PATH", "/bin"}, {"PLZ_HOST", "x"}, {"PWD", "/home/ada/p"}, {"TMPDIR", "/run/x"}, {"LANG", "de"}});
  assignment.spec.environment = {{"LANG", "C"}, {"MODE", "fast"}};
  EXPECT_THAT(job_environment(assignment, kPlaces, {}),
              ElementsAre(Pair("PATH", "/bin"), Pair("LANG", "C"), Pair("PWD", "/src"), Pair("MODE", "fast"),
                          Pair("PYTHONUNBUFFERED", "1"), Pair("CONFIGURATION_FILE", "/plz/configuration.json")));
}

TEST(JobEnvironment, LeavesAnUnbufferedThatIsSet) {
  auto variables = job_environment(with_shell({{"PYTHONUNBUFFERED", ""}}), kPlaces, {});
  EXPECT_EQ(variables[0], std::pair(std::string("PYTHONUNBUFFERED"), std::string()));
  EXPECT_EQ(variables.size(), 3u);
}

TEST(JobEnvironment, InAContainerIsWhatWasConfigured) {
  auto assignment = with_shell({{"PATH", "/home/ada/bin"}, {"HOME", "/home/ada"}});
  assignment.spec.snapshot.environment.image = "debian:12";
  assignment.spec.environment = {{"MODE", "fast"}};
  const auto of_image = job_environment(assignment, kPlaces, {});
  EXPECT_THAT(of_image, ElementsAre(Pair("MODE", "fast"), Pair("PYTHONUNBUFFERED", "1"),
                                    Pair("CONFIGURATION_FILE", "/plz/configuration.json")));
  assignment.spec.snapshot.environment = {"", {}, true, {}};
  EXPECT_EQ(job_environment(assignment, kPlaces, {}), of_image);
}

TEST(JobEnvironment, InAContainerNamesTheGpusForNvidiasRuntime) {
  Capacity with_gpus;
  with_gpus.gpus = {{"0"}, {"1"}};
  Assignment assignment;
  assignment.spec.snapshot.environment.image = "debian:12";
  auto none = job_environment(assignment, kPlaces, with_gpus);
  EXPECT_EQ(variable_of(none, "NVIDIA_VISIBLE_DEVICES"), "void");
  assignment.gpu_ids = {"1"};
  auto one = job_environment(assignment, kPlaces, with_gpus);
  EXPECT_EQ(variable_of(one, "NVIDIA_VISIBLE_DEVICES"), "1");
  EXPECT_EQ(variable_of(one, "CUDA_VISIBLE_DEVICES"), "");
}

TEST(JobEnvironment, InAContainerWhoSaysHowGpusComeIsTakenAtTheirWord) {
  Capacity with_gpus;
  with_gpus.gpus = {{"0"}, {"1"}};
  Assignment assignment;
  assignment.spec.snapshot.environment.image = "debian:12";
  for (const char* arguments : {R"({"runtime": "nvidia"})", R"({"device_requests": [{"Driver": "cdi"}]})"}) {
    assignment.spec.docker_run_args.text = arguments;
    for (const auto& [name, value] : job_environment(assignment, kPlaces, with_gpus))
      EXPECT_NE(name, "NVIDIA_VISIBLE_DEVICES") << arguments;
  }
  assignment.spec.docker_run_args.text = R"({"shm_size": "1g"})";
  EXPECT_EQ(variable_of(job_environment(assignment, kPlaces, with_gpus), "NVIDIA_VISIBLE_DEVICES"), "void");
}

TEST(JobEnvironment, WithoutAShellHasWhatProgramsNeed) {
  auto variables = job_environment({}, kPlaces, {});
  EXPECT_NE(variable_of(variables, "PATH"), "");
  EXPECT_NE(variable_of(variables, "HOME"), "");
}

TEST(JobEnvironment, NamesTheGpusThatWereHandedOut) {
  Capacity two_gpus{1, 1, {"0", "1"}};
  auto assignment = with_shell({{"CUDA_VISIBLE_DEVICES", "0,1"}});
  EXPECT_EQ(variable_of(job_environment(assignment, kPlaces, {}), "CUDA_VISIBLE_DEVICES"), "0,1");
  EXPECT_EQ(variable_of(job_environment(assignment, kPlaces, two_gpus), "CUDA_VISIBLE_DEVICES"), "");
  assignment.spec.environment = {{"CUDA_VISIBLE_DEVICES", "1"}};
  EXPECT_EQ(variable_of(job_environment(assignment, kPlaces, two_gpus), "CUDA_VISIBLE_DEVICES"), "1");
  assignment.gpu_ids = {"GPU-a", "GPU-b"};
  EXPECT_EQ(variable_of(job_environment(assignment, kPlaces, two_gpus), "CUDA_VISIBLE_DEVICES"), "GPU-a,GPU-b");
}

}  // namespace
}  // namespace plz
