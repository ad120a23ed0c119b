/* Sends two events through libdocket and waits until they are on stable storage.
 *
 *   send HOST:PORT|unix:PATH NODE [SPOOL]
 */
#include <docket.h>
#include <stdio.h>
#include <string.h>

static int failed(const char *what) {
  fprintf(stderr, "%s: %s\n", what, docket_error_message());
  return 1;
}

static void on_delivery(void *context, uint64_t seq, const char *error) {
  (void)context;
  if (error != NULL) {
    printf("rejected: %s\n", error);
  } else {
    printf("durable as activity:%llu\n", (unsigned long long)seq);
  }
}

int main(int argc, char **argv) {
  docket_options *options = docket_options_new();
  docket_client *client = NULL;
  docket_event event;
  docket_counters counters;
  uint64_t seq = 0;
  const char *json =
      "{\"actor\":{\"kind\":\"user\",\"id\":\"17\",\"name\":\"Ana Lima\"},\"verb\":\"EDIT\","
      "\"target\":{\"type\":\"List\",\"id\":\"7\",\"name\":\"Newsletter\"},"
      "\"payload\":{\"changes\":[{\"field\":\"hourly_limit\",\"old\":100,\"new\":250}]}}";

  if (argc < 3) {
    fprintf(stderr, "usage: send HOST:PORT|unix:PATH NODE [SPOOL]\n");
    return 2;
  }
  if (options == NULL || docket_options_set(options, "server", argv[1]) != DOCKET_OK ||
      docket_options_set(options, "node", argv[2]) != DOCKET_OK ||
      (argc > 3 && docket_options_set(options, "spool.directory", argv[3]) != DOCKET_OK)) {
    return failed("options");
  }
  if (docket_client_start(options, &client) != DOCKET_OK) {
    return failed("start");
  }
  docket_options_free(options);

  /* From fields, and told when it is durable. */
  memset(&event, 0, sizeof(event));
  event.size = sizeof(event);
  event.actor_kind = "api_token";
  event.actor_id = "deploy";
  event.verb = "CREATE";
  event.target_type = "Contact";
  event.target_id = "4711";
  event.ip = "192.0.2.7";
  if (docket_emit(client, &event, on_delivery, NULL) != DOCKET_OK) {
    return failed("emit");
  }
  /* From JSON, and waiting for it. */
  if (docket_emit_durable(client, json, strlen(json), 10000, &seq) != DOCKET_OK) {
    return failed("emit_durable");
  }
  if (docket_flush(client, 10000) != DOCKET_OK) {
    return failed("flush");
  }
  memset(&counters, 0, sizeof(counters));
  counters.size = sizeof(counters);
  docket_get_counters(client, &counters);
  printf("the second one has number %llu; %llu of %llu events are durable\n",
         (unsigned long long)seq, (unsigned long long)counters.durable,
         (unsigned long long)counters.emitted);
  docket_client_free(client);
  return 0;
}
