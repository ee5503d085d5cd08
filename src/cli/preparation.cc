#include "cli/preparation.h"

#include <future>

#include <fmt/core.h>

#include "base/text.h"
#include "base/version.h"
#include "cli/code_filter.h"
#include "cli/git_environment.h"
#include "cli/input_source.h"
#include "cli/json_view.h"
#include "cli/metadata.h"
#include "cli/parameters.h"
#include "cli/process_attributes.h"
#include "model/engine_variables.h"
#include "os/file.h"
#include "os/logout_policy.h"
#include "store/capture.h"
#include "store/hasher.h"

namespace plz {
namespace {

// One stat cache for each captured root: none has to be read for another's files.
Result<std::string> stat_cache_path(const std::string& data_directory, const std::string& root) {
  const std::string directory = join_path(data_directory, "stat-cache");
  PLZ_TRY(make_directories(directory, 0700));
  return join_path(directory, digest_of(root).hex().substr(0, 32));
}

MetadataSources metadata_sources(const Session& session, const std::vector<std::string>& command,
                                 const EnvironmentRecipe& recipe) {
  const Configuration& configuration = session.configuration();
  MetadataSources sources;
  sources.plz_version = plz_version();
  sources.working_directory = session.working_directory();
  sources.context_path = configuration.context_path;
  sources.command = command;
  sources.environment = session.environment();
  sources.configured = configuration.environment;
  if (const auto* home = find_variable(session.environment(), "HOME")) sources.home = *home;
  sources.recorded_variables = configuration.recorded_variables;
  sources.host_environment = !recipe.uses_container();
  sources.shell_reaches_job = session.embedded();
  sources.attributes = attributes_to_submit(session, recipe.uses_container());
  return sources;
}

// Where the code was captured.
std::string recorded_context_path(const ExecutionSpec& spec, const std::string& otherwise) {
  const auto path = json_find(spec.configuration.text, {"context_path"});
  return path && json_plain(*path).starts_with('/') ? json_plain(*path) : otherwise;
}

MetadataSources metadata_sources_of_rerun(const Session& session, const ExecutionSpec& earlier) {
  MetadataSources sources = metadata_sources(session, earlier.command, earlier.snapshot.environment);
  sources.context_path = recorded_context_path(earlier, session.working_directory());
  sources.configured = earlier.environment;
  sources.earlier = earlier.metadata;
  // What was recorded then is to be compared with, wherever the rerun is typed.
  if (const auto patterns = json_find(earlier.configuration.text, {"recorded_variables"}))
    for (std::string_view pattern : json_elements(*patterns)) sources.recorded_variables.push_back(json_plain(pattern));
  return sources;
}

// The inventory of installed packages and the like, which the metadata name by digest.
Result<JsonText> finish_metadata(PendingMetadata pending, Session& session, BlobSink& sink) {
  Metadata metadata = pending.finish();
  for (const auto& warning : metadata.warnings) session.messages().warning(warning);
  for (const MetadataBlob& blob : metadata.blobs) PLZ_TRY(store_blob(blob.digest, blob.bytes, sink));
  return std::move(metadata.json);
}

// Only the embedded controller takes that. An image has an environment of its own: then it says which engine it is on.
void take_shell(const Session& session, Submission& submission) {
  const bool uses_container = submission.spec.snapshot.environment.uses_container();
  if (session.embedded()) submission.shell_environment = shell_environment(session.environment());
  if (uses_container)
    std::erase_if(submission.shell_environment,
                  [](const auto& variable) { return !is_engine_variable(variable.first); });
  submission.process_attributes = attributes_to_submit(session, uses_container);
}

// Fails as other commands do where somebody else's controller cannot be reached. Later on, it is waited for.
Result<void> meet_controller(Session& session) {
  if (session.embedded()) return {};
  return session.call([&](ApiClient& api) -> Result<void> {
    PLZ_TRY(api.ping(session.ping_timeout()));
    return {};
  });
}

// Before anything is read and sent: what every machine has, most ask for.
Result<void> check_resources(Session& session, const Resources& wanted) {
  if (session.configuration().wait_anyway || wanted == Resources()) return {};
  return session.call([&](ApiClient& api) { return api.check_resources(wanted); });
}

class Preparation {
 public:
  Preparation(Session& session, Interrupt& interrupt, const std::string& output_template)
      : session_(session),
        configuration_(session.configuration()),
        interrupt_(interrupt),
        output_template_(output_template),
        command_(configuration_.command.value_or(std::vector<std::string>())),
        recipe_{configuration_.image.value_or(""), configuration_.image_extensions, configuration_.has_dockerfile, {}} {
  }

