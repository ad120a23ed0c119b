#include "tools/docket/export_series.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "query/render.hpp"
#include "tools/api/digest.hpp"

namespace docket::cli {

namespace {

constexpr std::uint64_t cursor_bytes_max = std::uint64_t{1} << 20;
constexpr std::uint64_t cursor_version = 1;
constexpr std::size_t piece_bytes = std::size_t{128} << 10;

// A file of the series that the cursor has promised.
struct Promise {
  std::string file, sha256, position;
};

// What the cursor says.
struct Cursor {
  ExportQuestion question;
  std::string position;
  std::uint64_t files = 0;
  std::optional<Promise> promise;
};

std::string part_of(const std::string& file) {
  return file + ".part";
}

void append_member(std::string& json, std::string_view name, std::string_view text) {
  fmt::format_to(std::back_inserter(json), "{}\"{}\":", json.back() == '{' ? "" : ",", name);
  query::append_json_string(json, text);
}

std::string to_json(const Cursor& cursor) {
  std::string json = fmt::format("{{\"docket_export\":{}", cursor_version);
  append_member(json, "query", cursor.question.query);
  append_member(json, "zone", cursor.question.zone);
  append_member(json, "format", cursor.question.format);
  fmt::format_to(std::back_inserter(json), ",\"raw\":{},\"files\":{}", cursor.question.raw,
                 cursor.files);
  append_member(json, "position", cursor.position);
  if (cursor.promise) {
    json += ",\"promised\":{";
    append_member(json, "file", cursor.promise->file);
    append_member(json, "sha256", cursor.promise->sha256);
    append_member(json, "position", cursor.promise->position);
    json += '}';
  }
  return json + "}\n";
}

Result<Cursor> parse_cursor(const std::string& path, std::string_view json) {
  namespace dom = simdjson::dom;
  try {
    const auto text = [](const dom::element& object, std::string_view name) {
      return std::string(std::string_view(object[name]));
    };
    dom::parser parser;
    const dom::element read = parser.parse(simdjson::padded_string(json));
    if (std::uint64_t(read["docket_export"]) > cursor_version) {
      return fail(ErrorCode::newer_format, path + " was written by a newer version");
    }
    Cursor cursor;
    cursor.question = {text(read, "query"), text(read, "zone"), text(read, "format"),
                       bool(read["raw"])};
    cursor.position = text(read, "position");
    cursor.files = std::uint64_t(read["files"]);
    auto promised = read["promised"];
    if (promised.error() == simdjson::SUCCESS) {
      const dom::element promise = promised.value();
      cursor.promise = {text(promise, "file"), text(promise, "sha256"), text(promise, "position")};
    }
    return cursor;
  } catch (const simdjson::simdjson_error&) {
    return fail(ErrorCode::invalid_argument, path + " is no cursor of an export");
  }
}

Result<void> check_question(const std::string& path, const ExportQuestion& was,
                            const ExportQuestion& is) {
  const auto other = [&path](std::string_view what, const std::string& a, const std::string& b) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("{} belongs to an export with another {}: '{}', not '{}'", path, what, a, b));
  };
  if (was.query != is.query) {
    return other("query", was.query, is.query);
  }
  if (was.format != is.format) {
    return other("format", was.format, is.format);
  }
  if (was.zone != is.zone) {
    return other("time zone", was.zone, is.zone);
  }
  if (was.raw != is.raw) {
    return other("form of cells", was.raw ? "--raw" : "", is.raw ? "--raw" : "");
  }
  return {};
}

Result<std::string> digest_of(Disk& disk, const std::string& path) {
  DOCKET_ASSIGN(const auto file, disk.open(path, OpenMode::read));
  DOCKET_ASSIGN(const std::uint64_t size, file->size());
  api::Sha256 digest;
  std::vector<std::byte> piece;
  for (std::uint64_t at = 0; at < size; at += piece.size()) {
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(size - at, piece_bytes)));
    DOCKET_TRY(file->read_at(FileOffset(at), piece));
    digest.update({reinterpret_cast<const char*>(piece.data()), piece.size()});
  }
  return digest.finish();
}

}  // namespace

struct ExportSeries::State {
  Disk& disk;
  std::string path;  // of the cursor
  Cursor cursor;
  std::unique_ptr<DirectoryLock> lock;
  std::optional<std::string> completed;
  std::string file;  // that this run makes
  std::unique_ptr<File> part;
  std::uint64_t bytes = 0;
  bool is_ours = true;  // the part is not promised

  Result<void> save() {
    const std::string json = to_json(cursor);
    return replace_file(disk, path, std::as_bytes(std::span(json)));
  }

