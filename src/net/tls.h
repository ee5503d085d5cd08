// TLS by OpenSSL. Nothing of OpenSSL is touched, not even initialised, before a context is made.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "net/transport.h"
#include "os/fd.h"

namespace plz {

// Shared by the connections that it made. Thread-safe.
class TlsContext {
 public:
  // PEM files; the certificate may be followed by its chain.
  static Result<std::shared_ptr<TlsContext>> for_server(const std::string& certificate_path,
                                                        const std::string& key_path);
  // Peers are verified against `ca_file`, or where it is empty SSL_CERT_FILE or the system's bundle:
  // a static program's built-in path says nothing about the host's.
  // Shows the certificate to a peer that asks for one, where it is given.
  static Result<std::shared_ptr<TlsContext>> for_client(const std::string& ca_file,
                                                        const std::string& certificate_path = {},
                                                        const std::string& key_path = {});
  virtual ~TlsContext() = default;

  // Null when there is no memory. The handshake is yet to be done.
  virtual std::unique_ptr<Transport> accept(UniqueFd fd) = 0;
  // `host` is sent as SNI and must be in the peer's certificate; it may be an address.
  virtual std::unique_ptr<Transport> connect(UniqueFd fd, const std::string& host) = 0;
};

}  // namespace plz
