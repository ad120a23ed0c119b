#include "tools/docket/sending_options.hpp"

#include <string>

namespace docket::cli {

CLI::Validator not_empty() {
  return CLI::Validator(
      [](const std::string& value) {
        return std::string(value.empty() ? "must not be empty" : "");
      },
      "");
}

namespace {

void add_redaction(CLI::App& app, Arguments& a) {
  app.add_option(
         "--redact", a.redact,
         "Take out of the events, before they leave this machine, what the section [redact] "
         "of this file says, in docketd's form: keys = [...] and patterns = [...]")
      ->type_name("FILE")
      ->check(not_empty());
}

}  // namespace

void add_import_options(CLI::App& app, Arguments& a) {
  app.add_option("FILE", a.files,
                 "Files, each NDJSON or CSV as exported; - is standard input. A pipe is copied "
                 "to a temporary file first, as it is read twice")
      ->type_name("")
      ->required();
  app.add_option("--log", a.log, "Store all of them in this log, whatever theirs is")
      ->type_name("LOG")
      ->check(not_empty());
  app.add_option("--ingest", a.ingest,
                 "Where the server takes events, or unix:PATH of its socket ($DOCKET_INGEST, else "
                 "the server is asked); spoken to under TLS where --server is https")
      ->type_name("ADDR:PORT")
      ->check(not_empty());
  add_redaction(app, a);
  app.add_flag("--raw", a.raw,
               "CSV cells are as they are; else the ' of the export is taken off them");
  app.footer(
      "A file is known by its content: importing it again, from wherever, stores nothing twice "
      "and "
      "goes\non where a run was broken off. A file that has grown or was corrected is another "
      "one, "
      "and all of\nits events are stored: import only the new part. What is refused is named "
      "with "
      "its line and\nstays out for good, an event from more than 24 h ahead too: import it by "
      "itself, in a file of its\nown, once it is mended.");
}

void add_forward_options(CLI::App& app, Arguments& a) {
  app.add_option("FILE", a.files,
                 "The file; it need not exist yet. Rotation is followed: FILE may be renamed "
                 "to FILE.1 or so and made anew, or truncated")
      ->type_name("")
      ->expected(1)
      ->required();
  app.add_option("--state", a.state,
                 "A directory for what is on its way and how far the file has been read, of "
                 "this FILE alone; made when missing")
      ->type_name("DIR")
      ->check(not_empty())
      ->required();
  app.add_flag("--once", a.once, "End at the end of the file, when all of it is stored");
  app.add_option("--log", a.log, "Store all of them in this log, whatever theirs is")
      ->type_name("LOG")
      ->check(not_empty());
  app.add_option("--node", a.node,
                 "The sender's name, the same at each start and no other's (forward:HOST:FILE)")
      ->type_name("NAME")
      ->check(not_empty());
  app.add_option("--ingest", a.ingest,
                 "Where the server takes events, or unix:PATH of its socket ($DOCKET_INGEST, else "
                 "the server is asked, which has to be there then); spoken to under TLS where "
                 "--server is https")
      ->type_name("ADDR:PORT")
      ->check(not_empty());
  add_redaction(app, a);
  app.footer(
      "For PHP and other processes that end with their request: they append a line, with its "
      "end, in one\nwrite, and are done. A line that is in DIR needs neither FILE nor the server "
      "any more; after a kill\nat any instant the next run goes on behind it. A line that is no "
      "event is named with its place,\nand again by a run that begins before it.");
}

}  // namespace docket::cli
