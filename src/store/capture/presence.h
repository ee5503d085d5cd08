// The second step of a capture: finds what the cache knows and the store lacks (it may have been
// emptied, or be another one). One question when nothing changed.
#pragma once

#include "base/result.h"
#include "store/blob_channel.h"
#include "store/capture/capture_run.h"
#include "store/capture/walked_tree.h"

namespace plz {

// Asks in pieces that any sink takes, and checks the answer's length.
Result<std::vector<bool>> ask_missing(BlobSink& sink, std::span<const Digest> digests);

// Brings every file that the store lacks to `unread`, and directories whose trees it lacks out of
// `clean`. True: the whole root is stored already.
Result<bool> check_presence(CaptureRun& run, const Digest& stored_root, WalkedTree& tree, BlobSink& sink);

}  // namespace plz
