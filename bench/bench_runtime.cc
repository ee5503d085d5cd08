// What a job costs beyond bare bubblewrap, and how fast its output reaches its log.
//   bench_runtime [DIRECTORY]   (where the attempts lie; default: a new one under /tmp)
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include "os/file.h"
#include "os/process.h"
#include "runtime/process/process_runtime.h"
#include "runtime/sandbox/sandbox_runtime.h"

namespace plz {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;
constexpr int kRounds = 60;
constexpr int kJobsPerThread = 150;
constexpr uint64_t kLogBytes = 512u << 20;

[[noreturn]] void die(const Error& error) {
  fmt::print(stderr, "bench_runtime: {}\n", error.message);
  std::exit(1);
}

template <typename T>
T must(Result<T> result) {
  if (!result) die(result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

double time_of(const std::function<void()>& what) {
  auto start = std::chrono::steady_clock::now();
  what();
  return Milliseconds(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

void run_bare_bubblewrap() {
  SpawnOptions options;
  options.program = find_program("bwrap", "/usr/bin:/bin").value_or("bwrap");
  options.arguments = {"bwrap",  "--ro-bind", "/",       "/",    "--dev",         "/dev",
                       "--proc", "/proc",     "--tmpfs", "/tmp", "--unshare-pid", "true"};
  options.environment = {"PATH=/usr/bin:/bin"};
  must(run_process(options, std::chrono::seconds(60)));
}

class Jobs {
 public:
  Jobs(Runtime& runtime, std::string directory) : runtime_(runtime), directory_(std::move(directory)) {
    must(make_directories(directory_ + "/code"));
  }

  // The job's log stays: the caller removes the directory.
  std::string run(const std::vector<std::string>& command) {
    LaunchSpec spec;
    spec.paths.directory = fmt::format("{}/attempt{}", directory_, next_++);
    must(make_directories(spec.paths.output()));
    must(make_directories(spec.paths.measures()));
    spec.command = command;
    spec.environment = {{"PATH", "/usr/bin:/bin"}};
    spec.code_tree = directory_ + "/code";
    for (const char* which : {"output", "measures"})
      spec.mounts.push_back({spec.paths.directory + "/" + which, runtime_.job_path(spec.paths, which), true});
    must(runtime_.start(spec));
    auto report = must(runtime_.wait(spec.paths, {}));
    if (!report.outcome.succeeded()) die({ErrorCode::internal, "the job failed: " + report.outcome.reason, {}});
    must(runtime_.destroy(spec.paths));
    return spec.paths.directory;
  }
  void run_and_forget(const std::vector<std::string>& command) { must(remove_tree(run(command))); }

 private:
  Runtime& runtime_;
  const std::string directory_;
  std::atomic<int> next_{0};
};

void measure_latency(Jobs& sandbox, Jobs& process) {
  std::vector<double> bare, boxed, plain;
  for (int i = 0; i < kRounds; ++i) {
    bare.push_back(time_of(run_bare_bubblewrap));
    boxed.push_back(time_of([&] { sandbox.run_and_forget({"true"}); }));
    plain.push_back(time_of([&] { process.run_and_forget({"true"}); }));
  }
  fmt::print(
      "`true`, median of {}: bare bwrap {:.2f} ms, sandbox {:.2f} ms (+{:.2f} ms, {:.2f} x), process {:.2f} ms\n",
      kRounds, median(bare), median(boxed), median(boxed) - median(bare), median(boxed) / median(bare), median(plain));
}

double jobs_per_second(const std::function<void()>& job) {
  double milliseconds = time_of([&] {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 2; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < kJobsPerThread; ++i) job();
      });
  });
  return 2 * kJobsPerThread / milliseconds * 1000;
}

void measure_throughput(Jobs& sandbox) {
  double bare = jobs_per_second(run_bare_bubblewrap);
  double boxed = jobs_per_second([&] { sandbox.run_and_forget({"true"}); });
  fmt::print("`true`, 2 at a time: bare bwrap {:.0f}/s, sandbox {:.0f}/s ({:.2f} x)\n", bare, boxed, boxed / bare);
}

void write_directly(const std::string& path) {
  SpawnOptions options;
  options.program = "/bin/sh";
  options.arguments = {"sh", "-c",
                       "yes 'epoch 12 loss 0.123456789' | head -c " + std::to_string(kLogBytes) + " > " + path};
  options.environment = {"PATH=/usr/bin:/bin"};
  must(run_process(options, std::chrono::seconds(600)));
}

void measure_log(Jobs& sandbox, const std::string& directory) {
  std::string file = directory + "/direct";
  double direct = time_of([&] { write_directly(file); });
  must(remove_tree(file));
  std::string attempt;
  double logged = time_of([&] {
    attempt = sandbox.run({"sh", "-c", "yes 'epoch 12 loss 0.123456789' | head -c " + std::to_string(kLogBytes)});
  });
  uint64_t size = must(file_size(attempt + "/log"));
  if (size != kLogBytes) die({ErrorCode::internal, fmt::format("the log holds {} bytes", size), {}});
  must(remove_tree(attempt));
  auto rate = [](double milliseconds) { return kLogBytes / 1e6 / milliseconds * 1000; };
  fmt::print("512 MiB of lines: into a file {:.0f} MB/s, through the job's log {:.0f} MB/s ({:.2f} x)\n", rate(direct),
             rate(logged), rate(logged) / rate(direct));
}

int run(std::string directory) {
  SandboxRuntime sandbox({.plz_init_path = PLZ_INIT_PATH, .probe_directory = directory});
  auto fingerprint = sandbox.fingerprint();
  if (!fingerprint.available) die({ErrorCode::unavailable, fingerprint.detail, {}});
  ProcessRuntime process(PLZ_INIT_PATH);
  Jobs boxed(sandbox, directory + "/sandbox"), plain(process, directory + "/process");
  measure_latency(boxed, plain);
  measure_throughput(boxed);
  measure_log(boxed, directory);
  must(remove_tree(directory));
  return 0;
}

}  // namespace
}  // namespace plz

int main(int argc, char** argv) {
  std::string directory = (argc > 1 ? std::string(argv[1]) : "/tmp") + "/plz-bench-runtime-XXXXXX";
  if (!mkdtemp(directory.data())) {
    std::perror("bench_runtime: cannot make a directory");
    return 1;
  }
  return plz::run(directory);
}
