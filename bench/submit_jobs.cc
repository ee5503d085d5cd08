// submit_jobs SOCKET COUNT: submits jobs of `true` through the API, waits until all have finished, and
// prints how many went through a second.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "client/api_client.h"
#include "client/blob_client.h"
#include "store/hasher.h"
#include "store/pack_format.h"
#include "store/tree.h"

namespace plz {
namespace {

int submit(const std::string& socket, int count) {
  Endpoint endpoint;
  endpoint.path = socket;
  SystemClock clock;
  const std::string tree = encode_tree({});
  const Digest digest = digest_of(tree);
  std::string pack;
  append_blob_to_pack(pack, digest, tree);
  BlobClient blobs(endpoint, std::nullopt);
  if (auto sent = blobs.send_pack(std::move(pack)); !sent) {
    fprintf(stderr, "%s\n", sent.error().message.c_str());
    return 1;
  }
  Submission submission;
  submission.spec.user = "bench";
  submission.spec.project = "jobs";
  submission.spec.command = {"true"};
  submission.spec.snapshot.code_tree = digest;
  submission.shell_environment = {{"PATH", "/usr/bin:/bin"}};
  auto begin = std::chrono::steady_clock::now();
  ApiClient api(endpoint);
  ExecutionId last;
  for (int i = 0; i < count; ++i) {
    auto id = api.submit(submission, "");
    if (!id) {
      fprintf(stderr, "%s\n", id.error().message.c_str());
      return 1;
    }
    last = *id;
  }
  // First in, first out: when the last has finished, at most those beside it have not.
  ListRequest unfinished;
  unfinished.user = "bench";
  unfinished.unfinished = true;
  for (;;) {
    if (auto waited = api.wait(last, std::chrono::seconds(60)); !waited) return 1;
    auto page = api.list(unfinished);
    if (!page) return 1;
    if (page->executions.empty()) break;
  }
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  printf("%.1f jobs a second\n", count / took.count());
  return 0;
}

}  // namespace
}  // namespace plz

int main(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: submit_jobs SOCKET COUNT\n");
    return 2;
  }
  return plz::submit(argv[1], atoi(argv[2]));
}
