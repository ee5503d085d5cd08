#include "aws/sigv4.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <new>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <fmt/chrono.h>
#include <fmt/core.h>

#include "base/text.h"

namespace plz {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

void prepare_openssl() {
  // The system's openssl.cnf is none of our business.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

std::string hmac(std::string_view key, std::string_view text) {
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const uint8_t*>(text.data()),
            text.size(), digest, &size))
    throw std::bad_alloc();
  return std::string(reinterpret_cast<const char*>(digest), size);
}

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Without blanks at its ends, and with one space for each run of them, also one that a fold made.
std::string squeeze(std::string_view value) {
  std::string result;
  bool blank = false;
  for (char c : value) {
    if (is_blank(c)) {
      blank = true;
      continue;
    }
    if (blank && !result.empty()) result += ' ';
    blank = false;
    result += c;
  }
  return result;
}

std::string normalise(std::string_view path) {
  std::vector<std::string_view> kept;
  for (auto piece : split(path, '/')) {
    if (piece == ".." && !kept.empty()) kept.pop_back();
    if (!piece.empty() && piece != "." && piece != "..") kept.push_back(piece);
  }
  std::string result = "/";
  for (auto piece : kept) result.append(result.size() > 1 ? "/" : "").append(piece);
  if (!kept.empty() && path.ends_with('/')) result += '/';
  return result;
}

std::string canonical_path(const AwsRequest& request, const AwsService& service) {
  std::string path = service.normalise_path ? normalise(request.path) : request.path;
  if (path.empty()) path = "/";
  return service.encode_path ? aws_encode(path, true) : path;
}

// In the order in which they are signed. Values of one name are joined in the order given.
std::map<std::string, std::string> canonical_headers(const AwsPairs& headers) {
  std::map<std::string, std::string> result;
  for (const auto& [name, value] : headers) {
    auto [at, is_new] = result.emplace(lower_case(trim(name)), squeeze(value));
    if (!is_new) at->second += "," + squeeze(value);
  }
  return result;
}

std::string join_names(const std::map<std::string, std::string>& headers) {
  std::string names;
  for (const auto& [name, value] : headers) names.append(names.empty() ? "" : ";").append(name);
  return names;
}

std::string canonical_request(const AwsRequest& request, const AwsService& service,
                              const std::map<std::string, std::string>& headers) {
  std::string text =
      fmt::format("{}\n{}\n{}\n", request.method, canonical_path(request, service), aws_query(request.query));
  for (const auto& [name, value] : headers) text += fmt::format("{}:{}\n", name, value);
  return text + fmt::format("\n{}\n{}", join_names(headers), request.payload_hash);
}

std::string signing_key(const AwsCredentials& credentials, std::string_view day, std::string_view region,
                        std::string_view service) {
  std::string key = hmac("AWS4" + credentials.secret_access_key, day);
  return hmac(hmac(hmac(key, region), service), "aws4_request");
}

}  // namespace

AwsPairs sign_aws_request(const AwsRequest& request, const AwsService& service, std::string_view region,
                          const AwsCredentials& credentials, Timestamp now) {
  prepare_openssl();
  std::string time = fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
  std::string_view day = std::string_view(time).substr(0, 8);
  AwsPairs added{{"X-Amz-Date", time}};
  if (!credentials.session_token.empty()) added.emplace_back("X-Amz-Security-Token", credentials.session_token);
  if (service.payload_header) added.emplace_back("X-Amz-Content-Sha256", request.payload_hash);

  AwsPairs all = request.headers;
  all.insert(all.end(), added.begin(), added.end());
  auto headers = canonical_headers(all);
  std::string scope = fmt::format("{}/{}/{}/aws4_request", day, region, service.name);
  std::string hash = sha256_hex(canonical_request(request, service, headers));
  std::string to_sign = fmt::format("{}\n{}\n{}\n{}", kAlgorithm, time, scope, hash);
  std::string signature = hex(hmac(signing_key(credentials, day, region, service.name), to_sign));
  added.emplace_back("Authorization", fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                                                  credentials.access_key_id, scope, join_names(headers), signature));
  return added;
}

std::string aws_query(const AwsPairs& query) {
  AwsPairs encoded;
  for (const auto& [name, value] : query) encoded.emplace_back(aws_encode(name), aws_encode(value));
  std::sort(encoded.begin(), encoded.end());
  std::string text;
  for (const auto& [name, value] : encoded) text += (text.empty() ? "" : "&") + name + "=" + value;
  return text;
}

std::string aws_encode(std::string_view text, bool keep_slash) {
  std::string encoded;
  for (unsigned char c : text) {
    bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                 c == '_' || c == '~' || (c == '/' && keep_slash);
    if (plain) encoded += static_cast<char>(c);
    else encoded += fmt::format("%{:02X}", c);
  }
  return encoded;
}

std::string sha256_hex(std::string_view bytes) {
  prepare_openssl();
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
  return hex(std::string_view(reinterpret_cast<const char*>(digest), size));
}

}  // namespace plz
