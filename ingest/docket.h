/* docket.h: sending audit events to Docket from C, and from whatever calls C.
 *
 *   docket_options *options = docket_options_new();
 *   docket_options_set(options, "node", "web-1");
 *   docket_options_set(options, "spool.directory", "/var/spool/web/docket");
 *   docket_client *client = NULL;
 *   if (docket_client_start(options, &client) != DOCKET_OK) {
 *     fprintf(stderr, "%s\n", docket_error_message());
 *   }
 *   docket_options_free(options);
 *   ...
 *   docket_emit_json(client, event, strlen(event), NULL, NULL);
 *   ...
 *   docket_flush(client, 5000);
 *   docket_client_free(client);
 *
 * The library has a thread of its own that batches, connects, sends again and waits; no call but
 * docket_flush(), docket_emit_durable() and docket_client_free() waits for the network. Functions
 * may be called from any thread; options by one at a time, and none while or after the client is
 * freed. After a fork(), a client belongs to the parent alone.
 *
 * Strings that are given are UTF-8, ended by NUL where no size is asked for, and copied. A pointer
 * must not be NULL unless that is said.
 *
 * This interface is stable: functions and codes are added and never changed, a structure grows at
 * its end and says its size. The library's soname changes when that is broken.
 */
#ifndef DOCKET_H
#define DOCKET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define DOCKET_API __attribute__((visibility("default")))
#else
#define DOCKET_API
#endif

/* What a call came to. A new code may be added; what is not DOCKET_OK is a failure. */
typedef enum docket_status {
  DOCKET_OK = 0,
  DOCKET_INVALID = 1,   /* what was given breaks a rule: "field: rule" */
  DOCKET_FULL = 2,      /* the memory or the spool is full; try again later */
  DOCKET_CLOSED = 3,    /* the server takes nothing of this log, ever */
  DOCKET_BUSY = 4,      /* another client has this spool */
  DOCKET_IO = 5,        /* a system call failed */
  DOCKET_NO_SPACE = 6,  /* the disk of the spool is full; try again later */
  DOCKET_NEWER = 7,     /* the spool was written by a newer version */
  DOCKET_UNKNOWN = 8,   /* the event may or may not be in the spool */
  DOCKET_TIMEOUT = 9,   /* the time is over, and it goes on all the same */
  DOCKET_REJECTED = 10, /* the server will never take this event */
  DOCKET_NO_MEMORY = 11
} docket_status;

/* "0.1.0": of the library, not of this header. */
DOCKET_API const char *docket_version(void);

/* What went wrong in the last call of this thread that failed: one line, "" before any. Valid until
 * the thread's next call. */
DOCKET_API const char *docket_error_message(void);

/* --- options ---------------------------------------------------------------------------------- */

typedef struct docket_options docket_options;

/* NULL: there is no memory. */
DOCKET_API docket_options *docket_options_new(void);
/* NULL is fine. */
DOCKET_API void docket_options_free(docket_options *options);

/* Sets the option of that name. DOCKET_INVALID: there is none, or it does not take this value.
 *
 *   server            127.0.0.1:7470  HOST:PORT, [HOST]:PORT or unix:PATH; or several ways to one
 *                                     server, separated by commas, tried in turn
 *   node                              this sender's name; required, the same across restarts
 *   token                             shown to the server
 *   tls               false           true: TLS is spoken; so it is with any of the files below
 *   tls.authorities                   PEM file of whom the server's certificate must be; else the
 *                                     system's
 *   tls.certificate                   PEM file of one's own, where the server asks for one
 *   tls.key                           of it
 *   tls.server_name                   whom the server's certificate must name; else its HOST
 *   memory_bytes      67108864        for events not yet acknowledged
 *   batch_rows        8192            events in a batch at most, 1 to 8192
 *   linger_us         5000            how long the first event of a batch waits for others
 *   reconnect_ms_max  5000            pauses between attempts double up to here
 *   spool.directory                   of this client alone: events are kept there until they are
 *                                     acknowledged, and survive a kill of the process
 *   spool.bytes       1073741824      of all its files, at least 4194304
 *   spool.sync        false           true: they survive a power cut as well, for a sync an event
 *   redact.keys                       names of members of payloads whose values are taken out
 *                                     before the spool or the network sees them, separated by
 *                                     commas: password,*secret*
 *   redact.patterns                   what looks like one of these is taken out of any text but
 *                                     ids, likewise: authorization, card, jwt, private_key,
 *                                     access_key
 */
