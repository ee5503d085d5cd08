#include "net/tls.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <cstring>

#include <fmt/core.h>

namespace plz {
namespace {

struct Release {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslContext = std::unique_ptr<SSL_CTX, Release>;
using Ssl = std::unique_ptr<SSL, Release>;

std::string openssl_words() {
  unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code ? ERR_reason_error_string(code) : nullptr;
  return reason ? reason : "unknown error";
}

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL, and a signal would end the program.
int bio_write(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  int fd = static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio)));
  ssize_t n = send(fd, bytes, static_cast<size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(n);
}

int bio_read(BIO* bio, char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  int fd = static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio)));
  ssize_t n = recv(fd, bytes, static_cast<size_t>(size), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  if (n == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(n);
}

long bio_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* bio_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "plz socket");
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

class TlsTransport final : public Transport {
 public:
  TlsTransport(UniqueFd fd, Ssl ssl) : Transport(std::move(fd)), ssl_(std::move(ssl)) {
    BIO* bio = BIO_new(bio_method());
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<intptr_t>(fd_.get())));
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
  }

  IoResult handshake() override {
    prepare();
    int code = SSL_do_handshake(ssl_.get());
    return code == 1 ? IoResult{} : result_of(code);
  }

  IoResult read(void* buffer, size_t size) override {
    prepare();
    size_t bytes = 0;
    int code = SSL_read_ex(ssl_.get(), buffer, size, &bytes);
    return code == 1 ? IoResult{IoResult::State::done, bytes, 0} : result_of(code);
  }

  IoResult write(const iovec* parts, int) override {
    prepare();
    size_t bytes = 0;
    int code = SSL_write_ex(ssl_.get(), parts->iov_base, parts->iov_len, &bytes);
    return code == 1 ? IoResult{IoResult::State::done, bytes, 0} : result_of(code);
  }

  void shut_down_writing() override {
    prepare();
    if (SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
    ERR_clear_error();
    Transport::shut_down_writing();
  }

  std::string failure(const IoResult& result) const override {
    return words_.empty() ? Transport::failure(result) : words_;
  }

 private:
  void prepare() {
    ERR_clear_error();
    errno = 0;
  }

  IoResult result_of(int code) {
    int error_number = errno;
    switch (SSL_get_error(ssl_.get(), code)) {
      case SSL_ERROR_WANT_READ: return {IoResult::State::want_read};
      case SSL_ERROR_WANT_WRITE: return {IoResult::State::want_write};
      case SSL_ERROR_ZERO_RETURN: return {IoResult::State::end};
      case SSL_ERROR_SYSCALL: return {IoResult::State::failed, 0, error_number != 0 ? error_number : ECONNRESET};
      default: break;
    }
    long verified = SSL_get_verify_result(ssl_.get());
    words_ = "TLS: " + openssl_words();
    if (verified != X509_V_OK) words_ += fmt::format(": {}", X509_verify_cert_error_string(verified));
    return {IoResult::State::failed, 0, EPROTO};
  }

  Ssl ssl_;
  std::string words_;
};

class OpenSslContext final : public TlsContext {
 public:
  explicit OpenSslContext(SslContext context) : context_(std::move(context)) {}

  std::unique_ptr<Transport> accept(UniqueFd fd) override {
    Ssl ssl(SSL_new(context_.get()));
    if (!ssl) return nullptr;
    SSL_set_accept_state(ssl.get());
    return std::make_unique<TlsTransport>(std::move(fd), std::move(ssl));
  }

  std::unique_ptr<Transport> connect(UniqueFd fd, const std::string& host) override {
    Ssl ssl(SSL_new(context_.get()));
    if (!ssl || !expect_host(ssl.get(), host)) return nullptr;
    SSL_set_connect_state(ssl.get());
    return std::make_unique<TlsTransport>(std::move(fd), std::move(ssl));
  }

 private:
  static bool expect_host(SSL* ssl, const std::string& host) {
    unsigned char address[sizeof(in6_addr)];
    bool is_address = inet_pton(AF_INET, host.c_str(), address) == 1 || inet_pton(AF_INET6, host.c_str(), address) == 1;
    if (is_address) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set_tlsext_host_name(ssl, host.c_str()) == 1 && SSL_set1_host(ssl, host.c_str()) == 1;
  }

  SslContext context_;
};

Result<SslContext> make_context(const SSL_METHOD* method) {
  // The host's openssl.cnf may name plug-ins that a static program cannot load.
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  SslContext context(SSL_CTX_new(method));
  if (!context) return fail(ErrorCode::internal, "cannot set up TLS: " + openssl_words());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // A body's own framing tells whether it is whole; many peers close without the closing alert.
  SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
  return context;
}

std::string system_ca_file() {
  if (const char* configured = getenv("SSL_CERT_FILE")) return configured;
  for (const char* path :
       {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"})
    if (access(path, R_OK) == 0) return path;
  return {};
}

Result<void> use_certificate(SSL_CTX* context, const std::string& certificate_path, const std::string& key_path) {
  if (SSL_CTX_use_certificate_chain_file(context, certificate_path.c_str()) != 1)
    return fail(ErrorCode::invalid,
                fmt::format("cannot use the certificate {}: {}", certificate_path, openssl_words()));
  if (SSL_CTX_use_PrivateKey_file(context, key_path.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1)
    return fail(ErrorCode::invalid, fmt::format("cannot use the key {}: {}", key_path, openssl_words()));
  return {};
}

}  // namespace

Result<std::shared_ptr<TlsContext>> TlsContext::for_server(const std::string& certificate_path,
                                                           const std::string& key_path) {
  PLZ_ASSIGN(SslContext context, make_context(TLS_server_method()));
  PLZ_TRY(use_certificate(context.get(), certificate_path, key_path));
  return std::make_shared<OpenSslContext>(std::move(context));
}

Result<std::shared_ptr<TlsContext>> TlsContext::for_client(const std::string& ca_file,
                                                           const std::string& certificate_path,
                                                           const std::string& key_path) {
  std::string path = ca_file.empty() ? system_ca_file() : ca_file;
  if (path.empty())
    return fail(ErrorCode::invalid, "there is no file of certificate authorities on this machine",
                "install ca-certificates, or name a CA file in connection_info");
  PLZ_ASSIGN(SslContext context, make_context(TLS_client_method()));
  if (SSL_CTX_load_verify_locations(context.get(), path.c_str(), nullptr) != 1)
    return fail(ErrorCode::invalid,
                fmt::format("cannot use the certificate authorities in {}: {}", path, openssl_words()));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (!certificate_path.empty()) PLZ_TRY(use_certificate(context.get(), certificate_path, key_path));
  return std::make_shared<OpenSslContext>(std::move(context));
}

}  // namespace plz
