// export: the whole filtered set to stdout or into a file, in constant memory.
#include <fmt/format.h>

#include "tools/api/digest.hpp"
#include "tools/api/units.hpp"
#include "tools/docket/commands.hpp"
#include "tools/docket/new_file.hpp"

namespace docket::cli {

namespace {

// Copies the export to `out` and checks it against what its source says of it.
Result<api::ExportSummary> copy_export(Context& context, Source& source, Output& out) {
  api::Parameters parameters = question_of(context);
  parameters.set("format", api::to_string(event_format_of(context)));
  if (context.arguments.raw) {
    parameters.set("raw", "1");
  }
  api::Sha256 digest;
  const bool to_stdout = context.arguments.out.empty();
  const bool to_terminal = context.terminal.is_terminal && to_stdout;
  // Among the data it would be neither read nor harmless.
  Progress progress("exported", 0, !to_terminal);
  std::uint64_t bytes = 0;
  auto summary = source.export_events(parameters, [&](std::string_view piece) {
    digest.update(piece);
    bytes += piece.size();
    progress.show(bytes >> 10, "KiB");
    if (to_terminal && context.arguments.format == Format::ndjson) {
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
  if (summary && digest.finish() != summary->sha256) {
    return fail(ErrorCode::io, "the export did not arrive as it was sent: its digest differs");
  }
  return summary;
}

}  // namespace

int run_export(Context& context, Source& source) {
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
  static_cast<void>(std::fprintf(stderr, "rows %llu\nsha256 %s\n",
                                 static_cast<unsigned long long>(summary->rows),
                                 summary->sha256.c_str()));
  return report_gaps(context, summary->gaps);
}

}  // namespace docket::cli
