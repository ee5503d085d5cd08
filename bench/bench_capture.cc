// Capture and materialisation beside the yardsticks, in one run: cp -r and sync, openssl dgst, git
// status. Usage: bench_capture [small] [large] [unchanged] [million] [/DIRECTORY]; all but the last
// part by default, under /tmp, where it needs 5 GiB. A million files take 5 GiB and 1,100,000 inodes more, and
// have no yardstick: git needs minutes for them.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <string>

#include "os/file.h"
#include "store/capture.h"
#include "store/local/local_pack_store.h"
#include "store/materialise.h"
#include "store/memory/pack_blob_channel.h"

namespace plz {
namespace {

// Wall-clock time, and CPU time of this process and its children: what a busy machine distorts less.
struct Took {
  double seconds = 0, cpu = 0;
};

double cpu_seconds() {
  double sum = 0;
  for (int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage;
    getrusage(who, &usage);
    for (timeval time : {usage.ru_utime, usage.ru_stime}) sum += static_cast<double>(time.tv_sec) + time.tv_usec * 1e-6;
  }
  return sum;
}

Took measured(const std::function<void()>& work) {
  auto began = std::chrono::steady_clock::now();
  double cpu = cpu_seconds();
  work();
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(), cpu_seconds() - cpu};
}

Took best_of(int times, const std::function<void()>& work) {
  Took best = measured(work);
  for (int i = 1; i < times; ++i) {
    Took took = measured(work);
    if (took.seconds < best.seconds) best = took;
  }
  return best;
}

void report(const std::string& what, Took took) {
  printf("%-45s %9.1f ms (cpu %8.1f)\n", what.c_str(), took.seconds * 1000, took.cpu * 1000);
  fflush(stdout);
}
// The most that this process held since the last call.
void report_peak_memory(const std::string& what) {
  if (auto status = read_file("/proc/self/status"))
    if (size_t at = status->find("VmHWM:"); at != status->npos)
      printf("%-45s %9.1f MiB\n", what.c_str(), strtod(status->c_str() + at + strlen("VmHWM:"), nullptr) / 1024);
  // Resets it: proc(5).
  if (auto fd = open_file("/proc/self/clear_refs", O_WRONLY)) (void)write_all(fd->get(), "5");
}

void report(const std::string& what, Took took, const char* yardstick, Took its) {
  printf("%-45s %9.1f ms (cpu %8.1f)  %5.2f x %s, %.1f ms (cpu %.1f)\n", what.c_str(), took.seconds * 1000,
         took.cpu * 1000, took.seconds / its.seconds, yardstick, its.seconds * 1000, its.cpu * 1000);
  fflush(stdout);
}

[[noreturn]] void give_up(const Error& error) {
  fprintf(stderr, "%s\n", error.message.c_str());
  exit(1);
}
template <typename T>
T expect(Result<T> result) {
  if (!result) give_up(result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

void shell(const std::string& command) {
  if (system(command.c_str()) == 0) return;
  fprintf(stderr, "failed: %s\n", command.c_str());
  exit(1);
}

std::string random_bytes(std::mt19937_64& generator, size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i + 8 <= size; i += 8) {
    uint64_t value = generator();
    memcpy(bytes.data() + i, &value, 8);
  }
  return bytes;
}

class Bench {
 public:
  explicit Bench(std::string scratch) : scratch_(std::move(scratch)) {}
  ~Bench() { (void)remove_tree(scratch_); }

  void many_files(size_t count, size_t bytes);
  void unchanged_files(size_t count, bool beside_git);
  void large_file();

 private:
  std::string at(const std::string& name) const { return scratch_ + "/" + name; }
  void make_files(const std::string& root, size_t count, size_t bytes);
  CaptureResult captured(const std::string& root, BlobSink& sink) {
    CaptureOptions options;
    options.stat_cache_path = root + ".cache";
    return expect(capture(root, options, sink));
  }
  void forget() {
    (void)remove_tree(at("store"));
    sync();
  }

  std::string scratch_;
  std::mt19937_64 generator_{1};
};

void Bench::make_files(const std::string& root, size_t count, size_t bytes) {
  expect(make_directories(root));
  for (size_t i = 0; i < count; ++i) {
    std::string directory = root + "/d" + std::to_string(i / 100);
    if (i % 100 == 0) mkdir(directory.c_str(), 0755);
    auto fd = expect(open_file(directory + "/file-" + std::to_string(i), O_WRONLY | O_CREAT, 0644));
    expect(write_all(fd.get(), random_bytes(generator_, bytes)));
  }
  sync();
}

void Bench::many_files(size_t count, size_t bytes) {
  std::string root = at("many");
  make_files(root, count, bytes);
  shell("cp -r " + root + " " + at("warm"));
  sync();
  Took copy = measured([&] { shell("cp -r " + root + " " + at("copy") + " && sync"); });
  {
    auto store = expect(LocalPackStore::open(at("store")));
    PackBlobChannel channel(*store);
    CaptureResult result;
    Took first = measured([&] { result = captured(root, channel); });
    report("10,000 files of 10 KB, first capture, durable", first, "cp -r + sync", copy);
    report("unchanged", best_of(5, [&] { captured(root, channel); }));
    sync();
    Took written = measured([&] { expect(materialise(result.tree, at("out"), {}, channel)); });
    report("materialised", written, "cp -r + sync", copy);
    shell("diff -r " + root + " " + at("out"));
  }
  forget();
  for (const char* name : {"many", "warm", "copy", "out"}) (void)remove_tree(at(name));
}

void Bench::unchanged_files(size_t count, bool beside_git) {
  std::string root = at("unchanged");
  make_files(root, count, 64);
  Took status;
  if (beside_git) {
    shell("cd " + root +
          " && git init -q . && git add -A . && git -c user.name=b -c user.email=b commit -qm b && "
          "git status > " +
          at("status"));
    status = best_of(3, [&] { shell("cd " + root + " && git status > " + at("status")); });
  }
  auto store = expect(LocalPackStore::open(at("store")));
  PackBlobChannel channel(*store);
  class NoGit final : public CaptureFilter {
    Verdict judge(std::string_view path, bool) const override {
      return path == ".git" ? Verdict::exclude : Verdict::include;
    }
  } filter;
  CaptureOptions options{.filter = &filter, .stat_cache_path = root + ".cache"};
  const std::string files = std::to_string(count) + " files";
  report(files + ", first capture", measured([&] { expect(capture(root, options, channel)); }));
  report_peak_memory("  at its peak");
  Took unchanged = best_of(3, [&] { expect(capture(root, options, channel)); });
  if (beside_git) report(files + ", unchanged", unchanged, "git status", status);
  else report(files + ", unchanged", unchanged);
  report_peak_memory("  at its peak");
  shell("echo changed >> " + root + "/d7/file-707");
  report("one of them changed", measured([&] { expect(capture(root, options, channel)); }));
  report_peak_memory("  at its peak");
  forget();
  (void)remove_tree(root);
}

void Bench::large_file() {
  std::string root = at("large");
  expect(make_directories(root));
  std::string file = root + "/data.bin";
  {
    auto fd = expect(open_file(file, O_WRONLY | O_CREAT, 0644));
    for (int i = 0; i < 1024; ++i) expect(write_all(fd.get(), random_bytes(generator_, 1u << 20)));
  }
  sync();
  std::string digest_command = "openssl dgst -sha256 " + file + " > " + at("digest");
  Took digest = best_of(3, [&] { shell(digest_command); });
  Took copy = measured([&] { shell("cp " + file + " " + at("copy") + " && sync"); });
  auto store = expect(LocalPackStore::open(at("store")));
  PackBlobChannel channel(*store);
  CaptureResult result;
  report("1 GiB file, first capture, durable", measured([&] { result = captured(root, channel); }),
         "openssl dgst + cp + sync", {digest.seconds + copy.seconds, digest.cpu + copy.cpu});
  report("unchanged", best_of(5, [&] { captured(root, channel); }));
  {
    auto fd = expect(open_file(file, O_WRONLY | O_APPEND));
    expect(write_all(fd.get(), random_bytes(generator_, 1u << 20)));
  }
  report("1 MiB appended", measured([&] { result = captured(root, channel); }), "openssl dgst", digest);
  printf("%-45s %9.2f MiB\n", "  stored for it", static_cast<double>(result.bytes_sent) / (1 << 20));
  sync();
  Took written = measured([&] { expect(materialise(result.tree, at("out"), {}, channel)); });
  report("materialised", written, "cp + sync", copy);
  shell("cmp " + file + " " + at("out") + "/data.bin");
  forget();
  for (const char* name : {"large", "copy", "out"}) (void)remove_tree(at(name));
}

int run(int argc, char** argv) {
  std::vector<std::string> parts;
  std::string directory = "/tmp";
  for (int i = 1; i < argc; ++i) (argv[i][0] == '/' ? directory = argv[i] : parts.emplace_back(argv[i]));
  if (parts.empty()) parts = {"small", "large", "unchanged"};
  std::string pattern = join_path(directory, "plz-bench-XXXXXX");
  if (!mkdtemp(pattern.data())) give_up(errno_error(errno, "cannot make " + pattern));
  Bench bench(pattern);
  for (const auto& part : parts) {
    if (part == "small") bench.many_files(10'000, 10'240);
    if (part == "large") bench.large_file();
    if (part == "unchanged") bench.unchanged_files(100'000, true);
    if (part == "million") bench.unchanged_files(1'000'000, false);
  }
  return 0;
}

}  // namespace
}  // namespace plz

int main(int argc, char** argv) { return plz::run(argc, argv); }
