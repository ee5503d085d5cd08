#include "app/worker_options.h"

#include <getopt.h>

#include <charconv>
#include <cstdio>
#include <cstring>

#include "base/version.h"

namespace plz {
namespace {

constexpr char kHelp[] =
    "plz-worker: runs executions for a controller. It dials out and opens no port.\n"
    "\n"
    "  --controller ENDPOINT   unix:/path, http://host:port or https://host:port\n"
    "  --directory DIR         where its state, its jobs' files and its cache lie\n"
    "  --instance ID           the id of the instance it speaks for (default: kept in DIR)\n"
    "  --cache-bytes N         how large the cache of code and input may grow\n"
    "  --tree-entries N        how many files and directories one tree of code or input may have\n"
    "  --tree-depth N          how deep they may lie in each other\n"
    "  --tree-bytes N          how many bytes its files may have in all\n"
    "  --storage-patience N    how many seconds log and output of a job that is over wait for a controller that "
    "cannot\n"
    "                          store them, its disk being full\n"
    "  --measure-files N       how many measures an execution may have at a time\n"
    "  --measure-directories N   and directories of them\n"
    "  --measure-bytes N       how many bytes all their values may have that it ever wrote\n"
    "  --images-bytes N        how large the images that it built may grow (0: no limit)\n"
    "  --images-base IMAGE     what plz/python and plz/pytorch are made from\n"
    "  --images-build-network NETWORK   of RUN while an image is built\n"
    "  --hide DIR              a directory of plz's that jobs must not see\n"
    "  --log FILE              its own log (default: stderr)\n"
    "  --log-level LEVEL       debug, info, warning or error\n"
    "  --version, --help\n";

ParsedWorkerOptions wrong(const std::string& words) {
  fprintf(stderr, "plz-worker: %s\nplz-worker --help shows the options\n", words.c_str());
  return {std::nullopt, 2};
}

bool read_number(const char* text, uint64_t& number) {
  auto [end, error] = std::from_chars(text, text + strlen(text), number);
  return error == std::errc() && !*end;
}

std::optional<LogLevel> level_of(std::string_view name) {
  if (name == "debug") return LogLevel::debug;
  if (name == "info") return LogLevel::info;
  if (name == "warning") return LogLevel::warning;
  if (name == "error") return LogLevel::error;
  return std::nullopt;
}

}  // namespace

ParsedWorkerOptions parse_worker_options(int argc, char** argv) {
  enum {
    kController = 1,
    kDirectory,
    kInstance,
    kCacheBytes,
    kTreeEntries,
    kTreeDepth,
    kTreeBytes,
    kStoragePatience,
    kMeasureFiles,
    kMeasureDirectories,
    kMeasureBytes,
    kImagesBytes,
    kImagesBase,
    kImagesNetwork,
    kHide,
    kLog,
    kLogLevel,
    kVersionFlag,
    kHelpFlag
  };
  static constexpr option kOptions[] = {{"controller", required_argument, nullptr, kController},
                                        {"directory", required_argument, nullptr, kDirectory},
                                        {"instance", required_argument, nullptr, kInstance},
                                        {"cache-bytes", required_argument, nullptr, kCacheBytes},
                                        {"tree-entries", required_argument, nullptr, kTreeEntries},
                                        {"tree-depth", required_argument, nullptr, kTreeDepth},
                                        {"tree-bytes", required_argument, nullptr, kTreeBytes},
                                        {"storage-patience", required_argument, nullptr, kStoragePatience},
                                        {"measure-files", required_argument, nullptr, kMeasureFiles},
                                        {"measure-directories", required_argument, nullptr, kMeasureDirectories},
                                        {"measure-bytes", required_argument, nullptr, kMeasureBytes},
                                        {"images-bytes", required_argument, nullptr, kImagesBytes},
                                        {"images-base", required_argument, nullptr, kImagesBase},
                                        {"images-build-network", required_argument, nullptr, kImagesNetwork},
                                        {"hide", required_argument, nullptr, kHide},
                                        {"log", required_argument, nullptr, kLog},
                                        {"log-level", required_argument, nullptr, kLogLevel},
                                        {"version", no_argument, nullptr, kVersionFlag},
                                        {"help", no_argument, nullptr, kHelpFlag},
                                        {nullptr, 0, nullptr, 0}};
  WorkerOptions options;
  bool has_controller = false;
  for (int c; (c = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    switch (c) {
      case kController: {
        auto endpoint = parse_endpoint(optarg);
        if (!endpoint) return wrong("--controller: " + endpoint.error().message);
        options.controller = *endpoint;
        has_controller = true;
        break;
      }
      case kDirectory: options.directory = optarg; break;
      case kInstance:
        options.instance = InstanceId::parse(optarg);
        if (!options.instance) return wrong("--instance must be an id");
        break;
      case kCacheBytes:
        if (!read_number(optarg, options.cache_limit_bytes)) return wrong("--cache-bytes must be a number of bytes");
        break;
      case kTreeEntries:
        if (!read_number(optarg, options.tree_limits.entries)) return wrong("--tree-entries must be a number");
        break;
      case kStoragePatience: {
        uint64_t seconds = 0;
        if (!read_number(optarg, seconds) || seconds > 10'000'000)
          return wrong("--storage-patience must be a number of seconds");
        options.storage_patience = std::chrono::seconds(seconds);
        break;
      }
      case kTreeDepth:
        if (!read_number(optarg, options.tree_limits.depth)) return wrong("--tree-depth must be a number");
        break;
      case kTreeBytes:
        if (!read_number(optarg, options.tree_limits.bytes)) return wrong("--tree-bytes must be a number of bytes");
        break;
      case kMeasureFiles:
        if (!read_number(optarg, options.measure_limits.files)) return wrong("--measure-files must be a number");
        break;
      case kMeasureDirectories:
        if (!read_number(optarg, options.measure_limits.directories))
          return wrong("--measure-directories must be a number");
        break;
      case kMeasureBytes:
        if (!read_number(optarg, options.measure_limits.bytes))
          return wrong("--measure-bytes must be a number of bytes");
        break;
      case kImagesBytes:
        if (!read_number(optarg, options.images.limit_bytes)) return wrong("--images-bytes must be a number of bytes");
        break;
      case kImagesBase: options.images.base_image = optarg; break;
      case kImagesNetwork: options.images.build_network = optarg; break;
      case kHide: options.data_directory = optarg; break;
      case kLog: options.log_file = optarg; break;
      case kLogLevel: {
        auto level = level_of(optarg);
        if (!level) return wrong("--log-level must be debug, info, warning or error");
        options.log_level = *level;
        break;
      }
      case kVersionFlag: puts(std::string(plz_version()).c_str()); return {std::nullopt, 0};
      case kHelpFlag: fputs(kHelp, stdout); return {std::nullopt, 0};
      default: return {std::nullopt, 2};
    }
  }
  if (optind < argc) return wrong(std::string("unexpected: ") + argv[optind]);
  if (!has_controller) return wrong("--controller is missing");
  if (options.directory.empty()) return wrong("--directory is missing");
  return {options, 0};
}

}  // namespace plz
