#include "wire/job_configuration.h"

#include "wire/json_text.h"
#include "wire/json_writer.h"

namespace plz {
namespace {

std::string summary_path(const JobDirectories& directories) { return directories.measures + "/summary"; }

template <typename PathOf>
void write_by_index(JsonWriter& json, std::string_view name, const std::map<int64_t, JobDirectories>& by_index,
                    PathOf path_of) {
  json.begin_member(name);
  json.open('{');
  for (const auto& [index, directories] : by_index) json.required(std::to_string(index), path_of(directories));
  json.close('}');
}

void write_indices(JsonWriter& json, const JobConfiguration& configuration) {
  using D = const JobDirectories&;
  write_by_index(json, "index_to_output_directory", configuration.by_index, [](D d) { return d.output; });
  write_by_index(json, "index_to_measures_directory", configuration.by_index, [](D d) { return d.measures; });
  write_by_index(json, "index_to_summary_measures_path", configuration.by_index, summary_path);
  json.begin_member("indices");
  json.open('{');
  json.required("range", std::vector<int64_t>{configuration.indices->from, configuration.indices->to});
  json.close('}');
}

}  // namespace

std::string job_configuration_json(const JobConfiguration& configuration) {
  JsonWriter json;
  json.open('{');
  if (configuration.input_directory) json.required("input_directory", *configuration.input_directory);
  if (configuration.indices) {
    write_indices(json, configuration);
  } else {
    json.required("output_directory", configuration.directories.output);
    json.required("measures_directory", configuration.directories.measures);
    json.required("summary_measures_path", summary_path(configuration.directories));
  }
  json.required("parameters", configuration.parameters);
  json.close('}');
  return indent_json(json.take()) + "\n";
}

}  // namespace plz
