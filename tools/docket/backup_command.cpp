// backup and restore: the same copy, there and back.
#include <fmt/format.h>

#include "engine/disk.hpp"
#include "query/render.hpp"
#include "tools/api/units.hpp"
#include "tools/backup/store_copy.hpp"
#include "tools/docket/commands.hpp"

namespace docket::cli {

namespace {

std::string report_json(const backup::Copied& copied) {
  return fmt::format(
      "{{\"logs\":{},\"segments\":{},\"events\":{},\"files_linked\":{},\"files_copied\":{},"
      "\"bytes_copied\":{}}}",
      copied.logs, copied.segments, copied.events, copied.files_linked, copied.files_copied,
      copied.bytes_copied);
}

std::string report_text(const backup::Copied& copied, const std::string& to) {
  return fmt::format("{}: {} logs, {} segments, {} events; {} files linked, {} copied ({})\n",
                     query::terminal_safe(to), copied.logs, copied.segments, copied.events,
                     copied.files_linked, copied.files_copied,
                     api::readable_bytes(copied.bytes_copied));
}

}  // namespace

int run_backup(Context& context) {
  const Arguments& arguments = context.arguments;
  const bool is_backup = arguments.command == Command::backup;
  // What is restored shares no file with the backup, so that neither spoils the other.
  const auto copied =
      backup::copy_store(posix_disk(), is_backup ? arguments.data : arguments.from, arguments.to,
                         is_backup ? backup::hard_link : backup::no_link);
  if (!copied) {
    return complain(copied.error());
  }
  if (arguments.format == Format::json) {
    context.out.write(report_json(*copied) + "\n");
  } else {
    context.out.write(report_text(*copied, arguments.to));
  }
  return arguments.verify ? run_verify(context, arguments.to) : exit_done;
}

}  // namespace docket::cli
