#include "cli/recorded_variables.h"

#include <fnmatch.h>

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace plz {
namespace {

// What numerical libraries, interpreters and the dynamic loader decide by.
constexpr const char* kPatterns[] = {"PATH", "LANG", "LANGUAGE", "LC_*", "TZ", "VIRTUAL_ENV", "CONDA_*", "PYTHON*",
                                     "LD_*", "GLIBC_TUNABLES", "SOURCE_DATE_EPOCH",
                                     // threads and linear algebra
                                     "OMP_*", "GOMP_*", "KMP_*", "OPENBLAS_*", "GOTO_*", "MKL_*", "BLIS_*",
                                     "FLEXIBLAS*", "ARMPL_*", "VECLIB_*", "NUMEXPR_*", "NUMBA_*", "NPY_*", "ATEN_*",
                                     "DNNL_*", "ONEDNN_*", "OMPI_MCA_*",
                                     // accelerators
                                     "CUDA_*", "CUBLAS_*", "CUBLASLT_*", "CUDNN_*", "NCCL_*", "NVIDIA_*", "HIP_*",
                                     "HSA_*", "ROCR_*", "ROCBLAS_*", "MIOPEN_*", "TRITON_*",
                                     // frameworks
                                     "TORCH_*", "TORCHINDUCTOR_*", "PYTORCH_*", "PL_*", "TF_*", "XLA_*", "JAX_*",
                                     "KERAS_*", "TOKENIZERS_PARALLELISM", "HF_HOME", "HF_HUB_*", "TRANSFORMERS_*"};

constexpr std::string_view kSecretParts[] = {"SECRET", "PASSWORD", "PASSWD",  "PASSPHRASE", "CREDENTIAL",
                                             "TOKEN",  "APIKEY",   "PRIVATE", "COOKIE",     "BEARER"};
constexpr std::string_view kSecretWords[] = {"KEY", "KEYS", "PASS", "PWD", "AUTH", "PAT", "JWT", "SIGNATURE"};
// TOKENIZERS_PARALLELISM is no secret.
constexpr std::string_view kHarmless[] = {"TOKENIZER"};

constexpr std::string_view kTokenBeginnings[] = {"ghp_", "gho_",    "ghs_",  "ghu_",  "github_pat_", "glpat-",   "hf_",
                                                 "sk-",  "sk_live", "xoxb-", "xoxp-", "xoxa-",       "AKIA",     "ASIA",
                                                 "AIza", "ya29.",   "eyJ",   "npm_",  "pypi-",       "dckr_pat_"};
constexpr size_t kTokenBytes = 16;  // of letters and digits in a row, behind one of these beginnings
constexpr size_t kMixedBytes = 20;  // of capital and small letters and digits in one word
constexpr size_t kHexBytes = 32;

std::string upper_letters(std::string_view text) {
  std::string upper(text);
  for (char& letter : upper) letter = static_cast<char>(toupper(static_cast<unsigned char>(letter)));
  return upper;
}

bool is_hex(std::string_view word) {
  return std::all_of(word.begin(), word.end(), [](unsigned char c) { return isxdigit(c); });
}

bool is_long_hex(std::string_view word) { return word.size() >= kHexBytes && is_hex(word); }

bool is_random(std::string_view word) {
  if (is_long_hex(word)) return true;
  auto any = [&](int (*is)(int)) {
    return std::any_of(word.begin(), word.end(), [&](unsigned char c) { return is(c) != 0; });
  };
  return word.size() >= kMixedBytes && any(isdigit) && any(isupper) && any(islower);
}

// scheme://user:password@machine
bool has_password_in_url(std::string_view value) {
  for (size_t at = 0; (at = value.find("://", at)) != value.npos;) {
    at += 3;
    const std::string_view authority = value.substr(at, value.substr(at).find_first_of("/?# "));
    const size_t end = authority.rfind('@');
    if (end != authority.npos && authority.substr(0, end).find(':') != authority.npos) return true;
  }
  return false;
}

// sk-learn-contrib is the name of a directory.
bool is_token(std::string_view piece) {
  auto begins = [&](std::string_view beginning) { return piece.starts_with(beginning); };
  if (std::none_of(std::begin(kTokenBeginnings), std::end(kTokenBeginnings), begins)) return false;
  size_t row = 0;
  for (unsigned char c : piece) {
    row = isalnum(c) ? row + 1 : 0;
    if (row >= kTokenBytes) return true;
  }
  return false;
}

// Calls `test` with each of the pieces between `separators`.
bool any_piece(std::string_view text, std::string_view separators, bool (*test)(std::string_view)) {
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(separators), text.size());
    if (test(text.substr(0, end))) return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

// Nothing but absolute paths, as in LD_LIBRARY_PATH. A key may begin with a slash, too, but does not look like /opt.
bool is_list_of_paths(std::string_view value) {
  const auto paths = split(value, ':');
  return std::all_of(paths.begin(), paths.end(), [](std::string_view path) {
    if (path.empty()) return true;
    return path.front() == '/' && !is_random(path.substr(1, path.find('/', 1) - 1));
  });
}

}  // namespace

bool is_name_of_secret(std::string_view name) {
  std::string upper = upper_letters(name);
  for (auto harmless : kHarmless)
    for (size_t at; (at = upper.find(harmless)) != upper.npos;) upper.erase(at, harmless.size());
  for (auto part : kSecretParts)
    if (upper.find(part) != upper.npos) return true;
  return any_piece(upper, "_-.", [](std::string_view word) {
    return word.ends_with("KEY") ||
           std::find(std::begin(kSecretWords), std::end(kSecretWords), word) != std::end(kSecretWords);
  });
}

bool looks_like_secret(std::string_view value) {
  // Names of directories mix letters and digits as much as keys do.
  auto* const is_random_word = is_list_of_paths(value) ? is_long_hex : is_random;
  return value.find("-----BEGIN") != value.npos || has_password_in_url(value) ||
         any_piece(value, " \t\n:;,=\"'/", is_token) || any_piece(value, " \t\n:;,=\"'/-_.@", is_random_word);
}

bool is_known_to_change_results(const std::string& name) {
  return std::any_of(std::begin(kPatterns), std::end(kPatterns),
                     [&](const char* pattern) { return fnmatch(pattern, name.c_str(), 0) == 0; });
}

bool RecordedVariables::is_recorded(const std::string& name, std::string_view value) const {
  auto matches = [&](const char* pattern) { return fnmatch(pattern, name.c_str(), 0) == 0; };
  const bool known = is_known_to_change_results(name) ||
                     std::any_of(further_.begin(), further_.end(),
                                 [&](const std::string& pattern) { return matches(pattern.c_str()); });
  return known && !is_name_of_secret(name) && !looks_like_secret(value);
}

}  // namespace plz
