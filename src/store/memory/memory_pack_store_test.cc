#include "store/memory/memory_pack_store.h"

#include "store/pack_store_contract_test.h"

namespace plz {
namespace {

std::unique_ptr<PackStore> make_memory(const std::string&) { return std::make_unique<MemoryPackStore>(); }
INSTANTIATE_TEST_SUITE_P(Memory, PackStoreContract, testing::Values(make_memory));

}  // namespace
}  // namespace plz
