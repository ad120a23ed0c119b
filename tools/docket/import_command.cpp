// import: sends the events of files through the server, each exactly once.
//
// A file is read twice. The first reading takes the digest of its content, which names the sender:
// the same file makes the same numbered batches, so what an earlier, broken-off run has stored is
// recognised and not stored again.
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "engine/timestamp.hpp"
#include "ingest/client.hpp"
#include "ingest/event_json.hpp"
#include "query/render.hpp"
#include "tools/api/digest.hpp"
#include "tools/docket/commands.hpp"
#include "tools/docket/event_file.hpp"
#include "tools/docket/ingest_address.hpp"
#include "tools/docketd/address.hpp"

namespace docket::cli {

namespace {

constexpr std::uint32_t wait_ms = 500;
constexpr std::chrono::seconds silence_max{30};
constexpr std::size_t faults_told_max = 100;
// Every log may hold one batch that is not yet full; with this it never has to go before it is,
// which would cut batches by chance.
constexpr std::size_t memory_bytes = std::size_t{512} << 20;
constexpr EventRules rules{limits::payload_bytes_max};
// So late a receipt that no event's time can be rejected as lying in the future of it. That is the
// server's to do: what is left out for the clock today and not tomorrow would shift all batches
// behind it, while a row that the server rejects stays a row of its batch.
constexpr Nanos end_of_time = INT64_MAX - limits::future_ns_max;

// Names faults on stderr, the first hundred of them. Thread-safe.
class Faults {
 public:
  void add(const std::string& path, std::uint64_t line, std::string_view error) {
    const std::lock_guard lock(mutex_);
    if (++count_ <= faults_told_max) {
      static_cast<void>(std::fprintf(stderr, "docket: %s:%llu: %s\n", path.c_str(),
                                     static_cast<unsigned long long>(line),
                                     query::terminal_safe(error).c_str()));
    }
  }
  [[nodiscard]] std::uint64_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  mutable std::mutex mutex_;
  std::uint64_t count_ = 0;
};

struct FileFacts {
  std::string sender;
  std::uint64_t events = 0;
  std::uint64_t from_the_future = 0;  // of these
};

// Of rules, that tells them from others; empty: there are none.
std::string rules_name(const ingest::RedactionRules& redaction) {
  if (redaction.is_empty()) {
    return {};
  }
  static constexpr std::size_t digits = 12;
  api::Sha256 digest;
  for (const auto* list : {&redaction.keys, &redaction.patterns}) {
    for (const std::string& text : *list) {
      digest.update(fmt::format("{}:{}", text.size(), text));
    }
    digest.update(";");
  }
  return ":" + digest.finish().substr(0, digits);
}

// The first reading.
Result<FileFacts> inspect(const EventFile& file, const std::string& log,
                          const ingest::RedactionRules& redaction) {
  FileFacts facts;
  api::Sha256 digest;
  ingest::EventDecoder decoder;
  const Nanos latest = now_ns() + limits::future_ns_max;
  DOCKET_TRY(file.read([&digest](std::string_view piece) { digest.update(piece); },
                       [&](std::uint64_t, const Result<std::string_view>& json) -> Result<void> {
                         const auto decoded =
                             json ? decoder.decode(*json, rules, end_of_time)
                                  : Result<ingest::EventDecoder::Decoded>(fail(json.error()));
                         if (!decoded) {
                           return {};  // told at the second reading
                         }
                         ++facts.events;
                         if (decoded->event.ts > latest && decoded->event.ts != end_of_time) {
                           ++facts.from_the_future;
                         }
                         return {};
                       }));
  // The log, the form of the cells and the rules belong to the name, too: they make other events of
  // the file.
  facts.sender = fmt::format("import:{}{}{}{}{}", digest.finish(), log.empty() ? "" : ":", log,
                             file.raw() ? ":raw" : "", rules_name(redaction));
  return facts;
}

// One connection attempt, so that a server that is not there is told at once.
Result<void> probe(client::Options options) {
  options.node = "import:probe";
  DOCKET_ASSIGN(const auto client, client::Client::start(options));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  for (int i = 0; i < 40; ++i) {
    const std::string error = client->last_error();
    if (error.empty()) {
      return {};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return fail(ErrorCode::io, client->last_error());  // it names the address
}

class Import {
 public:
  Import(client::Options destination, std::string log)
      : destination_(std::move(destination)), log_(std::move(log)) {}

  [[nodiscard]] Result<void> run(const EventFile& file) {
    DOCKET_ASSIGN(const FileFacts facts, inspect(file, log_, destination_.redaction));
    client::Options options = destination_;
    options.node = facts.sender;
    // Nothing of the file can be stored yet. Sent, its batches would count as done; so the same
    // file can be imported once its time has come.
    const bool is_early = facts.from_the_future > 0 && facts.from_the_future == facts.events;
    options.epoch = 1;
    options.memory_bytes = memory_bytes;
    options.rules = rules;
    DOCKET_ASSIGN(const auto client, client::Client::start(options));
    Progress progress("imported", facts.events);
    ingest::EventDecoder decoder;
    const Nanos now = now_ns();
    const Result<void> sent = file.read(
        {}, [&](std::uint64_t line, const Result<std::string_view>& json) -> Result<void> {
          auto decoded = json ? decoder.decode(*json, rules, end_of_time)
                              : Result<ingest::EventDecoder::Decoded>(fail(json.error()));
          if (!decoded) {
            faults_.add(file.path(), line, decoded.error().message);
            return {};
          }
          if (is_early) {
            faults_.add(file.path(), line, "ts: is more than 24 h in the future");
            return {};
          }
          if (decoded->event.ts == end_of_time) {
            decoded->event.ts = now;
          }
          return send(*client, file, line, log_.empty() ? decoded->log : log_, decoded->event,
                      progress);
        });
    Result<void> done = sent ? settle(*client, progress) : sent;
    const client::Counters counters = client->counters();
    stored_ += counters.durable - counters.known;
    known_ += counters.known;
    kept_out_ += counters.rejected - std::min(counters.rejected, rejections_.exchange(0));
    return done;
  }

  [[nodiscard]] std::uint64_t stored() const { return stored_; }
  // An earlier import had sent them.
  [[nodiscard]] std::uint64_t known() const { return known_; }
  // Rejected at that import, and not by today's clock.
  [[nodiscard]] std::uint64_t kept_out() const { return kept_out_; }
  [[nodiscard]] std::uint64_t rejected() const { return faults_.count(); }

 private:
  // Waits for room where the server is slower than the file.
  Result<void> send(client::Client& client, const EventFile& file, std::uint64_t line,
                    std::string_view log, const EventView& event, Progress& progress) {
    for (;;) {
      const auto emitted =
          client.emit(log, event, [this, &file, line](const client::Delivery& delivery) {
            if (!delivery.ok()) {
              ++rejections_;
              faults_.add(file.path(), line, delivery.error);
            }
          });
      if (emitted) {
        return {};
      }
      if (emitted.error().code == ErrorCode::invalid_argument) {
        faults_.add(file.path(), line, emitted.error().message);
        return {};
      }
      if (emitted.error().code != ErrorCode::overloaded) {
        return emitted;
      }
      DOCKET_TRY(check_progress(client, progress));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  Result<void> settle(client::Client& client, Progress& progress) {
    for (;;) {
      const auto flushed = client.flush(wait_ms);
      if (flushed || flushed.error().code != ErrorCode::overloaded) {
        return flushed;
      }
      DOCKET_TRY(check_progress(client, progress));
    }
  }

  // An error once nothing has been acknowledged for too long.
  Result<void> check_progress(client::Client& client, Progress& progress) {
    const client::Counters counters = client.counters();
    const auto now = std::chrono::steady_clock::now();
    const std::uint64_t settled = counters.durable + counters.rejected;
    if (settled != settled_ || !waiting_since_) {
      settled_ = settled;
      waiting_since_ = now;
    }
    progress.show(counters.durable, "events");
    if (now - *waiting_since_ < silence_max) {
      return {};
    }
    const std::string why = client.last_error();
    return fail(ErrorCode::io,
                fmt::format("{} events are not acknowledged: {}. Import the file again to go on "
                            "where this run has ended",
                            counters.pending, why.empty() ? "the server is silent" : why));
  }

  const client::Options destination_;
  const std::string log_;
  Faults faults_;
  std::atomic<std::uint64_t> rejections_{0};  // that a delivery told of
  std::uint64_t stored_ = 0;
  std::uint64_t known_ = 0;
  std::uint64_t kept_out_ = 0;
  std::uint64_t settled_ = 0;
  std::optional<std::chrono::steady_clock::time_point> waiting_since_;
};

}  // namespace

int run_import(Context& context) {
  const Arguments& arguments = context.arguments;
  const auto to = ingest_destination(arguments);
  if (!to) {
    return complain(to.error());
  }
  if (const auto reached = probe(*to); !reached) {
    return complain(reached.error());
  }
  Import import(*to, arguments.log);
  int code = exit_done;
  for (const std::string& path : arguments.files) {
    const auto file = EventFile::open(path, arguments.raw);
    if (const auto done = file ? import.run(*file) : fail(file.error()); !done) {
      static_cast<void>(complain(done.error()));
      code = exit_failed;
    }
  }
  context.out.write(fmt::format(
      "{} events stored, {}{} rejected\n", import.stored(),
      import.known() == 0 ? std::string()
                          : fmt::format("{} known from an earlier import, ", import.known()),
      import.rejected() + import.kept_out()));
  if (import.kept_out() > 0) {
    context.out.flush();
    static_cast<void>(std::fprintf(
        stderr,
        "docket: %llu events were rejected at an earlier import of the same file and stay out; "
        "import them in a file of their own\n",
        static_cast<unsigned long long>(import.kept_out())));
  }
  return import.rejected() + import.kept_out() > 0 ? exit_failed : code;
}

}  // namespace docket::cli
