// What an order to collect removes on this machine: containers of attempts that are over, images that no
// execution needs, output that was kept here and whose execution is gone, trees that no attempt is using.
#pragma once

#include <functional>
#include <vector>

#include "model/ids.h"
#include "wire/collection_json.h"
#include "wire/worker_api.h"
#include "worker/container_engines.h"
#include "worker/image_gate.h"
#include "worker/image_uses.h"
#include "worker/kept_outputs.h"
#include "worker/tree_cache.h"

namespace plz {

// What there is to collect from. Everything in it is thread-safe and outlives its use.
struct CollectionSources {
  TreeCache& trees;
  ImageGate& images;
  ImageUses& image_uses;
  std::vector<ContainerEngine> engines;  // what they lack is left out
  KeptOutputs& kept_outputs;
  // Whether the worker has it in hand at this moment.
  std::function<bool(AttemptId)> is_in_hand;
};

// With dry_run, what it would remove. What fails is in the answer's `error`; the rest is done all the same.
WorkerCollection collect_here(const CollectionOrder& order, const CollectionSources& sources);

}  // namespace plz
