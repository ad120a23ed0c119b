// export: the whole filtered set to stdout, into a file, or into the next file of a series, in
// constant memory.
#include <fmt/format.h>

#include <filesystem>
#include <functional>

#include "query/render.hpp"
#include "tools/api/units.hpp"
#include "tools/docket/commands.hpp"
#include "tools/docket/export_series.hpp"
#include "tools/docket/new_file.hpp"

namespace docket::cli {

namespace {

api::Parameters parameters_of(const Context& context) {
  api::Parameters parameters = question_of(context);
  parameters.set("format", api::to_string(event_format_of(context)));
  if (context.arguments.raw) {
    parameters.set("raw", "1");
  }
  return parameters;
}

// Gives the export to `write` piece by piece until it returns false, and tells how far it is.
Result<api::ExportSummary> run_shown(Source& source, const api::Parameters& parameters,
                                     bool shows_progress,
                                     const std::function<bool(std::string_view)>& write) {
  Progress progress("exported", 0, shows_progress);
  std::uint64_t bytes = 0;
  return source.export_events(parameters, [&](std::string_view piece) {
    bytes += piece.size();
    progress.show(bytes >> 10, "KiB");
    return write(piece);
  });
}

Result<api::ExportSummary> copy_export(Context& context, Source& source, Output& out) {
  const bool to_stdout = context.arguments.out.empty();
  const bool to_terminal = context.terminal.is_terminal && to_stdout;
  const bool is_json = event_format_of(context) == api::EventFormat::ndjson;
  // Among the data, progress would be neither read nor harmless.
  auto summary =
      run_shown(source, parameters_of(context), !to_terminal, [&](std::string_view piece) {
        if (to_terminal && is_json) {
          out.write(json_for_terminal(piece));
        } else {
          out.write(piece);
        }
        return !out.gone() && out.failure() == 0;
      });
  out.flush();
  if (out.failure() != 0) {
    return fail_errno(to_stdout ? "writing the export" : context.arguments.out, out.failure());
  }
  return summary;
}

void tell(const api::ExportSummary& summary) {
  static_cast<void>(std::fprintf(stderr, "rows %llu\nsha256 %s\n",
                                 static_cast<unsigned long long>(summary.rows),
                                 summary.sha256.c_str()));
}

void tell_file(std::string_view name, std::string_view remark) {
  static_cast<void>(std::fprintf(stderr, "file %s%s\n", query::terminal_safe(name).c_str(),
                                 std::string(remark).c_str()));
}

int run_series(Context& context, Source& source) {
  const Arguments& arguments = context.arguments;
  std::error_code error;
  const auto cursor = std::filesystem::absolute(arguments.resume, error);
  const auto out = std::filesystem::absolute(arguments.out, error);
  if (error) {
    return complain(fail_errno("the current directory", error.value()).value());
  }
  auto series =
      ExportSeries::open(posix_disk(), cursor, out,
                         {arguments.query, context.zone.name(),
                          std::string(api::to_string(event_format_of(context))), arguments.raw});
  if (!series) {
    return complain(series.error());
  }
  if (series->completed()) {
    tell_file(*series->completed(), " (of a run that was cut off)");
  }
  api::Parameters parameters = parameters_of(context);
  parameters.set("after", series->after());
  Result<void> written;
  const auto summary = run_shown(source, parameters, true, [&](std::string_view piece) {
    written = series->write(piece);
    return written.has_value();
  });
  if (!written || !summary) {
    return complain(written ? summary.error() : written.error());
  }
  if (const int code = report_gaps(context, summary->gaps); code != exit_done) {
    static_cast<void>(
        std::fputs("docket: nothing is kept; the next run asks for the same again\n", stderr));
    return code;
  }
  if (summary->rows == 0) {
    if (const auto advanced = series->advance(summary->position); !advanced) {
      return complain(advanced.error());
    }
  } else {
    const auto kept = series->keep(summary->position, summary->sha256);
    if (!kept) {
      return complain(kept.error());
    }
    tell_file(*kept, "");
  }
  tell(*summary);
  return exit_done;
}

}  // namespace

int run_export(Context& context, Source& source) {
  if (!context.arguments.resume.empty()) {
    return run_series(context, source);
  }
  const bool to_file = !context.arguments.out.empty();
  NewFile file(context.arguments.out);
  Result<api::ExportSummary> summary;
  bool gone = false;  // nobody reads any more
  if (to_file) {
    const auto descriptor = file.open();
    if (!descriptor) {
      return complain(descriptor.error());
    }
    Output out(*descriptor);
    summary = copy_export(context, source, out);
    gone = out.gone();
    if (summary && !gone) {
      if (const auto completed = file.complete(); !completed) {
        return complain(completed.error());
      }
    }
  } else {
    summary = copy_export(context, source, context.out);
    gone = context.out.gone();
  }
  if (!summary) {
    // A reader that has gone is no failure of ours.
    return gone ? exit_done : complain(summary.error());
  }
  tell(*summary);
  return report_gaps(context, summary->gaps);
}

}  // namespace docket::cli
