#include "init/spec.h"

#include <unistd.h>

#include <cstring>

#include "init/contract.h"
#include "init/file.h"
#include "init/message.h"

namespace plz::init {
namespace {

void take(Spec& spec, const char* key, char* value) {
  auto is = [key](const char* name) { return strcmp(key, name) == 0; };
  if (is(kKeyMode)) spec.own_pid_namespace = strcmp(value, "sandbox") == 0 && getpid() == 1;
  else if (is(kKeyLaunch)) spec.launch.push_back(value);
  else if (is(kKeyCommand)) spec.command.push_back(value);
  else if (is(kKeyEnvironment)) spec.environment.push_back(value);
  else if (is(kKeyDirectory)) spec.directory = value;
  else if (is(kKeyCgroup)) spec.cgroups.push_back(value);
  else if (is(kKeyCodeSource)) spec.code.source = value;
  else if (is(kKeyCodeTarget)) spec.code.target = value;
  else if (is(kKeyCodeUpper)) spec.code.upper = value;
  else if (is(kKeyCodeWork)) spec.code.work = value;
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
  for (;;) {
    char* key = next_text(at, end);
    char* value = next_text(at, end);
    if (!key || !value) return false;
    if (first && (strcmp(key, kSpecMagic) != 0 || strcmp(value, kSpecVersion) != 0)) return false;
    if (strcmp(key, kKeyEnd) == 0) return !spec.launch.empty() && !spec.command.empty();
    take(spec, key, value);
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