  Result<void> move_on(const std::string& position, bool has_file) {
    cursor.position = position;
    cursor.files += has_file ? 1 : 0;
    cursor.promise.reset();
    return save();
  }

  // Gives a promised part its name.
  Result<void> give_name(const std::string& name) {
    DOCKET_ASSIGN(const bool taken, disk.exists(name));
    if (taken) {
      return fail(ErrorCode::exists, name + " is there already and is not replaced");
    }
    return disk.rename(part_of(name), name);
  }

  // I2: does what is left of a run that was cut off.
  Result<void> complete() {
    const Promise promise = *cursor.promise;
    DOCKET_ASSIGN(const bool has_part, disk.exists(part_of(promise.file)));
    if (has_part) {
      DOCKET_ASSIGN(const std::string digest, digest_of(disk, part_of(promise.file)));
      if (digest != promise.sha256) {
        // Somebody has changed it. As it never had its name, it is written anew; a cursor that
        // still promised it would take its removal for its delivery.
        cursor.promise.reset();
        return save();
      }
      DOCKET_TRY(give_name(promise.file));
    }
    DOCKET_TRY(disk.sync_directory(parent_of(promise.file)));
    completed = promise.file;
    return move_on(promise.position, true);
  }
};

std::string numbered_file(const std::string& path, std::uint64_t number) {
  const std::size_t name = path.rfind('/') + 1;  // 0 where there is none
  const std::size_t dot = path.rfind('.');
  const std::size_t end = dot == std::string::npos || dot <= name ? path.size() : dot;
  return fmt::format("{}.{:06}{}", path.substr(0, end), number, path.substr(end));
}

ExportSeries::ExportSeries(std::unique_ptr<State> state) : state_(std::move(state)) {}
ExportSeries::ExportSeries(ExportSeries&&) noexcept = default;

ExportSeries::~ExportSeries() {
  if (state_ != nullptr && state_->part != nullptr && state_->is_ours) {
    state_->part.reset();
    static_cast<void>(state_->disk.unlink(part_of(state_->file)));
  }
}

Result<ExportSeries> ExportSeries::open(Disk& disk, const std::string& cursor,
                                        const std::string& out, const ExportQuestion& question) {
  auto state = std::make_unique<State>(State{disk, cursor, {}, {}, {}, {}, {}, 0, true});
  auto lock = disk.lock(cursor + ".lock");
  if (!lock) {
    return lock.error().code == ErrorCode::busy
               ? fail(ErrorCode::busy, "another export is using " + cursor)
               : fail(lock.error());
  }
  state->lock = std::move(*lock);
  DOCKET_ASSIGN(const bool has_cursor, disk.exists(cursor));
  if (has_cursor) {
    DOCKET_ASSIGN(const auto bytes, read_file(disk, cursor, cursor_bytes_max));
    DOCKET_ASSIGN(state->cursor, parse_cursor(cursor, {reinterpret_cast<const char*>(bytes.data()),
                                                       bytes.size()}));
    DOCKET_TRY(check_question(cursor, state->cursor.question, question));
  }
  state->cursor.question = question;
  if (state->cursor.promise) {
    DOCKET_TRY(state->complete());
  }
  state->file = numbered_file(out, state->cursor.files + 1);
  DOCKET_ASSIGN(const bool taken, disk.exists(state->file));
  if (taken) {
    return fail(ErrorCode::exists, state->file + " is there already and is not replaced");
  }
  DOCKET_ASSIGN(state->part, disk.open(part_of(state->file), OpenMode::create_empty));
  return ExportSeries(std::move(state));
}

const std::string& ExportSeries::after() const {
  return state_->cursor.position;
}

const std::optional<std::string>& ExportSeries::completed() const {
  return state_->completed;
}

Result<void> ExportSeries::write(std::string_view piece) {
  const std::array parts{std::as_bytes(std::span(piece))};
  DOCKET_TRY(state_->part->write_at(FileOffset(state_->bytes), parts));
  state_->bytes += piece.size();
  return {};
}

Result<std::string> ExportSeries::keep(const std::string& position, const std::string& sha256) {
  State& state = *state_;
  DOCKET_TRY(state.part->sync_data());
  DOCKET_TRY(state.disk.sync_directory(parent_of(state.file)));
  state.cursor.promise = {state.file, sha256, position};
  state.is_ours = false;  // also where the next call fails: the cursor may say so all the same
  DOCKET_TRY(state.save());
  DOCKET_TRY(state.give_name(state.file));
  DOCKET_TRY(state.disk.sync_directory(parent_of(state.file)));
  DOCKET_TRY(state.move_on(position, true));
  return state.file;
}

Result<void> ExportSeries::advance(const std::string& position) {
  return state_->move_on(position, false);
}

}  // namespace docket::cli
