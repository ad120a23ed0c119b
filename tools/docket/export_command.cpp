// export: the whole filtered set to stdout or into a file, in constant memory.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tools/api/digest.hpp"
#include "tools/api/units.hpp"
#include "tools/docket/commands.hpp"

namespace docket::cli {

namespace {

// A file that appears under its name when it is complete and on the disk; until then, and where
// that never happens, there is only FILE.part.
class NewFile {
 public:
  explicit NewFile(std::string path) : path_(std::move(path)), part_(path_ + ".part") {}
  ~NewFile() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
      ::unlink(part_.c_str());
    }
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  [[nodiscard]] Result<int> open() {
    descriptor_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor_ < 0) {
      return fail_errno(part_, errno);
    }
    return descriptor_;
  }

  [[nodiscard]] Result<void> complete() {
    if (::fsync(descriptor_) != 0) {
      return fail_errno(part_, errno);
    }
    const int closed = ::close(descriptor_);
    descriptor_ = -1;
    if (closed != 0 || ::rename(part_.c_str(), path_.c_str()) != 0) {
      const int error = errno;
      ::unlink(part_.c_str());
      return fail_errno(path_, error);
    }
    return {};
  }

 private:
  std::string path_, part_;
  int descriptor_ = -1;
};

// Copies the export to `out` and checks it against what its source says of it.
Result<api::ExportSummary> copy_export(Context& context, Source& source, Output& out) {
  api::Parameters parameters = question_of(context);
  parameters.set("format", context.arguments.format == Format::csv ? "csv" : "ndjson");
  if (context.arguments.raw) {
    parameters.set("raw", "1");
  }
  api::Sha256 digest;
  Progress progress("exported", 0);
  std::uint64_t bytes = 0;
  auto summary = source.export_events(parameters, [&](std::string_view piece) {
    digest.update(piece);
    bytes += piece.size();
    progress.show(bytes >> 10, "KiB");
    if (context.terminal.is_terminal && context.arguments.out.empty() &&
        context.arguments.format == Format::ndjson) {
      out.write(json_for_terminal(piece));
    } else {
      out.write(piece);
    }
    return !out.gone() && out.failure() == 0;
  });
  out.flush();
  if (out.failure() != 0) {
    return fail_errno("writing the export", out.failure());
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
  if (to_file) {
    const auto descriptor = file.open();
    if (!descriptor) {
      return complain(descriptor.error());
    }
    Output out(*descriptor);
    summary = copy_export(context, source, out);
    if (summary) {
      if (const auto completed = file.complete(); !completed) {
        return complain(completed.error());
      }
    }
  } else {
    summary = copy_export(context, source, context.out);
  }
  if (!summary) {
    // Nobody reads any more: that is no failure of ours.
    return context.out.gone() ? exit_done : complain(summary.error());
  }
  static_cast<void>(std::fprintf(stderr, "rows %llu\nsha256 %s\n",
                                 static_cast<unsigned long long>(summary->rows),
                                 summary->sha256.c_str()));
  return report_gaps(context, summary->gaps);
}

}  // namespace docket::cli