DOCKET_API docket_status docket_options_set(docket_options *options, const char *name,
                                            const char *value);

/* --- the client ------------------------------------------------------------------------------- */

typedef struct docket_client docket_client;

/* Starts connecting in the background; `*client` is set only with DOCKET_OK. Else DOCKET_INVALID,
 * and about the spool DOCKET_BUSY, DOCKET_NEWER, DOCKET_IO, DOCKET_NO_SPACE. */
DOCKET_API docket_status docket_client_start(const docket_options *options, docket_client **client);
/* Ends the connection. What is neither acknowledged nor in a spool is lost: docket_flush() first.
 * Not from a handler. NULL is fine. */
DOCKET_API void docket_client_free(docket_client *client);

/* What became of an event: `error` is NULL and `seq` its number in its log (0: stored, but under
 * which number is no longer known); or the error is why it is rejected for ever. Called once for
 * each event that was taken, on the client's own thread or on one that is in docket_flush(), never
 * on two at a time; must not block and must not call the client. Those that docket_client_free()
 * comes before are not called. */
typedef void (*docket_delivery)(void *context, uint64_t seq, const char *error);

/* One event as a JSON object, as a line of NDJSON has it; `log` is "activity" where it is absent,
 * `ts` the present time. Copied. `on_delivery` may be NULL. DOCKET_OK: the event is taken, and with
 * a spool written to it. Else it is not, and DOCKET_INVALID says the rule, or DOCKET_FULL,
 * DOCKET_CLOSED, DOCKET_IO, DOCKET_NO_SPACE, DOCKET_UNKNOWN. */
DOCKET_API docket_status docket_emit_json(docket_client *client, const char *json, size_t bytes,
                                          docket_delivery on_delivery, void *context);

/* The same from fields. Set `size` to sizeof(docket_event) and everything else to 0 first; NULL or
 * "" is absent. What is required is what the contract of events says: actor_kind, actor_id, verb,
 * target_type. */
typedef struct docket_event {
  size_t size;
  int64_t ts_ns; /* since the Unix epoch; 0: now */
  const char *log;
  const char *actor_kind;
  const char *actor_id;
  const char *actor_name;
  const char *actor_role;
  const char *verb;
  const char *target_type;
  const char *target_id;
  const char *target_name;
  uint64_t affected;   /* 0: 1 */
  const char *ip;      /* IPv4 or IPv6 */
  const char *outcome; /* success, failure, denied */
  const char *reason;
  const char *session;
  const char *request;
  const char *payload; /* a JSON object */
} docket_event;
DOCKET_API docket_status docket_emit(docket_client *client, const docket_event *event,
                                     docket_delivery on_delivery, void *context);

/* Emits, and waits until the event is on the server's stable storage; `*seq`, unless `seq` is NULL,
 * is then its number. DOCKET_TIMEOUT: it is taken and will be sent, but has no answer yet;
 * DOCKET_REJECTED. */
DOCKET_API docket_status docket_emit_durable(docket_client *client, const char *json, size_t bytes,
                                             uint32_t timeout_ms, uint64_t *seq);

/* Waits until every event that was taken is stored or rejected. DOCKET_TIMEOUT: some are not. */
DOCKET_API docket_status docket_flush(docket_client *client, uint32_t timeout_ms);

/* Set `size` to sizeof(docket_counters) first; what the library has no counter for is left. */
typedef struct docket_counters {
  size_t size;
  uint64_t emitted;   /* taken */
  uint64_t durable;   /* on the server's stable storage */
  uint64_t rejected;  /* by the server, for ever */
  uint64_t refused;   /* not taken: memory or spool full */
  uint64_t pending;   /* taken or recovered, and neither durable nor rejected */
  uint64_t recovered; /* found in the spool at the start */
  uint64_t lost;      /* that were in the spool and are damaged there */
  uint64_t reconnects;
} docket_counters;
DOCKET_API docket_status docket_get_counters(const docket_client *client,
                                             docket_counters *counters);

/* Why the client is not connected, "" while it is. Writes at most `bytes` bytes, ended by NUL, and
 * returns how many the whole text has. */
DOCKET_API size_t docket_connection_error(const docket_client *client, char *text, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
