#include "tools/load/flags.hpp"

#include <CLI/CLI.hpp>
#include <utility>

#include "engine/timestamp.hpp"
#include "tools/api/token_file.hpp"
#include "tools/docketd/address.hpp"
#include "tools/load/command_line.hpp"

namespace docket::load {

void EventFlags::add_to(CLI::App& app) {
  app.add_option("--events", events, "how many")
      ->capture_default_str()
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{100'000'000'000}));
  add_kind_to(app);
}

void EventFlags::add_kind_to(CLI::App& app) {
  app.add_option("--seed", seed, "another seed makes another world")->capture_default_str();
  app.add_option("--days", days, "over how many days they happen")
      ->capture_default_str()
      ->check(CLI::Range(1, 3650));
  app.add_option("--end", end, "RFC 3339 time of the last one; default: now");
  app.add_option("--note-bytes", note_bytes,
                 "text in each event's payload, on average, beside what it has anyway")
      ->capture_default_str()
      ->check(CLI::Range(0U, note_bytes_max));
  app.add_option("--mix", mix, "shares of the logs")->capture_default_str();
}

GeneratorOptions EventFlags::options() const {
  GeneratorOptions made{seed, events, now_ns(), days, {}};
  if (!end.empty()) {
    const auto parsed = parse_rfc3339(end);
    if (!parsed) {
      throw CLI::ValidationError("--end", parsed.error().message);
    }
    made.end = *parsed;
  }
  const auto shares = parse_mix(mix);
  if (!shares) {
    throw CLI::ValidationError("--mix", shares.error().message);
  }
  made.mix = *shares;
  made.note_bytes = note_bytes;
  return made;
}

void AccessFlags::add_to(CLI::App& app) {
  app.add_option("--token-file", token_file, "show the server the token in this file")
      ->type_name("FILE");
  CLI::Option* const wanted =
      app.add_flag("--tls", tls, "speak TLS, whose certificate must be valid for the address");
  const auto add = [&](const std::string& name, std::string& into, const std::string& text) {
    return app.add_option(name, into, text)->type_name("FILE")->needs(wanted);
  };
  add("--ca", authorities, "trust these authorities, not the system's");
  CLI::Option* const own = add("--cert", certificate, "show this certificate");
  own->needs(add("--key", key, "its key")->needs(own));
}

Access AccessFlags::access() const {
  Access made;
  if (!token_file.empty()) {
    auto token = api::read_token_file(token_file);
    if (!token) {
      throw CLI::ValidationError("--token-file", token.error().message);
    }
    made.token = std::move(*token);
  }
  if (tls) {
    made.tls = ingest::TlsFiles{certificate, key, authorities};
    if (const auto usable = ingest::client_tls(*made.tls); !usable) {
      throw CLI::ValidationError("--tls", usable.error().message);
    }
  }
  return made;
}

void WatchFlags::add_to(CLI::App& app) {
  app.add_option("--http", http,
                 "docketd's HTTP ADDRESS:PORT: its processor time, memory, writes, and when it "
                 "seals and retires segments, of its /metrics");
  app.add_option("--server-pid", pid,
                 "docketd's process on this machine, to look at instead of asking it")
      ->check(CLI::PositiveNumber);
}

ServerWatch WatchFlags::watch(Access access) const {
  ServerWatch made;
  made.access = std::move(access);
  made.pid = static_cast<pid_t>(pid);
  if (!http.empty()) {
    const auto address = server::parse_address(http);
    if (!address) {
      throw CLI::ValidationError("--http", address.error().message);
    }
    made.http_address = address->host;
    made.http_port = address->port;
  }
  return made;
}

}  // namespace docket::load
