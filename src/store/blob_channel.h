// The two ends that capture and materialisation talk to. The API client implements both
// (cli, worker); tests use memory/.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/digest.h"

namespace plz {

// Takes blobs. Thread-safe. Everything that `missing` reports as present is pinned by the caller's
// lease until the execution that needs it is submitted.
class BlobSink {
 public:
  virtual ~BlobSink() = default;
  // One element a digest: true where the store lacks it.
  virtual Result<std::vector<bool>> missing(std::span<const Digest> digests) = 0;
  // A whole pack (pack_format.h), at most kPackTargetBytes plus one blob. On return it is durable.
  virtual Result<void> send_pack(std::string pack) = 0;
};

// Gives blobs. Thread-safe.
class BlobSource {
 public:
  virtual ~BlobSource() = default;
  // Called with each blob, in the order asked for, decompressed and with its checksum verified.
  // `bytes` is valid during the call. An error it returns ends the fetch and is returned.
  using Receive = std::function<Result<void>(size_t index, std::string_view bytes)>;
  // not_found names the first digest that the store lacks.
  virtual Result<void> fetch(std::span<const Digest> digests, const Receive& receive) = 0;
};

}  // namespace plz
