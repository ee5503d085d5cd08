#include "cli/python_inventory.h"

#include <sys/stat.h>

#include <chrono>

#include <fmt/core.h>

#include "base/text.h"
#include "os/file.h"
#include "store/hasher.h"

namespace plz {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);
constexpr std::string_view kCacheHead = "plz python inventory 2";

// Runs on any Python 3.6 or newer (3.8 for the packages). The working directory leaves sys.path before
// anything is imported from it.
constexpr std::string_view kScript = R"py(
import sys
sys.path[:] = [p for p in sys.path if p]
import json, os, platform
def line(name, *values):
    text = b" ".join([name.encode()] + [os.fsencode(v) for v in values])
    if b"\n" not in text: sys.stdout.buffer.write(text + b"\n")
given = [os.path.abspath(p) for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
paths = [os.path.abspath(p) for p in sys.path]
library = os.path.dirname(os.__file__)
line("version", platform.python_version())
line("implementation", platform.python_implementation())
line("needs", sys.executable)
line("needs", os.path.realpath(sys.executable))
line("needs", os.path.join(sys.prefix, "pyvenv.cfg"))
for p in paths:
    line("needs", p)
    try: pth = sorted(n for n in os.listdir(p) if n.endswith((".pth", ".egg-link")))
    except OSError: pth = []
    for n in pth: line("needs", os.path.join(p, n))
    installed = os.path.basename(p) in ("site-packages", "dist-packages", "lib-dynload") or p.endswith(".zip")
    if not installed and p != library and p not in given: line("path", p)
packages = {}
try:
    from importlib import metadata
    from urllib.parse import urlsplit
    from urllib.request import url2pathname
    for d in metadata.distributions():
        name = d.metadata["Name"]
        if not name or name in packages: continue
        packages[name] = d.version
        try: direct = json.loads(d.read_text("direct_url.json") or "{}")
        except Exception: continue
        url = urlsplit(direct.get("url", ""))
        if direct.get("dir_info", {}).get("editable") and url.scheme == "file":
            line("editable", name.replace(" ", "_"), url2pathname(url.path))
except ImportError:
    packages = None
def names(directory):
    try: return sorted(os.listdir(directory))
    except OSError: return []
def is_numerical(name):
    words = ("blas", "lapack", "mkl_", "blis", "gomp", "omp5", "libomp", "cudnn", "cublas", "quadmath")
    return ".so" in name and any(w in name for w in words)
libraries = {}
for p in paths:
    if os.path.basename(p) not in ("site-packages", "dist-packages"): continue
    bundles = [n for n in names(p) if n.endswith(".libs")] + ["torch/lib"]
    for b in bundles:
        for n in filter(is_numerical, names(os.path.join(p, b))):
            try: libraries.setdefault(b + "/" + n, os.stat(os.path.join(p, b, n)).st_size)
            except OSError: pass
if os.path.isdir(os.path.join(sys.prefix, "conda-meta")):
    line("needs", os.path.join(sys.prefix, "lib"))
    for n in ("libblas.so.3", "liblapack.so.3", "libgomp.so.1", "libiomp5.so"):
        real = os.path.realpath(os.path.join(sys.prefix, "lib", n))
        if os.path.exists(real): libraries["lib/" + n] = os.path.basename(real)
sys.stdout.buffer.write(b"\n")
print(json.dumps({"executable": sys.executable, "version": platform.python_version(), "prefix": sys.prefix,
    "implementation": platform.python_implementation(), "packages": packages,
    "libraries": libraries}, sort_keys=True, separators=(",", ":")))
)py";

// What a path was when the answer was given: a change of any of it makes the answer stale.
std::string stamp(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return "absent";
  return fmt::format("{}.{:09}-{}-{}", status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_size, status.st_ino);
}

// The word at the front, dropped with the space behind it.
std::string_view take_word(std::string_view& line) {
  size_t space = std::min(line.find(' '), line.size());
  auto word = line.substr(0, space);
  line.remove_prefix(std::min(space + 1, line.size()));
  return word;
}

