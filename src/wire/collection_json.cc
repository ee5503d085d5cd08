#include "wire/collection_json.h"

#include "wire/model_shapes.h"

namespace plz {

template <>
struct Shape<CollectionRequest> {
  static void members(auto& json, auto& value) {
    json.optional("dry_run", value.dry_run);
    json.optional("environments", value.environments);
    json.optional("caches", value.caches);
    json.optional("wait", value.wait);
  }
};

template <>
struct Shape<CollectedObject> {
  static void members(auto& json, auto& value) {
    json.required("id", value.id);
    json.optional("name", value.name);
    json.optional("bytes", value.bytes);
  }
};

template <>
struct Shape<WorkerCollection> {
  static void members(auto& json, auto& value) {
    json.optional("images", value.images);
    json.optional("containers", value.containers);
    json.optional("engines", value.engines);
    json.optional("trees", value.trees);
    json.optional("tree_bytes", value.tree_bytes);
    json.optional("error", value.error);
    json.optional("outputs", value.outputs);
    json.optional("output_bytes", value.output_bytes);
    json.optional("kept_outputs", value.kept_outputs);
    json.optional("kept_output_bytes", value.kept_output_bytes);
  }
};

template <>
struct Shape<InstanceCollection> {
  static void members(auto& json, auto& value) {
    json.required("instance_id", value.instance_id);
    json.optional("host_name", value.host_name);
    Shape<WorkerCollection>::members(json, value.collection);
  }
};

template <>
struct Shape<CollectionReport> {
  static void members(auto& json, auto& value) {
    json.optional("dry_run", value.dry_run);
    json.optional("blobs", value.blobs);
    json.optional("bytes", value.bytes);
    json.optional("packs_removed", value.packs_removed);
    json.optional("packs_rewritten", value.packs_rewritten);
    json.optional("held_up", value.held_up);
    json.optional("error", value.error);
    json.optional("instances", value.instances);
  }
};

std::string collection_request_to_json(const CollectionRequest& request) { return write_document(request); }
Result<CollectionRequest> collection_request_from_json(std::string_view json) {
  return read_document<CollectionRequest>(json);
}

std::string worker_collection_to_json(const WorkerCollection& collection) { return write_document(collection); }
Result<WorkerCollection> worker_collection_from_json(std::string_view json) {
  return read_document<WorkerCollection>(json);
}

std::string collection_report_to_json(const CollectionReport& report) { return write_document(report); }
Result<CollectionReport> collection_report_from_json(std::string_view json) {
  return read_document<CollectionReport>(json);
}

}  // namespace plz
