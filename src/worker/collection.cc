#include "worker/collection.h"

#include <algorithm>

namespace plz {
namespace {

class LocalCollection {
 public:
  LocalCollection(const CollectionOrder& order, const CollectionSources& sources) : order_(order), sources_(sources) {}

  WorkerCollection run() {
    if (order_.environments) {
      // Looked up before containers go, so that a dry run tells the same.
      const std::vector<KeptEnvironment> unused = unused_images();
      remove_containers();
      for (const KeptEnvironment& image : unused) remove_image(image);
    }
    if (order_.caches) {
      const auto cleared = sources_.trees.clear(order_.dry_run);
      done_.trees = cleared.trees;
      done_.tree_bytes = cleared.bytes;
    }
    return std::move(done_);
  }

 private:
  std::vector<KeptEnvironment> unused_images() {
    if (!sources_.environments) return {};
    auto images = sources_.environments->list();
    if (!images) {
      // Whose jobs never ran in containers need not hear that there is no engine.
      if (images.error().code != ErrorCode::unavailable || !order_.keep_images.empty())
        note("images", images.error().message);
      return {};
    }
    const auto& keep = order_.keep_images;
    std::erase_if(*images, [&](const KeptEnvironment& image) {
      return image.in_use || std::find(keep.begin(), keep.end(), image.image_id) != keep.end();
    });
    return std::move(*images);
  }

  void remove_containers() {
    if (!sources_.containers) return;
    auto containers = sources_.containers->containers();
    if (!containers) return note("containers", containers.error().message);
    for (const KeptContainer& container : *containers) {
      // Asked after they were listed: one that has come since is not among them.
      if (sources_.is_in_hand(container.attempt_id)) continue;
      if (!order_.dry_run)
        if (auto removed = sources_.containers->remove_container(container.id); !removed) {
          note(container.name, removed.error().message);
          continue;
        }
      done_.containers.push_back({container.id, container.name, container.bytes});
    }
  }

  void remove_image(const KeptEnvironment& image) {
    if (!order_.dry_run) {
      if (!sources_.images.try_close())
        return note(image.name, "it stays while the environment of a job is being prepared");
      auto removed = sources_.environments->remove(image.image_id);
      sources_.images.open();
      if (!removed) return note(image.name, removed.error().message);
    }
    done_.images.push_back({image.image_id, image.name, image.bytes});
  }

  void note(const std::string& what, const std::string& why) {
    done_.error += (done_.error.empty() ? "" : "; ") + what + ": " + why;
  }

  const CollectionOrder& order_;
  const CollectionSources& sources_;
  WorkerCollection done_;
};

}  // namespace

WorkerCollection collect_here(const CollectionOrder& order, const CollectionSources& sources) {
  return LocalCollection(order, sources).run();
}

}  // namespace plz
