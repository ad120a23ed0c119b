// The C face of the client library: docket.h. No exception leaves it.
#include "ingest/docket.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <future>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/timestamp.hpp"
#include "ingest/client.hpp"
#include "ingest/event_json.hpp"

using docket::Error;
using docket::ErrorCode;
using docket::Result;
using docket::client::Client;
using docket::client::Delivery;
using docket::client::DeliveryHandler;
using docket::client::Options;

struct docket_options {
  Options options;
};
struct docket_client {
  std::unique_ptr<Client> client;
  docket::EventRules rules;
};

namespace {

constexpr std::size_t error_bytes_max = 512;

// Fixed memory, so that being out of memory can be told, too.
thread_local char last_error[error_bytes_max] = "";

docket_status tell(docket_status status, std::string_view message) {
  const std::size_t bytes = std::min(message.size(), error_bytes_max - 1);
  std::memcpy(last_error, message.data(), bytes);
  last_error[bytes] = '\0';
  return status;
}

docket_status status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return DOCKET_INVALID;
    case ErrorCode::overloaded:
      return DOCKET_FULL;
    case ErrorCode::closed:
      return DOCKET_CLOSED;
    case ErrorCode::busy:
      return DOCKET_BUSY;
    case ErrorCode::no_space:
      return DOCKET_NO_SPACE;
    case ErrorCode::newer_format:
      return DOCKET_NEWER;
    case ErrorCode::unknown_outcome:
      return DOCKET_UNKNOWN;
    case ErrorCode::not_found:
    case ErrorCode::exists:
    case ErrorCode::io:
    case ErrorCode::corrupt:
    case ErrorCode::out_of_order:
    case ErrorCode::cancelled:
      break;
  }
  return DOCKET_IO;
}

docket_status tell(const Error& error) {
  return tell(status_of(error.code), error.message);
}

// Runs what may throw: allocations, and threads that cannot be started.
template <typename Work>
docket_status guarded(const Work& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return tell(DOCKET_NO_MEMORY, "out of memory");
  } catch (const std::exception& failure) {
    return tell(DOCKET_IO, failure.what());
  }
}

std::string_view text_of(const char* text) {
  return text == nullptr ? std::string_view() : std::string_view(text);
}

template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && rest == end;
}

// HOST:PORT, [HOST]:PORT or unix:PATH.
bool read_address(std::string_view text, docket::client::Address& address) {
  if (text.starts_with("unix:")) {
    address = {std::string(text), 0};
    return true;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !read_number(text.substr(colon + 1), address.port)) {
    return false;
  }
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  address.host = host;
  return !host.empty();
}

bool read_server(std::string_view list, Options& options) {
  std::vector<docket::client::Address> addresses;
  for (;;) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (!read_address(list.substr(0, comma), addresses.emplace_back())) {
      return false;
    }
    if (comma == list.size()) {
      break;
    }
    list.remove_prefix(comma + 1);
  }
  options.address = addresses.front().host;
  options.port = addresses.front().port;
  options.others.assign(addresses.begin() + 1, addresses.end());
  return true;
}

// The options that make a connection one under TLS, whichever is given.
bool set_tls(Options& options, std::string_view name, std::string_view value) {
  if (name == "tls") {
    if (value == "true" && !options.tls) {
      options.tls.emplace();
    } else if (value == "false") {
      options.tls.reset();
    }
    return value == "true" || value == "false";
  }
  if (name == "tls.server_name") {
    options.server_name = value;
    return true;
  }
  docket::ingest::TlsFiles& files = options.tls ? *options.tls : options.tls.emplace();
  if (name == "tls.authorities") {
    files.authorities = value;
  } else if (name == "tls.certificate") {
    files.certificate = value;
  } else {
    files.key = value;
  }
  return true;
}

std::vector<std::string> items_of(std::string_view list) {
  std::vector<std::string> items;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    items.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return items;
}