std::string cache_path(const std::string& cache_directory, const std::string& interpreter,
                       const EnvironmentVariables& environment, const std::string& directory) {
  if (cache_directory.empty()) return {};
  std::string key = interpreter;
  for (const auto& [name, value] : environment)
    if (name.starts_with("PYTHON") || name.starts_with("PYENV_")) key += fmt::format("\n{}={}", name, value);
  // A relative PYTHONPATH means something else in each directory.
  if (key.find("\nPYTHONPATH=") != key.npos) key += "\n" + directory;
  return fmt::format("{}/python-{}", cache_directory, digest_of(key).hex());
}

// HEAD, the digest of all that follows, "stamp STAMP PATH" lines, an empty line, the answer.
std::optional<PythonInventory> read_cache(const std::string& path) {
  auto file = read_file_if_exists(path);
  if (!file || !*file) return std::nullopt;
  std::string_view text = **file;
  auto take_line = [&] {
    size_t end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
  };
  if (take_line() != kCacheHead) return std::nullopt;
  auto digest = take_line();
  if (digest != digest_of(text).hex()) return std::nullopt;
  for (auto line = take_line(); !line.empty(); line = take_line()) {
    auto expected = take_word(line);
    if (stamp(std::string(line)) != expected) return std::nullopt;
  }
  auto answer = parse_python_answer(text);
  if (!answer) return std::nullopt;
  return std::move(answer->inventory);
}

// A cache that cannot be written costs time at the next run, and nothing else.
void write_cache(const std::string& path, const PythonAnswer& answer, std::string_view text) {
  std::string body;
  for (const auto& needed : answer.depends_on) body += fmt::format("{} {}\n", stamp(needed), needed);
  body += "\n";
  body += text;
  if (!make_directories(parent_path(path), 0700)) return;
  static_cast<void>(
      write_file_atomically(path, fmt::format("{}\n{}\n{}", kCacheHead, digest_of(body).hex(), body), 0600, Sync::no));
}

}  // namespace

std::optional<PythonAnswer> parse_python_answer(std::string_view text) {
  PythonAnswer answer;
  size_t head = text.find("\n\n");
  if (head == text.npos) return std::nullopt;
  PythonInventory& inventory = answer.inventory;
  for (auto line : split(text.substr(0, head), '\n')) {
    auto name = take_word(line);
    if (name == "version") inventory.version = line;
    if (name == "implementation") inventory.implementation = line;
    if (name == "needs") answer.depends_on.emplace_back(line);
    if (name == "path") inventory.live.push_back({"", std::string(line)});
    if (name == "editable") {
      std::string distribution(take_word(line));
      inventory.live.push_back({std::move(distribution), std::string(line)});
    }
  }
  inventory.text = trim(text.substr(head));
  if (inventory.version.empty() || !inventory.text.starts_with('{')) return std::nullopt;
  inventory.digest = digest_of(inventory.text);
  return answer;
}

Result<PendingPythonInventory> PendingPythonInventory::start(const std::string& interpreter,
                                                             const EnvironmentVariables& environment,
                                                             const std::string& directory,
                                                             const std::string& cache_directory) {
  PendingPythonInventory pending;
  pending.cache_path_ = cache_path(cache_directory, interpreter, environment, directory);
  if (!pending.cache_path_.empty()) pending.cached_ = read_cache(pending.cache_path_);
  if (pending.cached_) return pending;
  PLZ_ASSIGN(pending.python_,
             BackgroundCommand::start({interpreter, {"-c", std::string(kScript)}, environment, directory}));
  return pending;
}

Result<PythonInventory> PendingPythonInventory::finish() {
  if (cached_) return std::move(*cached_);
  PLZ_ASSIGN(auto ended, python_->finish(kPatience));
  auto answer = ended.exit_status == 0 ? parse_python_answer(ended.output) : std::nullopt;
  if (!answer) {
    auto words = split(trim(ended.errors), '\n').back();
    return fail(ErrorCode::invalid, fmt::format("the interpreter failed with an exit status of {}: {}",
                                                ended.exit_status, printable(words)));
  }
  if (!cache_path_.empty()) write_cache(cache_path_, *answer, ended.output);
  return std::move(answer->inventory);
}

}  // namespace plz
