#include "store/local/local_pack_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "os/file.h"

namespace plz {
namespace {

constexpr std::string_view kIncoming = "incoming";
constexpr std::string_view kSuffix = ".pack", kUnsettledSuffix = ".pack.new";
// It may be settled while it is looked for.
constexpr int kTriesToFind = 3;
constexpr size_t kOpenPacks = 32;

class LocalPackWriter final : public PackWriter {
 public:
  LocalPackWriter(UniqueFd fd, std::string temporary, std::string final_path)
      : fd_(std::move(fd)), temporary_(std::move(temporary)), final_path_(std::move(final_path)) {}
  ~LocalPackWriter() override {
    if (!committed_) unlink(temporary_.c_str());
  }

  Result<void> append(std::string_view bytes) override {
    auto written = write_all(fd_.get(), bytes);
    if (!written) return fail(std::move(written).error().with_context(temporary_));
    return {};
  }

  Result<void> commit() override {
    if (fdatasync(fd_.get()) != 0) return fail_errno("cannot sync " + temporary_);
    std::string folder = parent_path(final_path_);
    bool made = mkdir(folder.c_str(), 0700) == 0;
    if (!made && errno != EEXIST) return fail_errno("cannot make the directory " + folder);
    if (made) PLZ_TRY(sync_directory(parent_path(folder)));
    if (rename(temporary_.c_str(), final_path_.c_str()) != 0) return fail_errno("cannot make " + final_path_);
    committed_ = true;
    return sync_directory(folder);
  }

 private:
  UniqueFd fd_;
  std::string temporary_, final_path_;
  bool committed_ = false;
};

}  // namespace

Result<std::unique_ptr<LocalPackStore>> LocalPackStore::open(const std::string& directory) {
  std::string packs = join_path(directory, "packs");
  std::string incoming = join_path(packs, kIncoming);
  PLZ_TRY(make_directories(incoming, 0700));
  PLZ_ASSIGN(auto leftovers, list_directory(incoming));
  for (const auto& name : leftovers) PLZ_TRY(remove_tree(join_path(incoming, name)));
  return std::unique_ptr<LocalPackStore>(new LocalPackStore(directory));
}

std::string LocalPackStore::path_of(PackId id) const {
  std::string name = id.to_string();
  return packs_ + "/" + name.substr(name.size() - 2) + "/" + name + std::string(kSuffix);
}

Result<std::unique_ptr<PackWriter>> LocalPackStore::create(PackId id) {
  for (const std::string& path : {path_of(id), unsettled_path_of(id)})
    if (path_exists(path)) return fail(ErrorCode::conflict, path + " exists already");
  std::string temporary = join_path(join_path(packs_, kIncoming), id.to_string());
  PLZ_ASSIGN(UniqueFd fd, open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, 0600));
  return std::make_unique<LocalPackWriter>(std::move(fd), std::move(temporary), unsettled_path_of(id));
}

Result<std::shared_ptr<UniqueFd>> LocalPackStore::open_pack(PackId id) {
  {
    std::lock_guard lock(mutex_);
    auto found = std::find_if(open_packs_.begin(), open_packs_.end(), [&](auto& open) { return open.first == id; });
    if (found != open_packs_.end()) {
      open_packs_.splice(open_packs_.begin(), open_packs_, found);
      return found->second;
    }
  }
  PLZ_ASSIGN(UniqueFd fd, open_either(id));
  auto shared = std::make_shared<UniqueFd>(std::move(fd));
  std::lock_guard lock(mutex_);
  open_packs_.emplace_front(id, shared);
  if (open_packs_.size() > kOpenPacks) open_packs_.pop_back();
  return shared;
}

Result<UniqueFd> LocalPackStore::open_either(PackId id) const {
  for (int tries = 0; tries < kTriesToFind; ++tries) {
    for (const std::string& path : {path_of(id), unsettled_path_of(id)}) {
      auto fd = open_file(path, O_RDONLY);
      if (fd || fd.error().code != ErrorCode::not_found) return fd;
    }
  }
  return fail(no_such_pack(id));
}

Result<void> LocalPackStore::read(PackId id, uint64_t offset, void* buffer, size_t size) {
  PLZ_ASSIGN(auto fd, open_pack(id));
  auto got = pread_up_to(fd->get(), buffer, size, offset);
  if (!got) return fail(std::move(got).error().with_context(path_of(id)));
  if (*got < size) return fail(ErrorCode::damaged, path_of(id) + " is shorter than it should be");
  return {};
}

Result<uint64_t> LocalPackStore::size(PackId id) {
  PLZ_ASSIGN(UniqueFd fd, open_either(id));
  struct stat st;
  if (fstat(fd.get(), &st) != 0) return fail_errno("cannot stat " + path_of(id));
  return static_cast<uint64_t>(st.st_size);
}

Result<void> LocalPackStore::remove(PackId id) {
  {
    std::lock_guard lock(mutex_);
    open_packs_.remove_if([&](auto& open) { return open.first == id; });
  }
  for (const std::string& path : {unsettled_path_of(id), path_of(id)})
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("cannot remove " + path);
  return {};
}

Result<void> LocalPackStore::settle(PackId id) {
  if (rename(unsettled_path_of(id).c_str(), path_of(id).c_str()) == 0 || path_exists(path_of(id))) return {};
  return fail_errno("cannot make " + path_of(id));
}

Result<std::vector<PackId>> LocalPackStore::list() { return list_with(true, true); }
Result<std::vector<PackId>> LocalPackStore::unsettled() { return list_with(false, true); }

Result<std::vector<PackId>> LocalPackStore::list_with(bool settled, bool unsettled) const {
  std::vector<PackId> ids;
  PLZ_ASSIGN(auto folders, list_directory(packs_));
  for (const auto& folder : folders) {
    if (folder == kIncoming) continue;
    PLZ_ASSIGN(auto names, list_directory(join_path(packs_, folder)));
    for (std::string_view name : names) {
      const bool is_new = name.ends_with(kUnsettledSuffix);
      if (!is_new && !name.ends_with(kSuffix)) continue;
      if (!(is_new ? unsettled : settled)) continue;
      name.remove_suffix((is_new ? kUnsettledSuffix : kSuffix).size());
      if (auto id = PackId::parse(name)) ids.push_back(*id);
    }
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

Result<void> LocalPackStore::set_aside(PackId id) {
  PLZ_TRY(make_directories(aside_, 0700));
  const std::string to = join_path(aside_, id.to_string() + std::string(kSuffix));
  for (const std::string& path : {unsettled_path_of(id), path_of(id)})
    if (rename(path.c_str(), to.c_str()) != 0 && errno != ENOENT)
      return fail_errno("cannot move " + path + " to " + aside_);
  return {};
}

Result<std::vector<PackId>> LocalPackStore::take_back() {
  std::vector<PackId> ids;
  if (!path_exists(aside_)) return ids;
  PLZ_ASSIGN(auto names, list_directory(aside_));
  for (const std::string& name : names) {
    auto id = PackId::parse(std::string_view(name).substr(0, name.find('.')));
    if (!id || !name.ends_with(kSuffix)) continue;
    PLZ_TRY(make_directories(parent_path(path_of(*id)), 0700));
    if (rename(join_path(aside_, name).c_str(), path_of(*id).c_str()) != 0)
      return fail_errno("cannot move " + name + " back from " + aside_);
    ids.push_back(*id);
  }
  return ids;
}

}  // namespace plz
