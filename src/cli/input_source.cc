#include "cli/input_source.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/text.h"
#include "cli/commands/composite.h"
#include "cli/part_outputs.h"
#include "store/hasher.h"
#include "store/materialise.h"
#include "store/pack_format.h"

namespace plz {
namespace {

tl::unexpected<Error> malformed(std::string_view text, std::string_view why) {
  return fail(ErrorCode::invalid, fmt::format("the input \"{}\" {}", printable(text), why),
              "an input is file://PATH, input_id://ID or output://EXECUTION[/PATH]");
}

Result<InputSource> parse_output(std::string_view text, std::string_view rest) {
  const size_t slash = rest.find('/');
  auto id = ExecutionId::parse(rest.substr(0, slash));
  if (!id) return malformed(text, "names no execution");
  std::string path(slash == std::string_view::npos ? "" : rest.substr(slash + 1));
  while (path.ends_with('/')) path.pop_back();
  return OutputInput{*id, std::move(path)};
}

Result<uint64_t> bytes_of(const Digest& tree, BlobSource& blobs) {
  PLZ_ASSIGN(const Tree decoded, fetch_tree(tree, blobs));
  uint64_t total = 0;
  for (const TreeEntry& entry : decoded.entries) total += entry.bytes;
  return total;
}

Result<Input> input_of(const Digest& tree, const std::string& text, BlobSource& blobs) {
  PLZ_ASSIGN(const uint64_t bytes, bytes_of(tree, blobs));
  return Input{tree, text, bytes};
}

class Resolver {
 public:
  Resolver(const std::string& text, Session& session, BlobSource& blobs, BlobSink& sink)
      : text_(text), session_(session), blobs_(blobs), sink_(sink) {}

  Result<Input> operator()(const FileInput&) const {
    return fail(ErrorCode::internal, "a file is captured, not looked up");
  }

  Result<Input> operator()(const TreeInput& input) const { return input_of(input.tree, text_, blobs_); }

  Result<Input> operator()(const SameInput& input) const {
    PLZ_ASSIGN(const Execution execution, session_.execution(input.execution));
    if (!execution.spec.input)
      return fail(ErrorCode::not_found, fmt::format("the execution {} had no input", input.execution.to_string()));
    Input same = *execution.spec.input;
    same.source = text_;
    return same;
  }

  Result<Input> operator()(const OutputInput& input) const {
    PLZ_ASSIGN(const Execution execution, session_.execution(input.execution));
    PLZ_ASSIGN(const Digest tree, output_tree(execution));
    PLZ_ASSIGN(auto entry, find_entry(tree, input.path, blobs_));
    if (!entry)
      return fail(ErrorCode::not_found,
                  fmt::format("the output of {} has no {}", input.execution.to_string(), printable(input.path)),
                  fmt::format("plz output {} fetches what it has", input.execution.to_string()));
    if (entry->kind == EntryKind::directory) return input_of(entry->digest, text_, blobs_);
    PLZ_ASSIGN(const Digest wrapped, store_tree(Tree{{*entry}}, sink_));
    return Input{wrapped, text_, entry->bytes};
  }

 private:
  Result<Digest> output_tree(const Execution& execution) const {
    if (!execution.spec.is_composite()) {
      if (execution.output_tree) return *execution.output_tree;
      return fail(
          ErrorCode::conflict,
          fmt::format("the execution {} has no output {}", execution.id.to_string(), execution.outcome ? "" : "yet"),
          "wait for its end");
    }
    PLZ_ASSIGN(const auto parts, parts_of(session_, execution.id));
    PLZ_ASSIGN(const Tree joined, join_part_outputs(parts, blobs_));
    return store_tree(joined, sink_);
  }

  const std::string& text_;
  Session& session_;
  BlobSource& blobs_;
  BlobSink& sink_;
};

}  // namespace

Result<InputSource> parse_input_source(std::string_view text) {
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos) return malformed(text, "has no scheme");
  const std::string_view scheme = text.substr(0, colon), rest = text.substr(colon + 3);
  if (scheme == "file") return FileInput{std::string(rest)};
  if (scheme == "output") return parse_output(text, rest);
  if (scheme != "input_id") return malformed(text, "has an unknown scheme");
  if (auto tree = Digest::parse(rest)) return TreeInput{*tree};
  if (auto id = ExecutionId::parse(rest)) return SameInput{*id};
  return malformed(text, "names neither an input nor an execution");
}

Result<Input> resolve_stored_input(const InputSource& source, const std::string& text, Session& session,
                                   BlobSource& blobs, BlobSink& sink) {
  return std::visit(Resolver(text, session, blobs, sink), source);
}

Result<void> store_blob(const Digest& digest, std::string_view bytes, BlobSink& sink) {
  PLZ_ASSIGN(const std::vector<bool> lacking, sink.missing(std::span(&digest, 1)));
  if (lacking.empty() || !lacking.front()) return {};
  std::string pack;
  append_blob_to_pack(pack, digest, bytes);
  return sink.send_pack(std::move(pack));
}

Result<Digest> store_tree(const Tree& tree, BlobSink& sink) {
  const std::string encoded = encode_tree(tree);
  const Digest digest = digest_of(encoded);
  PLZ_TRY(store_blob(digest, encoded, sink));
  return digest;
}

}  // namespace plz
