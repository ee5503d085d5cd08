#include "store/capture.h"

#include <fcntl.h>
#include <sys/stat.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "store/capture/blob_sender.h"
#include "store/capture/cache_keeper.h"
#include "store/capture/capture_run.h"
#include "store/capture/content_reader.h"
#include "store/capture/directory_walk.h"
#include "store/capture/open_root.h"
#include "store/capture/presence.h"
#include "store/capture/stat_cache.h"
#include "store/capture/tree_sender.h"

namespace plz {
namespace {

// A cache is of one directory, or of one file under one name.
uint64_t root_key(const WalkedTree& tree) {
  struct stat st = {};
  fstat(tree.root_fd.get(), &st);
  std::string text =
      std::to_string(st.st_dev) + " " + std::to_string(st.st_ino) + " " + tree.single_name + "/" + tree.captured_name;
  return XXH3_64bits(text.data(), text.size());
}

Result<void> send_contents(CaptureRun& run, WalkedTree& tree, CacheKeeper& keeper, BlobSink& sink) {
  BlobSender sender(run, sink);
  ContentReader reader(run, tree, sender, [&] { keeper.save_if_due(); });
  reader.read_all();
  sender.finish();
  return run.outcome();
}

Result<void> send_changes(CaptureRun& run, WalkedTree& tree, CacheKeeper& keeper, BlobSink& sink) {
  auto sent = send_contents(run, tree, keeper, sink);
  if (sent) sent = TreeSender(run, tree, sink).send_all();
  // Failing to save costs the next capture time, nothing else.
  auto saved = sent ? keeper.save_finished() : keeper.save_unfinished();
  if (!saved) run.warn("What was captured could not be noted for the next time: " + saved.error().message + ".");
  return sent;
}

}  // namespace

Result<CaptureResult> capture(const std::string& root, const CaptureOptions& options, BlobSink& sink) {
  CaptureRun run(options);
  WalkedTree tree;
  PLZ_TRY(open_root(root, tree, options.root_may_be_link));
  uint64_t key = root_key(tree);
  StatCache cache = StatCache::open(options.stat_cache_path, key);
  PLZ_TRY(DirectoryWalk(run, cache, tree).walk());
  PLZ_ASSIGN(bool stored, check_presence(run, cache.stored_root(), tree, sink));
  CacheKeeper keeper(options.stat_cache_path, key, tree);
  if (!stored) PLZ_TRY(send_changes(run, tree, keeper, sink));
  run.report_end();
  return CaptureResult{.tree = tree.root().digest,
                       .total_bytes = tree.root().bytes,
                       .files = tree.root().files,
                       .bytes_sent = run.bytes_sent(),
                       .content_bytes_sent = run.content_bytes_sent(),
                       .warnings = run.take_warnings(),
                       .link_warnings = run.take_link_warnings()};
}

}  // namespace plz
