// What an attempt's container is to be: pure, from the specification, docker_run_args and the image.
#pragma once

#include <string>

#include "engine/engine_client.h"
#include "runtime/init_spec.h"
#include "runtime/runtime.h"

namespace plz {

// Labels of every container that plz makes, and of none else.
inline constexpr char kLabelExecution[] = "plz.execution";
inline constexpr char kLabelAttempt[] = "plz.attempt";
inline constexpr char kLabelController[] = "plz.controller";

// As the job sees them.
inline constexpr char kContainerCodePath[] = "/src";
inline constexpr char kContainerJobRoot[] = "/plz";
inline constexpr char kContainerInitPath[] = "/plz/init";
inline constexpr char kContainerAttemptPath[] = "/plz/attempt";

// On the host.
struct ContainerPlaces {
  std::string plz_init;    // the program
  std::string attempt;     // what the container has of the attempt's directory
  std::string code_copy;   // what is to be /src
  std::string controller;  // for the label
};

// Who has the job's output: plz-init, or the engine, whose log is then followed.
enum class LogKeeper { plz_init, engine };

struct ContainerPlan {
  std::string name;
  std::string platform;
  JsonText create_body;
  LogKeeper log_keeper = LogKeeper::plz_init;
  InitSpec init;  // with LogKeeper::plz_init
  int stop_signal = 15;
};

// invalid: docker_run_args cannot be, or there is nothing to run.
Result<ContainerPlan> plan_container(const LaunchSpec& spec, const ImageDetails& image, const ContainerPlaces& places);

// A container of this image that gives back what an attempt's job wrote, where its own plz-init could not.
JsonText plan_give_back(const std::string& image, const AttemptPaths& paths, const ContainerPlaces& places,
                        const Labels& labels);

Labels container_labels(const LaunchSpec& spec, const std::string& controller);
// "SIGINT", "INT", "2", "SIGRTMIN+3"; nullopt: there is no such signal.
std::optional<int> signal_number(const std::string& name);

}  // namespace plz
