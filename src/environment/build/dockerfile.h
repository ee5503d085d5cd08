// A Dockerfile as a row of instructions. Source of the format: the Dockerfile reference,
// https://docs.docker.com/reference/dockerfile/, and the parser of github.com/moby/buildkit.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plz {

struct DockerInstruction {
  std::string name;                // in upper case: "COPY"
  std::vector<std::string> flags;  // "--from=build"
  std::string rest;                // behind the flags, in one line
};

// Never fails: what is no Dockerfile is for the engine to refuse. Comments are left out, continued lines joined.
// The lines of a heredoc appear as instructions of their own.
std::vector<DockerInstruction> parse_dockerfile(std::string_view text);

// The words of COPY and ADD, from their list in JSON or parted by blanks. Quotes and variables stay as they are.
std::vector<std::string> dockerfile_words(std::string_view rest);

}  // namespace plz
