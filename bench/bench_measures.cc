// The collection of measures, beside a walk that reads the same files (find … -exec cat), in one run.
// Usage: bench_measures [DIRECTORIES [/DIRECTORY]]; 20,000 with a file each by default, under /tmp.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "base/clock.h"
#include "os/file.h"
#include "worker/steps/measure_collector.h"
#include "worker/steps/measure_log.h"

namespace plz {
namespace {

using Clocked = std::chrono::steady_clock;

double seconds_since(Clocked::time_point began) {
  return std::chrono::duration<double>(Clocked::now() - began).count();
}

void expect(bool holds, const char* what) {
  if (holds) return;
  fprintf(stderr, "bench_measures: %s\n", what);
  exit(1);
}

void write_measures(const std::string& directory, int count) {
  for (int i = 0; i < count; ++i) {
    const std::string step = directory + "/" + std::to_string(i);
    expect(mkdir(step.c_str(), 0777) == 0, "cannot make a directory");
    auto file = open_file(step + "/loss", O_WRONLY | O_CREAT);
    expect(file && write_all(file->get(), "0.125"), "cannot write a measure");
  }
}

double read_by_find(const std::string& directory) {
  const auto began = Clocked::now();
  const std::string command = "find '" + directory + "' -type f -exec cat '{}' + > /dev/null";
  expect(system(command.c_str()) == 0, "find failed");
  return seconds_since(began);
}

size_t events_in(MeasureLog& log) {
  size_t count = 0;
  while (!log.all_taken()) {
    auto events = log.next(100'000, 1u << 30);
    expect(events.has_value(), "the log of measures is damaged");
    count += events->size();
    log.taken();
  }
  return count;
}

void row(const char* what, double plz, double yardstick) {
  printf("%-44s %9.0f ms   find and cat %7.0f ms   %6.2f x\n", what, plz * 1000, yardstick * 1000, plz / yardstick);
  fflush(stdout);
}

// All at the end, as of a job that was over before it was watched.
void at_the_end(const std::string& directory, int count, double yardstick) {
  SystemClock clock;
  MeasureLog log(directory + ".log");
  MeasureCollector collector(directory, {{"", std::nullopt}}, log, clock);
  const auto began = Clocked::now();
  expect(collector.collect_rest().has_value(), "collecting failed");
  row("measures: all at the end", seconds_since(began), yardstick);
  expect(events_in(log) == static_cast<size_t>(count), "measures are missing");
  unlink((directory + ".log").c_str());
}

// While they are written, until nothing watches any more: what that costs beside writing them alone.
void meanwhile(const std::string& directory, int count, double writing, double yardstick) {
  SystemClock clock;
  MeasureLog log(directory + ".log");
  MeasureCollector collector(directory, {{"", std::nullopt}}, log, clock);
  collector.watch();
  std::atomic<bool> writes = true;
  const auto began = Clocked::now();
  std::jthread writer([&] {
    write_measures(directory, count);
    writes = false;
  });
  while (writes) {
    pollfd event{collector.watch_fd(), POLLIN, 0};
    poll(&event, 1, 5);
    expect(collector.collect().has_value(), "collecting failed");
  }
  const double written = seconds_since(began);
  expect(collector.collect_rest().has_value(), "collecting failed");
  const double collected = seconds_since(began);
  collector.stop_watching();
  row("measures: while they are written", seconds_since(began) - writing, yardstick);
  printf("  written after %.0f ms (%.0f ms alone), collected after %.0f ms\n", written * 1000, writing * 1000,
         collected * 1000);
  expect(events_in(log) == static_cast<size_t>(count), "measures are missing");
}

void run(int count, const std::string& parent) {
  std::string directory = parent + "/plz-bench-measures-XXXXXX";
  expect(mkdtemp(directory.data()) != nullptr, "cannot make a directory");
  const std::string first = directory + "/first", second = directory + "/second";
  expect(mkdir(first.c_str(), 0777) == 0 && mkdir(second.c_str(), 0777) == 0, "cannot make a directory");
  const auto began = Clocked::now();
  write_measures(first, count);
  const double writing = seconds_since(began);
  const double yardstick = read_by_find(first);
  at_the_end(first, count, yardstick);
  meanwhile(second, count, writing, yardstick);
  (void)remove_tree(directory);
}

}  // namespace
}  // namespace plz

int main(int argc, char** argv) {
  plz::run(argc > 1 ? atoi(argv[1]) : 20'000, argc > 2 ? argv[2] : "/tmp");
  return 0;
}