  Result<Prepared> prepare() {
    PLZ_TRY(check_command());
    if (session_.embedded() && logout_ends_processes(session_.login_name(), session_.system_root()))
      session_.messages().warning(
          "This system ends your processes when you log out, jobs too: loginctl enable-linger keeps them");
    PLZ_ASSIGN(JsonText parameters, load_parameters(configuration_));
    // What waits for other processes runs at once: the controller's start, git twice, Python.
    // An ssh dies with the thread that started it: that one must be ours.
    auto found = std::async(session_.embedded() ? std::launch::async : std::launch::deferred,
                            [this] { return session_.endpoint(); });
    PendingMetadata metadata = PendingMetadata::start(metadata_sources(session_, command_, recipe_));
    PLZ_ASSIGN(PendingCodeFilter filter, start_code_filter(session_, output_template_));

    session_.messages().info("Capturing the files in " + printable(configuration_.context_path));
    PLZ_ASSIGN(CodeFilter code_filter, filter.finish());
    show(code_filter.warnings);
    PLZ_ASSIGN(Endpoint endpoint, found.get());
    PLZ_TRY(meet_controller(session_));
    PLZ_TRY(check_resources(session_, configuration_.resources));
    prepared_.blobs =
        std::make_unique<PatientBlobs>(session_, interrupt_, std::move(endpoint), LeaseId::make(session_.clock()));

    ExecutionSpec& spec = prepared_.submission.spec;
    session_.messages().info("Building the program snapshot");
    PLZ_ASSIGN(const CaptureResult code, capture_here(configuration_.context_path, code_filter.filter.get()));
    spec.snapshot.code_tree = code.tree;
    PLZ_ASSIGN(spec.input, capture_input());
    spec.parameters = std::move(parameters);
    PLZ_ASSIGN(spec.metadata, finish_metadata(std::move(metadata), session_, *prepared_.blobs));
    take_configuration(spec);
    prepared_.submission.wait_anyway = configuration_.wait_anyway;
    take_shell(session_, prepared_.submission);
    if (interrupt_.raised()) return fail(ErrorCode::cancelled, "interrupted");
    return std::move(prepared_);
  }

 private:
  Result<void> check_command() const {
    // An image has a command of its own.
    if (recipe_.uses_container() || !command_.empty()) return {};
    return fail(ErrorCode::invalid, "there is no command to run",
                "write `plz run -- COMMAND`, or \"command\": [\"COMMAND\"] in plz.config.json");
  }

  Result<CaptureResult> capture_here(const std::string& root, const CaptureFilter* filter) {
    CaptureOptions options;
    options.filter = filter;
    options.follow_links = configuration_.follow_links ? FollowLinks::outward : FollowLinks::hugging_face;
    PLZ_ASSIGN(options.stat_cache_path, stat_cache_path(session_.data_directory(), root));
    options.cancelled = interrupt_.flag();
    options.progress = [this](const CaptureProgress& progress) { show_progress(progress); };
    auto captured = capture(root, options, *prepared_.blobs);
    session_.messages().end_progress();
    if (captured) show(captured->warnings), show(captured->link_warnings);
    return captured;
  }