bool set_redaction(Options& options, std::string_view name, std::string_view value) {
  docket::ingest::RedactionRules rules = options.redaction;
  (name == "redact.keys" ? rules.keys : rules.patterns) = items_of(value);
  if (!docket::ingest::check_redaction(rules)) {
    return false;
  }
  options.redaction = std::move(rules);
  return true;
}

bool set(Options& options, std::string_view name, std::string_view value) {
  if (name == "server") {
    return read_server(value, options);
  } else if (name == "node") {
    options.node = value;
  } else if (name == "token") {
    options.token = value;
  } else if (name == "tls" || name == "tls.server_name" || name == "tls.authorities" ||
             name == "tls.certificate" || name == "tls.key") {
    return set_tls(options, name, value);
  } else if (name == "memory_bytes") {
    return read_number(value, options.memory_bytes);
  } else if (name == "batch_rows") {
    return read_number(value, options.batch_rows);
  } else if (name == "linger_us") {
    return read_number(value, options.linger_us);
  } else if (name == "reconnect_ms_max") {
    return read_number(value, options.reconnect_ms_max);
  } else if (name == "spool.directory") {
    options.spool.directory = value;
  } else if (name == "spool.bytes") {
    return read_number(value, options.spool.bytes);
  } else if (name == "redact.keys" || name == "redact.patterns") {
    return set_redaction(options, name, value);
  } else if (name == "spool.sync") {
    options.spool.sync = value == "true";
    return value == "true" || value == "false";
  } else {
    return false;
  }
  return true;
}

DeliveryHandler handler_of(docket_delivery on_delivery, void* context) {
  if (on_delivery == nullptr) {
    return {};
  }
  return [on_delivery, context](const Delivery& delivery) {
    on_delivery(context, delivery.seq, delivery.ok() ? nullptr : delivery.error.c_str());
  };
}

using Decoded = docket::ingest::EventDecoder::Decoded;

// The views are valid until this thread decodes the next one.
Result<Decoded> decode(const docket_client* client, const char* json, std::size_t bytes) {
  thread_local docket::ingest::EventDecoder decoder;
  return decoder.decode({json, bytes}, client->rules, docket::now_ns());
}

Result<docket::EventView> event_of(const docket_event& given) {
  docket::EventView event;
  event.ts = given.ts_ns != 0 ? given.ts_ns : docket::now_ns();
  event.actor = {text_of(given.actor_kind), text_of(given.actor_id), text_of(given.actor_name),
                 text_of(given.actor_role)};
  event.verb = text_of(given.verb);
  event.target = {text_of(given.target_type), text_of(given.target_id), text_of(given.target_name)};
  event.affected = given.affected != 0 ? given.affected : 1;
  event.reason = text_of(given.reason);
  event.session = text_of(given.session);
  event.request = text_of(given.request);
  event.payload = text_of(given.payload);
  if (const std::string_view ip = text_of(given.ip); !ip.empty()) {
    event.ip = docket::parse_ip(ip);
    if (!event.ip) {
      return docket::fail(ErrorCode::invalid_argument, "ip: must be an IPv4 or IPv6 address");
    }
  }
  if (const std::string_view text = text_of(given.outcome); !text.empty()) {
    const auto outcome = docket::parse_outcome(text);
    if (!outcome) {
      return docket::fail(ErrorCode::invalid_argument,
                          "outcome: must be success, failure or denied");
    }
    event.outcome = *outcome;
  }
  return event;
}

}  // namespace

const char* docket_version(void) {
  return DOCKET_VERSION;
}

const char* docket_error_message(void) {
  return last_error;
}

docket_options* docket_options_new(void) {
  return new (std::nothrow) docket_options;
}

void docket_options_free(docket_options* options) {
  delete options;
}

docket_status docket_options_set(docket_options* options, const char* name, const char* value) {
  return guarded([&] {
    if (!set(options->options, name, value)) {
      return tell(DOCKET_INVALID, std::string(name) + ": no such option, or not a value for it");
    }
    return DOCKET_OK;
  });
}

