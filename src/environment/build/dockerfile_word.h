// A word of a Dockerfile with its variables put in, as Docker's builder does it. Source:
// frontend/dockerfile/shell/lex.go of github.com/moby/buildkit.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace plz {

// $V, ${V}, ${V:-word}, ${V:+word}, words within words, and quotes. What has no value is empty. nullopt: it cannot be
// told, since the engine gives it a value (TARGETARCH), or refuses it.
std::optional<std::string> expand_word(std::string_view word, const std::map<std::string, std::string>& variables);

}  // namespace plz
