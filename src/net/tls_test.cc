#include "net/tls.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include "net/http_client.h"
#include "net/http_server.h"
#include "net/server_fixture.h"

namespace plz::testing_net {
namespace {

// A certificate and its key. The issuer is itself, or an authority.
class Certificate {
 public:
  Certificate(const std::string& name, const char* alternative_names, const Certificate* issuer)
      : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
    ASN1_INTEGER_set(X509_get_serialNumber(certificate_), issuer ? 2 : 1);
    X509_set_version(certificate_, 2);
    X509_gmtime_adj(X509_getm_notBefore(certificate_), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate_), 3600);
    X509_set_pubkey(certificate_, key_);
    X509_NAME* subject = X509_get_subject_name(certificate_);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1,
                               -1, 0);
    X509_set_issuer_name(certificate_, issuer ? X509_get_subject_name(issuer->certificate_) : subject);
    add_extension(NID_basic_constraints, issuer ? "CA:FALSE" : "critical,CA:TRUE");
    if (alternative_names) add_extension(NID_subject_alt_name, alternative_names);
    X509_sign(certificate_, issuer ? issuer->key_ : key_, EVP_sha256());
  }
  ~Certificate() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  void write(const std::string& certificate_path, const std::string& key_path) const {
    FILE* file = fopen(certificate_path.c_str(), "w");
    PEM_write_X509(file, certificate_);
    fclose(file);
    file = fopen(key_path.c_str(), "w");
    PEM_write_PrivateKey(file, key_, nullptr, nullptr, 0, nullptr, nullptr);
    fclose(file);
  }

 private:
  void add_extension(int nid, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
    X509_add_ext(certificate_, extension, -1);
    X509_EXTENSION_free(extension);
  }
  EVP_PKEY* key_;
  X509* certificate_;
};

class TlsTest : public testing::Test {
 protected:
  void SetUp() override {
    Certificate authority("plz test authority", nullptr, nullptr);
    Certificate other("another authority", nullptr, nullptr);
    Certificate leaf("server", "DNS:localhost,IP:127.0.0.1", &authority);
    authority.write(file("ca.pem"), file("ca.key"));
    other.write(file("other.pem"), file("other.key"));
    leaf.write(file("server.pem"), file("server.key"));
    server_ = std::make_unique<HttpServer>(HttpServerSettings{}, [this](Request& request) {
      Response response;
      if (request.target.path == "/stream") {
        response.stream = stream_;
        return response;
      }
      auto body = request.body->read_all(64u << 20);
      response.body = body ? *body : body.error().message;
      return response;
    });
    auto port = server_->listen_tls("127.0.0.1", 0, {file("server.pem"), file("server.key")});
    ASSERT_TRUE(port) << port.error().message;
    port_ = *port;
    ASSERT_TRUE(server_->start());
  }
  std::string file(const std::string& name) const { return directory_.path() + "/" + name; }
  HttpClient client(const std::string& host, const std::string& ca) const {
    return HttpClient({.kind = Endpoint::Kind::https, .host = host, .port = port_, .ca_file = file(ca)});
  }

  TemporaryDirectory directory_;
  std::unique_ptr<HttpServer> server_;
  std::shared_ptr<FedStream> stream_ = std::make_shared<FedStream>();
  uint16_t port_ = 0;
};

TEST_F(TlsTest, CarriesRequestsToANameAndToAnAddress) {
  for (const char* host : {"localhost", "127.0.0.1"}) {
    {
      auto tls_client = client(host, "ca.pem");
      for (int i = 0; i < 3; ++i) {
        auto response = tls_client.call(post("/", "hello"));
        ASSERT_TRUE(response) << response.error().message;
        EXPECT_EQ(response->body, "hello");
      }
      EXPECT_EQ(server_->connections(), 1u);
    }
    ASSERT_TRUE(eventually([&] { return server_->connections() == 0; }));
  }
}

TEST_F(TlsTest, CarriesLargeBodiesBothWays) {
  std::string body(20u << 20, '\0');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 2654435761u >> 13);
  auto response = client("localhost", "ca.pem").call(post("/", body));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_TRUE(response->body == body);
}