  Result<std::optional<Input>> capture_input() {
    if (!configuration_.input) return std::nullopt;
    const std::string& text = *configuration_.input;
    PLZ_ASSIGN(const InputSource source, parse_input_source(text));
    session_.messages().info("Capturing the input");
    const auto* file = std::get_if<FileInput>(&source);
    if (!file) return resolve_stored_input(source, text, session_, *prepared_.blobs, *prepared_.blobs);
    PLZ_ASSIGN(const CaptureResult captured, capture_here(file->path, nullptr));
    session_.messages().info(fmt::format("{} input bytes to upload", captured.content_bytes_sent));
    return Input{captured.tree, text, captured.total_bytes};
  }

  void take_configuration(ExecutionSpec& spec) const {
    spec.user = configuration_.user;
    spec.project = configuration_.project;
    spec.command = command_;
    spec.snapshot.environment = recipe_;
    spec.market = configuration_.market;
    spec.resources = configuration_.resources;
    spec.environment = configuration_.environment;
    spec.outputs = configuration_.outputs;
    spec.docker_run_args = configuration_.docker_run_args;
    spec.network = configuration_.network;
    spec.runtime = configuration_.runtime;
    spec.configuration = configuration_.merged;
    spec.parallel_indices_range = configuration_.parallel_indices_range;
    spec.indices_per_execution = configuration_.indices_per_execution;
  }

  void show(const std::vector<std::string>& warnings) {
    for (const auto& warning : warnings) session_.messages().warning(warning);
  }

  void show_progress(const CaptureProgress& progress) {
    session_.messages().progress(fmt::format(
        "{} {}, {} of {} hashed, {} sent", progress.files_seen, progress.files_seen == 1 ? "file" : "files",
        human_bytes(progress.bytes_hashed), human_bytes(progress.bytes_to_hash), human_bytes(progress.bytes_sent)));
  }

  Session& session_;
  const Configuration& configuration_;
  Interrupt& interrupt_;
  const std::string& output_template_;
  const std::vector<std::string> command_;  // empty: the image's own
  const EnvironmentRecipe recipe_;
  Prepared prepared_;
};

}  // namespace

Result<Prepared> prepare_run(Session& session, Interrupt& interrupt, const std::string& output_template) {
  return Preparation(session, interrupt, output_template).prepare();
}

Result<Prepared> prepare_rerun(Session& session, Interrupt& interrupt, const Execution& earlier,
                               const std::optional<JsonText>& parameters) {
  PLZ_TRY(check_resources(session, earlier.spec.resources));
  Prepared prepared;
  prepared.submission.wait_anyway = session.configuration().wait_anyway;
  PLZ_ASSIGN(prepared.blobs, PatientBlobs::open(session, interrupt, LeaseId::make(session.clock())));
  ExecutionSpec& spec = prepared.submission.spec;
  spec = earlier.spec;
  EnvironmentRecipe& recipe = spec.snapshot.environment;
  if (recipe.uses_container() && earlier.image) recipe.pinned = earlier.image;
  PendingMetadata metadata = PendingMetadata::start(metadata_sources_of_rerun(session, earlier.spec));
  PLZ_ASSIGN(spec.metadata, finish_metadata(std::move(metadata), session, *prepared.blobs));
  spec.user = session.configuration().user;
  spec.market = session.configuration().market;
  spec.previous_execution_id = earlier.id;
  spec.parent_id.reset();
  // A part alone is run again as a composite of its own indices.
  if (spec.indices) spec.parallel_indices_range = spec.indices;
  spec.indices.reset();
  if (parameters) spec.parameters = *parameters;
  take_shell(session, prepared.submission);
  if (interrupt.raised()) return fail(ErrorCode::cancelled, "interrupted");
  return prepared;
}

EnvironmentVariables shell_environment(const EnvironmentVariables& environment) {
  EnvironmentVariables kept;
  for (const auto& variable : environment)
    if (!variable.first.starts_with("PLZ_") && !names_git_repository(variable.first)) kept.push_back(variable);
  return kept;
}

}  // namespace plz
