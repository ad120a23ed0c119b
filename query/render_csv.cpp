#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "engine/timestamp.hpp"
#include "query/byte_scan.hpp"
#include "query/csv_row.hpp"
#include "query/render.hpp"
#include "query/utf8.hpp"

namespace docket::query {

namespace {

// Tab, CR and LF are plain CSV once they stand in quotes.
bool is_escaped(const Utf8Character& character) {
  const bool is_layout = character.code == '\t' || character.code == '\r' || character.code == '\n';
  return character.valid && is_hidden(character.code) && !is_layout;
}

// A record is written into the buffer cell by cell; a cell's bytes are put there as they are and
// dressed in place, which costs the usual cell one look at its bytes.
class Record {
 public:
  Record(std::string& out, bool raw) : out_(out), raw_(raw) {}

  void add(std::string_view text) {
    begin() += text;
    dress();
  }

  void add(std::uint64_t number) {
    char text[std::numeric_limits<std::uint64_t>::digits10 + 1];
    const auto [end, error] = std::to_chars(std::begin(text), std::end(text), number);
    static_cast<void>(error);  // The buffer holds every number.
    begin().append(text, static_cast<std::size_t>(end - text));
  }

  void add(const std::optional<IpAddress>& address) {
    if (std::string& cell = begin(); address.has_value()) {
      cell += format_ip(*address);
    }
  }

  // Starts a cell whose text the caller appends; dress() it unless it is a time or an address.
  std::string& begin() {
    if (!first_) {
      out_ += ',';
    }
    first_ = false;
    start_ = out_.size();
    return out_;
  }

  void dress() {
    const std::size_t special = start_ + plain_bytes<',', '"'>(out_, start_);
    if (!raw_ && start_ < out_.size()) {
      escape_hidden(special);
      if (needs_guard(std::string_view(out_).substr(start_))) {
        out_.insert(start_, 1, '\'');
      }
    }
    if (std::any_of(out_.begin() + static_cast<std::ptrdiff_t>(special), out_.end(),
                    needs_quotes)) {
      quote();
    }
  }

 private:
  static bool needs_quotes(char c) { return c == ',' || c == '"' || c == '\r' || c == '\n'; }

  // Control characters and bidi marks become \uNNNN, which is also what they are in JSON.
  void escape_hidden(std::size_t from) {
    std::size_t at = from + plain_bytes<>(out_, from);
    while (at < out_.size()) {
      const Utf8Character character = utf8_at(out_, at);
      if (is_escaped(character)) {
        break;
      }
      at += character.bytes;
      at += plain_bytes<>(out_, at);
    }
    if (at == out_.size()) {
      return;
    }
    const std::string rest = out_.substr(at);
    out_.resize(at);
    for (std::size_t i = 0; i < rest.size();) {
      const Utf8Character character = utf8_at(rest, i);
      if (is_escaped(character)) {
        append_unicode_escape(out_, character.code);
      } else {
        out_.append(rest, i, character.bytes);
      }
      i += character.bytes;
    }
  }

  // Puts the cell in quotes and doubles those in it, from the back, so that nothing is copied away.
  void quote() {
    const std::size_t end = out_.size();
    const auto quotes = static_cast<std::size_t>(
        std::count(out_.begin() + static_cast<std::ptrdiff_t>(start_), out_.end(), '"'));
    out_.resize(end + quotes + 2);
    char* to = out_.data() + out_.size();
    *--to = '"';
    // Without a branch, which nobody could foretell: each byte is written twice, and only a quote
    // moves on by two. What the second write hits is a place behind all that is yet to be read.
    const char* const first = out_.data() + start_;
    for (const char* from = out_.data() + end; from > first;) {
      const char c = *--from;
      *--to = c;
      to[-1] = c;
      to -= c == '"' ? 1 : 0;
    }
    *--to = '"';
  }

  std::string& out_;
  bool raw_;
  bool first_ = true;
  std::size_t start_ = 0;  // of the cell being written
};

}  // namespace

bool is_run_by_spreadsheets(std::string_view cell) {
  if (cell.empty()) {
    return false;
  }
  if (static_cast<unsigned char>(cell[0]) < 0x80) {
    return std::string_view("=+-@\t\r\n").find(cell[0]) != std::string_view::npos;
  }
  return cell.starts_with("＝") || cell.starts_with("＋") || cell.starts_with("－") ||
         cell.starts_with("＠");
}

bool needs_guard(std::string_view cell) {
  return is_run_by_spreadsheets(cell.substr(std::min(cell.size(), cell.find_first_not_of('\''))));
}

void append_csv_cell(std::string& out, std::string_view text, bool raw) {
  Record(out, raw).add(text);
}

void append_csv_cell(std::string& out, std::string_view text) {
  append_csv_cell(out, text, false);
}

std::string_view csv_header() {
  return "timestamp,log,seq,actor_kind,actor_id,actor_name,actor_role,verb,target_type,target_id,"
         "target_name,ip,outcome,reason,affected,session,request,related,payload\r\n";
}

namespace {

// The cells behind the first one.
template <typename Row>
void add_cells(Row& row, const StoredView& event) {
  row.add(event.log);
  row.add(event.seq.value);
  row.add(event.actor.kind);
  row.add(event.actor.id);
  row.add(event.actor.name);
  row.add(event.actor.role);
  row.add(event.verb);
  row.add(event.target.type);
  row.add(event.target.id);
  row.add(event.target.name);
  row.add(event.ip);
  row.add(to_string(event.outcome));
  row.add(event.reason);
  row.add(event.affected);
  row.add(event.session);
  row.add(event.request);
  std::string related;
  if (!event.related.empty()) {
    append_json_targets(related, event.related);
  }
  row.add(related);
  row.add(event.payload);
}

#if defined(__x86_64__)
void append_csv_wide(std::string& out, const StoredView& event, bool raw) {
  append_rfc3339(out, event.ts);
  WideCsvRow row(out, raw);
  add_cells(row, event);
  row.finish();
}
#endif

}  // namespace

void append_csv(std::string& out, const StoredView& event, bool raw) {
#if defined(__x86_64__)
  if (has_wide_vectors()) {
    append_csv_wide(out, event, raw);
    return;
  }
#endif
  Record record(out, raw);
  append_rfc3339(record.begin(), event.ts);
  add_cells(record, event);
  out += "\r\n";
}

}  // namespace docket::query
