#include "store/hasher.h"

#include <array>
#include <new>

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace plz {
namespace {

EVP_MD_CTX* as_context(void* context) { return static_cast<EVP_MD_CTX*>(context); }

}  // namespace

Hasher::Hasher() : context_(nullptr) {
  // The system's openssl.cnf is none of our business, and reading it costs a millisecond.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  context_ = EVP_MD_CTX_new();
  if (!context_ || EVP_DigestInit_ex(as_context(context_), EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
}

Hasher::~Hasher() { EVP_MD_CTX_free(as_context(context_)); }

void Hasher::update(std::string_view bytes) { EVP_DigestUpdate(as_context(context_), bytes.data(), bytes.size()); }

Digest Hasher::finish() {
  std::array<uint8_t, Digest::kBytes> bytes;
  EVP_DigestFinal_ex(as_context(context_), bytes.data(), nullptr);
  EVP_DigestInit_ex(as_context(context_), nullptr, nullptr);
  return Digest(bytes);
}

Digest digest_of(std::string_view bytes) {
  Hasher hasher;
  hasher.update(bytes);
  return hasher.finish();
}

}  // namespace plz
