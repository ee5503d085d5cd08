#include "aws/profile_file.h"

#include <algorithm>
#include <optional>

#include <fmt/core.h>

#include "base/text.h"

namespace plz {
namespace {

constexpr std::string_view kBom = "\xef\xbb\xbf";

bool is_quoted(std::string_view text) {
  return text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
}

// nullopt: the section is no profile.
std::optional<std::string> profile_name(std::string_view section, AwsProfileFile kind) {
  section = trim(section);
  if (kind == AwsProfileFile::credentials || section == "default") return std::string(section);
  constexpr std::string_view kPrefix = "profile";
  if (!section.starts_with(kPrefix)) return std::nullopt;
  std::string_view name = trim(section.substr(kPrefix.size()));
  if (name.empty() || name.size() + kPrefix.size() == section.size()) return std::nullopt;
  return std::string(is_quoted(name) ? name.substr(1, name.size() - 2) : name);
}

class Parser {
 public:
  explicit Parser(AwsProfileFile kind) : kind_(kind) {}

  Result<void> line(std::string_view line) {
    ++number_;
    std::string_view content = trim(line);
    if (content.empty() || content.front() == '#' || content.front() == ';') return {};
    size_t indent = line.find_first_not_of(" \t");
    if (setting_indent_ && indent > *setting_indent_) return {};
    if (content.front() == '[') return section(content);
    return setting(content, indent);
  }
  AwsProfiles take() { return std::move(profiles_); }

 private:
  Result<void> section(std::string_view content) {
    size_t end = content.find(']');
    if (end == content.npos) return wrong("begins with [ and has no ]");
    auto name = profile_name(content.substr(1, end - 1), kind_);
    in_section_ = true;
    current_ = name ? &profiles_[*name] : nullptr;
    setting_indent_.reset();
    return {};
  }

  Result<void> setting(std::string_view content, size_t indent) {
    size_t sign = content.find_first_of("=:");
    if (sign == content.npos || sign == 0) return wrong("is neither a [section] nor NAME = VALUE");
    if (!in_section_) return wrong("comes before the first [section]");
    setting_indent_ = indent;
    if (current_) (*current_)[lower_case(trim(content.substr(0, sign)))] = trim(content.substr(sign + 1));
    return {};
  }

  // Not the line itself: it may hold a secret.
  tl::unexpected<Error> wrong(std::string_view what) const {
    return fail(ErrorCode::invalid, fmt::format("line {} {}", number_, what));
  }

  const AwsProfileFile kind_;
  AwsProfiles profiles_;
  std::map<std::string, std::string>* current_ = nullptr;
  std::optional<size_t> setting_indent_;  // deeper lines belong to that setting
  bool in_section_ = false;
  size_t number_ = 0;
};

}  // namespace

Result<AwsProfiles> parse_aws_profiles(std::string_view text, AwsProfileFile kind) {
  if (text.starts_with(kBom)) text.remove_prefix(kBom.size());
  Parser parser(kind);
  for (auto line : split(text, '\n')) PLZ_TRY(parser.line(line));
  return parser.take();
}

}  // namespace plz
