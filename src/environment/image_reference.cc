#include "environment/image_reference.h"

#include <algorithm>

#include "base/text.h"

namespace plz {
namespace {

constexpr std::string_view kHub = "docker.io", kOfficial = "library/";

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

tl::unexpected<Error> no_name(std::string_view text, std::string_view why) {
  return fail(ErrorCode::invalid, "'" + printable(text) + "' cannot be the name of an image: " + std::string(why));
}

bool is_component(std::string_view text) {
  if (text.empty() || !is_word(text.front()) || !is_word(text.back())) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return is_word(c) || c == '.' || c == '_' || c == '-'; });
}

bool is_path(std::string_view path) {
  auto components = split(path, '/');
  return std::all_of(components.begin(), components.end(), is_component);
}

bool is_tag(std::string_view tag) {
  if (tag.empty() || tag.size() > 128 || tag.front() == '.' || tag.front() == '-') return false;
  return std::all_of(tag.begin(), tag.end(),
                     [](char c) { return is_word(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '-'; });
}

bool names_server(std::string_view first) {
  return first == "localhost" || first.find_first_of(".:") != first.npos ||
         std::any_of(first.begin(), first.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace

std::string ImageReference::repository() const {
  if (server != kHub) return server + "/" + path;
  return path.starts_with(kOfficial) ? path.substr(kOfficial.size()) : path;
}

Result<ImageReference> parse_image_reference(std::string_view text) {
  ImageReference reference;
  std::string_view rest = text;
  if (size_t at = rest.find('@'); at != rest.npos) {
    reference.digest = rest.substr(at + 1);
    if (!is_image_id(reference.digest)) return no_name(text, "its digest is not sha256: with 64 hexadecimal digits");
    rest = rest.substr(0, at);
  }
  size_t slash = rest.find('/');
  if (slash != rest.npos && names_server(rest.substr(0, slash))) {
    reference.server = rest.substr(0, slash);
    rest.remove_prefix(slash + 1);
  }
  if (size_t colon = rest.rfind(':'); colon != rest.npos && rest.find('/', colon) == rest.npos) {
    reference.tag = rest.substr(colon + 1);
    if (!is_tag(reference.tag)) return no_name(text, "its tag is malformed");
    rest = rest.substr(0, colon);
  } else if (reference.digest.empty()) {
    reference.tag = "latest";
  }
  if (!is_path(rest)) return no_name(text, "it is made of lower-case letters, digits, and ., _, - and / between them");
  if (reference.server.empty() || reference.server == "index.docker.io") reference.server = kHub;
  bool official = reference.server == kHub && rest.find('/') == rest.npos;
  reference.path = (official ? std::string(kOfficial) : "") + std::string(rest);
  return reference;
}

bool is_image_id(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  return text.starts_with(kPrefix) && text.size() == kPrefix.size() + 64 &&
         std::all_of(text.begin() + kPrefix.size(), text.end(), is_hex);
}

}  // namespace plz