docket_status docket_client_start(const docket_options* options, docket_client** client) {
  return guarded([&] {
    auto made = std::make_unique<docket_client>();
    made->rules = options->options.rules;
    auto started = Client::start(options->options);
    if (!started) {
      return tell(started.error());
    }
    made->client = std::move(*started);
    *client = made.release();
    return DOCKET_OK;
  });
}

void docket_client_free(docket_client* client) {
  delete client;
}

docket_status docket_emit_json(docket_client* client, const char* json, size_t bytes,
                               docket_delivery on_delivery, void* context) {
  return guarded([&] {
    const auto decoded = decode(client, json, bytes);
    if (!decoded) {
      return tell(decoded.error());
    }
    const auto emitted =
        client->client->emit(decoded->log, decoded->event, handler_of(on_delivery, context));
    return emitted ? DOCKET_OK : tell(emitted.error());
  });
}

docket_status docket_emit(docket_client* client, const docket_event* event,
                          docket_delivery on_delivery, void* context) {
  return guarded([&] {
    // What an older header does not have is absent.
    docket_event whole{};
    std::memcpy(&whole, event, std::min(event->size, sizeof(whole)));
    const auto view = event_of(whole);
    if (!view) {
      return tell(view.error());
    }
    const std::string_view log = text_of(whole.log);
    const auto emitted = client->client->emit(log.empty() ? "activity" : log, *view,
                                              handler_of(on_delivery, context));
    return emitted ? DOCKET_OK : tell(emitted.error());
  });
}

docket_status docket_emit_durable(docket_client* client, const char* json, size_t bytes,
                                  uint32_t timeout_ms, uint64_t* seq) {
  return guarded([&] {
    const auto decoded = decode(client, json, bytes);
    if (!decoded) {
      return tell(decoded.error());
    }
    auto emitted = client->client->emit_durable(decoded->log, decoded->event);
    if (!emitted) {
      return tell(emitted.error());
    }
    if (emitted->wait_for(std::chrono::milliseconds(timeout_ms)) != std::future_status::ready) {
      return tell(DOCKET_TIMEOUT, "the event has no answer yet: " + client->client->last_error());
    }
    const Delivery delivery = emitted->get();
    if (!delivery.ok()) {
      return tell(DOCKET_REJECTED, delivery.error);
    }
    if (seq != nullptr) {
      *seq = delivery.seq;
    }
    return DOCKET_OK;
  });
}

docket_status docket_flush(docket_client* client, uint32_t timeout_ms) {
  return guarded([&] {
    const auto flushed = client->client->flush(timeout_ms);
    return flushed ? DOCKET_OK : tell(DOCKET_TIMEOUT, flushed.error().message);
  });
}

docket_status docket_get_counters(const docket_client* client, docket_counters* counters) {
  return guarded([&] {
    const docket::client::Counters counted = client->client->counters();
    docket_counters whole{};
    whole.size = counters->size;
    whole.emitted = counted.emitted;
    whole.durable = counted.durable;
    whole.rejected = counted.rejected;
    whole.refused = counted.refused;
    whole.pending = counted.pending;
    whole.recovered = counted.recovered;
    whole.lost = counted.lost;
    whole.reconnects = counted.reconnects;
    std::memcpy(counters, &whole, std::min(counters->size, sizeof(whole)));
    return DOCKET_OK;
  });
}

size_t docket_connection_error(const docket_client* client, char* text, size_t bytes) {
  std::size_t size = 0;
  static_cast<void>(guarded([&] {
    const std::string error = client->client->last_error();
    size = error.size();
    if (bytes > 0) {
      const std::size_t some = std::min(size, bytes - 1);
      std::memcpy(text, error.data(), some);
      text[some] = '\0';
    }
    return DOCKET_OK;
  }));
  return size;
}
