#include <string>

#include <fmt/core.h>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/exact_bytes.h"

namespace plz {
namespace {

std::string count_of(uint64_t count, std::string_view one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

std::string objects(std::string_view what, const std::vector<CollectedObject>& objects, const std::string& host) {
  if (objects.empty()) return {};
  uint64_t bytes = 0;
  for (const CollectedObject& object : objects) bytes += object.bytes;
  std::string text =
      fmt::format("On {}: {}, {}\n", printable(host), count_of(objects.size(), what), exact_bytes(bytes));
  for (const CollectedObject& object : objects)
    text +=
        fmt::format("  {}  {}\n", printable(object.name.empty() ? object.id : object.name), human_bytes(object.bytes));
  return text;
}

std::string report_text(const CollectionReport& report) {
  std::string text = fmt::format("Store: {}, {}\n", count_of(report.blobs, "blob"), exact_bytes(report.bytes));
  for (const InstanceCollection& instance : report.instances) {
    const WorkerCollection& done = instance.collection;
    text += objects("image", done.images, instance.host_name);
    text += objects("container", done.containers, instance.host_name);
    if (done.outputs > 0)
      text += fmt::format("On {}: {} that could not be stored, {}\n", printable(instance.host_name),
                          count_of(done.outputs, "output"), exact_bytes(done.output_bytes));
    if (done.kept_outputs > 0)
      text += fmt::format("Kept on {}: {} that could not be stored, {}\n", printable(instance.host_name),
                          count_of(done.kept_outputs, "output"), exact_bytes(done.kept_output_bytes));
    if (done.trees > 0)
      text += fmt::format("On {}: {}, about {}\n", printable(instance.host_name), count_of(done.trees, "cached tree"),
                          human_bytes(done.tree_bytes));
  }
  return text;
}

// An engine that no job has used since the worker began is none of them, so they are named.
void tell_engines(Messages& messages, const InstanceCollection& instance) {
  const WorkerCollection& done = instance.collection;
  if (done.engines.empty() || (done.engines.size() == 1 && done.images.empty() && done.containers.empty())) return;
  std::string all;
  for (const auto& engine : done.engines) all += (all.empty() ? "" : ", ") + printable(engine);
  messages.info(fmt::format("On {}: images and containers are those of the container engine at {}",
                            printable(instance.host_name), all));
}

void tell(Messages& messages, const CollectionReport& report) {
  for (const InstanceCollection& instance : report.instances)
    if (!instance.collection.error.empty())
      messages.warning(fmt::format(
          "On {}: {}", instance.host_name.empty() ? instance.instance_id.to_string() : printable(instance.host_name),
          printable(instance.collection.error)));
  for (const InstanceCollection& instance : report.instances) tell_engines(messages, instance);
  if (report.instances.empty() && report.error.empty())
    messages.info("No worker is there: only the store was looked after");
  if (report.dry_run) messages.info("This is what plz gc would free. Nothing was removed");
}

}  // namespace

Result<int> perform(Session& session, const GcOptions& options) {
  const CollectionRequest request{options.dry_run, true, options.caches};
  PLZ_ASSIGN(const CollectionReport report, session.call([&](ApiClient& api) { return api.collect(request); }));
  auto written = session.out().write(options.json ? collection_report_to_json(report) + "\n" : report_text(report));
  tell(session.messages(), report);
  if (!written) return fail(std::move(written).error());
  if (!report.error.empty())
    return fail(ErrorCode::internal, report.error, "what was done before that stays done; plz gc can be repeated");
  if (report.held_up.empty()) return 0;
  session.messages().warning(options.dry_run ? "What is being captured now is counted, too: " + report.held_up
                                             : "Not all could be removed: " + report.held_up + "; try again");
  return options.dry_run ? 0 : 1;
}

}  // namespace plz
