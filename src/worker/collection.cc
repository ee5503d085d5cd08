#include "worker/collection.h"

#include <algorithm>

namespace plz {
namespace {

class LocalCollection {
 public:
  LocalCollection(const CollectionOrder& order, const CollectionSources& sources) : order_(order), sources_(sources) {}

  WorkerCollection run() {
    if (order_.environments)
      for (const ContainerEngine& engine : sources_.engines) collect_on(engine);
    collect_outputs();
    if (order_.caches) {
      const auto cleared = sources_.trees.clear(order_.dry_run);
      done_.trees = cleared.trees;
      done_.tree_bytes = cleared.bytes;
    }
    return std::move(done_);
  }

 private:
  void collect_on(const ContainerEngine& engine) {
    engine_ = &engine;
    if (!engine.address.empty()) done_.engines.push_back(engine.address);
    // Looked up before containers go, so that a dry run tells the same.
    const std::vector<KeptEnvironment> unneeded = unneeded_images();
    remove_containers();
    for (const KeptEnvironment& image : unneeded) remove_image(image);
  }

  // Gone is what belongs to no execution; what came after the question, nobody knows yet.
  bool is_unneeded(AttemptId id) const {
    const auto in = [id](const std::vector<AttemptId>& ids) {
      return std::find(ids.begin(), ids.end(), id) != ids.end();
    };
    if (in(order_.drop_outputs)) return true;
    return order_.outputs_until && id < *order_.outputs_until && !in(order_.keep_outputs) && !sources_.is_in_hand(id);
  }

  void collect_outputs() {
    for (const KeptOutputs::Kept& kept : sources_.kept_outputs.list()) {
      if (!is_unneeded(kept.attempt_id)) {
        ++done_.kept_outputs;
        done_.kept_output_bytes += kept.bytes;
        continue;
      }
      if (!order_.dry_run)
        if (auto removed = sources_.kept_outputs.remove(kept.attempt_id); !removed) {
          done_.error += (done_.error.empty() ? "" : "; ") + removed.error().message;
          continue;
        }
      ++done_.outputs;
      done_.output_bytes += kept.bytes;
    }
  }

  std::vector<KeptEnvironment> unneeded_images() {
    if (!engine_->environments) return {};
    auto images = needed_and_not();
    if (images) return std::move(*images);
    // Whose jobs never ran in containers need not hear that there is no engine.
    if (images.error().code != ErrorCode::unavailable || !order_.keep_images.empty())
      note("images", images.error().message);
    return {};
  }

  Result<std::vector<KeptEnvironment>> needed_and_not() {
    std::vector<std::string> needed = sources_.image_uses.since(order_.kept_at);
    needed.insert(needed.end(), order_.keep_images.begin(), order_.keep_images.end());
    if (!order_.dry_run) PLZ_TRY(engine_->environments->need(needed));
    return engine_->environments->unneeded(needed);
  }

  // Also by an attempt that has come since.
  bool is_used(const std::string& image_id) const {
    const auto used = sources_.image_uses.since(order_.kept_at);
    return std::find(used.begin(), used.end(), image_id) != used.end();
  }

  void remove_containers() {
    if (!engine_->containers) return;
    auto containers = engine_->containers->containers();
    if (!containers) return note("containers", containers.error().message);
    for (const KeptContainer& container : *containers) {
      // Asked after they were listed: one that has come since is not among them.
      if (sources_.is_in_hand(container.attempt_id)) continue;
      if (!order_.dry_run)
        if (auto removed = engine_->containers->remove_container(container.id); !removed) {
          note(container.name, removed.error().message);
          continue;
        }
      done_.containers.push_back({container.id, container.name, container.bytes});
    }
  }

  // What others need, too, is given up; only what is gone is told.
  void remove_image(const KeptEnvironment& image) {
    bool goes = image.goes;
    if (!order_.dry_run) {
      if (!sources_.images.try_close())
        return note(image.name, "it stays while the environment of a job is being prepared");
      auto removed = is_used(image.image_id) ? Result<bool>(false) : engine_->environments->remove(image.image_id);
      sources_.images.open();
      if (!removed) return note(image.name, removed.error().message);
      goes = *removed;
    }
    if (goes) done_.images.push_back({image.image_id, image.name, image.bytes});
  }

  void note(const std::string& what, const std::string& why) {
    done_.error += (done_.error.empty() ? "" : "; ") + what;
    // Of several, which one.
    if (sources_.engines.size() > 1) done_.error += " (" + engine_->address + ")";
    done_.error += ": " + why;
  }

  const CollectionOrder& order_;
  const CollectionSources& sources_;
  const ContainerEngine* engine_ = nullptr;  // the one at hand
  WorkerCollection done_;
};

}  // namespace

WorkerCollection collect_here(const CollectionOrder& order, const CollectionSources& sources) {
  return LocalCollection(order, sources).run();
}

}  // namespace plz
