// git's own variables. git sets some for its hooks and aliases: what runs there would find the repository that they
// name, wherever it stands itself.
#pragma once

#include <string_view>

#include "model/execution.h"

namespace plz {

// Whether a variable says which repository, work tree, index or objects git works on: those that
// `git rev-parse --local-env-vars` lists of any version, but for GIT_CONFIG_COUNT and what it counts, which git itself
// never sets.
bool names_git_repository(std::string_view variable);

// What git runs with, so that it finds the repository that its working directory is in: of GIT_* only where its
// programs and the person's settings lie. Of settings in the environment, safe.directory alone is kept.
EnvironmentVariables git_environment(const EnvironmentVariables& environment);

}  // namespace plz
