// Where a job's input comes from: file://, input_id://, output://.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "cli/session.h"
#include "model/execution.h"
#include "store/blob_channel.h"
#include "store/tree.h"

namespace plz {

struct FileInput {
  std::string path;  // absolute; a directory or one file
};
struct TreeInput {
  Digest tree;  // input_id://DIGEST
};
struct SameInput {
  ExecutionId execution;  // input_id://EXECUTION: what that one was given
};
struct OutputInput {
  ExecutionId execution;
  std::string path;  // below its output; empty: all of it
};
using InputSource = std::variant<FileInput, TreeInput, SameInput, OutputInput>;

// invalid for another scheme or a malformed id.
Result<InputSource> parse_input_source(std::string_view text);

// A tree of the store for anything but a file. A single file of an output becomes a tree with that
// one entry; the output of a composite, a tree of parallel-N directories: those are sent to `sink`.
Result<Input> resolve_stored_input(const InputSource& source, const std::string& text, Session& session,
                                   BlobSource& blobs, BlobSink& sink);

// Sends the blob of a tree that was made here.
Result<Digest> store_tree(const Tree& tree, BlobSink& sink);
// Sends what the store lacks.
Result<void> store_blob(const Digest& digest, std::string_view bytes, BlobSink& sink);

}  // namespace plz
