// The last step of a capture: builds the trees of all directories that are not clean, children
// first, and sends those that the store lacks, in that order.
#pragma once

#include <vector>

#include "base/result.h"
#include "store/blob_channel.h"
#include "store/capture/capture_run.h"
#include "store/capture/walked_tree.h"

namespace plz {

class TreeSender {
 public:
  TreeSender(CaptureRun& run, WalkedTree& tree, BlobSink& sink) : run_(run), tree_(tree), sink_(sink) {}
  // All that the trees refer to is durable by now. Fills digest, bytes and files of the directories.
  Result<void> send_all();

 private:
  void build(WalkedDirectory& directory);
  Result<void> send_waiting();

  CaptureRun& run_;
  WalkedTree& tree_;
  BlobSink& sink_;
  std::vector<Digest> digests_;  // of trees that wait, in order
  std::vector<std::string> trees_;
  size_t waiting_bytes_ = 0;
};

}  // namespace plz
