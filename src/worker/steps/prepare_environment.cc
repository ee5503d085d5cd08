#include "worker/steps/prepare_environment.h"

#include "model/preparation_line.h"
#include "wire/json_reader.h"
#include "wire/shape.h"

namespace plz {
namespace {

// For an engine that is being restarted. Pulls and pushes have tries of their own.
constexpr int kTries = 3;

// Of docker_run_args, what the choice of an image depends on.
struct ImageArguments {
  std::string platform;
};

}  // namespace

template <>
struct Shape<ImageArguments> {
  static void members(auto& json, auto& value) { json.optional("platform", value.platform); }
};

namespace {

Result<EnvironmentRequest> request_of(const Assignment& assignment, const std::string& code_directory) {
  auto arguments = read_document<ImageArguments>(assignment.spec.docker_run_args.text);
  if (!arguments) return fail(std::move(arguments).error().with_context("docker_run_args"));
  EnvironmentRequest request;
  request.recipe = assignment.spec.snapshot.environment;
  request.code_directory = code_directory;
  request.code_tree = assignment.spec.snapshot.code_tree;
  request.platform = arguments->platform;
  request.repository = assignment.images_repository;
  return request;
}

}  // namespace

Result<ImageIdentity> prepare_environment(const Assignment& assignment, const std::string& code_directory,
                                          Environments* environments, PreparationLog& log, Connections& connections,
                                          const std::stop_token& stop) {
  if (!environments)
    return fail(ErrorCode::invalid, "this worker has no container engine",
                "without an image, and without a plz.Dockerfile, the job runs in a sandbox that needs none");
  PLZ_ASSIGN(const EnvironmentRequest request, request_of(assignment, code_directory));
  Backoff backoff = connections.backoff();
  for (int tries = 1;; ++tries) {
    auto ready = environments->ensure(
        request, [&](std::string_view line) { log.add(line); }, stop);
    if (ready) return std::move(ready->image);
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped while the environment was prepared");
    if (ready.error().code != ErrorCode::unavailable || tries == kTries) return fail(std::move(ready).error());
    log.add(preparation_line(PreparationVoice::warning, ready.error().message + "; trying again"));
    if (!wait_unless_stopped(stop, backoff.next()))
      return fail(ErrorCode::cancelled, "stopped while the environment was prepared");
  }
}

}  // namespace plz
