#include "store/hasher.h"

#include <array>

// EVP brings a provider up at first, with hundreds of names of algorithms: most of a millisecond of each plz run. What
// it would come to call is called here by its own name.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

namespace plz {
namespace {

SHA256_CTX* as_context(void* context) { return static_cast<SHA256_CTX*>(context); }

}  // namespace

Hasher::Hasher() : context_(new SHA256_CTX) { SHA256_Init(as_context(context_)); }

Hasher::~Hasher() { delete as_context(context_); }

void Hasher::update(std::string_view bytes) { SHA256_Update(as_context(context_), bytes.data(), bytes.size()); }

Digest Hasher::finish() {
  std::array<uint8_t, Digest::kBytes> bytes;
  SHA256_Final(bytes.data(), as_context(context_));
  SHA256_Init(as_context(context_));
  return Digest(bytes);
}

Digest digest_of(std::string_view bytes) {
  Hasher hasher;
  hasher.update(bytes);
  return hasher.finish();
}

}  // namespace plz
