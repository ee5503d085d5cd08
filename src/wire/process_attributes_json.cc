#include "wire/process_attributes_json.h"

#include "wire/model_shapes.h"

namespace plz {
namespace {

void read_limits(JsonReader& json, ProcessAttributes& attributes) {
  EnvironmentVariables texts;
  variables(json, "limits", texts);
  for (auto& [name, text] : texts) {
    const auto limit = parse_limit(text);
    if (!limit) return json.problem("limits", "must hold texts as \"1024:unlimited\", soft and hard limit");
    attributes.limits.emplace_back(std::move(name), *limit);
  }
}

void read_umask(JsonReader& json, ProcessAttributes& attributes) {
  std::string text;
  json.optional("umask", text);
  if (text.empty()) return;
  attributes.umask = parse_umask(text);
  if (!attributes.umask) json.problem("umask", "must be octal, as \"022\"");
}

template <typename T>
void write_where_said(JsonWriter& json, std::string_view name, const std::optional<T>& value) {
  if (value) json.required(name, *value);
}
void write_where_said(JsonWriter& json, std::string_view name, const std::string& value) {
  if (!value.empty()) json.required(name, value);
}

}  // namespace

void Shape<ProcessAttributes>::members(JsonWriter& json, const ProcessAttributes& attributes) {
  EnvironmentVariables limits;
  for (const auto& [name, limit] : attributes.limits) limits.emplace_back(name, limit_text(limit));
  if (!limits.empty()) variables(json, "limits", limits);
  write_where_said(json, "affinity", attributes.affinity);
  write_where_said(json, "niceness", attributes.niceness);
  if (attributes.umask) json.required("umask", umask_text(*attributes.umask));
  write_where_said(json, "scheduling", attributes.scheduling);
  write_where_said(json, "io_priority", attributes.io_priority);
  write_where_said(json, "oom_score", attributes.oom_score);
  write_where_said(json, "personality", attributes.personality);
}

void Shape<ProcessAttributes>::members(JsonReader& json, ProcessAttributes& attributes) {
  read_limits(json, attributes);
  json.optional("affinity", attributes.affinity);
  json.optional("niceness", attributes.niceness);
  read_umask(json, attributes);
  json.optional("scheduling", attributes.scheduling);
  json.optional("io_priority", attributes.io_priority);
  json.optional("oom_score", attributes.oom_score);
  json.optional("personality", attributes.personality);
}

std::string process_attributes_to_json(const ProcessAttributes& attributes) { return write_document(attributes); }

}  // namespace plz
