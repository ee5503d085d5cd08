#include "cli/recorded_variables.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

TEST(RecordedVariablesTest, ValuesOfWhatChangesResultsAreRecorded) {
  const RecordedVariables variables;
  for (const char* name : {"OMP_NUM_THREADS",
                           "OPENBLAS_CORETYPE",
                           "MKL_CBWR",
                           "BLIS_NUM_THREADS",
                           "NUMEXPR_MAX_THREADS",
                           "ATEN_CPU_CAPABILITY",
                           "NPY_DISABLE_CPU_FEATURES",
                           "GLIBC_TUNABLES",
                           "PYTHONHASHSEED",
                           "SOURCE_DATE_EPOCH",
                           "TZ",
                           "LC_ALL",
                           "LD_LIBRARY_PATH",
                           "LD_PRELOAD",
                           "PYTHONPATH",
                           "CUBLAS_WORKSPACE_CONFIG",
                           "NVIDIA_TF32_OVERRIDE",
                           "XLA_FLAGS",
                           "TORCH_COMPILE_DEBUG",
                           "CUDA_VISIBLE_DEVICES",
                           "CONDA_PREFIX",
                           "PATH",
                           "TOKENIZERS_PARALLELISM"})
    EXPECT_TRUE(variables.is_recorded(name, "1")) << name;
  for (const char* name : {"HOME", "EDITOR", "XOMP_NUM_THREADS", "LEARNING_RATE", "Path"})
    EXPECT_FALSE(variables.is_recorded(name, "1")) << name;
}

TEST(RecordedVariablesTest, FurtherPatternsAreAdded) {
  const RecordedVariables variables({"MY_*", "LEARNING_RATE"});
  EXPECT_TRUE(variables.is_recorded("MY_SEED", "1"));
  EXPECT_TRUE(variables.is_recorded("LEARNING_RATE", "0.1"));
  EXPECT_FALSE(variables.is_recorded("MY_API_KEY", "1"));
  EXPECT_TRUE(RecordedVariables({"*"}).is_recorded("ANYTHING", "x"));
}

TEST(RecordedVariablesTest, WhatIsNamedASecretIsOne) {
  for (const char* name : {"HF_TOKEN", "NVIDIA_API_KEY", "TORCH_HUB_SECRETS", "PYTHON_PASSWORD", "CUDA_PASSPHRASE",
                           "conda_token", "MKL_AUTH", "LD_KEY", "AWS_SECRET_ACCESS_KEY", "GITHUBTOKEN", "SSH_PRIVATE",
                           "TF_ACCESSKEY", "JAX_CREDENTIALS", "PL_PWD"})
    EXPECT_TRUE(is_name_of_secret(name)) << name;
  for (const char* name : {"TOKENIZERS_PARALLELISM", "PATH", "OMP_NUM_THREADS", "KEYBOARD", "PYTHONPATH", "COMPASS"})
    EXPECT_FALSE(is_name_of_secret(name)) << name;
}

TEST(RecordedVariablesTest, WhatLooksLikeASecretIsOne) {
  for (const char* value :
       {"https://ada:lovelace@example.org/simple", "x,ftp://a:b@c", "hf_abcdefghijklmnop", "ghp_0123456789abcdef",
        "a:AKIA0123456789AB", "eyJhbGciOiJIUzI1NiJ9.x.y", "-----BEGIN PRIVATE KEY-----",
        "0123456789abcdef0123456789abcdef", "Zm9vYmFyYmF6MTIzNDU2Nzg5", "--token=Zm9vYmFyYmF6MTIzNDU2Nzg5",
        "/Zm9vYmFyYmF6MTIzNDU2Nzg5", "/lib:Zm9vYmFyYmF6MTIzNDU2Nzg5", "/opt/0123456789abcdef0123456789abcdef/lib"})
    EXPECT_TRUE(looks_like_secret(value)) << value;
  for (const char* value :
       {"", "1", "GPU-8c3b1f2a-1234-5678-9abc-0123456789ab", "/usr/bin:/home/ada/.local/share/venvs/py311/bin",
        "/nix/store/3n58xw4373jp0ljirf06d8077j15pc4j-glibc-2.37/lib", "close",
        "/data/hf_datasets_cache/sk-learn-contrib",
        "/opt/MyVeryLongProjectDirectoryName2024/lib:", "/home/ada/CondaEnvironments2024/lib/python3.11",
        "glibc.cpu.hwcaps=-AVX2,-FMA", "--xla_gpu_deterministic_ops=true", "http://ada@example.org",
        "http://example.org:80/@x:y", "C.UTF-8", "America/Argentina/ComodRivadavia"})
    EXPECT_FALSE(looks_like_secret(value)) << value;
}

}  // namespace
}  // namespace plz
