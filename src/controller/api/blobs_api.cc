#include "controller/api/answers.h"
#include "controller/api/routes.h"
#include "controller/controller.h"

#include <fmt/core.h>

namespace plz {
namespace {

constexpr size_t kMaxDigestBytes = 32u * 1'000'000;

Response octets(std::string body) {
  Response response;
  response.headers.add("Content-Type", "application/octet-stream");
  response.body = std::move(body);
  return response;
}

Result<void> hold_lease_of(const Request& request, ControllerContext& context) {
  auto text = query_text(request, "lease");
  if (!text) return {};
  auto lease = LeaseId::parse(*text);
  if (!lease) return fail(ErrorCode::invalid, "'" + *text + "' is not a lease's id");
  return context.blobs.hold_lease(*lease, std::chrono::hours(1));
}

}  // namespace

void add_blob_routes(Router& router, ControllerContext& context) {
  router.add("PUT", "/v1/leases/{lease}", [&context](Request& request, const PathParameters& parameters) {
    return answer(request, [&]() -> Result<Response> {
      PLZ_ASSIGN(LeaseId lease, id_parameter<LeaseId>(parameters, "lease"));
      PLZ_ASSIGN(auto seconds, query_number(request, "seconds", 1, 86'400));
      PLZ_TRY(context.blobs.hold_lease(lease, std::chrono::seconds(seconds.value_or(3'600))));
      return no_content();
    });
  });
  router.add("DELETE", "/v1/leases/{lease}", [&context](Request& request, const PathParameters& parameters) {
    return answer(request, [&]() -> Result<Response> {
      PLZ_ASSIGN(LeaseId lease, id_parameter<LeaseId>(parameters, "lease"));
      PLZ_TRY(context.blobs.end_lease(lease));
      return no_content();
    });
  });
  router.add("POST", "/v1/blobs/missing", [&context](Request& request, const PathParameters&) {
    return answer(request, [&]() -> Result<Response> {
      PLZ_TRY(hold_lease_of(request, context));
      PLZ_ASSIGN(std::string body, request.body->read_all(kMaxDigestBytes));
      PLZ_ASSIGN(auto digests, BlobService::parse_digests(body));
      PLZ_ASSIGN(std::string missing, context.blobs.missing(digests));
      return octets(std::move(missing));
    });
  });
  router.add("POST", "/v1/packs", [&context](Request& request, const PathParameters&) {
    return answer(request, [&]() -> Result<Response> {
      PLZ_TRY(context.disks.check_room());
      PLZ_TRY(hold_lease_of(request, context));
      // A peer on the embedded controller's socket is its owner: their digests name their own bytes.
      PLZ_ASSIGN(auto received, context.blobs.receive_pack(*request.body, context.settings.embedded));
      return json_answer(fmt::format("{{\"blobs\": {}, \"bytes\": {}, \"stored_bytes\": {}}}", received.blobs,
                                     received.bytes, received.stored_bytes));
    });
  });
  router.add("POST", "/v1/blobs/fetch", [&context](Request& request, const PathParameters&) {
    return answer(request, [&]() -> Result<Response> {
      PLZ_ASSIGN(std::string body, request.body->read_all(kMaxDigestBytes));
      PLZ_ASSIGN(auto digests, BlobService::parse_digests(body));
      PLZ_ASSIGN(auto producer, context.blobs.fetch(digests));
      Response response = octets({});
      response.stream = pump(context.streams, std::move(producer));
      return response;
    });
  });
}

}  // namespace plz
