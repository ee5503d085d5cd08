#include "runtime/init_spec.h"

#include "init/contract.h"

namespace plz {
namespace {

class Encoder {
 public:
  void add(const char* key, const std::string& value) {
    if (value.find('\0') != value.npos) bad_key_ = key;
    text_.append(key).push_back('\0');
    text_.append(value).push_back('\0');
  }
  void add_if_set(const char* key, const std::string& value) {
    if (!value.empty()) add(key, value);
  }
  void add_all(const char* key, const std::vector<std::string>& values) {
    for (const auto& value : values) add(key, value);
  }
  Result<std::string> finish() {
    add(init::kKeyEnd, "");
    if (bad_key_) return fail(ErrorCode::invalid, std::string("the ") + bad_key_ + " holds a NUL byte");
    return std::move(text_);
  }

 private:
  std::string text_;
  const char* bad_key_ = nullptr;
};

const char* text_of(InitMode mode) {
  switch (mode) {
    case InitMode::box: return init::kModeBox;
    case InitMode::program: return init::kModeProgram;
    case InitMode::process: return init::kModeProcess;
    case InitMode::container: return init::kModeContainer;
  }
  return init::kModeProcess;
}

const char* key_of(BoxStepKind kind) {
  switch (kind) {
    case BoxStepKind::link: return init::kKeyBoxLink;
    case BoxStepKind::read: return init::kKeyBoxRead;
    case BoxStepKind::read_try: return init::kKeyBoxReadTry;
    case BoxStepKind::write: return init::kKeyBoxWrite;
    case BoxStepKind::device: return init::kKeyBoxDevice;
    case BoxStepKind::hide: return init::kKeyBoxHide;
    case BoxStepKind::proc: return init::kKeyBoxProc;
    case BoxStepKind::devices: return init::kKeyBoxDevices;
  }
  return init::kKeyBoxHide;
}

void add_box(Encoder& encoder, const InitSpec& spec) {
  if (spec.mode != InitMode::box) return;
  encoder.add(init::kKeyBoxRoot, spec.box_root);
  if (!spec.box_network) encoder.add(init::kKeyBoxNetwork, "none");
  for (const auto& step : spec.box_steps) {
    encoder.add_if_set(init::kKeyBoxSource, step.source);
    encoder.add(key_of(step.kind), step.path);
  }
}

void add_container(Encoder& encoder, const InitSpec& spec) {
  encoder.add_if_set(init::kKeyUser, spec.user);
  encoder.add_all(init::kKeyGroup, spec.groups);
  if (spec.set_home) encoder.add(init::kKeyHome, "set");
  if (spec.stop_signal > 0) encoder.add(init::kKeyStopSignal, std::to_string(spec.stop_signal));
  encoder.add_all(init::kKeyGiveBack, spec.give_back);
}

std::string bound_text(uint64_t bound) {
  return bound == ResourceLimit::kUnlimited ? "unlimited" : std::to_string(bound);
}

void add_attributes(Encoder& encoder, const ProcessAttributes& attributes) {
  for (const auto& [name, limit] : attributes.limits)
    encoder.add(init::kKeyLimit, name + " " + bound_text(limit.soft) + " " + bound_text(limit.hard));
  encoder.add_if_set(init::kKeyAffinity, attributes.affinity);
  if (attributes.niceness) encoder.add(init::kKeyNiceness, std::to_string(*attributes.niceness));
  if (attributes.umask) encoder.add(init::kKeyUmask, umask_text(*attributes.umask));
  encoder.add_if_set(init::kKeyScheduling, attributes.scheduling);
  if (attributes.io_priority) encoder.add(init::kKeyIoPriority, std::to_string(*attributes.io_priority));
  if (attributes.oom_score) encoder.add(init::kKeyOomScore, std::to_string(*attributes.oom_score));
  if (attributes.personality) encoder.add(init::kKeyPersonality, std::to_string(*attributes.personality));
}

}  // namespace

Result<std::string> encode_init_spec(const InitSpec& spec) {
  if (spec.command.empty()) return fail(ErrorCode::invalid, "there is no command to run");
  Encoder encoder;
  encoder.add(init::kSpecMagic, init::kSpecVersion);
  encoder.add(init::kKeyMode, text_of(spec.mode));
  encoder.add_all(init::kKeyLaunch, spec.launch);
  encoder.add_all(init::kKeyCommand, spec.command);
  for (const auto& [name, value] : spec.environment) encoder.add(init::kKeyEnvironment, name + "=" + value);
  encoder.add(init::kKeyDirectory, spec.directory);
  add_attributes(encoder, spec.attributes);
  add_box(encoder, spec);
  if (spec.mode == InitMode::container) add_container(encoder, spec);
  encoder.add_all(init::kKeyCgroup, spec.cgroup_procs);
  encoder.add_if_set(init::kKeyCodeSource, spec.code_source);
  encoder.add_if_set(init::kKeyCodeTarget, spec.code_target);
  encoder.add_if_set(init::kKeyCodeUpper, spec.code_upper);
  encoder.add_if_set(init::kKeyCodeWork, spec.code_work);
  return encoder.finish();
}

}  // namespace plz
