#include "db/sqlite/sqlite_instances.h"

#include "db/spec_codec.h"

namespace plz {
namespace {

const std::string kColumns =
    "id, provider, type, host_name, state, cpus, memory_bytes, gpus, runtimes, created, idle_since, disposal, "
    "last_seen ";

Result<Instance> read_instance(Statement& row) {
  Instance instance;
  std::string_view gpus, runtimes;
  row.read(instance.id, instance.provider, instance.type, instance.host_name, instance.state, instance.capacity.cpus,
           instance.capacity.memory_bytes, gpus, runtimes, instance.created, instance.idle_since, instance.disposal,
           instance.last_seen);
  PLZ_ASSIGN(instance.capacity.gpus, decode_strings(gpus));
  PLZ_ASSIGN(instance.runtimes, decode_runtimes(runtimes));
  return instance;
}

}  // namespace

Result<void> SqliteInstances::save(const Instance& i, Durability durability) {
  return store_.write(durability, [&](Connection& connection) -> Result<void> {
    PLZ_ASSIGN(Statement save, connection.statement("INSERT OR REPLACE INTO instances (" + kColumns +
                                                    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    save.bind(i.id, i.provider, i.type, i.host_name, i.state, i.capacity.cpus, i.capacity.memory_bytes,
              Bytes{encode_strings(i.capacity.gpus)}, Bytes{encode_runtimes(i.runtimes)}, i.created, i.idle_since,
              i.disposal, i.last_seen);
    return save.run();
  });
}

Result<std::optional<Instance>> SqliteInstances::find(InstanceId id) {
  PLZ_ASSIGN(auto reader, store_.reader());
  PLZ_ASSIGN(Statement query, reader->statement("SELECT " + kColumns + "FROM instances WHERE id = ?"));
  query.bind(id);
  PLZ_ASSIGN(bool found, query.step());
  if (!found) return std::nullopt;
  return read_instance(query);
}

Result<std::vector<Instance>> SqliteInstances::list(bool gone_too) {
  std::string from = gone_too ? "FROM instances " : "FROM instances INDEXED BY instances_present WHERE state < 3 ";
  PLZ_ASSIGN(auto reader, store_.reader());
  PLZ_ASSIGN(Statement query, reader->statement("SELECT " + kColumns + from + "ORDER BY id"));
  std::vector<Instance> instances;
  for (;;) {
    PLZ_ASSIGN(bool row, query.step());
    if (!row) return instances;
    PLZ_ASSIGN(Instance instance, read_instance(query));
    instances.push_back(std::move(instance));
  }
}

}  // namespace plz