TEST_F(TlsTest, CarriesStreams) {
  auto tls_client = client("localhost", "ca.pem");
  stream_->feed("first");
  std::string got;
  auto response = tls_client.stream(get("/stream"), [&](std::string_view piece) -> Result<void> {
    got += piece;
    if (got == "first") stream_->feed(std::string(1'000'000, 'x'));
    if (got.size() == 1'000'005) stream_->end();
    return {};
  });
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(got.size(), 1'000'005u);
}

TEST_F(TlsTest, RefusesAnotherHost) {
  // No other name leads to the test's server, so the contexts are asked directly.
  auto context = TlsContext::for_client(file("ca.pem"));
  ASSERT_TRUE(context) << context.error().message;
  auto server_context = TlsContext::for_server(file("server.pem"), file("server.key"));
  for (auto [host, good] : {std::pair("localhost", true), std::pair("127.0.0.1", true), std::pair("example.org", false),
                            std::pair("127.0.0.2", false)}) {
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    auto there = (*server_context)->accept(UniqueFd(pair[0]));
    auto here = (*context)->connect(UniqueFd(pair[1]), host);
    IoResult last;
    for (int i = 0; i < 10; ++i) {
      last = here->handshake();
      if (last.state == IoResult::State::done || last.state == IoResult::State::failed) break;
      there->handshake();
    }
    EXPECT_EQ(last.state == IoResult::State::done, good) << host;
    if (good) continue;
    EXPECT_NE(here->failure(last).find("mismatch"), std::string::npos) << here->failure(last);
  }
}

TEST_F(TlsTest, RefusesAnUnknownAuthority) {
  auto response = client("localhost", "other.pem").call(get("/"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::unavailable);
  EXPECT_NE(response.error().message.find("certificate verify failed"), std::string::npos) << response.error().message;
}

// Whether a server that wants a certificate of the authority takes this client.
bool is_admitted(TlsContext& client, const std::string& authority, const std::string& certificate,
                 const std::string& key) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_use_certificate_chain_file(context, certificate.c_str());
  SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_load_verify_locations(context, authority.c_str(), nullptr);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  int pair[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
  UniqueFd there(pair[0]);
  SSL* server = SSL_new(context);
  SSL_set_fd(server, there.get());
  SSL_set_accept_state(server);
  auto here = client.connect(UniqueFd(pair[1]), "localhost");
  int shaken = 0;
  for (int i = 0; i < 10 && shaken != 1; ++i) {
    here->handshake();
    shaken = SSL_do_handshake(server);
  }
  SSL_free(server);
  SSL_CTX_free(context);
  return shaken == 1;
}

TEST_F(TlsTest, ShowsItsOwnCertificateWhereItHasOne) {
  auto anonymous = TlsContext::for_client(file("ca.pem"));
  auto known = TlsContext::for_client(file("ca.pem"), file("server.pem"), file("server.key"));
  ASSERT_TRUE(known) << known.error().message;
  EXPECT_TRUE(is_admitted(**known, file("ca.pem"), file("server.pem"), file("server.key")));
  EXPECT_FALSE(is_admitted(**anonymous, file("ca.pem"), file("server.pem"), file("server.key")));
  auto mixed = TlsContext::for_client(file("ca.pem"), file("server.pem"), file("ca.key"));
  ASSERT_FALSE(mixed);
  EXPECT_NE(mixed.error().message.find(file("ca.key")), std::string::npos) << mixed.error().message;
}

TEST_F(TlsTest, NamesTheFileThatItCannotUse) {
  auto response = client("localhost", "none.pem").call(get("/"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::invalid);
  EXPECT_NE(response.error().message.find(file("none.pem")), std::string::npos);
  auto mixed = server_->listen_tls("127.0.0.1", 0, {file("server.pem"), file("ca.key")});
  ASSERT_FALSE(mixed);
  EXPECT_NE(mixed.error().message.find(file("ca.key")), std::string::npos) << mixed.error().message;
}

TEST_F(TlsTest, SurvivesPeersThatDoNotSpeakTls) {
  HttpClient plain({.kind = Endpoint::Kind::http, .host = "127.0.0.1", .port = port_});
  auto response = plain.call(get("/"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(client("localhost", "ca.pem").call(get("/")));
}

}  // namespace
}  // namespace plz::testing_net
