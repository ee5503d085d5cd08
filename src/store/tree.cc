// The encoding of a tree (version 1; little-endian):
//   tree  = magic "PLZTREE1" entry*
//   entry = kind:u8 mode:u16 name_bytes:u16 name rest
//   rest  = bytes:u64 digest[32]                of a file and of a chunked file
//         | bytes:u64 files:u64 digest[32]      of a directory
//         | target_bytes:u16 target             of a symlink, whose mode is 0777
#include "store/tree.h"

#include <fmt/core.h>

#include "base/text.h"
#include "store/little_endian.h"
#include "store/tree_encoder.h"

namespace plz {
namespace {

constexpr std::string_view kTreeMagic = "PLZTREE1";
constexpr uint32_t kModeBits = 07777;
constexpr uint32_t kSymlinkMode = 0777;

bool is_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos && name.find('\0') == name.npos;
}

void read_rest(LittleEndianReader& reader, TreeEntry& entry) {
  if (entry.kind == EntryKind::symlink) {
    entry.target = reader.bytes(reader.number<uint16_t>());
    return;
  }
  entry.bytes = reader.number<uint64_t>();
  if (entry.kind == EntryKind::directory) entry.files = reader.number<uint64_t>();
  std::string_view digest = reader.bytes(Digest::kBytes);
  if (reader.ok()) entry.digest = Digest::from_bytes(digest.data());
}

Result<TreeEntry> read_entry(LittleEndianReader& reader) {
  TreeEntry entry;
  auto kind = reader.number<uint8_t>();
  entry.mode = reader.number<uint16_t>();
  entry.name = reader.bytes(reader.number<uint16_t>());
  if (kind > static_cast<uint8_t>(EntryKind::symlink))
    return fail(ErrorCode::invalid, fmt::format("a tree has an entry of the unknown kind {}", kind));
  entry.kind = static_cast<EntryKind>(kind);
  read_rest(reader, entry);
  if (!reader.ok()) return fail(ErrorCode::invalid, "a tree is cut short");
  if (!is_name(entry.name))
    return fail(ErrorCode::invalid, fmt::format("a tree has an entry named \"{}\"", printable(entry.name)));
  if (entry.mode & ~kModeBits)
    return fail(ErrorCode::invalid, fmt::format("a tree gives {} the mode {:o}", printable(entry.name), entry.mode));
  bool link = entry.kind == EntryKind::symlink;
  if (link && (entry.mode != kSymlinkMode || entry.target.empty() || entry.target.find('\0') != entry.target.npos))
    return fail(ErrorCode::invalid, fmt::format("a tree has a bad link named {}", printable(entry.name)));
  return entry;
}

}  // namespace

TreeEncoder::TreeEncoder() : out_(kTreeMagic) {}

void TreeEncoder::add(EntryKind kind, uint32_t mode, std::string_view name, uint64_t bytes, uint64_t files,
                      const Digest& digest, std::string_view target) {
  bool is_link = kind == EntryKind::symlink;
  append_little_endian(out_, static_cast<uint8_t>(kind));
  append_little_endian(out_, static_cast<uint16_t>(is_link ? kSymlinkMode : mode & kModeBits));
  append_little_endian(out_, static_cast<uint16_t>(name.size()));
  out_ += name;
  if (is_link) {
    append_little_endian(out_, static_cast<uint16_t>(target.size()));
    out_ += target;
    return;
  }
  append_little_endian(out_, bytes);
  if (kind == EntryKind::directory) append_little_endian(out_, files);
  out_ += digest.view();
}

std::string encode_tree(const Tree& tree) {
  TreeEncoder encoder;
  for (const auto& entry : tree.entries)
    encoder.add(entry.kind, entry.mode, entry.name, entry.bytes, entry.files, entry.digest, entry.target);
  return encoder.take();
}

Result<Tree> decode_tree(std::string_view bytes) {
  if (!bytes.starts_with(kTreeMagic)) return fail(ErrorCode::invalid, "not a tree");
  LittleEndianReader reader(bytes.substr(kTreeMagic.size()));
  Tree tree;
  while (!reader.at_end()) {
    PLZ_ASSIGN(TreeEntry entry, read_entry(reader));
    if (!tree.entries.empty() && tree.entries.back().name >= entry.name)
      return fail(ErrorCode::invalid, "the entries of a tree are not in order");
    tree.entries.push_back(std::move(entry));
  }
  return tree;
}

}  // namespace plz
