#include "init/spec.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <utility>

#include "init/contract.h"
#include "init/file.h"
#include "init/message.h"

namespace plz::init {
namespace {

bool is(const char* key, const char* name) { return strcmp(key, name) == 0; }

const BoxStepKind* box_step_kind(const char* key) {
  static constexpr struct {
    const char* key;
    BoxStepKind kind;
  } kKinds[] = {{kKeyBoxLink, BoxStepKind::link},        {kKeyBoxRead, BoxStepKind::read},
                {kKeyBoxReadTry, BoxStepKind::read_try}, {kKeyBoxWrite, BoxStepKind::write},
                {kKeyBoxDevice, BoxStepKind::device},    {kKeyBoxHide, BoxStepKind::hide},
                {kKeyBoxProc, BoxStepKind::proc},        {kKeyBoxDevices, BoxStepKind::devices}};
  for (const auto& entry : kKinds)
    if (is(key, entry.key)) return &entry.kind;
  return nullptr;
}

bool take_attribute(AttributeSpec& attributes, const char* key, const char* value) {
  if (is(key, kKeyLimit)) attributes.limits.push_back(value);
  else if (is(key, kKeyAffinity)) attributes.affinity = value;
  else if (is(key, kKeyNiceness)) attributes.niceness = value;
  else if (is(key, kKeyUmask)) attributes.umask = value;
  else if (is(key, kKeyScheduling)) attributes.scheduling = value;
  else if (is(key, kKeyIoPriority)) attributes.io_priority = value;
  else if (is(key, kKeyOomScore)) attributes.oom_score = value;
  else if (is(key, kKeyPersonality)) attributes.personality = value;
  else return false;
  return true;
}

// Keys of a newer runtime are passed over.
void take(Spec& spec, const char* key, char* value, const char*& box_source) {
  if (is(key, kKeyMode)) {
    spec.own_pid_namespace = !is(value, kModeProcess) && getpid() == 1;
    spec.is_container = is(value, kModeContainer);
  } else if (is(key, kKeyLaunch)) spec.launch.push_back(value);
  else if (is(key, kKeyCommand)) spec.command.push_back(value);
  else if (is(key, kKeyEnvironment)) spec.environment.push_back(value);
  else if (is(key, kKeyDirectory)) spec.directory = value;
  else if (is(key, kKeyCgroup)) spec.cgroups.push_back(value);
  else if (is(key, kKeyCodeSource)) spec.code.source = value;
  else if (is(key, kKeyCodeTarget)) spec.code.target = value;
  else if (is(key, kKeyCodeUpper)) spec.code.upper = value;
  else if (is(key, kKeyCodeWork)) spec.code.work = value;
  else if (is(key, kKeyUser)) spec.wanted_user = value;
  else if (is(key, kKeyGroup)) spec.groups.push_back(value);
  else if (is(key, kKeyHome)) spec.set_home = is(value, "set");
  else if (is(key, kKeyStopSignal)) spec.stop_signal = atoi(value);
  else if (is(key, kKeyGiveBack)) spec.give_back.push_back(value);
  else if (is(key, kKeyBoxRoot)) spec.box.root = value;
  else if (is(key, kKeyBoxNetwork)) spec.box.network = !is(value, "none");
  else if (is(key, kKeyBoxSource)) box_source = value;
  else if (take_attribute(spec.attributes, key, value)) return;
  else if (const BoxStepKind* kind = box_step_kind(key))
    spec.box.steps.push_back({*kind, std::exchange(box_source, nullptr), value});
}

// Null at the end of the text, or where the final NUL is missing.
char* next_text(char*& at, char* end) {
  char* nul = at < end ? static_cast<char*>(memchr(at, 0, static_cast<size_t>(end - at))) : nullptr;
  if (!nul) return nullptr;
  char* text = at;
  at = nul + 1;
  return text;
}

bool parse(Spec& spec) {
  char* at = spec.storage.data();
  char* end = at + spec.storage.size();
  bool first = true;
  const char* box_source = nullptr;
  for (;;) {
    char* key = next_text(at, end);
    char* value = next_text(at, end);
    if (!key || !value) return false;
    if (first && (strcmp(key, kSpecMagic) != 0 || strcmp(value, kSpecVersion) != 0)) return false;
    if (strcmp(key, kKeyEnd) == 0)
      return !spec.command.empty() && (spec.is_container || spec.box.root || !spec.launch.empty());
    take(spec, key, value, box_source);
    first = false;
  }
}

}  // namespace

bool load_spec(int attempt_directory, Spec& spec) {
  if (!read_whole(attempt_directory, kSpecFile, spec.storage)) {
    complain_errno("cannot read", kSpecFile);
    return false;
  }
  if (!parse(spec)) {
    complain("%s is damaged, or of another version of plz", kSpecFile);
    return false;
  }
  for (auto* list : {&spec.launch, &spec.command, &spec.environment}) list->push_back(nullptr);
  return true;
}

}  // namespace plz::init
